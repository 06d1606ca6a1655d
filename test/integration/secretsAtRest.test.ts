/**
 * What the stores keep of secrets, on real files and a real PostgreSQL.
 */
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import {
  ConfigProvider,
  Context,
  Deferred,
  Effect,
  Either,
  Fiber,
  Layer,
  Logger,
  Option,
  Redacted,
  Ref,
  type Scope
} from "effect"
import { afterAll, beforeAll } from "vitest"
import type { AccountCode, Location, Token } from "../../src/schemas/Credentials.js"
import * as AuthStore from "../../src/services/AuthStore.js"
import * as CredentialProvider from "../../src/services/CredentialProvider.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as PgStore from "../../src/services/PgStore.js"
import { SessionRefused } from "../../src/services/SessionRefusal.js"
import * as SqliteStore from "../../src/services/SqliteStore.js"
import * as StoreKey from "../../src/services/StoreKey.js"
import { assertHoldsNone } from "../support/canary.js"
import { assertShowsNone } from "../support/leaks.js"
import { type Postgres, startPostgres } from "../support/postgres.js"
import { account, badToken, environment, goodToken, ip, makeWorld, type World } from "../support/stack.js"

const key: AuthStore.AccountKey = { location: "default" as Location, account: account as AccountCode }
const other: AuthStore.AccountKey = { ...key, account: "EP0000002" as AccountCode }
const otherToken = "0F8E7D6C5B4A39281706F5E4D3C2B1A0"

const keyText = (n: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, at) => (n * 37 + at * 101) & 255)).toString("base64")
const ring = (...keys: ReadonlyArray<number>): StoreKey.KeyRing => {
  const [current, ...older] = keys.map((n) => Redacted.make(keyText(n)))
  return Either.getOrThrow(StoreKey.decodeKeyRing({ current: current!, older }))
}
const idOf = (n: number): string => ring(n).current.id

type Store = AuthStore.AuthStore["Type"]

type Table = "number_auth_account" | "number_auth_token"

/** A store that several processes can open, and what is behind it. */
interface Place {
  /** Opens it, with these keys; without any, as it does when none is configured. */
  readonly open: (keys?: StoreKey.KeyRing) => Effect.Effect<Store, AuthStore.AuthStoreError, Scope.Scope>
  readonly rekey: (
    keys: StoreKey.KeyRing | undefined,
    discard?: boolean
  ) => Effect.Effect<AuthStore.Rekeyed, AuthStore.AuthStoreError>
  readonly documentOf: (whose: AuthStore.AccountKey, table?: Table) => Promise<string>
  readonly write: (whose: AuthStore.AccountKey, document: string, table?: Table) => Promise<void>
  /** All bytes that it has written. */
  readonly bytes: () => Promise<Buffer>
}

/** A process of an account: a NumberAuth of its own on a store. */
const start = (world: World, store: Store, whose = account, token?: string) =>
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
const startWithKeptToken = (world: World, store: Store) =>
  Layer.build(
    NumberAuth.layer({ account, baseUrl: "https://number.test/v1" }).pipe(
      Layer.provide(
        CredentialProvider.layerStore().pipe(Layer.provide(Layer.succeed(AuthStore.AuthStore, store)))
      ),
      Layer.provide(environment({ ...world, store })),
      Layer.orDie
    )
  ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))

const inTheEnd = <A>(value: () => Promise<A>) => Effect.promise(value)

/** Both accounts hold a session, sealed under the key. */
const twoSessions = (place: Place, keys: StoreKey.KeyRing | undefined) =>
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

const attempts = (world: World) => Effect.map(world.emulator.log, (log) => log.length)

