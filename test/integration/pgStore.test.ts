/**
 * The store's contract on both engines, from one suite, and what only PostgreSQL has: clocks that differ, a server that
 * goes away, hangs, and comes back. The server is a real one.
 */
import { randomBytes } from "node:crypto"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { HttpClient } from "@effect/platform"
import { PgClient } from "@effect/sql-pg"
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Redacted,
  Ref,
  Scope,
  Stream
} from "effect"
import { afterAll, beforeAll } from "vitest"
import type { AccountCode, Location } from "../../src/schemas/Credentials.js"
import { emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import * as AuthStore from "../../src/services/AuthStore.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as PgStore from "../../src/services/PgStore.js"
import { SessionRefused } from "../../src/services/SessionRefusal.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { storeLayer } from "../process/store.js"
import { settled } from "../support/core.js"
import { assertShowsNone } from "../support/leaks.js"
import { startPostgres, startServer, type Postgres, type Server } from "../support/postgres.js"
import { account, environment, ip, makeWorld, type World } from "../support/stack.js"
import { authenticated, sessionKey } from "../support/stored.js"

process.env["NUMBER_STORE_KEY"] = randomBytes(32).toString("base64")

type Store = AuthStore.AuthStore["Type"]

const key: AuthStore.AccountKey = { location: "default" as Location, account: account as AccountCode }

const open = (url: string): Effect.Effect<Store, AuthStore.AuthStoreError, Scope.Scope> =>
  Effect.map(Layer.build(storeLayer(url)), Context.get(AuthStore.AuthStore))

/** Writes a mark, so that the number that the transaction drew stays drawn. */
const draw = (store: Store, at: AuthStore.AccountKey = key) =>
  store.transact(at, ({ account: record, ledger, moment }) => [
    moment.sequence,
    { ledger: { ...ledger, marks: [settled(moment.sequence, moment.sequence)] }, account: record }
  ])

const promise = <A>(use: () => Promise<A>): Effect.Effect<A> => Effect.promise(use)

/** What an effect took, in real milliseconds. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [number, A], E, R> =>
  Effect.map(Effect.timed(effect), ([duration, result]) => [Duration.toMillis(duration), result])

interface Database {
  readonly url: string
  /** Runs a statement past the store. */
  readonly sql: (statement: string) => Effect.Effect<ReadonlyArray<Record<string, unknown>>>
}

let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 120_000)
afterAll(() => postgres?.end(), 60_000)

const postgresDatabase: Effect.Effect<Database, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    promise(() => postgres.database()),
    (own) => promise(() => own.end())
  ),
  (own) => ({ url: own.url, sql: (statement) => promise(() => own.query(statement)) })
)

const sqliteDatabase: Effect.Effect<Database, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
  ),
  (folder) => {
    const filename = Path.join(folder, "auth.sqlite")
    return {
      url: `file://${filename}`,
      sql: (statement) =>
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Record<string, unknown>>(statement)).pipe(
          Effect.provide(SqliteClient.layer({ filename })),
          Effect.orDie
        )
    }
  }
)

