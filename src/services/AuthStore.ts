/**
 * Where ledger and records are kept.
 */
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Moment } from "../machine/Ledger.js"
import type { AccountCode, Location } from "../schemas/Credentials.js"
import {
  AccountRecord,
  emptyAccountRecord,
  emptyLedgerRecord,
  LedgerRecord
} from "../schemas/StoredRecord.js"
import { storeFailure } from "./internal/storeFailure.js"

/**
 * What a record belongs to: an account at a location.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountKey {
  readonly location: Location
  readonly account: AccountCode
}

/**
 * The ledger of a location and the record of one of its accounts, as of a moment.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stored {
  readonly moment: Moment
  readonly ledger: LedgerRecord
  readonly account: AccountRecord
}

/**
 * What a transaction writes; null where it changes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export type Write = Pick<Stored, "ledger" | "account"> | null

/**
 * Keeps one ledger per location and one record per account.
 *
 * @since 0.1.0
 * @category services
 */
export class AuthStore extends Context.Tag("effect-number-auth/AuthStore")<
  AuthStore,
  {
    /**
     * Reads, decides and writes in one atomic transaction. It draws the location's next sequence number, no two
     * transactions of a location overlap, and when the effect succeeds the write is durable. `decide` is pure. When
     * the effect fails it is not certain that nothing was written. It has to end: nobody interrupts it.
     */
    readonly transact: <A>(
      key: AccountKey,
      decide: (stored: Stored) => readonly [A, Write]
    ) => Effect.Effect<A, AuthStoreError>
    /** Reads without drawing a number. The moment's sequence is that of the last transaction. */
    readonly read: (key: AccountKey) => Effect.Effect<Stored, AuthStoreError>
    /**
     * Emits the last sequence number that the location drew, now and whenever it has drawn another, in whichever
     * process. Never fails: a store that is away is quiet.
     */
    readonly changes: (location: Location) => Stream.Stream<number>
  }
>() {}

/**
 * In memory: for tests, and for one process that may forget its ledger. **A process that restarts with it starts to
 * count from zero, so a crash loop can lock the location.**
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemory: Effect.Effect<AuthStore["Type"]> = Effect.gen(function* () {
  const locations = new Map<
    Location,
    { sequence: number; ledger: LedgerRecord; accounts: Map<AccountCode, AccountRecord> }
  >()
  const changed = yield* PubSub.sliding<Location>(1024)

  const locationOf = (location: Location) => {
    const found = locations.get(location) ?? {
      sequence: 0,
      ledger: emptyLedgerRecord,
      accounts: new Map<AccountCode, AccountRecord>()
    }
    locations.set(location, found)
    return found
  }
  const storedAt = (key: AccountKey, moment: Moment): Stored => ({
    moment,
    ledger: locationOf(key.location).ledger,
    account: locationOf(key.location).accounts.get(key.account) ?? emptyAccountRecord
  })

  return {
    transact: (key, decide) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
        const location = locationOf(key.location)
        const sequence = location.sequence + 1
        const [result, write] = decide(storedAt(key, { sequence, nowMillis }))
        if (write === null) return Effect.succeed(result)
        location.sequence = sequence
        location.ledger = write.ledger
        location.accounts.set(key.account, write.account)
        return Effect.as(PubSub.publish(changed, key.location), result)
      }),
    read: (key) =>
      Effect.map(Clock.currentTimeMillis, (nowMillis) =>
        storedAt(key, { sequence: locationOf(key.location).sequence, nowMillis })
      ),
    changes: (location) =>
      Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(changed), (subscription) =>
          Stream.concat(Stream.make(location), Stream.fromQueue(subscription)).pipe(
            Stream.filter((changedLocation) => changedLocation === location),
            Stream.map(() => locationOf(location).sequence)
          )
        )
      )
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<AuthStore> = Layer.effect(AuthStore, makeMemory)

/**
 * The store cannot be used. Nothing is sent while that is so; session keys that are held go on serving.
 *
 * - `unavailable`: it did not answer, is busy, or its disk is full.
 * - `unreadable`: what it holds was not written by this version, or is damaged. Nothing was changed.
 * - `misconfigured`: its address or its permissions do not allow to use it.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthStoreError extends Schema.TaggedError<AuthStoreError>("effect-number-auth/AuthStoreError")(
  "AuthStoreError",
  {
    reason: Schema.Literal("unavailable", "unreadable", "misconfigured"),
    /** Text for people, free of secrets. */
    detail: Schema.String
  }
) {
  override get message(): string {
    const advice = {
      unavailable: "Make the store reachable and try again",
      unreadable:
        "Use the version that wrote it. Without it, or with a backup, the count is not known: have Number's support reset that of the IP before anything authenticates again",
      misconfigured: "Correct the store's settings and try again"
    }[this.reason]
    return `The store that holds the location's count is ${this.reason}: ${this.detail}. While that is so no attempt is sent, and session keys that are held go on serving. ${advice}.`
  }
}

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
  })
})