/** What holds for every store that has a key. */
const behaves = (makePlace: Effect.Effect<Place, never, Scope.Scope>) => {
  it.scopedLive("another process with the key takes the session; no second attempt is made", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { one, world } = yield* twoSessions(place, ring(1))
      const auth = yield* start(world, yield* place.open(ring(1)))
      assert.strictEqual(Redacted.value(yield* auth.sessionKey), one)
      assert.strictEqual(yield* attempts(world), 2)
    })
  )

  it.scopedLive("after real use its bytes hold neither token nor session key nor store key", () =>
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
      // It did write what it is searched for the secrets of.
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

  it.scopedLive("a key that is missing is named; nothing is changed and no attempt is spent", () =>
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

  it.scopedLive("records that were swapped, changed or cut are found out, and no attempt is spent", () =>
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

  it.scopedLive("rekey seals all anew, again and again, and the old key is needed no more", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { one, two, world } = yield* twoSessions(place, ring(1))
      // Cut off halfway, as it were: one of the two is sealed anew already.
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

  it.scopedLive("rekey goes on while others work with both keys, and loses none of their transactions", () =>
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
    "rekey without the old key leaves what it cannot open, and names the key; --discard gives it up",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const { world } = yield* twoSessions(place, ring(1))
        const before = yield* inTheEnd(() => place.documentOf(key))
        const error = yield* Effect.flip(place.rekey(ring(2)))
        assert.strictEqual(error.reason, "unreadable")
        assert.include(error.message, "2 of 2 records were left as they are")
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
    "a refused token is not sent again, though the store was rekeyed and its old key is gone",
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

  it.scopedLive("a token that is kept outlives the process, is sealed, and serves the others", () =>
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

  it.scopedLive("a kept token that does not open is told of, changes nothing, and spends no attempt", () =>
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

  it.scopedLive("rekey seals kept tokens anew, and gives up those that no key opens, if it is told to", () =>
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

// -----------------------------------------------------------------------------
// SQLite
// -----------------------------------------------------------------------------

interface Connection {
  readonly prepare: (source: string) => {
    readonly get: (...parameters: ReadonlyArray<unknown>) => Record<string, unknown>
    readonly run: (...parameters: ReadonlyArray<unknown>) => unknown
  }
  readonly close: () => void
}

const Database = createRequire(createRequire(import.meta.url).resolve("@effect/sql-sqlite-node"))(
  "better-sqlite3"
) as new (filename: string) => Connection

const filename = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-secrets-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
).pipe(Effect.map((folder) => Path.join(folder, "auth.sqlite")))

const noConfiguration = Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))

const openFile = (file: string, storeKey?: StoreKey.KeyRing, provider = noConfiguration) =>
  Layer.build(
    SqliteStore.layer({ filename: file, storeKey }).pipe(
      Layer.provide(NodeContext.layer),
      Layer.provide(provider)
    )
  ).pipe(Effect.map(Context.get(AuthStore.AuthStore)))

const onFile = (file: string): Place => {
  const raw = <A>(use: (db: Connection) => A): Promise<A> =>
    Promise.resolve().then(() => {
      const db = new Database(file)
      try {
        return use(db)
      } finally {
        db.close()
      }
    })
  return {
    open: (keys) => openFile(file, keys),
    rekey: (storeKey, discard) =>
      SqliteStore.rekey({ filename: file, storeKey, discard }).pipe(
        Effect.provide(NodeContext.layer),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
      ),
    documentOf: ({ account: code }, table = "number_auth_account") =>
      raw((db) =>
        String(db.prepare(`SELECT document FROM ${table} WHERE account = ?`).get(code)["document"])
      ),
    write: ({ account: code }, document, table = "number_auth_account") =>
      raw((db) => {
        db.prepare(`UPDATE ${table} SET document = ? WHERE account = ?`).run(document, code)
      }),
    bytes: () =>
      Promise.resolve(
        Buffer.concat(
          ["", "-wal", "-shm"]
            .map((suffix) => file + suffix)
            .filter((each) => Fs.existsSync(each))
            .map((each) => Fs.readFileSync(each))
        )
      )
  }
}

describe("secrets in a SQLite file", () => {
  behaves(Effect.map(filename, onFile))

  it.scopedLive("without a key the store makes a key file of its own, private, and whole", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const mask = process.umask(0)
      const place = onFile(file)
      const { one, world } = yield* twoSessions(place, undefined).pipe(
        Effect.ensuring(Effect.sync(() => process.umask(mask)))
      )
      assert.strictEqual(Fs.statSync(`${file}.key`).mode & 0o777, 0o600)
      const text = Fs.readFileSync(`${file}.key`, "utf8")
      assert.isTrue(Either.isRight(StoreKey.decodeStoreKey(text)))
      assert.deepStrictEqual(
        Fs.readdirSync(Path.dirname(file)).filter((name) => name.includes(".key")),
        ["auth.sqlite.key"]
      )
      // It stays, and it is what the next process uses.
      Fs.chmodSync(`${file}.key`, 0o644)
      const auth = yield* start(world, yield* place.open())
      assert.strictEqual(Redacted.value(yield* auth.sessionKey), one)
      assert.strictEqual(Fs.readFileSync(`${file}.key`, "utf8"), text)
      assert.strictEqual(Fs.statSync(`${file}.key`).mode & 0o777, 0o600)
      assertHoldsNone(yield* inTheEnd(place.bytes), "the store", {
        token: goodToken,
        "session key": one,
        "store key": text.trim()
      })
    })
  )

  it.scopedLive("sixteen that start together on a fresh file agree on one key", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const stores = yield* Effect.all(
        Array.from({ length: 16 }, () => openFile(file)),
        { concurrency: "unbounded" }
      )
      const world = yield* makeWorld()
      const keys = yield* Effect.forEach(
        stores,
        (store) => Effect.flatMap(start(world, store), (auth) => auth.sessionKey),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(keys.map(Redacted.value)).size, 1)
      assert.strictEqual(yield* attempts(world), 1)
      assert.lengthOf(
        Fs.readdirSync(Path.dirname(file)).filter((name) => name.includes(".key")),
        1
      )
    })
  )

  it.scopedLive("one that looked for the key file before another made it takes that one's key", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const world = yield* makeWorld()
      const hasLooked = yield* Deferred.make<void>()
      const isMade = yield* Deferred.make<void>()
      const slow = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (fs) => {
          const last = <A, E>(effect: Effect.Effect<A, E>) =>
            Deferred.succeed(hasLooked, undefined).pipe(
              Effect.zipRight(Deferred.await(isMade)),
              Effect.zipRight(effect)
            )
          return {
            ...fs,
            link: (from, to) => last(fs.link(from, to)),
            rename: (from, to) => last(fs.rename(from, to))
          } satisfies FileSystem.FileSystem
        })
      ).pipe(Layer.provideMerge(NodeContext.layer))
      const late = yield* Layer.build(
        SqliteStore.layer({ filename: file }).pipe(Layer.provide(slow), Layer.provide(noConfiguration))
      ).pipe(Effect.map(Context.get(AuthStore.AuthStore)), Effect.fork)
      yield* Deferred.await(hasLooked)
      const first = yield* openFile(file)
      const one = Redacted.value(yield* (yield* start(world, first)).sessionKey)
      yield* Deferred.succeed(isMade, undefined)
      const second = yield* start(world, yield* Fiber.join(late))
      assert.strictEqual(Redacted.value(yield* second.sessionKey), one)
      assert.strictEqual(yield* attempts(world), 1)
    })
  )

  it.scopedLive("a key that is configured wins, and the key file goes on opening what it sealed", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const place = onFile(file)
      const { one } = yield* twoSessions(place, undefined)
      const provider = Layer.setConfigProvider(
        ConfigProvider.fromMap(new Map([["NUMBER_STORE_KEY", keyText(5)]]))
      )
      const store = yield* openFile(file, undefined, provider)
      assert.strictEqual(Redacted.value((yield* store.read(key)).account.sessionKey!), one)
      assert.deepInclude(yield* place.rekey(ring(5)), { keyId: idOf(5), resealed: 2 })
      Fs.rmSync(`${file}.key`)
      assert.strictEqual(Redacted.value((yield* store.read(key)).account.sessionKey!), one)
    })
  )

  it.scopedLive("a key file that is damaged, gone or closed is told of, and no attempt is spent", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const { one, world } = yield* twoSessions(onFile(file), undefined)
      const text = Fs.readFileSync(`${file}.key`, "utf8")
      Fs.writeFileSync(`${file}.key`, text.slice(0, 20))
      const damaged = yield* Effect.flip(openFile(file))
      assert.strictEqual(damaged.reason, "unreadable")
      assert.include(damaged.message, `${file}.key`)
      assertShowsNone(damaged, text.slice(0, 20))
      Fs.rmSync(`${file}.key`)
      Fs.mkdirSync(`${file}.key`)
      assert.strictEqual((yield* Effect.flip(openFile(file))).reason, "misconfigured")
      Fs.rmdirSync(`${file}.key`)
      // No other is made in its place: that would open nothing, and look as if all were well.
      const id = Option.getOrThrow(Either.getRight(StoreKey.decodeStoreKey(text))).id
      for (const lost of [
        yield* Effect.flip(openFile(file)),
        yield* Effect.flip(onFile(file).rekey(undefined))
      ]) {
        assert.strictEqual(lost.reason, "unreadable")
        assert.include(lost.message, `what ${file} keeps is sealed under the store key with id ${id}`)
        assert.include(lost.message, "number-auth rekey --discard")
      }
      assert.isFalse(Fs.existsSync(`${file}.key`))
      // One that is given says itself what it does not open.
      const given = yield* start(world, yield* openFile(file, ring(1)))
      assert.strictEqual((yield* Effect.flip(given.sessionKey))._tag, "AuthStoreError")
      assert.strictEqual(yield* attempts(world), 2)
      Fs.writeFileSync(`${file}.key`, text)
      const again = yield* start(world, yield* openFile(file))
      assert.strictEqual(Redacted.value(yield* again.sessionKey), one)
    })
  )

  it.scopedLive("a lost key file is replaced when what it sealed is given up, and not before", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const { world } = yield* twoSessions(onFile(file), undefined)
      yield* Effect.scoped(
        Effect.flatMap(openFile(file), (store) => store.writeToken(other, Redacted.make(otherToken) as Token))
      )
      Fs.rmSync(`${file}.key`)
      const { discarded } = yield* onFile(file).rekey(undefined, true)
      assert.strictEqual(discarded, 3)
      const auth = yield* start(world, yield* openFile(file))
      yield* auth.sessionKey
      assert.strictEqual(yield* attempts(world), 3)
      // A key that was given, and is now among the older ones, is not lost.
      const given = yield* filename
      const sealed = yield* twoSessions(onFile(given), ring(1))
      assert.strictEqual((yield* Effect.flip(openFile(given))).reason, "unreadable")
      assert.isFalse(Fs.existsSync(`${given}.key`))
      const older = yield* Layer.build(
        SqliteStore.layer({ filename: given }).pipe(
          Layer.provide(NodeContext.layer),
          Layer.provide(
            Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["NUMBER_STORE_KEY_OLD", keyText(1)]])))
          )
        )
      ).pipe(Effect.map(Context.get(AuthStore.AuthStore)))
      assert.strictEqual(Redacted.value((yield* older.read(key)).account.sessionKey!), sealed.one)
      assert.isTrue(Fs.existsSync(`${given}.key`))
      // A token alone is a reason, too.
      const token = yield* filename
      yield* Effect.scoped(
        Effect.flatMap(openFile(token), (store) => store.writeToken(key, Redacted.make(goodToken) as Token))
      )
      Fs.rmSync(`${token}.key`)
      assert.strictEqual((yield* Effect.flip(openFile(token))).reason, "unreadable")
    })
  )
})