describe.each([
  ["SQLite", sqliteDatabase],
  ["PostgreSQL", postgresDatabase]
] as const)("the store's contract on %s", (engine, database) => {
  it.scopedLive("is durable over reopening: ledger, record and key are there, and the numbers go on", () =>
    Effect.gen(function* () {
      const { url } = yield* database
      const ledger = { ...emptyLedgerRecord, marks: [settled(1, 1)], lockReportedAt: 1 }
      yield* Effect.scoped(
        Effect.flatMap(open(url), (store) =>
          store.transact(key, () => [null, { ledger, account: authenticated }])
        )
      )
      const store = yield* open(url)
      const stored = yield* store.read(key)
      assert.strictEqual(stored.moment.sequence, 1)
      assert.deepStrictEqual(stored.ledger, ledger)
      assert.strictEqual(Redacted.value(stored.account.sessionKey!), sessionKey)
      assert.deepStrictEqual(stored.account.context, authenticated.context)
      assert.strictEqual(yield* draw(store), 2)
    })
  )

  it.scopedLive("keeps locations apart, and accounts of one location under one ledger", () =>
    Effect.gen(function* () {
      const store = yield* Effect.flatMap(database, ({ url }) => open(url))
      const other = { ...key, account: "EP0000002" as AccountCode }
      const elsewhere = { ...key, location: "elsewhere" as Location }
      yield* store.transact(key, ({ ledger }) => [null, { ledger, account: authenticated }])
      assert.deepStrictEqual((yield* store.read(other)).account, emptyAccountRecord)
      assert.strictEqual((yield* store.read(other)).moment.sequence, 1)
      assert.strictEqual((yield* store.read(elsewhere)).moment.sequence, 0)
      assert.strictEqual(yield* draw(store, other), 2)
      assert.strictEqual(yield* draw(store, elsewhere), 1)
    })
  )

  it.scopedLive(
    "draws no number for a transaction that changes nothing, and none for one whose decision throws",
    () =>
      Effect.gen(function* () {
        const store = yield* Effect.flatMap(database, ({ url }) => open(url))
        yield* draw(store)
        assert.strictEqual(yield* store.transact(key, ({ moment }) => [moment.sequence, null]), 2)
        const thrown = yield* Effect.exit(
          store.transact(key, (): readonly [never, null] => {
            throw new Error("no")
          })
        )
        // A mistake in the code, and not a store that is away: nobody is to wait for that to pass.
        assert(thrown._tag === "Failure" && Cause.isDieType(thrown.cause), String(thrown))
        assert.deepStrictEqual(thrown.cause.defect, new Error("no"))
        assert.strictEqual((yield* store.read(key)).moment.sequence, 1)
        assert.strictEqual(yield* draw(store), 2)
      })
  )

  it.scopedLive("never repeats a number and loses no write, over eight connections at once", () =>
    Effect.gen(function* () {
      const { url } = yield* database
      const stores = yield* Effect.forEach(Array.from({ length: 8 }), () => open(url))
      const sequences = yield* Effect.forEach(
        stores.flatMap((store) => Array.from({ length: 12 }, () => store)),
        (store) =>
          store.transact(key, ({ account: record, ledger, moment }) => [
            moment.sequence,
            {
              ledger: { ...ledger, marks: [...ledger.marks, settled(moment.sequence, moment.sequence)] },
              account: record
            }
          ]),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(sequences).size, 96)
      const stored = yield* stores[0]!.read(key)
      assert.strictEqual(stored.moment.sequence, 96)
      assert.deepStrictEqual(
        stored.ledger.marks.map(({ attempt }) => attempt),
        Array.from({ length: 96 }, (_, n) => n + 1)
      )
    })
  )

  it.scopedLive(
    "a thousand transactions at once in one process wait for each other, and all hold; so do as many that read",
    () =>
      Effect.gen(function* () {
        const { url } = yield* database
        const store = yield* open(url)
        const [sequences] = yield* Effect.all(
          [
            Effect.forEach(
              Array.from({ length: 1000 }, (_, n) => `EP${String(n % 50).padStart(7, "0")}` as AccountCode),
              (code) => draw(store, { ...key, account: code }),
              { concurrency: "unbounded" }
            ),
            Effect.forEach(
              Array.from({ length: 1000 }, () => key),
              store.read,
              { concurrency: "unbounded" }
            )
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          [...sequences].sort((one, two) => one - two),
          Array.from({ length: 1000 }, (_, n) => n + 1)
        )
      }),
    60_000
  )

  it.scopedLive("writes ledger and record together or not at all", () =>
    Effect.gen(function* () {
      const { sql, url } = yield* database
      const store = yield* open(url)
      yield* draw(store)
      // The second write of the transaction fails.
      yield* sql("ALTER TABLE number_auth_account RENAME TO number_auth_away")
      const before = yield* sql("SELECT * FROM number_auth_ledger")
      const failed = yield* Effect.flip(
        store.transact(key, () => [null, { ledger: emptyLedgerRecord, account: authenticated }])
      )
      assertShowsNone(failed, sessionKey)
      assert.deepStrictEqual(yield* sql("SELECT * FROM number_auth_ledger"), before)
      yield* sql("ALTER TABLE number_auth_away RENAME TO number_auth_account")
      assert.strictEqual(yield* draw(store), 2)
    })
  )

  it.scopedLive("is migrated once by sixteen layers that open it at once", () =>
    Effect.gen(function* () {
      const { sql, url } = yield* database
      // Each uses what it opened at once: its tables are there, whoever made them.
      const sequences = yield* Effect.all(
        Array.from({ length: 16 }, () => Effect.flatMap(open(url), draw)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(sequences).size, 16)
      const rows = yield* sql("SELECT migration_id FROM number_auth_migrations ORDER BY migration_id")
      assert.isAtLeast(rows.length, 1)
      assert.deepStrictEqual(
        rows.map((row) => row["migration_id"]),
        rows.map((_, n) => n + 1)
      )
    })
  )

  it.scopedLive("a store that a newer version migrated is unreadable, and stays as it is", () =>
    Effect.gen(function* () {
      const { sql, url } = yield* database
      yield* Effect.scoped(Effect.flatMap(open(url), draw))
      yield* sql("INSERT INTO number_auth_migrations (migration_id, name) VALUES (99, 'future')")
      const error = yield* Effect.flip(open(url))
      assert.strictEqual(error.reason, "unreadable")
      assert.match(error.message, /newer version/)
      assert.strictEqual(Number((yield* sql("SELECT sequence FROM number_auth_ledger"))[0]!["sequence"]), 1)
    })
  )

  it.scopedLive("opens while another has its list of migrations locked, as a backup does", () =>
    Effect.gen(function* () {
      const { url } = yield* database
      yield* Effect.scoped(Effect.flatMap(open(url), draw))
      const clients: Layer.Layer<SqlClient.SqlClient, unknown> =
        engine === "SQLite"
          ? SqliteClient.layer({ filename: new URL(url).pathname })
          : PgClient.layer({ url: Redacted.make(url) })
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`SELECT * FROM number_auth_migrations`
            const [tookMillis] = yield* timed(
              Effect.scoped(Effect.flatMap(open(url), (store) => store.read(key)))
            )
            assert.isBelow(tookMillis, 3000)
          })
        )
      ).pipe(Effect.provide(clients), Effect.orDie)
    })
  )

  it.scopedLive("a damaged document, or one of a newer version, is unreadable and stays as it is", () =>
    Effect.gen(function* () {
      for (const [table, document] of [
        ["number_auth_account", `{"version":1,"state":"authenticated","sessionKey":"${sessionKey}"`],
        ["number_auth_account", `{"version":99,"sessionKey":"${sessionKey}"}`],
        ["number_auth_ledger", '{"version":1,"marks":[{"status":"forgiven"}],"lockReportedAt":null}'],
        ["number_auth_ledger", '{"version":99}'],
        ["number_auth_ledger", "null"]
      ] as const) {
        const { sql, url } = yield* database
        const store = yield* open(url)
        yield* store.transact(key, ({ ledger }) => [
          null,
          { ledger: { ...ledger, marks: [settled(1, 1)] }, account: authenticated }
        ])
        yield* sql(`UPDATE ${table} SET document = '${document}'`)
        const before = yield* sql(`SELECT * FROM ${table}`)
        let asked = 0
        for (const use of [
          store.read(key),
          store.transact(key, ({ account: record, ledger }) => {
            asked += 1
            return [null, { ledger: { ...ledger }, account: { ...record } }]
          })
        ]) {
          const error = yield* Effect.flip(use)
          assert.strictEqual(error.reason, "unreadable", document)
          assertShowsNone(error, sessionKey)
        }
        assert.strictEqual(asked, 0)
        assert.deepStrictEqual(yield* sql(`SELECT * FROM ${table}`), before)
      }
    })
  )

  it.scopedLive(
    "tells another connection of every change, well under a second, and of no other location's",
    () =>
      Effect.gen(function* () {
        const { url } = yield* database
        const one = yield* open(url)
        const two = yield* open(url)
        const seen = yield* Ref.make<ReadonlyArray<number>>([])
        const arrived = new Map<number, Deferred.Deferred<void>>()
        for (let n = 0; n <= 10; n++) arrived.set(n, yield* Deferred.make<void>())
        yield* one.changes(key.location).pipe(
          Stream.runForEach((sequence) =>
            Effect.zipRight(
              Ref.update(seen, (known) => [...known, sequence]),
              Deferred.succeed(arrived.get(sequence)!, undefined)
            )
          ),
          Effect.forkScoped
        )
        yield* Deferred.await(arrived.get(0)!)
        // Until the looks that it takes at first are over.
        yield* Effect.sleep("1500 millis")
        const tookMillis: Array<number> = []
        for (let n = 1; n <= 10; n++) {
          yield* draw(two, { ...key, location: "elsewhere" as Location })
          yield* draw(two)
          tookMillis.push((yield* timed(Deferred.await(arrived.get(n)!)))[0])
        }
        assert.deepStrictEqual(
          yield* Ref.get(seen),
          Array.from({ length: 11 }, (_, n) => n)
        )
        // A poll of a second would take half of one on average.
        tookMillis.sort((a, b) => a - b)
        assert.isBelow(tookMillis[5]!, engine === "PostgreSQL" ? 150 : 400, tookMillis.join(" "))
      })
  )
})

