/**
 * Inspecting a store in PostgreSQL, which writes nothing. The server is a real one.
 */
import { randomBytes } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Clock, ConfigProvider, Effect, Option, Redacted } from "effect"
import type { Location } from "../../src/schemas/Credentials.js"
import { emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import type * as AuthStore from "../../src/services/store/AuthStore.js"
import * as PgStore from "../../src/services/store/PgStore.js"
import type { KeyRing } from "../../src/services/store/StoreKey.js"
import { assertShowsNone } from "../support/leaks.js"
import { openPostgres, type PgPlace, postgresPlaces } from "../support/pgPlaces.js"
import { idOf, key, keyText, other, ring } from "../support/secrets.js"
import { goodToken } from "../support/stack.js"
import { authenticated, ledger, sessionKey, tokenOf } from "../support/stored.js"

const { makePlace: makeDatabase } = postgresPlaces()

/** Opens the database as a process does, uses its store, and closes it. */
const using = <A, E>(
  { url }: PgPlace,
  storeKey: KeyRing,
  use: (store: AuthStore.AuthStore["Type"]) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(openPostgres(url, { storeKey, maxConnections: 1 }), use))

/** A database in which an account holds a session, and a token under another key. */
const inUse = Effect.gen(function* () {
  const database = yield* makeDatabase
  yield* using(database, ring(1), (store) =>
    store.transact(key, () => [null, { ledger, account: authenticated }])
  )
  yield* using(database, ring(2, 1), (store) => store.writeToken(key, tokenOf(goodToken)))
  return database
})

const look = (url: string) => PgStore.inspect({ url: Redacted.make(url) }, key)
const lookAtLocation = (url: string, location = key.location) =>
  PgStore.inspectLocation({ url: Redacted.make(url) }, location)
/** Both ways to inspect. */
const looks = (url: string): ReadonlyArray<Effect.Effect<unknown, AuthStore.AuthStoreError>> => [
  look(url),
  lookAtLocation(url)
]

/** Makes a role, and the URL by which it connects to the database. */
const makeRole = (database: PgPlace) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const role = `looker_${randomBytes(6).toString("hex")}`
      const parts = new URL(database.url)
      parts.username = role
      parts.password = "hidden-password"
      return Effect.as(database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'hidden-password'`), {
        role,
        url: parts.href
      })
    }),
    ({ role }) => database.sql(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`)
  )

/** Shifts the database's `clock_timestamp()` by an interval, as if its host's clock were ahead. */
const setClockAhead = (database: PgPlace, interval: string) =>
  database.sql(
    "CREATE SCHEMA IF NOT EXISTS shifted",
    `CREATE OR REPLACE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT pg_catalog.clock_timestamp() + interval '${interval}' $$`,
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = shifted, public, pg_catalog', current_database()); END $$`
  )

