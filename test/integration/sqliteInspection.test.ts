/**
 * Inspecting a store in a SQLite file, which writes nothing.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, TestClock } from "effect"
import type { Location } from "../../src/schemas/Credentials.js"
import { emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import type * as AuthStore from "../../src/services/store/AuthStore.js"
import * as SqliteStore from "../../src/services/store/SqliteStore.js"
import type { KeyRing } from "../../src/services/store/StoreKey.js"
import { assertShowsNone } from "../support/leaks.js"
import { idOf, key, other, otherToken, ring } from "../support/secrets.js"
import { goodToken } from "../support/stack.js"
import { Database, file, openSqlite, raw } from "../support/sqlite.js"
import { authenticated, elsewhere, ledger, sessionKey, tokenOf } from "../support/stored.js"

/** Opens the file as a process does, uses its store, and closes it. */
const using = <A, E>(
  filename: string,
  storeKey: KeyRing,
  use: (store: AuthStore.AuthStore["Type"]) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(openSqlite(filename, { storeKey }), use))

/** A file in which both accounts hold a session and a token. */
const inUse = Effect.gen(function* () {
  const filename = yield* file
  const write = (store: AuthStore.AuthStore["Type"], at: AuthStore.AccountKey, token: string) =>
    Effect.zipRight(
      store.transact(at, () => [null, { ledger, account: authenticated }]),
      store.writeToken(at, tokenOf(token))
    )
  yield* using(filename, ring(1), (store) => write(store, key, goodToken))
  yield* using(filename, ring(2, 1), (store) => write(store, other, otherToken))
  return filename
})

const documents = (filename: string, where: string): ReadonlyMap<string, string> =>
  new Map(
    raw(filename, (db) =>
      db.prepare(`SELECT account, document FROM number_auth_account WHERE ${where}`).all()
    ).map((row) => {
      const { account, document } = row as { readonly account: string; readonly document: string }
      return [account, document]
    })
  )

/** Both ways to inspect. */
const looks = (filename: string): ReadonlyArray<Effect.Effect<unknown, AuthStore.AuthStoreError>> => [
  SqliteStore.inspect({ filename }, key),
  SqliteStore.inspectLocation({ filename }, key.location)
]