/** A `NumberAuth` as in a process of its own. */
const startProcess = (
  world: World,
  store: Store,
  options: Partial<NumberAuth.Options> = {},
  client?: HttpClient.HttpClient
) =>
  Layer.build(
    NumberAuth.layer({ account, baseUrl: "https://number.test/v1", ...options }).pipe(
      Layer.provide(environment({ ...world, store }, client)),
      Layer.orDie
    )
  ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))

/** A store that counts its transactions, and one that hangs from a transaction on: a process that is no more. */
const counting = (store: Store, counter: { transactions: number }): Store => ({
  ...store,
  transact: (...args) => Effect.suspend(() => (counter.transactions++, store.transact(...args)))
})
const dyingAfter = (store: Store, transactions: number): Store => {
  let left = transactions
  return {
    ...store,
    transact: (...args) => Effect.suspend(() => (left-- > 0 ? store.transact(...args) : Effect.never))
  }
}

const clock = Clock.make()
const offset = (duration: Duration.DurationInput, sign: 1 | -1) => {
  const millis = Duration.toMillis(duration) * sign
  return Effect.withClock(
    Object.assign(Object.create(clock) as Clock.Clock, {
      unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + millis,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis)
    })
  )
}

describe("clocks that differ by hours, on PostgreSQL", () => {
  for (const hours of [7, 30]) {
    for (const sign of [1, -1] as const) {
      const name = `${sign === 1 ? "ahead" : "behind"} by ${hours} hours`
      const others = offset(`${hours} hours`, sign)

      it.scopedLive(`a process ${name} waits for another's attempt, and shares its session`, () =>
        Effect.gen(function* () {
          const { url } = yield* postgresDatabase
          const world = yield* makeWorld()
          yield* world.emulator.setDelays({ answer: "1200 millis" })
          const counter = { transactions: 0 }
          const auth = yield* startProcess(world, yield* open(url))
          const other = yield* others(startProcess(world, counting(yield* open(url), counter)))
          const first = yield* Effect.fork(auth.sessionKey)
          while ((yield* auth.status).inFlight === 0) yield* Effect.sleep("10 millis")
          const theirs = yield* others(other.sessionKey)
          assert.strictEqual(Redacted.value(theirs), Redacted.value(yield* Fiber.join(first)))
          assert.lengthOf(yield* world.emulator.log, 1)
          // One look, and one when it was told.
          assert.isAtMost(counter.transactions, 3)
          // What is held is held by what it has left, whatever this clock says: the store is not asked again.
          yield* Effect.repeatN(others(other.sessionKey), 9)
          assert.isAtMost(counter.transactions, 3)
          assert.lengthOf(yield* world.emulator.log, 1)
        })
      )

      it.scopedLive(`a process ${name} finds a lease neither early nor late, and a drain neither`, () =>
        Effect.gen(function* () {
          const { url } = yield* postgresDatabase
          const world = yield* makeWorld()
          const options = {
            attemptTimeout: "1 second",
            leaseDuration: "2 seconds",
            drainTime: "3 seconds"
          } as const
          const store = yield* open(url)
          const counter = { transactions: 0 }
          // A process that is no more closes nothing.
          const dying = yield* Scope.extend(
            startProcess(world, dyingAfter(store, 1), options),
            yield* Scope.make()
          )
          const other = yield* others(startProcess(world, counting(store, counter), options))
          yield* Effect.forkDaemon(dying.sessionKey)
          while ((yield* dying.status).inFlight === 0) yield* Effect.sleep("10 millis")
          assert.strictEqual((yield* others(other.status)).inFlight, 1)
          const [tookMillis, error] = yield* timed(others(Effect.flip(other.sessionKey)))
          assert(error._tag === "AuthAborted")
          assert.strictEqual(error.abort.reason, "lost")
          assert.isAtLeast(tookMillis, 1500)
          assert.isAtMost(tookMillis, 3000)
          // It asked, waited, and asked again.
          assert.isAtMost(counter.transactions, 4)
          yield* others(other.resume)
          yield* others(other.sessionKey)
          // What is not drained is not cleared by a success.
          assert.strictEqual((yield* others(other.status)).failures, 1)
          yield* Effect.sleep("3200 millis")
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
      )
    }
  }
})

describe("PostgreSQL and the caller's own transaction", () => {
  const client = (url: string) =>
    Effect.map(Layer.build(PgClient.layer({ url: Redacted.make(url) })), Context.get(SqlClient.SqlClient))

  it.scopedLive(
    "the mark is durable before the attempt is sent, though the caller's transaction rolls back",
    () =>
      Effect.gen(function* () {
        const { sql: look, url } = yield* postgresDatabase
        const world = yield* makeWorld()
        const marks: Array<string> = []
        const looking = HttpClient.tapRequest(Emulator.httpClient(world.emulator, ip), () =>
          Effect.map(look("SELECT document FROM number_auth_ledger"), (rows) => {
            marks.push(String(rows[0]?.["document"]))
          })
        )
        const sql = yield* client(url)
        // The caller's own client is the store's, too.
        const store = yield* Effect.provideService(AuthStore.makeSql(), SqlClient.SqlClient, sql)
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

  it.scopedLive("a transaction of the store is its own, though its caller is in one on the same client", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresDatabase
      const sql = yield* client(url)
      const store = yield* Effect.provideService(AuthStore.makeSql(), SqlClient.SqlClient, sql)
      yield* Effect.flip(sql.withTransaction(Effect.zipRight(draw(store), Effect.fail("no"))))
      assert.strictEqual((yield* store.read(key)).moment.sequence, 1)
    })
  )

  it.scopedLive("the session stays, though the caller's transaction rolls back", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresDatabase
      const world = yield* makeWorld()
      const auth = yield* startProcess(world, yield* open(url))
      const sql = yield* client(url)
      yield* Effect.flip(sql.withTransaction(Effect.zipRight(auth.sessionKey, Effect.fail("no"))))
      yield* (yield* startProcess(world, yield* open(url))).sessionKey
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scopedLive("numbers are not repeated where the database's default is serializable", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresDatabase
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
})

describe("a PostgreSQL whose commits need not be on the disk", () => {
  it.scopedLive("makes those of the store wait for it all the same", () =>
    Effect.gen(function* () {
      const { sql, url } = yield* postgresDatabase
      yield* Effect.scoped(open(url))
      yield* sql("CREATE TABLE seen (synchronous TEXT)")
      yield* sql(`CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`)
      yield* sql(
        "CREATE TRIGGER look AFTER UPDATE ON number_auth_ledger FOR EACH ROW EXECUTE FUNCTION look()"
      )
      const careless = yield* open(`${url}?options=-c%20synchronous_commit%3Doff`)
      yield* draw(careless)
      // As it was when the transaction wrote last, and so when it committed.
      const last = yield* sql("SELECT synchronous FROM seen OFFSET (SELECT count(*) - 1 FROM seen)")
      assert.deepStrictEqual(last, [{ synchronous: "on" }])
    })
  )
})

describe("a PostgreSQL that cannot be used", () => {
  it.scopedLive("says what is wrong, and never the password", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresDatabase
      const password = "not-the-password-4711"
      const withParts = (change: (parts: URL) => void): string => {
        const parts = new URL(url)
        parts.password = password
        change(parts)
        return parts.href
      }
      for (const [broken, reason] of [
        [withParts(() => {}), "misconfigured"],
        [
          withParts((parts) => {
            parts.password = new URL(url).password
            parts.pathname = "/nowhere"
          }),
          "misconfigured"
        ],
        [withParts((parts) => (parts.port = "9")), "unavailable"],
        ["postgres:///number?host=/nowhere&password=not-the-password-4711", "unavailable"],
        ["postgresql://user:not-the-password-4711@/number?host=/nowhere", "unavailable"],
        // It has no TLS, and a password goes nowhere without.
        [withParts((parts) => (parts.search = "?sslmode=require")), "misconfigured"],
        [withParts((parts) => (parts.search = "?sslrootcert=/nowhere/ca.pem")), "misconfigured"],
        [url.replace(/:\d+\//, ":99999/"), "misconfigured"],
        ["not-the-password-4711", "misconfigured"]
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

describe("a network that swallows what is sent", () => {
  /** Passes bytes on between the store and the server, until it swallows those of the connections that stand. */
  const swallowing = (url: string) =>
    Effect.acquireRelease(
      promise(async () => {
        const { hostname, port } = new URL(url)
        const pairs: Array<readonly [Net.Socket, Net.Socket]> = []
        const server = Net.createServer((inner) => {
          const outer = Net.connect(Number(port), hostname)
          pairs.push([inner, outer])
          for (const [one, other] of [
            [inner, outer],
            [outer, inner]
          ] as const) {
            one.on("data", (bytes) => other.write(bytes))
            one.on("error", () => {})
            one.on("close", () => other.destroy())
          }
        })
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
        const through = new URL(url)
        through.port = String((server.address() as Net.AddressInfo).port)
        return {
          url: through.href,
          swallow: () => {
            for (const socket of pairs.flat()) {
              socket.removeAllListeners("data")
              socket.removeAllListeners("close")
              socket.resume()
            }
          },
          end: () => {
            for (const socket of pairs.flat()) socket.destroy()
            server.close()
          }
        }
      }),
      ({ end }) => Effect.sync(end)
    )

  it.scopedLive(
    "is told of within ten seconds, and the connection that it swallowed is not used again",
    () =>
      Effect.gen(function* () {
        const { url } = yield* postgresDatabase
        const proxy = yield* swallowing(url)
        // With one connection, which is the one that is swallowed.
        const store = yield* Layer.build(
          PgStore.layer({ url: Redacted.make(proxy.url), maxConnections: 1 })
        ).pipe(Effect.map(Context.get(AuthStore.AuthStore)))
        yield* draw(store)
        yield* Effect.sync(proxy.swallow)
        const [tookMillis, error] = yield* timed(Effect.flip(store.read(key)))
        assert.strictEqual(error.reason, "unavailable")
        assert.isBelow(tookMillis, 12_000)
        // Silent for fifteen seconds, it is cut off; whoever asks meanwhile may meet it.
        yield* Effect.sleep("7 seconds")
        const again = yield* timed(draw(store))
        assert.isBelow(again[0], 3000)
      }),
    60_000
  )
})

describe("a PostgreSQL that is stopped, or hangs", () => {
  let server: Server
  beforeAll(async () => {
    server = await startServer()
  }, 120_000)
  afterAll(() => server?.end(), 60_000)

  const database = Effect.map(
    promise(() => server.database()),
    ({ url }) => url
  )

  for (const how of ["fast", "kill"] as const) {
    it.scopedLive(
      `stopped (${how}) and started: unavailable within seconds, held keys serve, nothing is sent, all recovers`,
      () =>
        Effect.gen(function* () {
          const url = yield* database
          const world = yield* makeWorld()
          const store = yield* open(url)
          const other = yield* open(url)
          const held = yield* startProcess(world, store)
          const key1 = yield* held.sessionKey
          const seen = yield* Ref.make<ReadonlyArray<number>>([])
          yield* store.changes(key.location).pipe(
            Stream.runForEach((sequence) => Ref.update(seen, (known) => [...known, sequence])),
            Effect.forkScoped
          )
          const without = yield* startProcess(world, store)
          yield* Effect.sleep("500 millis")

          yield* promise(() => server.stop(how))
          for (const use of [without.sessionKey, held.status, draw(other)]) {
            const [tookMillis, error] = yield* timed(
              Effect.flip(use as Effect.Effect<unknown, NumberAuth.AuthError>)
            )
            assert(error._tag === "AuthStoreError", String(error))
            assert.strictEqual(error.reason, "unavailable")
            assert.isBelow(tookMillis, 6000)
          }
          assert.strictEqual(yield* held.sessionKey, key1)
          assert.lengthOf(yield* world.emulator.log, 1)

          yield* promise(() => server.start())
          assert.strictEqual(Redacted.value(yield* without.sessionKey), Redacted.value(key1))
          assert.strictEqual((yield* held.status).state, "authenticated")
          assert.lengthOf(yield* world.emulator.log, 1)
          // It listens again by itself.
          yield* Effect.sleep("6 seconds")
          const drawn = yield* draw(other)
          const [tookMillis] = yield* timed(
            Effect.repeat(Effect.zipRight(Effect.sleep("5 millis"), Ref.get(seen)), {
              until: (known) => known.includes(drawn)
            })
          )
          assert.isBelow(tookMillis, 400)
        }),
      60_000
    )
  }

  it.scopedLive(
    "a server that hangs holds no caller for ever, and is used again once it goes on",
    () =>
      Effect.gen(function* () {
        const url = yield* database
        const world = yield* makeWorld()
        const store = yield* open(url)
        const held = yield* startProcess(world, store)
        const without = yield* startProcess(world, store)
        const sessionKey = yield* held.sessionKey
        yield* Effect.sync(() => server.freeze())
        yield* Effect.gen(function* () {
          const [tookMillis, errors] = yield* timed(
            Effect.all(
              // Of those that wait for each other's turn, too: not one time-out after the other.
              [without.sessionKey, held.status, draw(store), draw(store), draw(store), open(url)].map((use) =>
                Effect.flip(use as Effect.Effect<unknown, NumberAuth.AuthError, Scope.Scope>)
              ),
              { concurrency: "unbounded" }
            )
          )
          assert.isBelow(tookMillis, 15_000)
          for (const error of errors) {
            assert(error._tag === "AuthStoreError", String(error))
            assert.strictEqual(error.reason, "unavailable")
          }
          assert.strictEqual(yield* held.sessionKey, sessionKey)
        }).pipe(Effect.ensuring(Effect.sync(() => server.thaw())))
        assert.lengthOf(yield* world.emulator.log, 1)
        // What hung is rolled back: the location's row is free.
        const [tookMillis] = yield* timed(draw(store))
        assert.isBelow(tookMillis, 3000)
        yield* without.sessionKey
        assert.lengthOf(yield* world.emulator.log, 1)
      }),
    60_000
  )

  it.scopedLive(
    "a lone transaction on a connection that stands is given up, too",
    () =>
      Effect.gen(function* () {
        const store = yield* open(yield* database)
        yield* draw(store)
        yield* Effect.sync(() => server.freeze())
        const [tookMillis, error] = yield* timed(Effect.flip(draw(store))).pipe(
          Effect.ensuring(Effect.sync(() => server.thaw()))
        )
        assert.strictEqual(error.reason, "unavailable")
        assert.isBelow(tookMillis, 15_000)
      }),
    60_000
  )

  it.scopedLive(
    "closing a store whose server hangs takes seconds",
    () =>
      Effect.gen(function* () {
        const url = yield* database
        const scope = yield* Scope.make()
        const store = yield* Scope.extend(open(url), scope)
        yield* Effect.fork(Stream.runDrain(store.changes(key.location)))
        yield* Effect.sleep("500 millis")
        yield* Effect.sync(() => server.freeze())
        const [tookMillis] = yield* timed(Scope.close(scope, Exit.void)).pipe(
          Effect.ensuring(Effect.sync(() => server.thaw()))
        )
        assert.isBelow(tookMillis, 5000)
      }),
    60_000
  )
})