describe.concurrent("inspecting a PostgreSQL", () => {
  it.scopedLive("shows ledger and account as the store has them, and which keys they are sealed under", () =>
    Effect.gen(function* () {
      const database = yield* inUse
      const rows = database.sql(
        "SELECT l.*, l.xmin::text AS version, a.* FROM number_auth_ledger l, number_auth_account a"
      )
      const before = yield* rows
      const seen = yield* look(database.url)
      assert.deepInclude(seen, {
        isNew: false,
        ledger,
        isKeyStored: true,
        sealedUnder: [idOf(1), idOf(2)],
        // A database opens without its keys.
        sealedInAll: []
      })
      assert.strictEqual(seen.moment.sequence, 1)
      assert.strictEqual(seen.account.state, "authenticated")
      assert.deepStrictEqual(seen.account.context, authenticated.context)
      const location = yield* lookAtLocation(database.url)
      assert.strictEqual(location.moment.sequence, 1)
      assert.deepStrictEqual(location.ledger, ledger)
      assert.deepStrictEqual([...location.accounts], [[key.account, before[0]!["document"]]] as unknown)
      assert.deepStrictEqual(yield* rows, before)
    })
  )

  it.scopedLive("shows the connections of a store under the name effect-number-auth", () =>
    Effect.gen(function* () {
      const database = yield* makeDatabase
      yield* openPostgres(database.url)
      const names = yield* database.sql(
        "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
      )
      assert.deepStrictEqual(names, [{ application_name: "effect-number-auth" }])
    })
  )

  it.scopedLive("finds no more connections of a store than its limit and one that listens", () =>
    Effect.gen(function* () {
      const database = yield* makeDatabase
      const store = yield* openPostgres(database.url, { maxConnections: 2 })
      yield* Effect.all(
        Array.from({ length: 40 }, () => store.read(key)),
        { concurrency: "unbounded" }
      )
      const rows = yield* database.sql(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'effect-number-auth' AND datname = current_database()"
      )
      assert.isAtLeast(rows.length, 1)
      assert.isAtMost(rows.length, 3)
    })
  )

  it.scopedLive("shows an account or a location without records as a new one", () =>
    Effect.gen(function* () {
      const { url } = yield* inUse
      const unknown = yield* PgStore.inspect({ url: Redacted.make(url) }, other)
      assert.deepInclude(unknown, { isNew: false, ledger, account: emptyAccountRecord, sealedUnder: [] })
      const nowhere = yield* lookAtLocation(url, "nowhere" as Location)
      assert.strictEqual(nowhere.moment.sequence, 0)
      assert.deepInclude(nowhere, { ledger: emptyLedgerRecord, accounts: new Map() })
    })
  )

  it.scopedLive("shows a database that was never written to as a new store, and makes no table", () =>
    Effect.gen(function* () {
      const database = yield* makeDatabase
      const seen = yield* look(database.url)
      assert.deepInclude(seen, {
        isNew: true,
        ledger: emptyLedgerRecord,
        account: emptyAccountRecord,
        isKeyStored: false,
        sealedUnder: [],
        sealedInAll: []
      })
      assert.strictEqual(seen.moment.sequence, 0)
      assert.isNotNull(seen.clockAheadMillis)
      assert.deepInclude(yield* lookAtLocation(database.url), {
        ledger: emptyLedgerRecord,
        accounts: new Map()
      })
      assert.deepStrictEqual(
        yield* database.sql("SELECT tablename FROM pg_tables WHERE tablename LIKE 'number_auth%'"),
        []
      )
    })
  )

  it.scopedLive("reports how far the database's clock is ahead or behind, and takes the time from it", () =>
    Effect.gen(function* () {
      const database = yield* inUse
      for (const [interval, aheadMillis] of [
        ["0", 0],
        ["2 hours", 7_200_000],
        ["-2 hours", -7_200_000]
      ] as const) {
        yield* setClockAhead(database, interval)
        const nowMillis = yield* Clock.currentTimeMillis
        const seen = yield* look(database.url)
        const location = yield* lookAtLocation(database.url)
        assert.isNumber(seen.clockAheadMillis)
        assert.isTrue(Number.isInteger(seen.clockAheadMillis))
        assert.approximately(seen.clockAheadMillis!, aheadMillis, 30_000, interval)
        for (const { moment } of [seen, location]) {
          assert.approximately(moment.nowMillis, nowMillis + aheadMillis, 60_000, interval)
        }
      }
    })
  )

  it.scopedLive("reports that a role lacks the rights that a login needs, and names the tables", () =>
    Effect.gen(function* () {
      const database = yield* makeDatabase
      const { role, url } = yield* makeRole(database)
      yield* database.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
      const error = yield* Effect.flip(look(url))
      assert.deepInclude(error, {
        reason: "misconfigured",
        detail: "the role may not create tables in the schema that it uses"
      })
      assertShowsNone(error, "hidden-password")
      yield* database.sql(`GRANT CREATE ON SCHEMA public TO ${role}`)
      assert.isTrue((yield* look(url)).isNew)
      yield* database.sql(`REVOKE CREATE ON SCHEMA public FROM ${role}`)
      yield* using(database, ring(1), (store) =>
        store.transact(key, () => [null, { ledger, account: authenticated }])
      )
      yield* database.sql(
        `GRANT SELECT ON number_auth_migrations TO ${role}`,
        `GRANT SELECT ON number_auth_ledger, number_auth_account, number_auth_token TO ${role}`,
        `GRANT INSERT, UPDATE ON number_auth_account TO ${role}`,
        `GRANT INSERT ON number_auth_token TO ${role}`
      )
      assert.deepInclude(yield* Effect.flip(look(url)), {
        reason: "misconfigured",
        detail: "the role may not read and write number_auth_ledger, number_auth_token"
      })
      // Inspecting a location needs only the right to read.
      assert.strictEqual((yield* lookAtLocation(url)).accounts.size, 1)
      // Now the role has every right that it needs. It does not need the right to create tables.
      yield* database.sql(`GRANT INSERT, UPDATE ON number_auth_ledger, number_auth_token TO ${role}`)
      assert.deepInclude(yield* look(url), { isNew: false, ledger })
    })
  )

  it.scopedLive("reports a read-only server as unavailable, whether it is new or in use", () =>
    Effect.gen(function* () {
      for (const make of [makeDatabase, inUse]) {
        const database = yield* make
        yield* database.sql(
          `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`
        )
        assert.deepInclude(yield* Effect.flip(look(database.url)), {
          reason: "unavailable",
          detail: "the server takes no writes: it is a standby, or set to read-only"
        })
        // It can still be read.
        assert.strictEqual((yield* lookAtLocation(database.url)).accounts.size, make === inUse ? 1 : 0)
      }
    })
  )

  it.scopedLive("works on a database of a version that kept no tokens", () =>
    Effect.gen(function* () {
      const database = yield* inUse
      yield* database.sql(
        "ALTER TABLE number_auth_token RENAME TO number_auth_later",
        "DELETE FROM number_auth_migrations WHERE migration_id > 1"
      )
      assert.deepInclude(yield* look(database.url), { isNew: false, ledger, sealedUnder: [idOf(1)] })
      assert.strictEqual((yield* lookAtLocation(database.url)).accounts.size, 1)
    })
  )

  it.scopedLive("reports damaged or newer data as unreadable", () =>
    Effect.gen(function* () {
      const database = yield* inUse
      yield* database.sql(`UPDATE number_auth_ledger SET document = '{"torn":"${sessionKey}'`)
      for (const each of looks(database.url)) {
        const error = yield* Effect.flip(each)
        assert.deepInclude(error, {
          reason: "unreadable",
          detail: "the ledger of the location is damaged or was written by another version of this library"
        })
        assertShowsNone(error, sessionKey)
      }
      yield* database.sql("INSERT INTO number_auth_migrations (migration_id, name) VALUES (99, 'future')")
      for (const each of looks(database.url)) {
        assert.deepInclude(yield* Effect.flip(each), {
          reason: "unreadable",
          detail: "a newer version of this library wrote it"
        })
      }
    })
  )

  it.scopedLive(
    "says why a malformed or an unreachable address cannot be used, and never shows the password",
    () =>
      Effect.gen(function* () {
        for (const [url, reason, detail] of [
          ["hidden-password", "misconfigured", /^its address is malformed: expected postgres/],
          ["postgres://user:hidden-password@127.0.0.1:1/x", "unavailable", /^the database said ECONNREFUSED$/]
        ] as const) {
          for (const each of looks(url)) {
            const error = yield* Effect.flip(each)
            assert.strictEqual(error.reason, reason)
            assert.match(error.detail, detail)
            assertShowsNone(error, "hidden-password")
          }
        }
      })
  )
})

describe("the keys of a store in PostgreSQL", () => {
  it.effect("are the given ones, else the configured ones; no key is made", () =>
    Effect.gen(function* () {
      const keys = (storeKey?: KeyRing, values: Readonly<Record<string, string>> = {}) =>
        PgStore.keys({ storeKey }).pipe(
          Effect.map(({ current, older }) => ({
            current: Option.getOrNull(current)?.id ?? null,
            older: older.map(({ id }) => id)
          })),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))
        )
      assert.deepStrictEqual(yield* keys(), { current: null, older: [] })
      const both = { NUMBER_STORE_KEY: keyText(1), NUMBER_STORE_KEY_OLD: keyText(2) }
      assert.deepStrictEqual(yield* keys(undefined, both), { current: idOf(1), older: [idOf(2)] })
      assert.deepStrictEqual(yield* keys(ring(3, 4), both), { current: idOf(3), older: [idOf(4)] })
      assert.deepInclude(yield* Effect.flip(keys(undefined, { NUMBER_STORE_KEY_OLD: keyText(2) })), {
        reason: "misconfigured",
        detail: "NUMBER_STORE_KEY_OLD is set, and NUMBER_STORE_KEY is not"
      })
    })
  )
})
