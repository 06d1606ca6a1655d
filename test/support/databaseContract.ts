/**
 * The part of the contract of stores that only a database can keep: several processes, migrations, damage.
 */
import { SqlClient } from "@effect/sql"
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Redacted, Stream } from "effect"
import type { Location } from "../../src/schemas/Credentials.js"
import { emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import type { AccountKey, AuthStoreError } from "../../src/services/store/AuthStore.js"
import { settled } from "./core.js"
import { eventually } from "./eventually.js"
import { assertShowsNone } from "./leaks.js"
import { key } from "./secrets.js"
import type { DatabaseEngine, Store } from "./storeContract.js"
import { authenticated, draw, elsewhere, sessionKey, write } from "./stored.js"

const addMark = (store: Store) =>
  store.transact(key, ({ account, ledger, moment }) => [
    moment.sequence,
    { ledger: { ...ledger, marks: [...ledger.marks, settled(moment.sequence, moment.sequence)] }, account }
  ])

const connections = (engine: DatabaseEngine) => {
  it.scopedLive("shows a connection the writes of another", () =>
    Effect.gen(function* () {
      const { open } = yield* engine.makePlace
      const [one, two] = [yield* open, yield* open]
      yield* write(one)
      const { account, moment } = yield* two.read(key)
      assert.strictEqual(moment.sequence, 1)
      assert.strictEqual(Redacted.value(account.sessionKey!), sessionKey)
    })
  )

  it.scopedLive("never repeats a sequence number and loses no write, over eight connections at once", () =>
    Effect.gen(function* () {
      const { open } = yield* engine.makePlace
      const stores = yield* Effect.forEach(Array.from({ length: 8 }), () => open)
      const sequences = yield* Effect.forEach(
        stores.flatMap((store) => Array.from({ length: 12 }, () => store)),
        addMark,
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

  it.scopedLive("writes ledger and record together or not at all", () =>
    Effect.gen(function* () {
      const { open, sql } = yield* engine.makePlace
      const store = yield* open
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
}

const changes = (engine: DatabaseEngine) => {
  it.scopedLive(
    "brings another connection every change, mostly well under a second, and no change of another location",
    () =>
      Effect.gen(function* () {
        const { open } = yield* engine.makePlace
        const [one, two] = [yield* open, yield* open]
        const arrived: Array<readonly [number, number]> = []
        yield* one.changes(key.location).pipe(
          Stream.runForEach((sequence) => Effect.sync(() => arrived.push([sequence, performance.now()]))),
          Effect.forkScoped
        )
        yield* eventually(Effect.sync(() => arrived.length > 0))
        yield* Effect.sleep(engine.looksOftenMillis)
        const tookMillis: Array<number> = []
        for (let n = 1; n <= 10; n++) {
          yield* draw(two, elsewhere)
          yield* draw(two)
          const drawn = performance.now()
          yield* eventually(Effect.sync(() => arrived.length > n))
          tookMillis.push(arrived[n]![1] - drawn)
        }
        assert.deepStrictEqual(
          arrived.map(([sequence]) => sequence),
          Array.from({ length: 11 }, (_, n) => n)
        )
        // A poll of a second would take half of one on average.
        tookMillis.sort((a, b) => a - b)
        assert.isBelow(tookMillis[5]!, engine.tellsWithinMillis, tookMillis.join(" "))
      })
  )
}

const migrations = (engine: DatabaseEngine) => {
  it.scopedLive("is migrated once when it is opened sixteen times at once", () =>
    Effect.gen(function* () {
      const { open, sql } = yield* engine.makePlace
      // Each uses its store at once: the tables are there, although only one of them made the tables.
      const sequences = yield* Effect.all(
        Array.from({ length: 16 }, () => Effect.flatMap(open, (store) => draw(store))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(sequences).size, 16)
      const rows = yield* sql("SELECT migration_id FROM number_auth_migrations ORDER BY migration_id")
      assert.deepStrictEqual(rows, [{ migration_id: 1 }, { migration_id: 2 }])
    })
  )

  it.scopedLive("is unreadable if a newer version has migrated it, and stays as it is", () =>
    Effect.gen(function* () {
      const { open, sql } = yield* engine.makePlace
      yield* Effect.scoped(Effect.flatMap(open, (store) => draw(store)))
      yield* sql("INSERT INTO number_auth_migrations (migration_id, name) VALUES (99, 'future')")
      const error = yield* Effect.flip(open)
      assertUnreadable(error)
      assert.match(error.message, /newer version/)
      assert.strictEqual(Number((yield* sql("SELECT sequence FROM number_auth_ledger"))[0]!["sequence"]), 1)
    })
  )

  it.scopedLive("opens while another connection has its list of migrations locked, as a backup does", () =>
    Effect.gen(function* () {
      const { client, open } = yield* engine.makePlace
      yield* Effect.scoped(Effect.flatMap(open, (store) => draw(store)))
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`SELECT * FROM number_auth_migrations`
            const [duration] = yield* Effect.timed(
              Effect.scoped(Effect.flatMap(open, (store) => store.read(key)))
            )
            assert.isBelow(Duration.toMillis(duration), 3000)
          })
        )
      ).pipe(Effect.provide(client), Effect.orDie)
    })
  )
}

/** Asserts that the error says unreadable, and shows neither a secret nor a statement. */
const assertUnreadable = (error: AuthStoreError, text?: string): void => {
  assert.strictEqual(error._tag, "AuthStoreError")
  assert.strictEqual(error.reason, "unreadable", text)
  assert.include(error.message, "ask Number's support to reset")
  for (const words of ["INSERT", "SELECT", "UPDATE", "number_auth_"]) assert.notInclude(error.message, words)
  assertShowsNone(error, sessionKey)
}

const damaged = [
  ["number_auth_account", `{"version":1,"state":"authenticated","sessionKey":"${sessionKey}"`],
  ["number_auth_account", `{"version":2,"sessionKey":"${sessionKey}"}`],
  ["number_auth_account", `{"version":99,"sessionKey":"${sessionKey}"}`],
  ["number_auth_account", ""],
  ["number_auth_ledger", '{"version":1,"marks":[{"status":"forgiven"}],"lockReportedAt":null}'],
  ["number_auth_ledger", '{"version":2}'],
  ["number_auth_ledger", '{"version":99}'],
  ["number_auth_ledger", "null"]
] as const

const damage = (engine: DatabaseEngine) => {
  it.scopedLive(
    "reports a document that is damaged or of a newer version as unreadable, and leaves it as it is",
    () =>
      Effect.gen(function* () {
        const { open, sql } = yield* engine.makePlace
        const store = yield* open
        const another = yield* open
        const all = Effect.all([
          sql("SELECT * FROM number_auth_ledger ORDER BY location"),
          sql("SELECT * FROM number_auth_account ORDER BY location")
        ])
        for (const [n, [table, document]] of damaged.entries()) {
          const whose: AccountKey = { ...key, location: `number-${n}` as Location }
          yield* write(store, whose)
          yield* sql(`UPDATE ${table} SET document = '${document}' WHERE location = '${whose.location}'`)
          const before = yield* all
          let asked = 0
          for (const use of [
            store.read(whose),
            store.transact(whose, ({ account, ledger }) => {
              asked += 1
              return [null, { ledger: { ...ledger }, account: { ...account } }]
            }),
            another.read(whose)
          ]) {
            assertUnreadable(yield* Effect.flip(use), document)
          }
          assert.strictEqual(asked, 0)
          assert.deepStrictEqual(yield* all, before)
        }
      })
  )
}

/** Tests on a database the promises that memory cannot keep. */
export const databaseContract = (engine: DatabaseEngine): void => {
  connections(engine)
  changes(engine)
  migrations(engine)
  damage(engine)
}