const migrationsTable = "number_auth_migrations"
const latestMigration = 1

/** Another process may be migrating: then the migrator does nothing, so look until the tables are there. */
const migrate = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* Migrator.make({})({ loader: migrations, table: migrationsTable })
  const rows = yield* sql<{
    latest: number | null
  }>`SELECT max(migration_id) AS latest FROM ${sql(migrationsTable)}`
  const latest = Number(rows[0]?.latest ?? 0)
  if (latest > latestMigration) {
    return yield* new AuthStoreError({
      reason: "unreadable",
      detail: "a newer version of this library wrote it"
    })
  }
  if (latest < latestMigration) return yield* Effect.fail("not yet" as const)
}).pipe(
  Effect.sandbox,
  Effect.mapError((cause) => {
    const error = Cause.squash(cause)
    return error instanceof AuthStoreError ? error : storeErrorOf(error)
  }),
  Effect.retry({
    schedule: Schedule.spaced("50 millis").pipe(Schedule.intersect(Schedule.recurs(100))),
    while: ({ reason }) => reason === "unavailable"
  })
)

const storeErrorOf = (error: unknown): AuthStoreError => new AuthStoreError(storeFailure(error))

/** What a transaction that changes nothing is rolled back with. */
class Unchanged<A> {
  readonly result: A
  constructor(result: A) {
    this.result = result
  }
}

const decodeDocument = <A, I>(schema: Schema.Schema<A, I>, what: string) => {
  const decode = Schema.decodeUnknownEither(Schema.parseJson(schema))
  return (document: string): Effect.Effect<A, AuthStoreError> =>
    Either.match(decode(document), {
      onRight: Effect.succeed,
      // The parse error holds the document, which may hold a session key.
      onLeft: () =>
        new AuthStoreError({
          reason: "unreadable",
          detail: `the ${what} is damaged or was written by another version of this library`
        })
    })
}

const decodeLedger = decodeDocument(LedgerRecord, "ledger of the location")
const decodeAccount = decodeDocument(AccountRecord, "record of the account")
const encodeLedger = Schema.encodeSync(Schema.parseJson(LedgerRecord))
const encodeAccount = Schema.encodeSync(Schema.parseJson(AccountRecord))

/**
 * What a transaction that lost to another is answered with, and may be tried again: SQLite's busy at the first statement,
 * PostgreSQL's serialization failure and deadlock. Nothing was written.
 */
const hasLostToAnother = (error: AuthStoreError): boolean => /\b(SQLITE_BUSY|40001|40P01)/.test(error.detail)

/**
 * How the store on a database is set up.
 *
 * @since 0.1.0
 * @category models
 */
export interface SqlOptions {
  /** How often `changes` looks: default 200 milliseconds. */
  readonly pollInterval?: Duration.DurationInput | undefined
  /** Emits when a location may have changed, so that `changes` looks at once. Default: never. */
  readonly notifications?: ((location: Location) => Stream.Stream<unknown>) | undefined
}

/** The channel on which PostgreSQL tells of a change; the payload is the location. */
export const changesChannel = "number_auth_changes"

