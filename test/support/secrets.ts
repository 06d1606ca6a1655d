/**
 * The rules for secrets that every store has to keep, as tests for each store.
 */
import { assert, it } from "@effect/vitest"
import {
  ConfigProvider,
  Context,
  Effect,
  Either,
  Fiber,
  Layer,
  Option,
  Redacted,
  Ref,
  type Scope
} from "effect"
import type { AccountCode, Location, Token } from "../../src/schemas/Credentials.js"
import * as AuthStore from "../../src/services/store/AuthStore.js"
import type * as Rekey from "../../src/services/store/rekey.js"
import * as CredentialProvider from "../../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"
import { SessionRefused } from "../../src/services/session/SessionRefusal.js"
import * as StoreKey from "../../src/services/store/StoreKey.js"
import { assertHoldsNone } from "./canary.js"
import { assertShowsNone } from "./leaks.js"
import { account, badToken, environment, goodToken, makeWorld, type World } from "./stack.js"

export const noConfiguration = Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))

export const key: AuthStore.AccountKey = { location: "default" as Location, account: account as AccountCode }
export const other: AuthStore.AccountKey = { ...key, account: "EP0000002" as AccountCode }
export const otherToken = "0F8E7D6C5B4A39281706F5E4D3C2B1A0"

export const keyText = (n: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, at) => (n * 37 + at * 101) & 255)).toString("base64")
export const ring = (...keys: ReadonlyArray<number>): StoreKey.KeyRing => {
  const [current, ...older] = keys.map((n) => Redacted.make(keyText(n)))
  return Either.getOrThrow(StoreKey.decodeKeyRing({ current: current!, older }))
}
export const idOf = (n: number): string => ring(n).current.id

export type Store = AuthStore.AuthStore["Type"]

export type Table = "number_auth_account" | "number_auth_token"

/** A store that several processes can open, with access to its data. */
export interface Place {
  /** Opens it with these keys. Without keys, it opens as if none were configured. */
  readonly open: (keys?: StoreKey.KeyRing) => Effect.Effect<Store, AuthStore.AuthStoreError, Scope.Scope>
  readonly rekey: (
    keys: StoreKey.KeyRing | undefined,
    discard?: boolean
  ) => Effect.Effect<Rekey.Rekeyed, AuthStore.AuthStoreError>
  readonly documentOf: (whose: AuthStore.AccountKey, table?: Table) => Promise<string>
  readonly write: (whose: AuthStore.AccountKey, document: string, table?: Table) => Promise<void>
  /** All bytes that it has written. */
  readonly bytes: () => Promise<Buffer>
}

/** A process of an account: a NumberAuth of its own on a store. */
export const start = (world: World, store: Store, whose = account, token?: string) =>
  Effect.gen(function* () {
    const own = token === undefined ? world : { ...world, token: yield* Ref.make(token) }
    return yield* Layer.build(
      NumberAuth.layer({ account: whose, baseUrl: "https://number.test/v1" }).pipe(
        Layer.provide(environment({ ...own, store })),
        Layer.orDie
      )
    ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))
  })

/** The same, with the token that the store keeps. */
export const startWithKeptToken = (world: World, store: Store) =>
  Layer.build(
    NumberAuth.layer({ account, baseUrl: "https://number.test/v1" }).pipe(
      Layer.provide(
        CredentialProvider.layerStore().pipe(Layer.provide(Layer.succeed(AuthStore.AuthStore, store)))
      ),
      Layer.provide(environment({ ...world, store })),
      Layer.orDie
    )
  ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))

export const inTheEnd = <A>(value: () => Promise<A>) => Effect.promise(value)

/** Both accounts hold a session, sealed under the key. */
export const twoSessions = (place: Place, keys: StoreKey.KeyRing | undefined) =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.emulator.addToken(other.account, otherToken)
    const read = yield* Effect.scoped(
      Effect.gen(function* () {
        const store = yield* place.open(keys)
        const one = yield* (yield* start(world, store)).sessionKey
        const two = yield* (yield* start(world, store, other.account, otherToken)).sessionKey
        return { one: Redacted.value(one), two: Redacted.value(two) }
      })
    )
    return { world, ...read }
  })

