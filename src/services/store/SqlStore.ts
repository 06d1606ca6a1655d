/**
 * The store in an SQL database, SQLite or PostgreSQL.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Location } from "../../schemas/Credentials.js"
import { type AccountRecord, emptyAccountRecord } from "../../schemas/StoredRecord.js"
import { type AccountKey, AuthStore, type Stored, type Write } from "./AuthStore.js"
import { AuthStoreError } from "./AuthStoreError.js"
import {
  type AccountSecrets,
  inMemory,
  Pending,
  sealed,
  tokensInMemory,
  type Vault
} from "./sql/accountSecrets.js"
import { type Database, makeDatabase, type Timed, Unchanged } from "./sql/database.js"
import { decodeAccount, type Document, encodeAccount, encodeLedger, ledgerOf } from "./sql/documents.js"
import { sealedTokens } from "./sql/tokens.js"
import { notOpened } from "./sql/unopened.js"
import type { ConfiguredKeys, KeyRing } from "./StoreKey.js"
import * as StoreKey from "./StoreKey.js"

export { rekeySql as rekey, type Rekeyed, type RekeyOptions } from "./rekey.js"

/**
 * The options of the store on a database.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How often `changes` polls. Default: 200 milliseconds. */
  readonly pollInterval?: Duration.DurationInput | undefined
  /** Emits when a location may have changed, so that `changes` polls at once. Default: never. */
  readonly notifications?: ((location: Location) => Stream.Stream<unknown>) | undefined
  /**
   * The keys that session keys and tokens are sealed under. Default: none. Without a key they are never stored: each
   * process obtains a session of its own, and the store holds ledger, state and fingerprints. A warning says so when
   * the store is built.
   */
  readonly storeKey?: KeyRing | undefined
}

/**
 * `NUMBER_STORE_KEY` and `NUMBER_STORE_KEY_OLD` of the configuration. The error does not show their values.
 *
 * @since 0.1.0
 * @category config
 */
export const configuredKeys: Effect.Effect<ConfiguredKeys, AuthStoreError> = Effect.mapError(
  StoreKey.config,
  (error) =>
    new AuthStoreError({
      reason: "misconfigured",
      detail: `${error._op === "InvalidData" ? error.path.join(".") : "NUMBER_STORE_KEY"} is malformed: expected the base64 of 32 random bytes, as openssl rand -base64 32 prints them; NUMBER_STORE_KEY_OLD may hold several, separated by commas`
    })
)

/**
 * The key ring that the configuration gives; undefined if it gives none. Fails if only `NUMBER_STORE_KEY_OLD` is set.
 *
 * @since 0.1.0
 * @category config
 */
export const configuredKeyRing: Effect.Effect<KeyRing | undefined, AuthStoreError> = Effect.flatMap(
  configuredKeys,
  ({ current, older }) =>
    Option.isNone(current) && older.length > 0
      ? new AuthStoreError({
          reason: "misconfigured",
          detail: "NUMBER_STORE_KEY_OLD is set, and NUMBER_STORE_KEY is not",
          advice: "Set NUMBER_STORE_KEY too, or remove NUMBER_STORE_KEY_OLD if nothing is sealed under it"
        })
      : Effect.succeed(Option.getOrUndefined(Option.map(current, (key) => ({ current: key, older }))))
)

/** The channel on which PostgreSQL notifies of a change. The payload is the location. */
export const changesChannel = "number_auth_changes"

const keysInMemory =
  "NUMBER_STORE_KEY is not set: session keys and tokens are not stored. Each process makes an attempt of its own to obtain a session, and makes one again after each start. The store holds the count, the state and fingerprints. To share one session, set NUMBER_STORE_KEY to the base64 of 32 random bytes in every process that uses the store."

/** A defect that `decide` threw, in place of a result: a mistake in the code, not a failure of the store. */
class Thrown {
  readonly defect: unknown
  constructor(defect: unknown) {
    this.defect = defect
  }
}

const decided = <A>(
  decide: (stored: Stored) => readonly [A, Write],
  stored: Stored
): readonly [A | Thrown, Write] => {
  try {
    return decide(stored)
  } catch (defect) {
    return [new Thrown(defect), null]
  }
}

/** A row of the ledger. */
interface LedgerRow extends Timed {
  readonly sequence: number | string
  readonly document: string | null
}

interface Given {
  readonly database: Database
  readonly ring: KeyRing | undefined
  readonly secrets: AccountSecrets
}

const accountOf = (
  { ring }: Given,
  key: AccountKey,
  vault: Vault,
  document: Document
): Effect.Effect<AccountRecord, AuthStoreError | Pending> =>
  document === null || document === undefined
    ? Effect.succeed(emptyAccountRecord)
    : Effect.flatMap(decodeAccount(document), (stored) =>
        Effect.mapError(vault.open(stored), (error) =>
          error instanceof Pending ? error : notOpened(key, ring)(error)
        )
      )

/** Runs a transaction, and runs it again once the secret that it needs is sealed or opened. */
const runSealed = <A>(
  { ring, secrets }: Given,
  key: AccountKey,
  run: (vault: Vault) => Effect.Effect<A | Pending, AuthStoreError>
): Effect.Effect<A, AuthStoreError> =>
  Effect.mapError(secrets.runSealed(key, run), (error) =>
    error._tag === "NotOpened" ? notOpened(key, ring)(error) : error
  )

