/**
 * The tables of the store, and the migrations that make them.
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { outsideTransactions } from "./transactions.js"
import { AuthStoreError, storeErrorOf } from "../AuthStoreError.js"

const migrations: Migrator.Loader = Migrator.fromRecord({
  "0001_ledger_and_accounts": Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE number_auth_ledger (
      location TEXT PRIMARY KEY NOT NULL,
      sequence BIGINT NOT NULL,
      document TEXT
    )`
    yield* sql`CREATE TABLE number_auth_account (
      location TEXT NOT NULL,
      account TEXT NOT NULL,
      document TEXT NOT NULL,
      PRIMARY KEY (location, account)
    )`
  }),
  "0002_tokens": Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE number_auth_token (
      location TEXT NOT NULL,
      account TEXT NOT NULL,
      document TEXT NOT NULL,
      PRIMARY KEY (location, account)
    )`
  })
})

const migrationsTable = "number_auth_migrations"
const latestMigration = 2

/** Whether this client finds a table of that name in the database. */
const hasTable = (table: string): Effect.Effect<boolean, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql.onDialectOrElse({
      pg: () => sql<{ name: string | null }>`SELECT to_regclass(${table})::text AS name`,
      orElse: () => sql<{ name: string | null }>`SELECT name FROM sqlite_master WHERE name = ${table}`
    })
    return (rows[0]?.name ?? null) !== null
  })

/** The last migration that ran in the database; 0 if none did. */
export const lastMigration: Effect.Effect<number, SqlError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  if (!(yield* hasTable(migrationsTable))) return 0
  const rows = yield* sql<{
    latest: number | null
  }>`SELECT max(migration_id) AS latest FROM ${sql(migrationsTable)}`
  return Number(rows[0]?.latest ?? 0)
})

/** The migration that added the table of tokens. */
export const tokensMigration = 2

/** Fails if a newer version of this library has written to the database: this version may not understand its data. */
export const notNewer = (last: number): Effect.Effect<void, AuthStoreError> =>
  last > latestMigration
    ? new AuthStoreError({ reason: "unreadable", detail: "a newer version of this library wrote it" })
    : Effect.void

const notYet = new AuthStoreError({
  reason: "unavailable",
  detail: "another process is still making its tables"
})

/**
 * Brings the database to the tables of this version. If another process is migrating, the migrator does nothing, so
 * this polls until the tables are there. The migrator locks its table, and so waits for readers of it, such as a
 * backup: it runs only if there is something to do.
 */
export const migrate: Effect.Effect<void, AuthStoreError, SqlClient.SqlClient> = Effect.gen(function* () {
  if ((yield* lastMigration) < latestMigration) {
    yield* Migrator.make({})({ loader: migrations, table: migrationsTable })
  }
  const last = yield* lastMigration
  yield* notNewer(last)
  if (last < latestMigration) return yield* Effect.fail(notYet)
}).pipe(
  Effect.sandbox,
  Effect.mapError((cause) => storeErrorOf(Cause.squash(cause))),
  outsideTransactions,
  Effect.retry({
    schedule: Schedule.spaced("50 millis").pipe(Schedule.intersect(Schedule.recurs(100))),
    while: ({ reason }) => reason === "unavailable"
  })
)