export const attempts = (world: World) => Effect.map(world.emulator.log, (log) => log.length)

/** The tests for every store that has a key. */
export const behaves = (makePlace: Effect.Effect<Place, never, Scope.Scope>) => {
  it.scopedLive("another process with the key takes the session, and no further attempt is made", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { one, world } = yield* twoSessions(place, ring(1))
      const auth = yield* start(world, yield* place.open(ring(1)))
      assert.strictEqual(Redacted.value(yield* auth.sessionKey), one)
      assert.strictEqual(yield* attempts(world), 2)
    })
  )

  it.scopedLive("the store's bytes hold no token, session key or store key after real use", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { one, two, world } = yield* twoSessions(place, ring(1))
      const store = yield* place.open(ring(1))
      const auth = yield* start(world, store)
      yield* world.emulator.expireSessions()
      yield* auth.withSession(() => Effect.fail(new SessionRefused({ code: 5030 }))).pipe(Effect.ignore)
      const renewed = Redacted.value(yield* auth.sessionKey)
      assert.notStrictEqual(renewed, one)
      const refused = yield* start(world, store, "EP0000003", badToken(0xbad))
      assert.strictEqual((yield* Effect.flip(refused.sessionKey))._tag, "AuthAborted")
      yield* place.rekey(ring(2, 1))
      const bytes = yield* inTheEnd(place.bytes)
      // The bytes do hold the records that belong to these secrets.
      for (const text of [account, "EP0000003", "refusedFingerprints", idOf(2)]) {
        assert.isAtLeast(bytes.indexOf(text), 0, text)
      }
      assertHoldsNone(bytes, "the store", {
        token: goodToken,
        "other account's token": otherToken,
        "refused token": badToken(0xbad),
        "session key": one,
        "other account's session key": two,
        "renewed session key": renewed,
        "store key": keyText(1),
        "new store key": keyText(2)
      })
    })
  )

  it.scopedLive("a missing store key is named, nothing is changed, and no attempt is spent", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { one, world } = yield* twoSessions(place, ring(1))
      const before = yield* inTheEnd(() => place.documentOf(key))
      const auth = yield* start(world, yield* place.open(ring(2, 3)))
      for (const use of [auth.sessionKey, auth.status, auth.resume, auth.replaceCredentials(badToken(1))]) {
        const error = yield* Effect.flip(use as Effect.Effect<unknown, NumberAuth.AuthError>)
        assert(error._tag === "AuthStoreError")
        assert.strictEqual(error.reason, "unreadable")
        assert.include(error.message, `Supply the store key with id ${idOf(1)}`)
        assert.include(error.message, "no attempt is sent")
        assertShowsNone(error, one, keyText(1), keyText(2), goodToken)
      }
      assert.strictEqual(yield* inTheEnd(() => place.documentOf(key)), before)
      assert.strictEqual(yield* attempts(world), 2)
      // With the key all is as before.
      const again = yield* start(world, yield* place.open(ring(2, 3, 1)))
      assert.strictEqual(Redacted.value(yield* again.sessionKey), one)
    })
  )

  it.scopedLive("records that were swapped, changed or cut are detected, and no attempt is spent", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { world } = yield* twoSessions(place, ring(1))
      const own = yield* inTheEnd(() => place.documentOf(key))
      const others = yield* inTheEnd(() => place.documentOf(other))
      const record = JSON.parse(own)
      const { box, nonce } = record.sessionKey
      const session = { ...record.context.session, generation: record.context.session.generation + 1 }
      const changed: Readonly<Record<string, string>> = {
        "the other account's whole record": others,
        "the other account's sealed key": JSON.stringify({
          ...record,
          sessionKey: JSON.parse(others).sessionKey
        }),
        "another generation": JSON.stringify({ ...record, context: { ...record.context, session } }),
        "a sealed key without a session": JSON.stringify({
          ...record,
          context: { ...record.context, session: null }
        }),
        "a bit of the box": JSON.stringify({
          ...record,
          sessionKey: { ...record.sessionKey, box: `${box[0] === "A" ? "B" : "A"}${box.slice(1)}` }
        }),
        "a nonce cut short": JSON.stringify({
          ...record,
          sessionKey: { ...record.sessionKey, nonce: nonce.slice(1) }
        }),
        "a torn record": own.slice(0, -20)
      }
      for (const [name, document] of Object.entries(changed)) {
        yield* inTheEnd(() => place.write(key, document))
        const auth = yield* start(world, yield* place.open(ring(1)))
        const error = yield* Effect.flip(auth.sessionKey)
        assert(error._tag === "AuthStoreError", name)
        assert.strictEqual(error.reason, "unreadable", name)
        assert.strictEqual(yield* inTheEnd(() => place.documentOf(key)), document, name)
      }
      assert.strictEqual(yield* attempts(world), 2)
    })
  )

  it.scopedLive(
    "a record from before keys were sealed is unreadable, stays as it is, and spends no attempt",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const { one, world } = yield* twoSessions(place, ring(1))
        const sealed = JSON.parse(yield* inTheEnd(() => place.documentOf(key)))
        const plain = JSON.stringify({ ...sealed, version: 1, sessionKey: one })
        yield* inTheEnd(() => place.write(key, plain))
        const auth = yield* start(world, yield* place.open(ring(1)))
        const error = yield* Effect.flip(auth.sessionKey)
        assert(error._tag === "AuthStoreError")
        assert.strictEqual(error.reason, "unreadable")
        assertShowsNone(error, one)
        assert.strictEqual(yield* inTheEnd(() => place.documentOf(key)), plain)
        assert.strictEqual(yield* attempts(world), 2)
      })
  )

  it.scopedLive("rekey seals all records again, can be repeated, and makes the old key unnecessary", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { one, two, world } = yield* twoSessions(place, ring(1))
      // As after an interrupted rekey: one of the two records is sealed under the new key already.
      const halfway = yield* place.open(ring(2, 1))
      yield* halfway.transact(key, ({ account: record, ledger }) => [
        null,
        { ledger, account: { ...record } }
      ])
      const done = yield* place.rekey(ring(2, 1))
      assert.deepStrictEqual(done, { keyId: idOf(2), resealed: 1, unchanged: 1, discarded: 0 })
      assert.deepInclude(yield* place.rekey(ring(2, 1)), { resealed: 0, unchanged: 2 })
      const store = yield* place.open(ring(2))
      assert.strictEqual(Redacted.value((yield* store.read(key)).account.sessionKey!), one)
      assert.strictEqual(Redacted.value((yield* store.read(other)).account.sessionKey!), two)
      const error = yield* Effect.flip((yield* place.open(ring(1))).read(key))
      assert.include(error.message, `id ${idOf(2)}`)
      assert.strictEqual(yield* attempts(world), 2)
    })
  )

  it.scopedLive("rekey runs while others work with both keys, and loses none of their transactions", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      yield* twoSessions(place, ring(1))
      const store = yield* place.open(ring(1, 2))
      const before = (yield* store.read(key)).account.context.flaps
      const counting = yield* store
        .transact(key, ({ account: record, ledger }) => [
          null,
          {
            ledger,
            account: { ...record, context: { ...record.context, flaps: record.context.flaps + 1 } }
          }
        ])
        .pipe(Effect.repeatN(29), Effect.fork)
      yield* Effect.repeatN(place.rekey(ring(2, 1)), 4)
      yield* Fiber.join(counting)
      assert.strictEqual((yield* store.read(key)).account.context.flaps, before + 30)
    })
  )

  it.scopedLive(
    "rekey without the old key leaves records it cannot open, and names the key; --discard gives them up",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const { world } = yield* twoSessions(place, ring(1))
        const before = yield* inTheEnd(() => place.documentOf(key))
        const error = yield* Effect.flip(place.rekey(ring(2)))
        assert.strictEqual(error.reason, "unreadable")
        assert.include(error.message, "2 of 2 records cannot be read and were not changed")
        assert.include(error.message, `Supply the store key with id ${idOf(1)}`)
        assert.strictEqual(yield* inTheEnd(() => place.documentOf(key)), before)
        assert.deepInclude(yield* place.rekey(ring(2), true), { resealed: 0, unchanged: 0, discarded: 2 })
        assert.strictEqual(yield* attempts(world), 2)
        const auth = yield* start(world, yield* place.open(ring(2)))
        yield* auth.sessionKey
        assert.strictEqual(yield* attempts(world), 3)
      })
  )

  it.scopedLive(
    "a refused token is not sent again, even if the store was rekeyed and its old key is gone",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const world = yield* makeWorld()
        const refusedBy = (keys: StoreKey.KeyRing) =>
          Effect.scoped(
            Effect.gen(function* () {
              const auth = yield* start(world, yield* place.open(keys), account, badToken(1))
              return yield* Effect.flip(auth.sessionKey)
            })
          )
        assert.strictEqual((yield* refusedBy(ring(1)))._tag, "AuthAborted")
        yield* place.rekey(ring(2, 1))
        assert.strictEqual((yield* refusedBy(ring(2)))._tag, "AuthAborted")
        yield* place.rekey(ring(3), true)
        const store = yield* place.open(ring(3))
        const auth = yield* start(world, store, account, badToken(1))
        assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthAborted")
        assert.strictEqual((yield* Effect.flip(auth.replaceCredentials(badToken(1))))._tag, "AuthRejected")
        assert.strictEqual(yield* attempts(world), 1)
      })
  )

  it.scopedLive("a kept token outlives its process, is sealed, and serves other processes", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const world = yield* makeWorld()
      const first = yield* place.open(ring(1))
      assert(Option.isNone(yield* first.readToken(key)))
      const auth = yield* startWithKeptToken(world, first)
      assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "CredentialError")
      yield* auth.replaceCredentials(goodToken)
      const another = yield* startWithKeptToken(world, yield* place.open(ring(1)))
      yield* another.sessionKey
      assert.strictEqual(yield* attempts(world), 1)
      assertHoldsNone(yield* inTheEnd(place.bytes), "the store", { token: goodToken })
      assert(Option.isNone(yield* first.readToken(other)))
    })
  )

  it.scopedLive("a kept token that does not open is reported, changes nothing, and spends no attempt", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const world = yield* makeWorld()
      const store = yield* place.open(ring(1))
      yield* store.writeToken(key, Redacted.make(goodToken) as Token)
      yield* store.writeToken(other, Redacted.make(otherToken) as Token)
      const document = yield* inTheEnd(() => place.documentOf(key, "number_auth_token"))
      const others = yield* inTheEnd(() => place.documentOf(other, "number_auth_token"))
      const wrongKey = yield* startWithKeptToken(world, yield* place.open(ring(2)))
      const error = yield* Effect.flip(wrongKey.sessionKey)
      assert(error._tag === "AuthStoreError")
      assert.strictEqual(error.reason, "unreadable")
      assert.include(error.message, `the token of account ${account}`)
      assert.include(error.message, `id ${idOf(1)}`)
      assertShowsNone(error, goodToken, keyText(1), keyText(2))
      for (const wrong of [others, document.slice(0, -9)]) {
        yield* inTheEnd(() => place.write(key, wrong, "number_auth_token"))
        const auth = yield* startWithKeptToken(world, yield* place.open(ring(1)))
        const torn = yield* Effect.flip(auth.sessionKey)
        assert(torn._tag === "AuthStoreError")
        assert.strictEqual(torn.reason, "unreadable")
        assert.strictEqual(yield* inTheEnd(() => place.documentOf(key, "number_auth_token")), wrong)
      }
      assert.strictEqual(yield* attempts(world), 0)
    })
  )

  it.scopedLive("rekey seals kept tokens again, and with --discard gives up those that no key opens", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const store = yield* place.open(ring(1))
      yield* store.writeToken(key, Redacted.make(goodToken) as Token)
      yield* (yield* place.open(ring(3))).writeToken(other, Redacted.make(otherToken) as Token)
      const error = yield* Effect.flip(place.rekey(ring(2, 1)))
      assert.include(error.message, `the token of account ${other.account}`)
      assert.deepInclude(yield* place.rekey(ring(2, 1), true), { resealed: 0, unchanged: 1, discarded: 1 })
      const again = yield* place.open(ring(2))
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* again.readToken(key))), goodToken)
      assert(Option.isNone(yield* again.readToken(other)))
    })
  )
}