/**
 * Builds the store on the `SqlClient` at hand. On PostgreSQL time comes from the database, so that hosts whose clocks
 * differ agree on leases and drains; on SQLite from Effect's Clock, since all is on one host.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeSql = (
  options: SqlOptions = {}
): Effect.Effect<AuthStore["Type"], AuthStoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* migrate

    const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
    const databaseClock = sql.literal("(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_millis")
    const alsoNow = isPostgres ? sql`, ${databaseClock}` : sql``
    const nowOf = (row: { readonly now_millis?: string | number } | undefined) =>
      row?.now_millis === undefined ? Clock.currentTimeMillis : Effect.succeed(Number(row.now_millis))

    const readAccount = (key: AccountKey) =>
      sql<{ document: string }>`SELECT document FROM number_auth_account
        WHERE location = ${key.location} AND account = ${key.account}`.pipe(
        Effect.flatMap((rows) => accountOf(rows[0]?.document))
      )

    const accountOf = (document: string | null | undefined) =>
      document === null || document === undefined
        ? Effect.succeed(emptyAccountRecord)
        : decodeAccount(document)

    const ledgerOf = (document: string | null | undefined) =>
      document === null || document === undefined ? Effect.succeed(emptyLedgerRecord) : decodeLedger(document)

    const transaction = <A>(key: AccountKey, decide: (stored: Stored) => readonly [A, Write]) =>
      Effect.gen(function* () {
        // The first statement writes, so that it takes the lock at once: what is read after it cannot be overtaken.
        const [row] = yield* sql<LedgerRow>`
          INSERT INTO number_auth_ledger (location, sequence) VALUES (${key.location}, 1)
          ON CONFLICT (location) DO UPDATE SET sequence = number_auth_ledger.sequence + 1
          RETURNING sequence, document${alsoNow}`
        const nowMillis = yield* nowOf(row)
        const stored: Stored = {
          moment: { sequence: Number(row!.sequence), nowMillis },
          ledger: yield* ledgerOf(row!.document),
          account: yield* readAccount(key)
        }
        const [result, write] = decide(stored)
        if (write === null) return yield* Effect.fail(new Unchanged(result))
        if (write.ledger !== stored.ledger) {
          yield* sql`UPDATE number_auth_ledger SET document = ${encodeLedger(write.ledger)} WHERE location = ${key.location}`
        }
        if (write.account !== stored.account) {
          yield* sql`INSERT INTO number_auth_account (location, account, document)
            VALUES (${key.location}, ${key.account}, ${encodeAccount(write.account)})
            ON CONFLICT (location, account) DO UPDATE SET document = excluded.document`
        }
        // Told by the database once the transaction has committed, and only then.
        if (isPostgres) yield* sql`SELECT pg_notify(${changesChannel}, ${key.location})`
        return result
      }).pipe(
        sql.withTransaction,
        Effect.catchIf(
          (error) => error instanceof Unchanged,
          (unchanged) => Effect.succeed(unchanged.result)
        )
      )

    /** A commit that fails is a defect in @effect/sql, and may leave the connection inside its transaction. */
    const guarded = <A>(
      effect: Effect.Effect<A, AuthStoreError | SqlError>
    ): Effect.Effect<A, AuthStoreError> =>
      effect.pipe(
        Effect.catchAllDefect((defect) =>
          Effect.zipRight(Effect.ignore(Effect.sandbox(sql`ROLLBACK`)), Effect.fail(storeErrorOf(defect)))
        ),
        Effect.mapError((error) => (error instanceof AuthStoreError ? error : storeErrorOf(error))),
        // The caller may be inside a transaction of its own: ours must be durable whatever becomes of that one.
        Effect.mapInputContext((context: Context.Context<never>) =>
          Context.omit(SqlClient.TransactionConnection)(context)
        )
      )

    return {
      transact: (key, decide) =>
        guarded(transaction(key, decide)).pipe(
          Effect.retry({
            schedule: Schedule.jittered(Schedule.spaced("20 millis")).pipe(Schedule.upTo("10 seconds")),
            while: hasLostToAnother
          })
        ),
      read: (key) =>
        guarded(
          Effect.gen(function* () {
            // One statement, so that both are of one moment.
            const [row] = yield* sql<LedgerRow & { readonly account_document: string | null }>`
              SELECT sequence, ledger.document, account.document AS account_document${alsoNow}
              FROM number_auth_ledger AS ledger
              LEFT JOIN number_auth_account AS account
                ON account.location = ledger.location AND account.account = ${key.account}
              WHERE ledger.location = ${key.location}`
            return {
              moment: { sequence: Number(row?.sequence ?? 0), nowMillis: yield* nowOf(row) },
              ledger: yield* ledgerOf(row?.document),
              account: yield* accountOf(row?.account_document)
            }
          })
        ),
      changes: (location) =>
        Stream.merge(
          Stream.fromSchedule(Schedule.spaced(options.pollInterval ?? "200 millis")),
          options.notifications?.(location) ?? Stream.empty
        ).pipe(
          (ticks) => Stream.concat(Stream.make(undefined), ticks),
          Stream.mapEffect(() =>
            sql<LedgerRow>`SELECT sequence FROM number_auth_ledger WHERE location = ${location}`.pipe(
              guarded,
              Effect.map((rows) => Option.some(Number(rows[0]?.sequence ?? 0))),
              // A store that is away is quiet, and speaks again when it is back.
              Effect.orElseSucceed(() => Option.none<number>())
            )
          ),
          Stream.filterMap((sequence) => sequence),
          Stream.changes
        )
    }
  })

/** A row of the ledger; `now_millis` only where the database is the clock. */
interface LedgerRow {
  readonly sequence: number | string
  readonly document: string | null
  readonly now_millis?: number | string
}

/**
 * In the SQL database of the `SqlClient` at hand. Creates and migrates its own tables, all named `number_auth_…`. Its
 * transactions are its own: a caller that is inside a transaction on the same single connection (SQLite) waits for itself,
 * so give the store a client of its own. For a SQLite file see `SqliteStore`, which also sets what makes the file durable and private.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSql: Layer.Layer<AuthStore, AuthStoreError, SqlClient.SqlClient> = Layer.effect(
  AuthStore,
  makeSql()
)
