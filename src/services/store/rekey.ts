/**
 * The rekeying of a store: its secrets are sealed anew, under another key.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { AccountRecord } from "../../schemas/StoredRecord.js"
import type { AccountKey } from "./AuthStore.js"
import { AuthStoreError } from "./AuthStoreError.js"
import { type AccountSecrets, Pending, sealed, type Vault } from "./sql/accountSecrets.js"
import { type Database, makeDatabase, Unchanged } from "./sql/database.js"
import { decodeAccount, encodeAccount } from "./sql/documents.js"
import type { NotOpened } from "./sql/sealing.js"
import { openToken, sealToken, tokenDocument } from "./sql/tokens.js"
import { notOpened } from "./sql/unopened.js"
import type { KeyRing } from "./StoreKey.js"

/**
 * The result of rekeying: how many records had each outcome.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rekeyed {
  /** The id of the key that every secret is sealed under now. */
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
  /**
   * Whether to give up sessions and tokens that no key opens. Default false: they stay, and the error says how many
   * they are and names the first.
   */
  readonly discard?: boolean | undefined
}

type Result = "resealed" | "unchanged" | "discarded"

interface Given {
  readonly database: Database
  readonly secrets: AccountSecrets
  readonly options: RekeyOptions
}

/**
 * Rewrites a record under the row lock that every transaction of the location takes. Gives null if there is no record.
 */
const rewrite = <A>(
  { durabilitySettings, guarded, inTransaction, retried, sql }: Database,
  key: AccountKey,
  as: (document: string) => Effect.Effect<readonly [A, string | null], AuthStoreError | Pending>
): Effect.Effect<A | null | Pending, AuthStoreError> =>
  Effect.gen(function* () {
    yield* sql`UPDATE number_auth_ledger SET sequence = sequence + 1 WHERE location = ${key.location}
      RETURNING sequence${durabilitySettings}`
    const [row] = yield* sql<{ document: string }>`SELECT document FROM number_auth_account
      WHERE location = ${key.location} AND account = ${key.account}`
    if (row === undefined) return null
    const [result, document] = yield* as(row.document)
    if (document === null) return yield* Effect.fail(new Unchanged(result))
    yield* sql`UPDATE number_auth_account SET document = ${document}
      WHERE location = ${key.location} AND account = ${key.account}`
    return result
  }).pipe(inTransaction<A | null>, guarded, retried)

/** The record, sealed under the current key. If no key opens it, the result is the error, and nothing is written. */
const reseal = (
  { options }: Given,
  vault: Vault,
  document: string
): Effect.Effect<readonly ["resealed" | "unchanged" | NotOpened, string | null], AuthStoreError | Pending> =>
  Effect.gen(function* () {
    const { current } = options.storeKey
    const stored = yield* decodeAccount(document)
    const opened = yield* Effect.either(vault.open(stored))
    if (Either.isLeft(opened)) {
      return opened.left instanceof Pending ? yield* Effect.fail(opened.left) : [opened.left, null]
    }
    return (stored.sessionKey?.keyId ?? current.id) === current.id
      ? ["unchanged", null]
      : ["resealed", encodeAccount(yield* vault.close(opened.right))]
  })

/**
 * The record without its session key. The result is `again` if the record has changed since `seen`: it may hold another
 * session.
 */
const discard = (
  vault: Vault,
  document: string,
  seen: string
): Effect.Effect<readonly ["again" | "discarded", string | null], AuthStoreError | Pending> =>
  Effect.gen(function* () {
    const { context, state } = yield* decodeAccount(document)
    if (document !== seen) return ["again", null]
    const record: AccountRecord = { version: 1, state, context, sessionKey: null }
    return ["discarded", encodeAccount(yield* vault.close(record))]
  })

