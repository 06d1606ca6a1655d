/**
 * The database below the store: its dialect, its clock, and the rules that every use of it follows.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Location } from "../../../schemas/Credentials.js"
import type { AuthStoreError } from "../AuthStoreError.js"
import { undisturbed } from "../../common/within.js"
import { answersWithin, storeErrorOf } from "../AuthStoreError.js"
import { Pending } from "./accountSecrets.js"
import { migrate } from "./migrations.js"
import { makeQueue, type Queue } from "./queue.js"
import { outsideTransactions } from "./transactions.js"

/**
 * How long an operation on PostgreSQL may take in all, including the wait for the location's row and the retries.
 * Otherwise a server that hangs, or a network that drops everything, would hold the caller for ever.
 */
const operationTimeout = "10 seconds"

/** Longer than an operation: another process may be migrating. */
const migrationTimeout = "30 seconds"

/**
 * How long PostgreSQL waits for the next statement of a transaction before it ends the connection. Otherwise a process
 * that was suspended, or whose host vanished, would keep the location's row locked for all others.
 */
const idleInTransactionMillis = 5000

/** The result of a transaction that changed nothing, and so was rolled back. */
export class Unchanged<A> {
  readonly result: A
  constructor(result: A) {
    this.result = result
  }
}

/**
 * Whether a transaction lost to another one and may be retried, since nothing was written: SQLite's busy at the first
 * statement, PostgreSQL's serialization failure and deadlock.
 */
const hasLostToAnother = ({ detail, reason }: AuthStoreError): boolean =>
  reason === "unavailable" && /\b(SQLITE_BUSY|40001|40P01)/.test(detail)

/**
 * Whether the database did not answer in time. A database that answers at once with an error may serve the next
 * operation.
 */
const isSilent = ({ detail, reason }: AuthStoreError): boolean =>
  reason === "unavailable" && /did not answer|time-?out|timed out|ETIMEDOUT/i.test(detail)

/** A row that may hold the database's time. */
export interface Timed {
  readonly now_millis?: string | number
}

/** A wrapper around an operation of the store. */
type Use = <A>(effect: Effect.Effect<A, AuthStoreError>) => Effect.Effect<A, AuthStoreError>

/** A migrated database, and the ways to use it. */
export interface Database {
  readonly sql: SqlClient.SqlClient
  readonly isPostgres: boolean
  /** A column with the database's time, on PostgreSQL: hosts with different clocks agree on it. */
  readonly nowColumn: Fragment
  /** The time in a row. On SQLite it is that of Effect's Clock, since all processes are on one host. */
  readonly nowOf: (row: Timed | undefined) => Effect.Effect<number>
  /** Columns that, on PostgreSQL, make this transaction's commit durable and limit how long it may idle. */
  readonly durabilitySettings: Fragment
  /** Commits the transaction. Rolls it back if nothing changed, or if a secret has to be sealed or opened first. */
  readonly inTransaction: <A>(
    effect: Effect.Effect<A, Unchanged<A> | Pending | AuthStoreError | SqlError>
  ) => Effect.Effect<A | Pending, AuthStoreError | SqlError>
  /** Maps the driver's errors and defects to errors of the store. */
  readonly guarded: <A>(
    effect: Effect.Effect<A, AuthStoreError | SqlError>
  ) => Effect.Effect<A, AuthStoreError>
  /** Gives up after 10 seconds, on PostgreSQL. */
  readonly bounded: Use
  /** Retries a transaction that lost to another one, for 10 seconds. */
  readonly retried: Use
  /** On PostgreSQL, keeps the caller's interruption away from the effect. A time-out would pass it on otherwise. */
  readonly onItsOwn: Use
  /**
   * Runs one transaction of a location at a time. More would wait for each other at its row, each with a connection.
   */
  readonly oneAtATime: (location: Location) => Queue<AuthStoreError>
  /** Runs four operations at a time: reads, and writes of tokens. */
  readonly fewAtATime: Queue<AuthStoreError>
}

const makeQueues = (): Pick<Database, "oneAtATime" | "fewAtATime"> => {
  const newQueue = (): Queue<AuthStoreError> =>
    makeQueue((error) => isSilent(error) || hasLostToAnother(error))
  const ofLocations = new Map<Location, Queue<AuthStoreError>>()
  const ofReads = [newQueue(), newQueue(), newQueue(), newQueue()]
  let reads = 0
  return {
    oneAtATime: (location) => {
      const queue = ofLocations.get(location) ?? newQueue()
      ofLocations.set(location, queue)
      return queue
    },
    fewAtATime: (effect) => Effect.suspend(() => ofReads[reads++ % ofReads.length]!(effect))
  }
}

const retried: Use = (effect) =>
  Effect.retry(effect, {
    schedule: Schedule.jittered(Schedule.spaced("20 millis")).pipe(Schedule.upTo("10 seconds")),
    while: hasLostToAnother
  })

const fragmentsOf = (
  sql: SqlClient.SqlClient,
  isPostgres: boolean
): Pick<Database, "nowColumn" | "durabilitySettings"> =>
  isPostgres
    ? {
        nowColumn: sql`, ${sql.literal("(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_millis")}`,
        durabilitySettings: sql`, set_config('idle_in_transaction_session_timeout', ${String(idleInTransactionMillis)}, true) AS bound,
          set_config('synchronous_commit', CASE current_setting('synchronous_commit')
            WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true) AS durable`
      }
    : { nowColumn: sql``, durabilitySettings: sql`` }

/** Migrates the database of the `SqlClient` in the context. */
export const makeDatabase: Effect.Effect<Database, AuthStoreError, SqlClient.SqlClient> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    yield* answersWithin(migrationTimeout)(migrate)
    const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
    return {
      sql,
      isPostgres,
      ...fragmentsOf(sql, isPostgres),
      ...makeQueues(),
      nowOf: (row) =>
        row?.now_millis === undefined ? Clock.currentTimeMillis : Effect.succeed(Number(row.now_millis)),
      inTransaction: <A>(effect: Effect.Effect<A, Unchanged<A> | Pending | AuthStoreError | SqlError>) =>
        Effect.catchAll(
          sql.withTransaction(effect),
          (error): Effect.Effect<A | Pending, AuthStoreError | SqlError> => {
            if (error instanceof Unchanged) return Effect.succeed(error.result)
            return error instanceof Pending ? Effect.succeed(error) : Effect.fail(error)
          }
        ),
      guarded: (effect) =>
        effect.pipe(
          // A commit that fails is a defect in @effect/sql, and may leave the connection inside its transaction.
          Effect.catchAllDefect((defect) =>
            Effect.zipRight(Effect.ignore(Effect.sandbox(sql`ROLLBACK`)), Effect.fail(storeErrorOf(defect)))
          ),
          Effect.mapError(storeErrorOf),
          outsideTransactions
        ),
      bounded: (effect) => (isPostgres ? answersWithin(operationTimeout)(effect) : effect),
      retried,
      onItsOwn: (effect) => (isPostgres ? undisturbed(effect) : effect)
    } satisfies Database
  }
)
