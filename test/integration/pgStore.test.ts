/** PostgreSQL beyond the contract of stores: its own clock, its isolation, the caller's own client. */
import { HttpClient } from "@effect/platform"
import { SqlClient } from "@effect/sql"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Duration, Effect, Fiber, Layer, Redacted, Scope } from "effect"
import type * as AuthStore from "../../src/services/store/AuthStore.js"
import * as SqlStore from "../../src/services/store/SqlStore.js"
import * as PgStore from "../../src/services/store/PgStore.js"
import { SessionRefused } from "../../src/services/session/SessionRefusal.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { eventually } from "../support/eventually.js"
import { assertShowsNone } from "../support/leaks.js"
import { openPostgres as open, postgresClient, postgresPlaces } from "../support/pgPlaces.js"
import { startProcess, timed } from "../support/processes.js"
import { key } from "../support/secrets.js"
import { ip, makeWorld } from "../support/stack.js"
import { draw } from "../support/stored.js"

type Store = AuthStore.AuthStore["Type"]

const { makePlace } = postgresPlaces()

/** A store that counts its transactions. */
const counting = (store: Store, counter: { transactions: number }): Store => ({
  ...store,
  transact: (...args) => Effect.suspend(() => (counter.transactions++, store.transact(...args)))
})
/** A store that hangs after so many transactions, like the store of a dead process. */
const dyingAfter = (store: Store, transactions: number): Store => {
  let left = transactions
  return {
    ...store,
    transact: (...args) => Effect.suspend(() => (left-- > 0 ? store.transact(...args) : Effect.never))
  }
}

const clock = Clock.make()
const offset = (millis: number) =>
  Effect.withClock(
    Object.assign(Object.create(clock) as Clock.Clock, {
      unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + millis,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis)
    })
  )

const sharesSession = (others: ReturnType<typeof offset>) =>
  Effect.gen(function* () {
    const { url } = yield* makePlace
    const world = yield* makeWorld()
    yield* world.emulator.setDelays({ answer: "1200 millis" })
    const counter = { transactions: 0 }
    const auth = yield* startProcess(world, yield* open(url))
    const other = yield* others(startProcess(world, counting(yield* open(url), counter)))
    const first = yield* Effect.fork(auth.sessionKey)
    yield* eventually(Effect.map(auth.status, ({ inFlight }) => inFlight > 0))
    const theirs = yield* others(other.sessionKey)
    assert.strictEqual(Redacted.value(theirs), Redacted.value(yield* Fiber.join(first)))
    assert.lengthOf(yield* world.emulator.log, 1)
    // One transaction at first, and one after the change was announced.
    assert.isAtMost(counter.transactions, 3)
    // A held session is judged by its remaining time, and not by this clock: the store is not asked again.
    yield* Effect.repeatN(others(other.sessionKey), 9)
    assert.isAtMost(counter.transactions, 3)
    assert.lengthOf(yield* world.emulator.log, 1)
  })

const leaseMillis = 1200
const drainMillis = 2000

const keepsTimes = (others: ReturnType<typeof offset>) =>
  Effect.gen(function* () {
    const { url } = yield* makePlace
    const world = yield* makeWorld()
    const options = {
      attemptTimeout: "600 millis",
      leaseDuration: leaseMillis,
      drainTime: drainMillis
    } as const
    const store = yield* open(url)
    const counter = { transactions: 0 }
    // A dead process closes nothing.
    const dying = yield* Scope.extend(startProcess(world, dyingAfter(store, 1), options), yield* Scope.make())
    const other = yield* others(startProcess(world, counting(store, counter), options))
    const reserving = performance.now()
    yield* Effect.forkDaemon(dying.sessionKey)
    yield* eventually(Effect.map(dying.status, ({ inFlight }) => inFlight > 0))
    const reserved = performance.now()
    assert.strictEqual((yield* others(other.status)).inFlight, 1)
    const error = yield* others(Effect.flip(other.sessionKey))
    assert(error._tag === "AuthAborted")
    assert.strictEqual(error.abort.reason, "lost")
    assert.isAtLeast(performance.now() - reserving, leaseMillis)
    assert.isAtMost(performance.now() - reserved, leaseMillis + 1000)
    // It asked, waited, and asked again.
    assert.isAtMost(counter.transactions, 4)
    yield* others(other.resume)
    yield* others(other.sessionKey)
    // A success does not clear a mark that has not drained.
    assert.strictEqual((yield* others(other.status)).failures, 1)
    yield* Effect.sleep(drainMillis + 200)
    let isFirst = true
    yield* others(
      other.withSession(() => {
        const refuse = isFirst
        isFirst = false
        return refuse ? Effect.fail(new SessionRefused({ code: 5030 })) : Effect.void
      })
    )
    assert.strictEqual((yield* others(other.status)).failures, 0)
  })

describe.concurrent("on PostgreSQL, with clocks that differ by hours,", () => {
  for (const hours of [7, 30, -7, -30]) {
    const name = `${hours > 0 ? "ahead" : "behind"} by ${Math.abs(hours)} hours`
    const others = offset(Duration.toMillis("1 hour") * hours)
    it.scopedLive(`a process ${name} ends a lease and a drain neither early nor late`, () =>
      keepsTimes(others)
    )
    it.scopedLive(`a process ${name} waits for another's attempt, and shares its session`, () =>
      sharesSession(others)
    )
  }
})

