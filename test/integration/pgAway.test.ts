/**
 * A PostgreSQL that goes away, hangs, is slow or cannot be reached, and comes back. Time-outs are five times
 * as short.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Redacted, Scope, Stream } from "effect"
import type { AccountCode } from "../../src/schemas/Credentials.js"
import type { AuthStoreError } from "../../src/services/store/AuthStore.js"
import type * as NumberAuth from "../../src/services/session/NumberAuth.js"
import { eventually } from "../support/eventually.js"
import { hasten } from "../support/hastened.js"
import { openPostgres as open, type PgPlace, postgresPlaces } from "../support/pgPlaces.js"
import { startServer } from "../support/postgres.js"
import { startProcess, timed } from "../support/processes.js"
import { key } from "../support/secrets.js"
import { makeWorld } from "../support/stack.js"
import { watch } from "../support/storeContract.js"
import { draw } from "../support/stored.js"
import { swallowing } from "../support/swallowing.js"

const factor = 5
hasten(factor)
/** So many seconds of a time-out, in the shortened time of this file. */
const seconds = (many: number): number => (many * 1000) / factor

const { makePlace, server } = postgresPlaces(startServer)

/** Waits until a store on the place listens for changes. */
const listens = ({ url }: PgPlace) =>
  eventually(
    Effect.promise(async () => {
      const name = new URL(url).pathname.slice(1)
      const rows = await server().query(
        `SELECT pid FROM pg_stat_activity WHERE datname = '${name}' AND query LIKE '%LISTEN "number_auth%'
          AND query NOT LIKE '%pg_stat%'`
      )
      return rows.length > 0
    })
  )

const frozen = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => server().freeze()),
    () => effect,
    () => Effect.sync(() => server().thaw())
  )

const assertAway = (error: NumberAuth.AuthError): void => {
  assert(error._tag === "AuthStoreError", String(error))
  assert.strictEqual(error.reason, "unavailable")
}

/** Uses of a store, all of which fail. */
type Failing = Effect.Effect<unknown, NumberAuth.AuthError, Scope.Scope>

describe("a PostgreSQL that is slow", () => {
  it.scopedLive("serves a queue of transactions that takes longer than any time-out", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const store = yield* open(place.url)
      yield* draw(store)
      yield* place.sql(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.015); RETURN NEW; END $$`)
      yield* place.sql(
        "CREATE TRIGGER wait BEFORE UPDATE ON number_auth_ledger FOR EACH ROW EXECUTE FUNCTION wait()"
      )
      const line = Array.from({ length: 80 }, (_, n) => n)
      const codeOf = (n: number) => `EP${String(n % 50).padStart(7, "0")}` as AccountCode
      const [tookMillis, sequences] = yield* timed(
        Effect.forEach(line, (n) => draw(store, { ...key, account: codeOf(n) }), { concurrency: "unbounded" })
      )
      assert.isAbove(tookMillis, seconds(10))
      assert.deepStrictEqual(
        [...sequences].sort((one, two) => one - two),
        line.map((n) => n + 2)
      )
    })
  )
})

describe("a network that swallows all bytes", () => {
  it.scopedLive("is noticed within ten seconds, and the dead connection is not used again", () =>
    Effect.gen(function* () {
      const { url } = yield* makePlace
      const proxy = yield* swallowing(url)
      // With a single connection: the one that goes dead.
      const store = yield* open(proxy.url, { maxConnections: 1 })
      yield* draw(store)
      const cutOff = proxy.swallow()
      const [tookMillis, error] = yield* timed(Effect.flip(store.read(key)))
      assertAway(error)
      assert.isBelow(tookMillis, seconds(12))
      // A connection is cut off after fifteen silent seconds. Until then, a caller may still get it.
      assert.isBelow(tookMillis + (yield* timed(Effect.promise(() => cutOff)))[0], seconds(20))
      assert.isBelow((yield* timed(draw(store)))[0], 3000)
    })
  )
})

describe("a PostgreSQL that is stopped", () => {
  for (const how of ["fast", "kill"] as const) {
    it.scopedLive(
      `(${how}) is unavailable within seconds; held keys serve, nothing is sent, a start lets all recover`,
      () =>
        Effect.gen(function* () {
          const place = yield* makePlace
          const world = yield* makeWorld()
          const [store, other] = [yield* open(place.url), yield* open(place.url)]
          const held = yield* startProcess(world, store)
          const sessionKey = yield* held.sessionKey
          const seen = yield* watch(store)
          const without = yield* startProcess(world, store)
          yield* listens(place)

          yield* Effect.promise(() => server().stop(how))
          for (const use of [without.sessionKey, held.status, draw(other)]) {
            const [tookMillis, error] = yield* timed(Effect.flip(use as Failing))
            assertAway(error)
            assert.isBelow(tookMillis, seconds(6))
          }
          assert.strictEqual(yield* held.sessionKey, sessionKey)
          assert.lengthOf(yield* world.emulator.log, 1)

          yield* Effect.promise(() => server().start())
          assert.strictEqual(Redacted.value(yield* without.sessionKey), Redacted.value(sessionKey))
          assert.strictEqual((yield* held.status).state, "authenticated")
          assert.lengthOf(yield* world.emulator.log, 1)
          // It listens again by itself.
          yield* listens(place)
          const drawn = yield* draw(other)
          yield* eventually(Effect.sync(() => seen.includes(drawn)))
        })
    )
  }
})

describe("a PostgreSQL that hangs", () => {
  it.scopedLive("blocks no caller forever, and is used again once it goes on", () =>
    Effect.gen(function* () {
      const { url } = yield* makePlace
      const world = yield* makeWorld()
      const store = yield* open(url)
      const held = yield* startProcess(world, store)
      const without = yield* startProcess(world, store)
      const sessionKey = yield* held.sessionKey
      yield* frozen(
        Effect.gen(function* () {
          // Also the uses that wait for each other's turn: their time-outs do not add up.
          const uses = [without.sessionKey, held.status, draw(store), draw(store), draw(store), open(url)]
          const [tookMillis, errors] = yield* timed(
            Effect.forEach(uses, (use) => Effect.flip(use as Failing), { concurrency: "unbounded" })
          )
          assert.isBelow(tookMillis, seconds(15))
          for (const error of errors) assertAway(error)
          assert.strictEqual(yield* held.sessionKey, sessionKey)
        })
      )
      assert.lengthOf(yield* world.emulator.log, 1)
      // The hanging transactions are rolled back: the location's row is free.
      assert.isBelow((yield* timed(draw(store)))[0], 3000)
      yield* without.sessionKey
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scopedLive("blocks no single transaction on an open connection forever either", () =>
    Effect.gen(function* () {
      const store = yield* Effect.flatMap(makePlace, ({ url }) => open(url))
      yield* draw(store)
      const [tookMillis, error] = yield* frozen(timed(Effect.flip(draw(store))))
      assertAway(error satisfies AuthStoreError)
      assert.isBelow(tookMillis, seconds(15))
    })
  )

  it.scopedLive("lets a store be closed within seconds", () =>
    Effect.gen(function* () {
      const place = yield* makePlace
      const scope = yield* Scope.make()
      const store = yield* Scope.extend(open(place.url), scope)
      yield* Effect.fork(Stream.runDrain(store.changes(key.location)))
      yield* listens(place)
      const [tookMillis] = yield* frozen(timed(Scope.close(scope, Exit.void)))
      assert.isBelow(tookMillis, 5000)
    })
  )
})