const rekeyAccount = (given: Given, key: AccountKey): Effect.Effect<Result, AuthStoreError> => {
  const { database, options, secrets } = given
  const unopened = notOpened(key, options.storeKey)
  return Effect.gen(function* () {
    let seen = ""
    const result = yield* Effect.either(
      secrets.runSealed(key, (vault) =>
        rewrite(database, key, (document) => {
          seen = document
          return reseal(given, vault, document)
        })
      )
    )
    const ended = Either.merge(result)
    if (ended === null || typeof ended === "string") return ended ?? "unchanged"
    if (ended._tag === "AuthStoreError") return yield* ended
    if (options.discard !== true) return yield* unopened(ended)
    const discarded = yield* secrets.runSealed(key, (vault) =>
      rewrite(database, key, (document) => discard(vault, document, seen))
    )
    return discarded === "again" ? yield* rekeyAccount(given, key) : (discarded ?? "unchanged")
  }).pipe(
    Effect.mapError((error) => (error._tag === "NotOpened" ? unopened(error) : error)),
    database.bounded,
    database.onItsOwn
  )
}

/** Rekeys a token. A token that was overwritten meanwhile is read again. */
const rekeyToken = (given: Given, key: AccountKey): Effect.Effect<Result, AuthStoreError> =>
  Effect.gen(function* () {
    const {
      database,
      options: { discard, storeKey }
    } = given
    const { bounded, guarded, onItsOwn, retried, sql } = database
    const document = yield* tokenDocument(database, key)
    if (document === undefined) return "unchanged"
    const opened = yield* Effect.either(openToken(storeKey, key, document))
    if (Either.isRight(opened) && opened.right.keyId === storeKey.current.id) return "unchanged"
    if (Either.isLeft(opened) && opened.left._tag === "AuthStoreError") return yield* opened.left
    if (Either.isLeft(opened) && discard !== true) {
      return yield* notOpened(key, storeKey, "token")(opened.left as NotOpened)
    }
    const resealed = Either.isRight(opened) ? yield* sealToken(storeKey, key, opened.right.token) : null
    const isIt = sql`location = ${key.location} AND account = ${key.account} AND document = ${document}`
    const done = yield* (
      resealed === null
        ? sql`DELETE FROM number_auth_token WHERE ${isIt} RETURNING account`
        : sql`UPDATE number_auth_token SET document = ${resealed} WHERE ${isIt} RETURNING account`
    ).pipe(guarded, retried, bounded, onItsOwn)
    if (done.length === 0) return yield* rekeyToken(given, key)
    return resealed === null ? "discarded" : "resealed"
  })

/**
 * Rekeys all records and counts the outcomes. An unreadable record does not stop the others: it is reported after them.
 * Any other error ends the run.
 */
const runAll = (
  records: ReadonlyArray<Effect.Effect<Result, AuthStoreError>>,
  keyId: string
): Effect.Effect<Rekeyed, AuthStoreError> =>
  Effect.gen(function* () {
    const counts = { resealed: 0, unchanged: 0, discarded: 0 }
    const failed: Array<AuthStoreError> = []
    for (const record of records) {
      const result = yield* Effect.either(record)
      if (Either.isRight(result)) counts[result.right] += 1
      else if (result.left.reason === "unreadable") failed.push(result.left)
      else return yield* result.left
    }
    const [first] = failed
    if (first === undefined) return { keyId, ...counts }
    return yield* new AuthStoreError({
      reason: "unreadable",
      detail: `${failed.length} of ${records.length} records cannot be read and were not changed; the others are sealed under the key with id ${keyId}. The first error: ${first.detail}`,
      advice: first.advice
    })
  })

/**
 * Seals every session key and token of the store anew, under the current key of the ring. With `discard` it gives up
 * those that no key opens; without it, it fails because of them after all others are done. Each record is a transaction
 * of its own, so rekeying may be interrupted and started again. Other processes may use the store meanwhile if they
 * have both keys. It makes no attempt.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const rekeySql = (
  options: RekeyOptions
): Effect.Effect<Rekeyed, AuthStoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const database = yield* makeDatabase
    const given = { database, secrets: sealed(options.storeKey), options }
    const { guarded, sql } = database
    const accounts = yield* guarded(
      sql<AccountKey>`SELECT location, account FROM number_auth_account ORDER BY location, account`
    )
    const tokens = yield* guarded(
      sql<AccountKey>`SELECT location, account FROM number_auth_token ORDER BY location, account`
    )
    return yield* runAll(
      [...accounts.map((key) => rekeyAccount(given, key)), ...tokens.map((key) => rekeyToken(given, key))],
      options.storeKey.current.id
    )
  })