// -----------------------------------------------------------------------------
// PostgreSQL
// -----------------------------------------------------------------------------

describe("secrets in PostgreSQL", () => {
  let server: Postgres
  beforeAll(async () => {
    server = await startPostgres()
  }, 120_000)
  afterAll(() => server.end(), 60_000)

  const onPostgres = (database: Postgres): Place => {
    const url = Redacted.make(database.url)
    const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
    return {
      open: (storeKey) =>
        Layer.build(
          PgStore.layer({ url, storeKey, maxConnections: 2 }).pipe(Layer.provide(noConfiguration))
        ).pipe(Effect.map(Context.get(AuthStore.AuthStore))),
      rekey: (storeKey, discard) =>
        PgStore.rekey({ url, storeKey, discard }).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
        ),
      documentOf: async ({ account: code }, table = "number_auth_account") =>
        String(
          (await database.query(`SELECT document FROM ${table} WHERE account = ${quoted(code)}`))[0]![
            "document"
          ]
        ),
      write: async ({ account: code }, document, table = "number_auth_account") =>
        void (await database.query(
          `UPDATE ${table} SET document = ${quoted(document)} WHERE account = ${quoted(code)}`
        )),
      // Every table that there is, and what its pages hold of rows that were overwritten.
      bytes: async () => {
        const tables = await database.query(
          "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        const texts: Array<Buffer> = []
        for (const { name } of tables) {
          for (const { row } of await database.query(`SELECT t::text AS row FROM ${String(name)} AS t`)) {
            texts.push(Buffer.from(String(row)))
          }
          const [file] = await database.query(
            "CHECKPOINT",
            `SELECT pg_read_binary_file(pg_relation_filepath('${String(name)}')) AS bytes`
          )
          texts.push(file!["bytes"] as Buffer)
        }
        return Buffer.concat(texts)
      }
    }
  }

  const makePlace = Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => server.database()),
      (database) => Effect.promise(() => database.end())
    ),
    onPostgres
  )

  behaves(makePlace)

  const warnings = Effect.map(Ref.make<ReadonlyArray<string>>([]), (told) => ({
    told,
    layer: Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ logLevel, message }) => {
        if (logLevel._tag === "Warning") {
          Effect.runSync(Ref.update(told, (texts) => [...texts, String(message)]))
        }
      })
    )
  }))

  it.scopedLive("without a key nothing secret is stored, and a warning says so once for each store", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const world = yield* makeWorld()
      const { layer, told } = yield* warnings
      const store = yield* Effect.provide(place.open(), layer)
      const auth = yield* start(world, store)
      const one = Redacted.value(yield* Effect.provide(auth.sessionKey, layer))
      yield* Effect.provide(Effect.zipRight(auth.status, auth.sessionKey), layer)
      const texts = yield* Ref.get(told)
      assert.lengthOf(texts, 1)
      assert.match(texts[0]!, /^NUMBER_STORE_KEY is not set: session keys and tokens are not stored/)
      yield* Effect.provide(place.open(ring(1)), layer)
      assert.lengthOf(yield* Ref.get(told), 1)
      const document = JSON.parse(yield* inTheEnd(() => place.documentOf(key)))
      assert.strictEqual(document.state, "authenticated")
      assert.isNull(document.sessionKey)
      assertHoldsNone(yield* inTheEnd(place.bytes), "the store", { token: goodToken, "session key": one })
      // Who shares the layer shares the key.
      const beside = yield* start(world, store)
      assert.strictEqual(Redacted.value(yield* beside.sessionKey), one)
      assert.strictEqual(yield* attempts(world), 1)
    })
  )

  it.scopedLive(
    "without a key each process gets one session of its own, one attempt at a time, and keeps it",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const world = yield* makeWorld()
        const stores = yield* Effect.all(Array.from({ length: 4 }, () => place.open()))
        const processes = yield* Effect.forEach(stores, (store) => start(world, store))
        const busiest = yield* Ref.make(0)
        const watching = yield* processes[0]!.status.pipe(
          Effect.flatMap(({ inFlight }) => Ref.update(busiest, (most) => Math.max(most, inFlight))),
          Effect.ignore,
          Effect.forever,
          Effect.fork
        )
        const ask = Effect.forEach(
          // Ten callers in each, all at once.
          processes.flatMap((auth) => Array.from({ length: 10 }, () => auth)),
          (auth) => Effect.map(auth.sessionKey, Redacted.value),
          { concurrency: "unbounded" }
        )
        const keys = yield* ask
        assert.strictEqual(new Set(keys).size, 4)
        assert.strictEqual(yield* attempts(world), 4)
        yield* Fiber.interrupt(watching)
        assert.isAtMost(yield* Ref.get(busiest), 1)
        // Nobody takes another's session away: all go on with what they have, however often they are asked.
        assert.deepStrictEqual(yield* ask, keys)
        assert.strictEqual(yield* attempts(world), 4)
        const status = yield* processes[3]!.status
        assert.deepInclude(status, { state: "authenticated", failures: 0, inFlight: 0 })
        // The holder of an older generation renews when it is refused, once, and the others keep theirs.
        yield* world.emulator.expireSessions()
        const renewed = yield* processes[0]!
          .withSession((given) =>
            Redacted.value(given) === keys[0]
              ? Effect.fail(new SessionRefused({ code: 5030 }))
              : Effect.succeed(Redacted.value(given))
          )
          .pipe(Effect.orDie)
        assert.notInclude(keys, renewed)
        assert.strictEqual(yield* attempts(world), 5)
        assert.strictEqual(Redacted.value(yield* processes[1]!.sessionKey), keys[10])
        assert.strictEqual(yield* attempts(world), 5)
      })
  )

  it.scopedLive("without a key, too, addresses that flap abort, and one change of address does not", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const world = yield* makeWorld()
      const stores = yield* Effect.all(Array.from({ length: 4 }, () => place.open()))
      const processes = yield* Effect.forEach(stores, (store) => start(world, store))
      const call = (auth: NumberAuth.NumberAuth["Type"], isRefused: boolean) =>
        Effect.gen(function* () {
          const before = Redacted.value(yield* auth.sessionKey)
          return yield* auth.withSession((given) =>
            isRefused && Redacted.value(given) === before
              ? Effect.fail(new SessionRefused({ code: 5050 }))
              : Effect.void
          )
        })
      for (const auth of processes) yield* auth.sessionKey
      // The address changes once: all four are refused, and have new sessions.
      for (const auth of processes) yield* call(auth, true)
      assert.strictEqual(yield* attempts(world), 8)
      assert.strictEqual((yield* processes[0]!.status).state, "authenticated")
      // It goes on changing.
      let error: { readonly _tag: string; readonly message: string } | null = null
      for (let calls = 0; error === null && calls < 40; calls++) {
        const result = yield* Effect.either(call(processes[calls % 4]!, true))
        if (Either.isLeft(result)) error = result.left
      }
      assert(error !== null && error._tag === "AuthAborted", "it never stopped")
      assert.include(error.message, "more than one IP address")
      assert.isAtMost(yield* attempts(world), 17)
      assert.strictEqual(yield* world.emulator.countOf(ip), 0)
    })
  )

  it.scopedLive("without a key a bad token still costs one attempt, whatever the number of processes", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const world = yield* makeWorld()
      const good = yield* start(world, yield* place.open())
      const held = Redacted.value(yield* good.sessionKey)
      const stores = yield* Effect.all(Array.from({ length: 4 }, () => place.open()))
      const errors = yield* Effect.forEach(
        stores,
        (store) =>
          Effect.flatMap(start(world, store, account, badToken(1)), (auth) => Effect.flip(auth.sessionKey)),
        { concurrency: "unbounded" }
      )
      for (const error of errors) assert.strictEqual(error._tag, "AuthAborted")
      assert.strictEqual(yield* attempts(world), 2)
      assert.strictEqual((yield* good.status).failures, 1)
      // Who has a key goes on with it.
      assert.strictEqual(Redacted.value(yield* good.sessionKey), held)
    })
  )

  it.scopedLive("without a key a token is kept in the memory of its process", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const store = yield* place.open()
      yield* store.writeToken(key, Redacted.make(goodToken) as Token)
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.readToken(key))), goodToken)
      assert(Option.isNone(yield* (yield* place.open()).readToken(key)))
      assert(Option.isNone(yield* (yield* place.open(ring(1))).readToken(key)))
      assertHoldsNone(yield* inTheEnd(place.bytes), "the store", { token: goodToken })
    })
  )

  it.scopedLive("a store without a key does not touch what one with a key sealed", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { world } = yield* twoSessions(place, ring(1))
      const auth = yield* start(world, yield* place.open())
      const error = yield* Effect.flip(auth.sessionKey)
      assert(error._tag === "AuthStoreError")
      assert.include(error.message, `Supply the store key with id ${idOf(1)}`)
      assert.include(error.message, "supplied: none")
      assert.strictEqual(yield* attempts(world), 2)
      assert.strictEqual((yield* Effect.flip(place.rekey(undefined))).reason, "misconfigured")
    })
  )

  it.scopedLive(
    "a session that was obtained without a key is one that others need an attempt for, also with a key",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const world = yield* makeWorld()
        yield* (yield* start(world, yield* place.open())).sessionKey
        const keyed = yield* start(world, yield* place.open(ring(1)))
        const sealed = Redacted.value(yield* keyed.sessionKey)
        assert.strictEqual(yield* attempts(world), 2)
        const second = yield* start(world, yield* place.open(ring(1)))
        assert.strictEqual(Redacted.value(yield* second.sessionKey), sealed)
        assert.strictEqual(yield* attempts(world), 2)
      })
  )
})

describe("a SQLite database of the user's own client", () => {
  it.scopedLive("keeps no session key unless it is given a store key", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const world = yield* makeWorld()
      const client = yield* Layer.build(SqliteClient.layer({ filename: file }))
      const build = (provider: ReadonlyMap<string, string>) =>
        Layer.build(AuthStore.layerSql).pipe(
          Effect.map(Context.get(AuthStore.AuthStore)),
          Effect.provide(client),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(provider)))
        )
      const one = Redacted.value(yield* (yield* start(world, yield* build(new Map()))).sessionKey)
      assertHoldsNone(yield* inTheEnd(onFile(file).bytes), "the store", { "session key": one })
      assert.isNull(JSON.parse(yield* inTheEnd(() => onFile(file).documentOf(key))).sessionKey)
      yield* (yield* start(world, yield* build(new Map([["NUMBER_STORE_KEY", keyText(1)]])))).sessionKey
      const { sessionKey } = JSON.parse(yield* inTheEnd(() => onFile(file).documentOf(key)))
      assert.strictEqual(sessionKey.keyId, idOf(1))
      assert.isFalse(Fs.existsSync(`${file}.key`))
    })
  )
})
