/**
 * The transactions of the embedded store, the locks of other programs, and the transactions of its caller.
 */
import { HttpClient } from "@effect/platform"
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted } from "effect"
import * as SqlStore from "../../src/services/store/SqlStore.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { onFastClock } from "../support/hastened.js"
import { assertShowsNone } from "../support/leaks.js"
import { observed } from "../support/observed.js"
import { startProcess, timed } from "../support/processes.js"
import { Database, file, openSqlite as open, raw } from "../support/sqlite.js"
import { goodToken, ip, makeWorld, type World } from "../support/stack.js"
import { draw } from "../support/stored.js"

describe("a SqliteStore whose file another program has locked", () => {
  it.scopedLive("is unavailable after ten seconds, for all waiting callers at once", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const store = yield* open(filename)
      yield* draw(store)
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new Database(filename)),
        (db) => Effect.sync(() => db.close())
      )
      other.exec("BEGIN IMMEDIATE")
      const [tookMillis, errors] = yield* timed(
        Effect.forEach([1, 2, 3, 4], () => Effect.flip(draw(store)), { concurrency: "unbounded" })
      )
      other.exec("ROLLBACK")
      assert.isAbove(tookMillis, 9_000)
      // Four time-outs in a row would take forty seconds.
      assert.isBelow(tookMillis, 19_000)
      for (const { reason } of errors) assert.strictEqual(reason, "unavailable")
      assert.strictEqual(yield* draw(store), 2)
    }).pipe(onFastClock(10))
  )
})