describe("on PostgreSQL, beside the caller's own transaction,", () => {
  /** One client for the caller and the store. */
  const shared = (url: string) =>
    Effect.gen(function* () {
      const sql = Context.get(yield* Layer.build(postgresClient(url)), SqlClient.SqlClient)
      return { sql, store: yield* Effect.provideService(SqlStore.make(), SqlClient.SqlClient, sql) }
    })

  it.scopedLive("the mark is durable before the attempt is sent, even if the caller rolls back", () =>
    Effect.gen(function* () {
      const { sql: look, url } = yield* makePlace
      const world = yield* makeWorld()
      const marks: Array<string> = []
      const looking = HttpClient.tapRequest(Emulator.httpClient(world.emulator, ip), () =>
        Effect.map(look("SELECT document FROM number_auth_ledger"), (rows) => {
          marks.push(String(rows[0]?.["document"]))
        })
      )
      const { sql, store } = yield* shared(url)
      const auth = yield* startProcess(world, store, {}, looking)
      yield* sql`CREATE TABLE payments (id TEXT)`
      yield* world.emulator.inject(Emulator.Fault.DropAnswer)
      const exit = yield* Effect.exit(
        sql.withTransaction(Effect.zipRight(sql`INSERT INTO payments VALUES ('1')`, auth.sessionKey))
      )
      assert.strictEqual(exit._tag, "Failure")
      assert.deepStrictEqual(yield* sql`SELECT * FROM payments`, [])
      assert.lengthOf(marks, 1)
      assert.include(marks[0], '"inFlight"')
      assert.strictEqual((yield* auth.status).failures, 1)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scopedLive("the store has a transaction of its own, even on the same client", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* Effect.flatMap(makePlace, ({ url }) => shared(url))
      yield* Effect.flip(sql.withTransaction(Effect.zipRight(draw(store), Effect.fail("no"))))
      assert.strictEqual((yield* store.read(key)).moment.sequence, 1)
    })
  )

  it.scopedLive("the session stays, even if the caller rolls back", () =>
    Effect.gen(function* () {
      const { url } = yield* makePlace
      const world = yield* makeWorld()
      const auth = yield* startProcess(world, yield* open(url))
      const sql = Context.get(yield* Layer.build(postgresClient(url)), SqlClient.SqlClient)
      yield* Effect.flip(sql.withTransaction(Effect.zipRight(auth.sessionKey, Effect.fail("no"))))
      yield* (yield* startProcess(world, yield* open(url))).sessionKey
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )
})

describe("a PostgreSQL with settings of its own", () => {
  it.scopedLive("repeats no sequence number if its default isolation is serializable", () =>
    Effect.gen(function* () {
      const { url } = yield* makePlace
      const serializable = `${url}?options=-c%20default_transaction_isolation%3Dserializable`
      const stores = yield* Effect.forEach(Array.from({ length: 6 }), () => open(serializable))
      const drawn = yield* Effect.forEach(
        stores.flatMap((store) => Array.from({ length: 10 }, () => store)),
        (store) => draw(store),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(drawn).size, 60)
    })
  )

  it.scopedLive("makes the store's commits wait for the disk, even if synchronous_commit is off", () =>
    Effect.gen(function* () {
      const { sql, url } = yield* makePlace
      yield* Effect.scoped(open(url))
      yield* sql("CREATE TABLE seen (synchronous TEXT)")
      yield* sql(`CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`)
      yield* sql(
        "CREATE TRIGGER look AFTER UPDATE ON number_auth_ledger FOR EACH ROW EXECUTE FUNCTION look()"
      )
      const careless = yield* open(`${url}?options=-c%20synchronous_commit%3Doff`)
      yield* draw(careless)
      // The setting at the transaction's last write, and so at its commit.
      const last = yield* sql("SELECT synchronous FROM seen OFFSET (SELECT count(*) - 1 FROM seen)")
      assert.deepStrictEqual(last, [{ synchronous: "on" }])
    })
  )
})

describe("a PostgreSQL that cannot be used", () => {
  const password = "not-the-password-4711"

  it.scopedLive("gives the reason, and never shows the password", () =>
    Effect.gen(function* () {
      const { url } = yield* makePlace
      const withParts = (change: (parts: URL) => void): string => {
        const parts = new URL(url)
        parts.password = password
        change(parts)
        return parts.href
      }
      const nowhere = new URL(url)
      nowhere.pathname = "/nowhere"
      for (const [broken, reason] of [
        [withParts(() => {}), "misconfigured"],
        [nowhere.href, "misconfigured"],
        [withParts((parts) => (parts.port = "9")), "unavailable"],
        [`postgres:///number?host=/nowhere&password=${password}`, "unavailable"],
        [`postgresql://user:${password}@/number?host=/nowhere`, "unavailable"],
        // The server has no TLS, and a password is never sent without TLS.
        [withParts((parts) => (parts.search = "?sslmode=require")), "misconfigured"],
        [withParts((parts) => (parts.search = "?sslrootcert=/nowhere/ca.pem")), "misconfigured"],
        [url.replace(/:\d+\//, ":99999/"), "misconfigured"],
        [password, "misconfigured"]
      ] as const) {
        const [tookMillis, error] = yield* timed(
          Effect.flip(Layer.build(PgStore.layer({ url: Redacted.make(broken) })))
        )
        assert.strictEqual(error.reason, reason, error.message)
        assert.isBelow(tookMillis, 7000)
        assertShowsNone(error, password, new URL(url).password)
      }
    })
  )
})
