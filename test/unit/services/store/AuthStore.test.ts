/**
 * The contract of stores in memory, and the additions of a store on any SQL database.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, PubSub, Stream, TestClock } from "effect"
import type { Location } from "../../../../src/schemas/Credentials.js"
import * as AuthStore from "../../../../src/services/store/AuthStore.js"
import type * as SqlStore from "../../../../src/services/store/SqlStore.js"
import { key, ring } from "../../../support/secrets.js"
import { onSql, sqlInMemory } from "../../../support/sqlInMemory.js"
import { storeContract, watch } from "../../../support/storeContract.js"
import { authenticated, elsewhere, ledger, write } from "../../../support/stored.js"

storeContract({
  name: "memory",
  clock: "process",
  crowd: 1000,
  isDurable: false,
  makePlace: Effect.succeed({ open: AuthStore.makeMemory })
})

describe("a store in a database", () => {
  it.scoped(
    "looks for changes every 200 milliseconds, or as often as its options say, or when notified",
    () =>
      Effect.gen(function* () {
        const sql = yield* sqlInMemory
        const notified = yield* PubSub.unbounded<Location>()
        const seenWith = (options: Omit<SqlStore.Options, "storeKey">) =>
          Effect.flatMap(onSql(sql, { storeKey: ring(1), ...options }), (store) => watch(store))
        const usual = yield* seenWith({})
        const seldom = yield* seenWith({ pollInterval: "2 seconds" })
        const listening = yield* seenWith({
          pollInterval: "1 hour",
          notifications: (location) =>
            Stream.filter(Stream.fromPubSub(notified), (changed) => changed === location)
        })
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual([usual, seldom, listening], [[0], [0], [0]])
        yield* write(yield* onSql(sql))
        yield* TestClock.adjust("198 millis")
        assert.deepStrictEqual(usual, [0])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual([usual, seldom, listening], [[0, 1], [0], [0]])
        yield* PubSub.publish(notified, elsewhere.location)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(listening, [0])
        yield* PubSub.publish(notified, key.location)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual([usual, seldom, listening], [[0, 1], [0], [0, 1]])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(seldom, [0, 1])
        // A sequence that has not changed is not emitted again.
        assert.deepStrictEqual(usual, [0, 1])
      })
  )

  it.scoped("emits no changes while it is away, and emits them again when it is back", () =>
    Effect.gen(function* () {
      const sql = yield* sqlInMemory
      const store = yield* onSql(sql)
      yield* write(store)
      const seen: Array<number> = []
      const watching = yield* Effect.fork(
        Stream.runForEach(store.changes(key.location), (sequence) => Effect.sync(() => seen.push(sequence)))
      )
      yield* TestClock.adjust("1 second")
      yield* sql`ALTER TABLE number_auth_ledger RENAME TO away`
      yield* TestClock.adjust("1 second")
      assert.isNull(watching.unsafePoll())
      yield* sql`ALTER TABLE away RENAME TO number_auth_ledger`
      yield* write(store)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [1, 2])
      yield* Fiber.interrupt(watching)
    })
  )

  it.scoped("writes only the parts that a transaction changed", () =>
    Effect.gen(function* () {
      const sql = yield* sqlInMemory
      const store = yield* onSql(sql)
      yield* store.transact(key, ({ account, ledger: its }) => [null, { account, ledger: its }])
      assert.deepStrictEqual(yield* sql`SELECT sequence, document FROM number_auth_ledger`, [
        { sequence: 1, document: null }
      ])
      assert.deepStrictEqual(yield* sql`SELECT * FROM number_auth_account`, [])
      yield* store.transact(key, ({ account }) => [null, { account, ledger }])
      assert.deepStrictEqual(yield* sql`SELECT * FROM number_auth_account`, [])
      const [{ document }] = (yield* sql<{ document: string }>`SELECT document FROM number_auth_ledger`) as [
        { document: string }
      ]
      assert.deepStrictEqual(JSON.parse(document), ledger)
      yield* store.transact(key, ({ ledger: its }) => [null, { account: authenticated, ledger: its }])
      assert.deepStrictEqual(yield* sql`SELECT sequence, document FROM number_auth_ledger`, [
        { sequence: 3, document }
      ])
    })
  )

  it.scoped("rolls back if the commit fails, says so, and goes on", () =>
    Effect.gen(function* () {
      const sql = yield* sqlInMemory
      const store = yield* onSql(sql)
      yield* write(store)
      yield* sql`CREATE TABLE parent (id INTEGER PRIMARY KEY)`
      yield* sql`CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`
      yield* sql`CREATE TRIGGER orphan AFTER UPDATE ON number_auth_ledger BEGIN INSERT INTO child VALUES (1); END`
      yield* sql`PRAGMA foreign_keys = ON`
      const error = yield* Effect.flip(write(store))
      assert.deepInclude(error, {
        reason: "unavailable",
        detail: "the database said SQLITE_CONSTRAINT_FOREIGNKEY"
      })
      yield* sql`DROP TRIGGER orphan`
      assert.strictEqual((yield* store.read(key)).moment.sequence, 1)
      assert.strictEqual(yield* write(store), 2)
    })
  )
})
