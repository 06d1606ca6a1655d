/**
 * Looks at a store as it is: creates nothing, migrates nothing, opens nothing that is sealed, draws no number.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Moment } from "../../machine/Ledger.js"
import {
  type AccountRecord,
  emptyAccountRecord,
  emptyLedgerRecord,
  LedgerRecord,
  SealedAccountRecord,
  SealedToken
} from "../../schemas/StoredRecord.js"
import { type AccountKey, AuthStoreError } from "../AuthStore.js"
import { storeFailure } from "./storeFailure.js"

/**
 * What there was to see.
 */
export interface Inspection {
  /** Whether this library has ever written to it. */
  readonly isNew: boolean
  readonly moment: Moment
  readonly ledger: LedgerRecord
  readonly account: Pick<AccountRecord, "state" | "context">
  /** Whether the store has the key of the session, or each process its own. */
  readonly isKeyStored: boolean
  /** The ids of the store keys that its session key and its token are sealed under, where it has them. */
  readonly sealedUnder: ReadonlyArray<string>
  /** How far the database's clock is ahead of this host's; null where they are one. */
  readonly clockAheadMillis: number | null
}

/** What a store is before anything was written to it. */
export const newStore = (nowMillis: number): Inspection => ({
  isNew: true,
  moment: { sequence: 0, nowMillis },
  ledger: emptyLedgerRecord,
  account: emptyAccountRecord,
  isKeyStored: false,
  sealedUnder: [],
  clockAheadMillis: null
})

const decode =
  <A, I, B>(schema: Schema.Schema<A, I>, what: string, otherwise: B) =>
  (document: string | null | undefined): Effect.Effect<A | B, AuthStoreError> =>
    document === null || document === undefined
      ? Effect.succeed(otherwise)
      : Option.match(Schema.decodeUnknownOption(Schema.parseJson(schema))(document), {
          onSome: Effect.succeed,
          onNone: () =>
            new AuthStoreError({
              reason: "unreadable",
              detail: `the ${what} is damaged or was written by another version of this library`
            })
        })

const decodeLedger = decode(LedgerRecord, "ledger of the location", emptyLedgerRecord)
const decodeAccount = decode(SealedAccountRecord, "record of the account", emptyAccountRecord)
const decodeToken = decode(SealedToken, "token of the account", null)

/** The time of the database, and this host's at that moment, give or take half of the way there and back. */
const clocks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  const askedMillis = yield* Clock.currentTimeMillis
  if (!isPostgres) return { nowMillis: askedMillis, clockAheadMillis: null }
  const [row] = yield* sql<{
    now_millis: string
  }>`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_millis`
  const toldMillis = yield* Clock.currentTimeMillis
  const nowMillis = Number(row!.now_millis)
  return { nowMillis, clockAheadMillis: Math.round(nowMillis - (askedMillis + toldMillis) / 2) }
})

const hasTable = (table: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql.onDialectOrElse({
      pg: () => sql<{ name: string | null }>`SELECT to_regclass(${table})::text AS name`,
      orElse: () => sql<{ name: string | null }>`SELECT name FROM sqlite_master WHERE name = ${table}`
    })
    return (rows[0]?.name ?? null) !== null
  })

/** Looks at the ledger of a location and the record of one of its accounts. */
export const inspect = (key: AccountKey): Effect.Effect<Inspection, AuthStoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { clockAheadMillis, nowMillis } = yield* clocks
    if (!(yield* hasTable("number_auth_ledger"))) return { ...newStore(nowMillis), clockAheadMillis }
    const [row] = yield* sql<{
      readonly sequence: string | number
      readonly document: string | null
      readonly account_document: string | null
    }>`SELECT sequence, ledger.document, account.document AS account_document
      FROM number_auth_ledger AS ledger
      LEFT JOIN number_auth_account AS account
        ON account.location = ledger.location AND account.account = ${key.account}
      WHERE ledger.location = ${key.location}`
    const account = yield* decodeAccount(row?.account_document)
    // A store that an older version wrote has no such table yet.
    const tokens = (yield* hasTable("number_auth_token"))
      ? yield* sql<{ readonly document: string }>`SELECT document FROM number_auth_token
          WHERE location = ${key.location} AND account = ${key.account}`
      : []
    const token = yield* decodeToken(tokens[0]?.document)
    const sealed = [account.version === 2 ? account.sessionKey : null, token?.token ?? null]
    return {
      isNew: false,
      moment: { sequence: Number(row?.sequence ?? 0), nowMillis },
      ledger: yield* decodeLedger(row?.document),
      account,
      isKeyStored: account.sessionKey !== null,
      sealedUnder: sealed.flatMap((each) => (each === null ? [] : [each.keyId])),
      clockAheadMillis
    }
  }).pipe(
    Effect.mapError((error: AuthStoreError | SqlError) =>
      error._tag === "SqlError" ? new AuthStoreError(storeFailure(error)) : error
    )
  )
