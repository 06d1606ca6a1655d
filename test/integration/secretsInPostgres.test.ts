/**
 * Secrets in the store of several hosts, a real PostgreSQL.
 */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Either, Fiber, Layer, Logger, Option, Redacted, Ref } from "effect"
import type { Token } from "../../src/schemas/Credentials.js"
import * as AuthStore from "../../src/services/store/AuthStore.js"
import type * as NumberAuth from "../../src/services/session/NumberAuth.js"
import * as PgStore from "../../src/services/store/PgStore.js"
import { SessionRefused } from "../../src/services/session/SessionRefusal.js"
import { assertHoldsNone } from "../support/canary.js"
import { type PgPlace, postgresPlaces } from "../support/pgPlaces.js"
import { account, badToken, goodToken, ip, makeWorld } from "../support/stack.js"
import {
  noConfiguration,
  key,
  ring,
  idOf,
  type Place,
  start,
  inTheEnd,
  twoSessions,
  attempts,
  behaves
} from "../support/secrets.js"

describe.concurrent("in a PostgreSQL store,", () => {
  const { makePlace: makeDatabase } = postgresPlaces()

  const onPostgres = (database: PgPlace): Place => {
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
      // Every table, and its pages with the rows that were overwritten.
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

  const makePlace = Effect.map(makeDatabase, onPostgres)

  behaves(makePlace)

  const warnings = Effect.map(Ref.make<ReadonlyArray<string>>([]), (warned) => ({
    warned,
    layer: Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ logLevel, message }) => {
        if (logLevel._tag === "Warning") {
          Effect.runSync(Ref.update(warned, (texts) => [...texts, String(message)]))
        }
      })
    )
  }))

  it.scopedLive("without a key nothing secret is stored, and a warning says so once for each store", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const world = yield* makeWorld()
      const { layer, warned } = yield* warnings
      const store = yield* Effect.provide(place.open(), layer)
      const auth = yield* start(world, store)
      const one = Redacted.value(yield* Effect.provide(auth.sessionKey, layer))
      yield* Effect.provide(Effect.zipRight(auth.status, auth.sessionKey), layer)
      const texts = yield* Ref.get(warned)
      assert.lengthOf(texts, 1)
      assert.match(texts[0]!, /^NUMBER_STORE_KEY is not set: session keys and tokens are not stored/)
      yield* Effect.provide(place.open(ring(1)), layer)
      assert.lengthOf(yield* Ref.get(warned), 1)
      const document = JSON.parse(yield* inTheEnd(() => place.documentOf(key)))
      assert.strictEqual(document.state, "authenticated")
      assert.isNull(document.sessionKey)
      assertHoldsNone(yield* inTheEnd(place.bytes), "the store", { token: goodToken, "session key": one })
      // A second NumberAuth on the same store shares the key.
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
        // No process takes another's session away: each goes on with its own, however often it is asked.
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

  it.scopedLive("without a key, flapping addresses abort, and one change of address does not", () =>
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

  it.scopedLive("without a key a bad token still costs one attempt, for any number of processes", () =>
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
      // The process that holds a session key goes on with it.
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

  it.scopedLive("a store without a key does not touch records that a store with a key has sealed", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const { world } = yield* twoSessions(place, ring(1))
      const auth = yield* start(world, yield* place.open())
      const error = yield* Effect.flip(auth.sessionKey)
      assert(error._tag === "AuthStoreError")
      assert.include(error.message, `Supply the store key with id ${idOf(1)}`)
      assert.include(error.message, "supplied: none")
      assert.strictEqual(yield* attempts(world), 2)
      const without = yield* Effect.flip(place.rekey(undefined))
      assert.strictEqual(without.reason, "misconfigured")
      assert.strictEqual(without.detail, "NUMBER_STORE_KEY is not set")
    })
  )

  it.scopedLive(
    "a session that was obtained without a key is not shared: others need an attempt, even with a key",
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