/** One transaction of a location, over one of its accounts. */
const transaction = <A>(
  given: Given,
  key: AccountKey,
  vault: Vault,
  decide: (stored: Stored) => readonly [A, Write]
): Effect.Effect<A | Thrown | Pending, AuthStoreError | SqlError> => {
  const { durabilitySettings, inTransaction, isPostgres, nowColumn, nowOf, sql } = given.database
  return Effect.gen(function* () {
    // The first statement writes, so it takes the lock at once: no other transaction can change what is read after it.
    const [row] = yield* sql<LedgerRow>`
      INSERT INTO number_auth_ledger (location, sequence) VALUES (${key.location}, 1)
      ON CONFLICT (location) DO UPDATE SET sequence = number_auth_ledger.sequence + 1
      RETURNING sequence, document${nowColumn}${durabilitySettings}`
    const nowMillis = yield* nowOf(row)
    const [record] = yield* sql<{ document: string }>`SELECT document FROM number_auth_account
      WHERE location = ${key.location} AND account = ${key.account}`
    const stored: Stored = {
      moment: { sequence: Number(row!.sequence), nowMillis },
      ledger: yield* ledgerOf(row!.document),
      account: yield* accountOf(given, key, vault, record?.document)
    }
    const [result, write] = decided(decide, stored)
    if (write === null) return yield* Effect.fail(new Unchanged(result))
    const account = write.account === stored.account ? null : encodeAccount(yield* vault.close(write.account))
    if (write.ledger !== stored.ledger) {
      yield* sql`UPDATE number_auth_ledger SET document = ${encodeLedger(write.ledger)} WHERE location = ${key.location}`
    }
    if (account !== null) {
      yield* sql`INSERT INTO number_auth_account (location, account, document)
        VALUES (${key.location}, ${key.account}, ${account})
        ON CONFLICT (location, account) DO UPDATE SET document = excluded.document`
    }
    // PostgreSQL sends the notification only after the transaction has committed.
    if (isPostgres) yield* sql`SELECT pg_notify(${changesChannel}, ${key.location})`
    return result
  }).pipe(inTransaction<A | Thrown>)
}

const transact =
  (given: Given): AuthStore["Type"]["transact"] =>
  (key, decide) => {
    const { bounded, guarded, oneAtATime, onItsOwn, retried } = given.database
    return runSealed(given, key, (vault) =>
      oneAtATime(key.location)(bounded(retried(guarded(transaction(given, key, vault, decide)))))
    ).pipe(
      onItsOwn,
      Effect.flatMap((result) =>
        result instanceof Thrown ? Effect.die(result.defect) : Effect.succeed(result)
      )
    )
  }

const read =
  (given: Given): AuthStore["Type"]["read"] =>
  (key) => {
    const { bounded, fewAtATime, guarded, nowColumn, nowOf, sql } = given.database
    return runSealed(given, key, (vault) =>
      Effect.gen(function* () {
        // One statement, so that ledger and account are of one moment.
        const [row] = yield* sql<LedgerRow & { readonly account_document: string | null }>`
          SELECT sequence, ledger.document, account.document AS account_document${nowColumn}
          FROM number_auth_ledger AS ledger
          LEFT JOIN number_auth_account AS account
            ON account.location = ledger.location AND account.account = ${key.account}
          WHERE ledger.location = ${key.location}`
        return {
          moment: { sequence: Number(row?.sequence ?? 0), nowMillis: yield* nowOf(row) },
          ledger: yield* ledgerOf(row?.document),
          account: yield* accountOf(given, key, vault, row?.account_document)
        }
      }).pipe(
        Effect.catchAll((error) => (error instanceof Pending ? Effect.succeed(error) : Effect.fail(error))),
        guarded,
        bounded,
        fewAtATime
      )
    )
  }

const changes =
  ({ bounded, fewAtATime, guarded, sql }: Database, options: Options): AuthStore["Type"]["changes"] =>
  (location) =>
    Stream.merge(
      Stream.fromSchedule(Schedule.spaced(options.pollInterval ?? "200 millis")),
      options.notifications?.(location) ?? Stream.empty
    ).pipe(
      (ticks) => Stream.concat(Stream.make(undefined), ticks),
      Stream.mapEffect(() =>
        sql<LedgerRow>`SELECT sequence FROM number_auth_ledger WHERE location = ${location}`.pipe(
          guarded,
          bounded,
          fewAtATime,
          Effect.map((rows) => Option.some(Number(rows[0]?.sequence ?? 0))),
          // While the store is unavailable, nothing is emitted.
          Effect.orElseSucceed(() => Option.none<number>())
        )
      ),
      Stream.filterMap((sequence) => sequence),
      Stream.changes
    )

/**
 * Builds the store on the `SqlClient` in the context. On PostgreSQL the time comes from the database, so that hosts
 * with different clocks agree on leases and drains. On SQLite it comes from Effect's Clock, since all processes are on
 * one host.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<AuthStore["Type"], AuthStoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const ring = options.storeKey
    if (ring === undefined) yield* Effect.logWarning(keysInMemory)
    const database = yield* makeDatabase
    const given = { database, ring, secrets: ring === undefined ? inMemory() : sealed(ring) }
    return {
      transact: transact(given),
      read: read(given),
      changes: changes(database, options),
      ...(ring === undefined ? tokensInMemory() : sealedTokens(database, ring))
    }
  })

/**
 * The store in the SQL database of the `SqlClient` in the context. It creates and migrates its own tables, all named
 * `number_auth_…`. It runs its own transactions: a caller inside a transaction on the same single connection (SQLite)
 * would wait for itself, so give the store a client of its own. Session keys are sealed under `NUMBER_STORE_KEY` of the
 * configuration; without it they are not stored ({@link Options}). For a SQLite file use `SqliteStore`, which also
 * makes the file durable and private.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<AuthStore, AuthStoreError, SqlClient.SqlClient> = Layer.effect(
  AuthStore,
  Effect.flatMap(configuredKeyRing, (storeKey) => make({ storeKey }))
)