describe("on SQLite, beside the caller's own transaction,", () => {
  /** A process whose store is a SQLite file. */
  const start = (filename: string, world: World, client?: HttpClient.HttpClient) =>
    Effect.flatMap(open(filename), (store) =>
      startProcess(world, store, { waitTimeout: "3 seconds" }, client)
    )

  /** A client that looks at the store's file, from outside, when the request is about to be written. */
  const looking = (filename: string, client: HttpClient.HttpClient, marks: Array<string>) =>
    HttpClient.tapRequest(client, () =>
      Effect.sync(() => {
        marks.push(
          raw(filename, (db) =>
            String(db.prepare("SELECT document FROM number_auth_ledger").get()["document"])
          )
        )
      })
    )

  it.scopedLive(
    "the mark is durable before the attempt is sent, even if the caller's transaction rolls back",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const world = yield* makeWorld()
        const marks: Array<string> = []
        const auth = yield* start(
          filename,
          world,
          looking(filename, Emulator.httpClient(world.emulator, ip), marks)
        )
        yield* world.emulator.inject(Emulator.Fault.DropAnswer)
        const sql = Context.get(
          yield* Layer.build(SqliteClient.layer({ filename: yield* file })),
          SqlClient.SqlClient
        )
        yield* sql`CREATE TABLE payments (id TEXT)`
        const exit = yield* Effect.exit(
          sql.withTransaction(Effect.zipRight(sql`INSERT INTO payments VALUES (${"1"})`, auth.sessionKey))
        )
        assert.isTrue(Exit.isFailure(exit))
        assert.deepStrictEqual(yield* sql`SELECT * FROM payments`, [])
        assert.lengthOf(marks, 1)
        assert.include(marks[0], '"inFlight"')
        assert.strictEqual((yield* auth.status).failures, 1)
        const another = yield* start(filename, world)
        assert.strictEqual((yield* another.status).failures, 1)
        assert.strictEqual((yield* Effect.flip(another.sessionKey))._tag, "AuthAborted")
        assert.lengthOf(yield* world.emulator.log, 1)
      })
  )

  it.scopedLive("spans and logs of the database hold neither token nor session key", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const world = yield* makeWorld()
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          const auth = yield* start(filename, world)
          const sessionKey = yield* auth.sessionKey
          raw(filename, (db) => db.prepare("DROP TABLE number_auth_account").run())
          const error = yield* Effect.flip(auth.status)
          yield* Effect.logError(error)
          assertShowsNone(error, Redacted.value(sessionKey))
          return Redacted.value(sessionKey)
        })
      )
      assert(exit._tag === "Success")
      assert.include(output.names, "sql.transaction")
      assert.isTrue(output.spans.some((text) => text.includes("INSERT INTO number_auth_account")))
      for (const text of [...output.spans, ...output.logs]) {
        for (const secret of [exit.value, goodToken]) assert.notInclude(text, secret)
      }
    })
  )

  it.scopedLive("the session stays, even if the caller's transaction rolls back", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const world = yield* makeWorld()
      const auth = yield* start(filename, world)
      const sql = Context.get(
        yield* Layer.build(SqliteClient.layer({ filename: yield* file })),
        SqlClient.SqlClient
      )
      yield* Effect.flip(sql.withTransaction(Effect.zipRight(auth.sessionKey, Effect.fail("no"))))
      yield* (yield* start(filename, world)).sessionKey
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scopedLive(
    "the caller's transaction may be on the store's file, as long as it has not written to that file",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const world = yield* makeWorld()
        const auth = yield* start(filename, world)
        const sql = Context.get(yield* Layer.build(SqliteClient.layer({ filename })), SqlClient.SqlClient)
        yield* sql`CREATE TABLE payments (id TEXT)`
        yield* Effect.flip(
          sql.withTransaction(
            sql`SELECT * FROM payments`.pipe(
              Effect.zipRight(auth.sessionKey),
              Effect.zipRight(Effect.fail("no"))
            )
          )
        )
        assert.strictEqual((yield* auth.status).state, "authenticated")
      })
  )

  it.scopedLive(
    "a caller that holds the write lock of the store's file gets the error that the store is unavailable",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const world = yield* makeWorld()
        const auth = yield* start(filename, world)
        const sql = Context.get(yield* Layer.build(SqliteClient.layer({ filename })), SqlClient.SqlClient)
        yield* sql`CREATE TABLE payments (id TEXT)`
        const error = yield* Effect.flip(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`INSERT INTO payments VALUES ('1')`
              // Reading does not wait for a writer.
              assert.strictEqual((yield* auth.status).state, "unauthenticated.idle")
              return yield* auth.sessionKey
            })
          )
        )
        assert(error._tag === "AuthStoreError")
        assert.strictEqual(error.reason, "unavailable")
        assert.match(error.message, /SQLITE_BUSY/)
        assert.lengthOf(yield* world.emulator.log, 0)
        yield* auth.sessionKey
        assert.lengthOf(yield* world.emulator.log, 1)
      }).pipe(onFastClock(10))
  )

  /** Caller and store on one SqlClient, which has one connection. */
  const startShared = (world: World) =>
    Effect.gen(function* () {
      const client = yield* Layer.build(SqliteClient.layer({ filename: yield* file }))
      const store = yield* Effect.provide(SqlStore.make(), client)
      const auth = yield* startProcess(world, store, { waitTimeout: "3 seconds" })
      return { auth, sql: Context.get(client, SqlClient.SqlClient) }
    })

  it.scopedLive("caller and store may share one SqlClient, outside of the caller's transactions", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth, sql } = yield* startShared(world)
      yield* sql`CREATE TABLE payments (id TEXT)`
      yield* Effect.all(
        [
          auth.sessionKey,
          Effect.flip(
            sql.withTransaction(
              sql`INSERT INTO payments VALUES ('1')`.pipe(
                Effect.zipRight(Effect.sleep("50 millis")),
                Effect.zipRight(Effect.fail("no"))
              )
            )
          )
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* sql`SELECT * FROM payments`, [])
      assert.strictEqual((yield* auth.status).state, "authenticated")
    })
  )

  it.scopedLive(
    "an open transaction on the store's own connection keeps the attempt waiting until it has ended",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { auth, sql } = yield* startShared(world)
        // The one connection is the caller's until then, so only the caller's own time-out ends the wait.
        const error = yield* Effect.flip(sql.withTransaction(Effect.timeout(auth.sessionKey, "500 millis")))
        assert.strictEqual(error._tag, "TimeoutException")
        assert.lengthOf(yield* world.emulator.log, 0)
        yield* auth.sessionKey
        assert.lengthOf(yield* world.emulator.log, 1)
        // A held key needs no access to the store.
        yield* sql.withTransaction(auth.sessionKey)
        assert.strictEqual((yield* auth.status).failures, 0)
      })
  )
})
