/**
 * Where ledger and records are kept.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Moment } from "../../machine/Ledger.js"
import { type AccountCode, decodeToken, type Location, type Token } from "../../schemas/Credentials.js"
import {
  type AccountRecord,
  emptyAccountRecord,
  emptyLedgerRecord,
  LedgerRecord,
  SealedAccountRecord,
  SealedToken
} from "../../schemas/StoredRecord.js"
import { answersWithin, AuthStoreError, storeErrorOf } from "./AuthStoreError.js"
import { inMemory, Pending, sealed, tokensInMemory, type Vault } from "./sql/accountSecrets.js"
import { migrate } from "./sql/migrations.js"
import { makeQueue, type Queue } from "./sql/queue.js"
import { type Identity, NotOpened, open, seal } from "./sql/sealing.js"
import type { ConfiguredKeys, KeyRing } from "./StoreKey.js"
import { outsideTransactions } from "./sql/transactions.js"
import * as StoreKey from "./StoreKey.js"

export { AuthStoreError } from "./AuthStoreError.js"

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
    /**
     * The token that was given to be kept for an account, if one was. It is sealed as session keys are; where the store has
     * no key to seal with, it is kept in the memory of this process only.
     */
    readonly readToken: (key: AccountKey) => Effect.Effect<Option.Option<Token>, AuthStoreError>
    /** Keeps a token for an account, in place of the one before. */
    readonly writeToken: (key: AccountKey, token: Token) => Effect.Effect<void, AuthStoreError>
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
  const tokens = tokensInMemory()

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
      ),
    ...tokens
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<AuthStore> = Layer.effect(AuthStore, makeMemory)

/** What becomes of a record that is sealed anew; an error where no key opens it. */
type Rekeying = "resealed" | "unchanged" | NotOpened

/** What `decide` threw, in the place of a result: a mistake in the code, and no failure of the store. */
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
const decodeAccount = decodeDocument(SealedAccountRecord, "record of the account")
const decodeSealedToken = decodeDocument(SealedToken, "token of the account")
const encodeLedger = Schema.encodeSync(Schema.parseJson(LedgerRecord))
const encodeAccount = Schema.encodeSync(Schema.parseJson(SealedAccountRecord))
const encodeSealedToken = Schema.encodeSync(Schema.parseJson(SealedToken))

/** What is sealed: how to call it, and how to go on without it. */
const sealedThings = {
  sessionKey: {
    name: "session key",
    discard:
      "number-auth rekey --discard gives up the sealed session, and the next login makes an attempt; the count and what was refused stay as they are"
  },
  token: {
    name: "token",
    discard:
      "number-auth rekey --discard gives up the sealed token, which then has to be supplied again; the count and what was refused stay as they are"
  }
}

/** Says which key is wanted, or that the record is not as it was sealed. Nothing was changed, and nothing was sent. */
const notOpened =
  ({ account, location }: AccountKey, ring: KeyRing | undefined, what: Identity["what"] = "sessionKey") =>
  ({ keyId, why }: NotOpened): AuthStoreError => {
    const { discard, name } = sealedThings[what]
    const whose = `the ${name} of account ${account} at location ${location}`
    const given = ring === undefined ? [] : [ring.current, ...ring.older]
    return new AuthStoreError({
      reason: "unreadable",
      detail:
        why === "unknownKey"
          ? `${whose} is sealed under the store key with id ${keyId}, which was not supplied (supplied: ${given.map(({ id }) => id).join(", ") || "none"})`
          : `${whose} is not as it was sealed: the record is torn, was changed, or belongs to another account`,
      advice:
        why === "unknownKey"
          ? `Supply the store key with id ${keyId}: as NUMBER_STORE_KEY, or in NUMBER_STORE_KEY_OLD if it was replaced. Where it is lost, ${discard}`
          : `Find out what changed the store. Then ${discard}`
    })
  }

/**
 * What a transaction that lost to another is answered with, and may be tried again: SQLite's busy at the first statement,
 * PostgreSQL's serialization failure and deadlock. Nothing was written.
 */
