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
  StoredAccountRecord
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
  /** The id of the store key that the session key is sealed under; null where none is sealed. */
  readonly sealedUnder: string | null
  /** How far the database's clock is ahead of this host's; null where they are one. */
  readonly clockAheadMillis: number | null
}

/** What a store is before anything was written to it. */
export const newStore = (nowMillis: number): Inspection => ({
  isNew: true,
  moment: { sequence: 0, nowMillis },
  ledger: emptyLedgerRecord,
  account: emptyAccountRecord,
  sealedUnder: null,
  clockAheadMillis: null
})

const decode =
  <A, I>(schema: Schema.Schema<A, I>, what: string, otherwise: A) =>
  (document: string | null | undefined): Effect.Effect<A, AuthStoreError> =>
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
const decodeAccount = decode<StoredAccountRecord, typeof StoredAccountRecord.Encoded>(
  StoredAccountRecord,
  "record of the account",
  emptyAccountRecord
)

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

const hasTables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.onDialectOrElse({
    pg: () => sql<{ name: string | null }>`SELECT to_regclass('number_auth_ledger')::text AS name`,
    orElse: () =>
      sql<{ name: string | null }>`SELECT name FROM sqlite_master WHERE name = 'number_auth_ledger'`
  })
  return (rows[0]?.name ?? null) !== null
})

/** Looks at the ledger of a location and the record of one of its accounts. */
export const inspect = (key: AccountKey): Effect.Effect<Inspection, AuthStoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { clockAheadMillis, nowMillis } = yield* clocks
    if (!(yield* hasTables)) return { ...newStore(nowMillis), clockAheadMillis }
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
    return {
      isNew: false,
      moment: { sequence: Number(row?.sequence ?? 0), nowMillis },
      ledger: yield* decodeLedger(row?.document),
      account,
      sealedUnder: account.version === 2 ? (account.sessionKey?.keyId ?? null) : null,
      clockAheadMillis
    }
  }).pipe(
    Effect.mapError((error: AuthStoreError | SqlError) =>
      error._tag === "SqlError" ? new AuthStoreError(storeFailure(error)) : error
    )
  )