describe("inspecting a SQLite file", () => {
  it.scoped("shows ledger and account as the store has them, and which keys they are sealed under", () =>
    Effect.gen(function* () {
      const filename = yield* inUse
      yield* TestClock.setTime(1_700_000_000_000)
      const { account, ...seen } = yield* SqliteStore.inspect({ filename }, key)
      assert.deepStrictEqual(seen, {
        isNew: false,
        moment: { sequence: 2, nowMillis: 1_700_000_000_000 },
        ledger,
        isKeyStored: true,
        sealedUnder: [idOf(1), idOf(1)],
        sealedInAll: seen.sealedInAll,
        clockAheadMillis: null
      })
      assert.sameMembers([...seen.sealedInAll], [idOf(1), idOf(2)])
      assert.strictEqual(account.state, "authenticated")
      assert.deepStrictEqual(account.context, authenticated.context)
      assert.deepStrictEqual((yield* SqliteStore.inspect({ filename }, other)).sealedUnder, [
        idOf(2),
        idOf(2)
      ])
    })
  )

  it.scoped("shows an account without records as a new one, at its location's ledger", () =>
    Effect.gen(function* () {
      const filename = yield* file
      yield* using(filename, ring(1), (store) =>
        store.transact(key, () => [null, { ledger, account: authenticated }])
      )
      const seen = yield* SqliteStore.inspect({ filename }, other)
      assert.deepInclude(seen, {
        isNew: false,
        ledger,
        account: emptyAccountRecord,
        isKeyStored: false,
        sealedUnder: [],
        sealedInAll: [idOf(1)]
      })
      assert.strictEqual(seen.moment.sequence, 1)
      const unknown = yield* SqliteStore.inspect({ filename }, elsewhere)
      assert.deepInclude(unknown, { isNew: false, ledger: emptyLedgerRecord, account: emptyAccountRecord })
      assert.strictEqual(unknown.moment.sequence, 0)
    })
  )

  it.scoped("reports that the key of a session is not stored, even if a token is", () =>
    Effect.gen(function* () {
      const filename = yield* file
      yield* using(filename, ring(1), (store) =>
        Effect.zipRight(
          store.transact(key, () => [null, { ledger, account: { ...authenticated, sessionKey: null } }]),
          store.writeToken(key, tokenOf(goodToken))
        )
      )
      assert.deepInclude(yield* SqliteStore.inspect({ filename }, key), {
        isKeyStored: false,
        sealedUnder: [idOf(1)],
        sealedInAll: [idOf(1)]
      })
    })
  )

  it.scoped("shows all accounts of a location, as they are stored, and no account of another", () =>
    Effect.gen(function* () {
      const filename = yield* inUse
      yield* using(filename, ring(1), (store) =>
        store.transact(elsewhere, ({ account, ledger: before }) => [
          null,
          { ledger: { ...before, lockReportedAt: 1 }, account }
        ])
      )
      yield* TestClock.setTime(1_700_000_000_000)
      const seen = yield* SqliteStore.inspectLocation({ filename }, key.location)
      assert.deepStrictEqual(seen, {
        moment: { sequence: 2, nowMillis: 1_700_000_000_000 },
        ledger,
        accounts: seen.accounts
      })
      assert.deepStrictEqual(
        new Map<string, string>(seen.accounts),
        documents(filename, "location = 'default'")
      )
      assert.sameMembers([...seen.accounts.keys()], [key.account, other.account])
      const ledgerOnly = yield* SqliteStore.inspectLocation({ filename }, elsewhere.location)
      assert.strictEqual(ledgerOnly.moment.sequence, 1)
      assert.strictEqual(ledgerOnly.ledger.lockReportedAt, 1)
      assert.strictEqual(ledgerOnly.accounts.size, 0)
      assert.deepStrictEqual(yield* SqliteStore.inspectLocation({ filename }, "nowhere" as Location), {
        moment: { sequence: 0, nowMillis: 1_700_000_000_000 },
        ledger: emptyLedgerRecord,
        accounts: new Map()
      })
    })
  )

  it.scoped("shows a file that was never written to as a new store, and leaves it empty", () =>
    Effect.gen(function* () {
      const filename = yield* file
      Fs.writeFileSync(filename, "")
      yield* TestClock.setTime(1_700_000_000_000)
      const moment = { sequence: 0, nowMillis: 1_700_000_000_000 }
      assert.deepStrictEqual(yield* SqliteStore.inspect({ filename }, key), {
        isNew: true,
        moment,
        ledger: emptyLedgerRecord,
        account: emptyAccountRecord,
        isKeyStored: false,
        sealedUnder: [],
        sealedInAll: [],
        clockAheadMillis: null
      })
      assert.deepStrictEqual(yield* SqliteStore.inspectLocation({ filename }, key.location), {
        moment,
        ledger: emptyLedgerRecord,
        accounts: new Map()
      })
      assert.strictEqual(Fs.statSync(filename).size, 0)
    })
  )

  it.scoped("works on a file of a version that kept no tokens, and does not migrate it", () =>
    Effect.gen(function* () {
      const filename = yield* inUse
      raw(filename, (db) => {
        db.exec("DROP TABLE number_auth_token")
        db.exec("DELETE FROM number_auth_migrations WHERE migration_id > 1")
      })
      const seen = yield* SqliteStore.inspect({ filename }, key)
      assert.deepInclude(seen, {
        isNew: false,
        ledger,
        isKeyStored: true,
        sealedUnder: [idOf(1)],
        sealedInAll: []
      })
      assert.strictEqual((yield* SqliteStore.inspectLocation({ filename }, key.location)).accounts.size, 2)
      assert.deepStrictEqual(
        raw(filename, (db) =>
          db.prepare("SELECT name FROM sqlite_master WHERE name = 'number_auth_token'").all()
        ),
        []
      )
    })
  )

  it.scoped("draws no sequence number and changes no byte, with either kind of journal", () =>
    Effect.gen(function* () {
      const filename = yield* inUse
      const before = Fs.readFileSync(filename)
      yield* Effect.all(looks(filename))
      assert.isTrue(Fs.readFileSync(filename).equals(before))
      raw(filename, (db) => db.pragma("journal_mode = DELETE", { simple: true }))
      const rolledBack = Fs.readFileSync(filename)
      yield* Effect.all(looks(filename))
      assert.isTrue(Fs.readFileSync(filename).equals(rolledBack))
      assert.strictEqual(
        raw(filename, (db) => db.pragma("journal_mode", { simple: true })),
        "delete"
      )
    })
  )

  it.scoped("does not wait for a process that is writing, and shows the state before that write", () =>
    Effect.gen(function* () {
      const filename = yield* inUse
      const writer = yield* Effect.acquireRelease(
        Effect.sync(() => new Database(filename)),
        (db) => Effect.sync(() => db.close())
      )
      writer.exec("BEGIN IMMEDIATE")
      writer.exec("UPDATE number_auth_ledger SET sequence = 99")
      assert.strictEqual((yield* SqliteStore.inspect({ filename }, key)).moment.sequence, 2)
      assert.strictEqual((yield* SqliteStore.inspectLocation({ filename }, key.location)).moment.sequence, 2)
      writer.exec("ROLLBACK")
    })
  )

  it.scoped("is not part of its caller's transaction on another database", () =>
    Effect.gen(function* () {
      const filename = yield* inUse
      const sql = Context.get(
        yield* Layer.build(SqliteClient.layer({ filename: ":memory:" })),
        SqlClient.SqlClient
      )
      const [seen, location] = yield* sql.withTransaction(
        Effect.all([
          SqliteStore.inspect({ filename }, key),
          SqliteStore.inspectLocation({ filename }, key.location)
        ])
      )
      assert.deepInclude(seen, { isNew: false, ledger })
      assert.lengthOf(seen.sealedInAll, 2)
      assert.strictEqual(location.moment.sequence, 2)
    })
  )
})