const hasLostToAnother = ({ detail, reason }: AuthStoreError): boolean =>
  reason === "unavailable" && /\b(SQLITE_BUSY|40001|40P01)/.test(detail)

/** Whether the database did not answer in time. What answers with an error at once may do so to the next one, too. */
const isSilent = ({ detail, reason }: AuthStoreError): boolean =>
  reason === "unavailable" && /did not answer|time-?out|timed out|ETIMEDOUT/i.test(detail)

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
  /**
   * What session keys and tokens are sealed under. Default: none, and then they are never stored. Each process obtains a session of its
   * own, and the store holds ledger, state and fingerprints; a warning says so when the store is built.
   */
  readonly storeKey?: KeyRing | undefined
}

/**
 * `NUMBER_STORE_KEY` and `NUMBER_STORE_KEY_OLD` of the configuration; the error does not show them.
 *
 * @since 0.1.0
 * @category config
 */
export const configuredKeys: Effect.Effect<ConfiguredKeys, AuthStoreError> = Effect.mapError(
  StoreKey.config,
  (error) =>
    new AuthStoreError({
      reason: "misconfigured",
      detail: `${error._op === "InvalidData" ? error.path.join(".") : "NUMBER_STORE_KEY"} does not have the form it should have: the base64 of 32 random bytes, as openssl rand -base64 32 prints them; NUMBER_STORE_KEY_OLD may hold several, separated by commas`
    })
)

/**
 * The ring that the configuration gives; undefined where it gives none.
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
          advice:
            "Set NUMBER_STORE_KEY, too, or take NUMBER_STORE_KEY_OLD away where nothing is sealed under it"
        })
      : Effect.succeed(Option.getOrUndefined(Option.map(current, (key) => ({ current: key, older }))))
)

/**
 * What became of the records when they were sealed anew.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rekeyed {
  /** The id of the key that all is sealed under now. */
  readonly keyId: string
  /** Records that were sealed anew. */
  readonly resealed: number
  /** Records that were sealed under this key already, or hold no session. */
  readonly unchanged: number
  /** Records whose session or token was given up. */
  readonly discarded: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RekeyOptions {
  /** The new key, and the older ones. */
  readonly storeKey: KeyRing
  /** Whether sessions and tokens that no key opens are given up. Default false: then they stay, and are told of. */
  readonly discard?: boolean | undefined
}

/**
 * How long an operation on PostgreSQL may take in all, waiting for the location's row and being tried again included. A
 * server that hangs, or a network that swallows all, would else hold its caller for ever.
 */
const operationTimeout = "10 seconds"

const migrationTimeout = "30 seconds"

/**
 * How long PostgreSQL waits for the next statement of a transaction before it ends the connection: a process that was
 * suspended, or whose host vanished, would else keep the location's row locked for all others.
 */
const idleInTransactionMillis = 5000

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
  Effect.zipRight(
    options.storeKey === undefined ? Effect.logWarning(keysInMemory) : Effect.void,
    Effect.map(makeBoth(options), ({ store }) => store)
  )

const keysInMemory =
  "NUMBER_STORE_KEY is not set: session keys and tokens are not stored, and each process, and each start of one, makes an attempt of its own to obtain a session. The store holds the count, the state and fingerprints. To share one session, set NUMBER_STORE_KEY to the base64 of 32 random bytes wherever the store is used."

/**
 * Seals every session key and token of the store anew, under the current key of the ring, and gives up those that no key
 * opens, if that is asked for. Each record is a transaction, so it may be cut off and started again, and others may go on
 * meanwhile, provided that they have both keys. Makes no attempt. Fails where a record stays that no key opens, after all others are done.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const rekeySql = (
  options: RekeyOptions
): Effect.Effect<Rekeyed, AuthStoreError, SqlClient.SqlClient> =>
  Effect.flatMap(makeBoth(options), ({ rekey }) => rekey(options))

const makeBoth = (options: SqlOptions) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    // Longer than an operation: it may wait for another process that migrates.
    yield* answersWithin(migrationTimeout)(migrate)
    const ring = options.storeKey
    const secrets = ring === undefined ? inMemory() : sealed(ring)

    const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
    const databaseClock = sql.literal("(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_millis")
    const alsoNow = isPostgres ? sql`, ${databaseClock}` : sql``
    const alsoSet = isPostgres
      ? sql`, set_config('idle_in_transaction_session_timeout', ${String(idleInTransactionMillis)}, true) AS bound,
          set_config('synchronous_commit', CASE current_setting('synchronous_commit')
            WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true) AS durable`
      : sql``
    const nowOf = (row: { readonly now_millis?: string | number } | undefined) =>
      row?.now_millis === undefined ? Clock.currentTimeMillis : Effect.succeed(Number(row.now_millis))

    const readAccount = (key: AccountKey, vault: Vault) =>
      sql<{ document: string }>`SELECT document FROM number_auth_account
        WHERE location = ${key.location} AND account = ${key.account}`.pipe(
        Effect.flatMap((rows) => accountOf(key, vault, rows[0]?.document))
      )

    const accountOf = (
      key: AccountKey,
      vault: Vault,
      document: string | null | undefined
    ): Effect.Effect<AccountRecord, AuthStoreError | Pending> =>
      document === null || document === undefined
        ? Effect.succeed(emptyAccountRecord)
        : Effect.flatMap(decodeAccount(document), (stored) =>
            Effect.mapError(vault.open(stored), (error) =>
              error instanceof Pending ? error : notOpened(key, ring)(error)
            )
          )

    const ledgerOf = (document: string | null | undefined) =>
      document === null || document === undefined ? Effect.succeed(emptyLedgerRecord) : decodeLedger(document)

    /** Commits, or rolls back where nothing is to be changed, or something has to be done first. */
    const inTransaction = <A>(
      effect: Effect.Effect<A, Unchanged<A> | Pending | AuthStoreError | SqlError>
    ): Effect.Effect<A | Pending, AuthStoreError | SqlError> =>
      Effect.catchAll(
        sql.withTransaction(effect),
        (error): Effect.Effect<A | Pending, AuthStoreError | SqlError> => {
          if (error instanceof Unchanged) return Effect.succeed(error.result)
          return error instanceof Pending ? Effect.succeed(error) : Effect.fail(error)
        }
      )

    const transaction = <A>(
      key: AccountKey,
      vault: Vault,
      decide: (stored: Stored) => readonly [A, Write]
    ): Effect.Effect<A | Thrown | Pending, AuthStoreError | SqlError> =>
      Effect.gen(function* () {
        // The first statement writes, so that it takes the lock at once: what is read after it cannot be overtaken.
        const [row] = yield* sql<LedgerRow>`
          INSERT INTO number_auth_ledger (location, sequence) VALUES (${key.location}, 1)
          ON CONFLICT (location) DO UPDATE SET sequence = number_auth_ledger.sequence + 1
          RETURNING sequence, document${alsoNow}${alsoSet}`
        const nowMillis = yield* nowOf(row)
        const stored: Stored = {
          moment: { sequence: Number(row!.sequence), nowMillis },
          ledger: yield* ledgerOf(row!.document),
          account: yield* readAccount(key, vault)
        }
        const [result, write] = decided(decide, stored)
        if (write === null) return yield* Effect.fail(new Unchanged(result))
        const account =
          write.account === stored.account ? null : encodeAccount(yield* vault.close(write.account))
        if (write.ledger !== stored.ledger) {
          yield* sql`UPDATE number_auth_ledger SET document = ${encodeLedger(write.ledger)} WHERE location = ${key.location}`
        }
        if (account !== null) {
          yield* sql`INSERT INTO number_auth_account (location, account, document)
            VALUES (${key.location}, ${key.account}, ${account})
            ON CONFLICT (location, account) DO UPDATE SET document = excluded.document`
        }
        // Told by the database once the transaction has committed, and only then.
        if (isPostgres) yield* sql`SELECT pg_notify(${changesChannel}, ${key.location})`
        return result
      }).pipe(inTransaction<A | Thrown>)

    /** A commit that fails is a defect in @effect/sql, and may leave the connection inside its transaction. */
    const guarded = <A>(
      effect: Effect.Effect<A, AuthStoreError | SqlError>
    ): Effect.Effect<A, AuthStoreError> =>
      effect.pipe(
        Effect.catchAllDefect((defect) =>
          Effect.zipRight(Effect.ignore(Effect.sandbox(sql`ROLLBACK`)), Effect.fail(storeErrorOf(defect)))
        ),
        Effect.mapError(storeErrorOf),
        outsideTransactions
      )

    const bounded = <A>(effect: Effect.Effect<A, AuthStoreError>): Effect.Effect<A, AuthStoreError> =>
      isPostgres ? answersWithin(operationTimeout)(effect) : effect

    const newQueue = (): Queue<AuthStoreError> =>
      makeQueue((error) => isSilent(error) || hasLostToAnother(error))
    const transactionQueues = new Map<Location, Queue<AuthStoreError>>()
    /** They would wait for each other at the location's row anyhow, each with a connection. */
    const oneAtATime = (location: Location): Queue<AuthStoreError> => {
      const queue = transactionQueues.get(location) ?? newQueue()
      transactionQueues.set(location, queue)
      return queue
    }
    const readQueues = [newQueue(), newQueue(), newQueue(), newQueue()]
    let reads = 0
    const fewAtATime: Queue<AuthStoreError> = (effect) =>
      Effect.suspend(() => readQueues[reads++ % readQueues.length]!(effect))

    /** Out of reach of the caller's interruption, which a time-out would hand down to what it times. */
    const onItsOwn = <A>(effect: Effect.Effect<A, AuthStoreError>) =>
      isPostgres ? Effect.uninterruptible(Effect.flatMap(Effect.forkDaemon(effect), Fiber.join)) : effect

    const retried = <A>(effect: Effect.Effect<A, AuthStoreError>): Effect.Effect<A, AuthStoreError> =>
      Effect.retry(effect, {
        schedule: Schedule.jittered(Schedule.spaced("20 millis")).pipe(Schedule.upTo("10 seconds")),
        while: hasLostToAnother
      })

    /** Runs a transaction, and again when what has to be sealed or opened for it is. */
    const attend = <A>(
      key: AccountKey,
      run: (vault: Vault) => Effect.Effect<A | Pending, AuthStoreError>
    ): Effect.Effect<A, AuthStoreError> =>
      Effect.mapError(secrets.attend(key, run), (error) =>
        error._tag === "NotOpened" ? notOpened(key, ring)(error) : error
      )

    const tokenIdentity = ({ account, location }: AccountKey): Identity => ({
      location,
      account,
      what: "token",
      generation: null
    })

    const openToken = (
      keys: KeyRing,
      key: AccountKey,
      document: string
    ): Effect.Effect<{ readonly token: Token; readonly keyId: string }, AuthStoreError | NotOpened> =>
      Effect.gen(function* () {
        const sealedToken = yield* decodeSealedToken(document)
        const { keyId } = sealedToken.token
        const text = yield* open(keys, tokenIdentity(key), sealedToken.token)
        const token = yield* Either.mapLeft(
          decodeToken(Redacted.value(text)),
          () => new NotOpened({ why: "broken", keyId })
        )
        return { token, keyId }
      })

    const sealToken = (keys: KeyRing, key: AccountKey, token: Token): Effect.Effect<string> =>
      Effect.map(seal(keys, tokenIdentity(key), token), (box) =>
        encodeSealedToken({ version: 1, token: box })
      )

    const tokenDocument = ({ account, location }: AccountKey) =>
      sql<{ document: string }>`SELECT document FROM number_auth_token
        WHERE location = ${location} AND account = ${account}`.pipe(
        Effect.map((rows) => rows[0]?.document),
        guarded,
        bounded,
        fewAtATime
      )

    const sealedTokens = (keys: KeyRing): Pick<AuthStore["Type"], "readToken" | "writeToken"> => ({
      readToken: (key) =>
        Effect.flatMap(tokenDocument(key), (document) =>
          document === undefined
            ? Effect.succeedNone
            : openToken(keys, key, document).pipe(
                Effect.map(({ token }) => Option.some(token)),
                Effect.catchTag("NotOpened", notOpened(key, ring, "token"))
              )
        ),
      writeToken: (key, token) =>
        Effect.flatMap(sealToken(keys, key, token), (document) =>
          sql`INSERT INTO number_auth_token (location, account, document)
            VALUES (${key.location}, ${key.account}, ${document})
            ON CONFLICT (location, account) DO UPDATE SET document = excluded.document`.pipe(
            Effect.asVoid,
            guarded,
            retried,
            bounded,
            fewAtATime,
            onItsOwn
          )
        )
    })

    const store: AuthStore["Type"] = {
      transact: (key, decide) =>
        attend(key, (vault) =>
          oneAtATime(key.location)(bounded(retried(guarded(transaction(key, vault, decide)))))
        ).pipe(
          onItsOwn,
          Effect.flatMap((result) =>
            result instanceof Thrown ? Effect.die(result.defect) : Effect.succeed(result)
          )
        ),
      read: (key) =>
        attend(key, (vault) =>
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
              account: yield* accountOf(key, vault, row?.account_document)
            }
          }).pipe(
            Effect.catchAll((error) =>
              error instanceof Pending ? Effect.succeed(error) : Effect.fail(error)
            ),
            guarded,
            bounded,
            fewAtATime
          )
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
              bounded,
              fewAtATime,
              Effect.map((rows) => Option.some(Number(rows[0]?.sequence ?? 0))),
              // A store that is away is quiet, and speaks again when it is back.
              Effect.orElseSucceed(() => Option.none<number>())
            )
          ),
          Stream.filterMap((sequence) => sequence),
          Stream.changes
        ),
      ...(ring === undefined ? tokensInMemory() : sealedTokens(ring))
    }

    /** Rewrites a record, under the lock that every transaction of the location takes. */
    const rewrite = <A>(
      key: AccountKey,
      as: (document: string) => Effect.Effect<readonly [A, string | null], AuthStoreError | Pending>
    ): Effect.Effect<A | null | Pending, AuthStoreError> =>
      Effect.gen(function* () {
        yield* sql`UPDATE number_auth_ledger SET sequence = sequence + 1 WHERE location = ${key.location}
          RETURNING sequence${alsoSet}`
        const [row] = yield* sql<{ document: string }>`SELECT document FROM number_auth_account
          WHERE location = ${key.location} AND account = ${key.account}`
        if (row === undefined) return null
        const [result, document] = yield* as(row.document)
        if (document === null) return yield* Effect.fail(new Unchanged(result))
        yield* sql`UPDATE number_auth_account SET document = ${document}
          WHERE location = ${key.location} AND account = ${key.account}`
        return result
      }).pipe(inTransaction<A | null>, guarded, retried)

    const rekeyOne = (
      key: AccountKey,
      options: RekeyOptions
    ): Effect.Effect<"resealed" | "unchanged" | "discarded", AuthStoreError> =>
      Effect.gen(function* () {
        const { current } = options.storeKey
        let seen = ""
        const result = yield* Effect.either(
          secrets.attend(key, (vault) =>
            rewrite<Rekeying>(key, (document) =>
              Effect.gen(function* () {
                seen = document
                const stored = yield* decodeAccount(document)
                const opened = yield* Effect.either(vault.open(stored))
                if (Either.isLeft(opened)) {
                  return opened.left instanceof Pending
                    ? yield* Effect.fail(opened.left)
                    : ([opened.left, null] as const)
                }
                return (stored.sessionKey?.keyId ?? current.id) === current.id
                  ? (["unchanged", null] as const)
                  : (["resealed", encodeAccount(yield* vault.close(opened.right))] as const)
              })
            )
          )
        )
        const ended = Either.merge(result)
        if (ended === null || typeof ended === "string") return ended ?? "unchanged"
        if (ended._tag === "AuthStoreError") return yield* ended
        if (options.discard !== true) return yield* notOpened(key, ring)(ended)
        const given = yield* secrets.attend(key, (vault) =>
          rewrite(key, (document) =>
            Effect.gen(function* () {
              const { context, state } = yield* decodeAccount(document)
              // Another session may have come meanwhile.
              if (document !== seen) return ["again", null] as const
              const record: AccountRecord = { version: 1, state, context, sessionKey: null }
              return ["discarded", encodeAccount(yield* vault.close(record))] as const
            })
          )
        )
        return given === "again" ? yield* rekeyOne(key, options) : (given ?? "unchanged")
      }).pipe(
        Effect.mapError((error) => (error._tag === "NotOpened" ? notOpened(key, ring)(error) : error)),
        bounded,
        onItsOwn
      )

    /** The same for a token. What is written over while this goes on is looked at again. */
    const rekeyToken = (
      key: AccountKey,
      options: RekeyOptions
    ): Effect.Effect<"resealed" | "unchanged" | "discarded", AuthStoreError> =>
      Effect.gen(function* () {
        const document = yield* tokenDocument(key)
        if (document === undefined) return "unchanged"
        const opened = yield* Effect.either(openToken(options.storeKey, key, document))
        if (Either.isRight(opened) && opened.right.keyId === options.storeKey.current.id) return "unchanged"
        if (Either.isLeft(opened) && (opened.left._tag === "AuthStoreError" || options.discard !== true)) {
          return yield* opened.left._tag === "AuthStoreError"
            ? opened.left
            : notOpened(key, ring, "token")(opened.left)
        }
        const resealed = Either.isRight(opened)
          ? yield* sealToken(options.storeKey, key, opened.right.token)
          : null
        const isIt = sql`location = ${key.location} AND account = ${key.account} AND document = ${document}`
        const done = yield* (
          resealed === null
            ? sql`DELETE FROM number_auth_token WHERE ${isIt} RETURNING account`
            : sql`UPDATE number_auth_token SET document = ${resealed} WHERE ${isIt} RETURNING account`
        ).pipe(guarded, retried, bounded, onItsOwn)
        if (done.length === 0) return yield* rekeyToken(key, options)
        return resealed === null ? "discarded" : "resealed"
      })

    const rekey = (rekeyOptions: RekeyOptions): Effect.Effect<Rekeyed, AuthStoreError> =>
      Effect.gen(function* () {
        const accounts = yield* guarded(
          sql<AccountKey>`SELECT location, account FROM number_auth_account ORDER BY location, account`
        )
        const tokens = yield* guarded(
          sql<AccountKey>`SELECT location, account FROM number_auth_token ORDER BY location, account`
        )
        const keys = [
          ...accounts.map((key) => rekeyOne(key, rekeyOptions)),
          ...tokens.map((key) => rekeyToken(key, rekeyOptions))
        ]
        const became = { resealed: 0, unchanged: 0, discarded: 0 }
        const failed: Array<AuthStoreError> = []
        for (const one of keys) {
          const result = yield* Effect.either(one)
          if (Either.isRight(result)) became[result.right] += 1
          else if (result.left.reason === "unreadable") failed.push(result.left)
          else return yield* result.left
        }
        const [first] = failed
        if (first !== undefined) {
          return yield* new AuthStoreError({
            reason: "unreadable",
            detail: `${failed.length} of ${keys.length} records were left as they are, the others are sealed under the key with id ${rekeyOptions.storeKey.current.id}. The first: ${first.detail}`,
            advice: first.advice
          })
        }
        return { keyId: rekeyOptions.storeKey.current.id, ...became }
      })

    return { store, rekey }
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
 * so give the store a client of its own. Session keys are sealed under `NUMBER_STORE_KEY` of the configuration, and not
 * stored without it ({@link SqlOptions}). For a SQLite file see `SqliteStore`, which also sets what makes the file durable
 * and private.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSql: Layer.Layer<AuthStore, AuthStoreError, SqlClient.SqlClient> = Layer.effect(
  AuthStore,
  Effect.flatMap(configuredKeyRing, (storeKey) => makeSql({ storeKey }))
)