describe("inspecting a SQLite file that cannot be used", () => {
  it.scoped("fails if there is no file, and makes none", () =>
    Effect.gen(function* () {
      const filename = yield* file
      for (const look of looks(filename)) {
        const error = yield* Effect.flip(look)
        assert.deepInclude(error, {
          _tag: "AuthStoreError",
          reason: "misconfigured",
          detail: "the database said SQLITE_CANTOPEN"
        })
      }
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(filename)), [])
    })
  )

  it.scoped("reports a file that is not a database as unreadable", () =>
    Effect.gen(function* () {
      const filename = yield* file
      Fs.writeFileSync(filename, "x".repeat(5000))
      for (const look of looks(filename)) {
        assert.deepInclude(yield* Effect.flip(look), {
          reason: "unreadable",
          detail: "the database said SQLITE_NOTADB"
        })
      }
    })
  )

  it.scoped("reports a store of a newer version as unreadable", () =>
    Effect.gen(function* () {
      const filename = yield* inUse
      raw(filename, (db) =>
        db.prepare("INSERT INTO number_auth_migrations (migration_id, name) VALUES (99, 'future')").run()
      )
      for (const look of looks(filename)) {
        assert.deepInclude(yield* Effect.flip(look), {
          reason: "unreadable",
          detail: "a newer version of this library wrote it"
        })
      }
    })
  )

  it.scoped("names the damaged record, shows nothing of it, and still shows the intact ones", () =>
    Effect.gen(function* () {
      for (const [table, name] of [
        ["ledger", "ledger of the location"],
        ["account", "record of the account"],
        ["token", "token of the account"]
      ] as const) {
        const filename = yield* inUse
        raw(filename, (db) =>
          db
            .prepare(
              `UPDATE number_auth_${table} SET document = ?${table === "ledger" ? "" : " WHERE account = ?"}`
            )
            .run(`{"torn":"${sessionKey}`, ...(table === "ledger" ? [] : [key.account]))
        )
        const error = yield* Effect.flip(SqliteStore.inspect({ filename }, key))
        assert.deepInclude(error, {
          _tag: "AuthStoreError",
          reason: "unreadable",
          detail: `the ${name} is damaged or was written by another version of this library`
        })
        assertShowsNone(error, sessionKey)
        const location = SqliteStore.inspectLocation({ filename }, key.location)
        if (table === "ledger") {
          assert.deepStrictEqual(yield* Effect.flip(location), error)
        } else {
          assert.strictEqual((yield* location).accounts.size, 2)
          // The other account is shown. The key of the torn record is known from the intact records.
          assert.deepInclude(yield* SqliteStore.inspect({ filename }, other), {
            ledger,
            isKeyStored: true,
            sealedUnder: [idOf(2), idOf(2)]
          })
          assert.sameMembers(
            [...(yield* SqliteStore.inspect({ filename }, other)).sealedInAll],
            [idOf(1), idOf(2)]
          )
        }
      }
    })
  )
})
