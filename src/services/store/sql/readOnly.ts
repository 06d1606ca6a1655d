/**
 * The read-only inspection of a store. It creates nothing, migrates nothing, opens no sealed secret, and draws no
 * number.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Moment } from "../../../machine/Ledger.js"
import {
  type AccountRecord,
  emptyAccountRecord,
  emptyLedgerRecord,
  type LedgerRecord
} from "../../../schemas/StoredRecord.js"
import type { AccountCode, Location } from "../../../schemas/Credentials.js"
import type { AccountKey } from "../AuthStore.js"
import { AuthStoreError, storeErrorOf } from "../AuthStoreError.js"
import { accountOf, decodeSealedToken, ledgerOf } from "./documents.js"
import { lastMigration, notNewer, tokensMigration } from "./migrations.js"
import { outsideTransactions } from "./transactions.js"

/**
 * The result of an inspection.
 */
export interface Inspection {
  /** Whether this library has never written to the store. */
  readonly isNew: boolean
  readonly moment: Moment
  readonly ledger: LedgerRecord
  readonly account: Pick<AccountRecord, "state" | "context">
  /** Whether the store holds the session key; if not, each process keeps its own. */
  readonly isKeyStored: boolean
  /** The ids of the store keys that the account's session key and token are sealed under, if they are stored. */
  readonly sealedUnder: ReadonlyArray<string>
  /** The ids for all accounts of a SQLite file, which does not open without these keys. Otherwise empty. */
  readonly sealedInAll: ReadonlyArray<string>
  /** Milliseconds by which the database's clock is ahead of this host's; null on SQLite, where they are one clock. */
  readonly clockAheadMillis: number | null
}

/** The inspection of a store that nothing was written to yet. */
export const newStore = (nowMillis: number): Inspection => ({
  isNew: true,
  moment: { sequence: 0, nowMillis },
  ledger: emptyLedgerRecord,
  account: emptyAccountRecord,
  isKeyStored: false,
  sealedUnder: [],
  sealedInAll: [],
  clockAheadMillis: null
})

/**
 * A location with all its accounts. The documents are as they are stored, so that a caller that polls need read only
 * those that changed.
 */
export interface LocationInspection {
  readonly moment: Moment
  readonly ledger: LedgerRecord
  readonly accounts: ReadonlyMap<AccountCode, string>
}

/** The database's time, and its lead over this host's clock, accurate to half of the round trip. */
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

/** Fails if the next login could not write: the role lacks the rights, or the server takes no writes. */
const mayWrite = (isNew: boolean): Effect.Effect<void, AuthStoreError | SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [role] = yield* sql.onDialectOrElse({
      pg: () => sql<{ read_only: boolean; may_create: boolean | null }>`SELECT
        current_setting('transaction_read_only') = 'on' AS read_only,
        has_schema_privilege(current_schema(), 'CREATE') AS may_create`,
      // A SQLite file has no roles: its mode decides.
      orElse: () => Effect.succeed([])
    })
    if (role === undefined) return
    if (role.read_only) {
      return yield* new AuthStoreError({
        reason: "unavailable",
        detail: "the server takes no writes: it is a standby, or set to read-only"
      })
    }
    if (isNew) {
      if (role.may_create === true) return
      return yield* new AuthStoreError({
        reason: "misconfigured",
        detail: "the role may not create tables in the schema that it uses"
      })
    }
    const denied = yield* sql<{ name: string }>`SELECT name
      FROM unnest(ARRAY['number_auth_ledger', 'number_auth_account', 'number_auth_token']) AS name
      WHERE NOT (has_table_privilege(to_regclass(name), 'SELECT')
        AND has_table_privilege(to_regclass(name), 'INSERT') AND has_table_privilege(to_regclass(name), 'UPDATE'))`
    if (denied.length === 0) return
    return yield* new AuthStoreError({
      reason: "misconfigured",
      detail: `the role may not read and write ${denied.map(({ name }) => name).join(", ")}`
    })
  })

/** Inspects the ledger of a location and the record of one of its accounts. */
export const inspect = (key: AccountKey): Effect.Effect<Inspection, AuthStoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { clockAheadMillis, nowMillis } = yield* clocks
    const last = yield* lastMigration
    yield* notNewer(last)
    yield* mayWrite(last === 0)
    if (last === 0) return { ...newStore(nowMillis), clockAheadMillis }
    const [row] = yield* sql<{
      readonly sequence: string | number
      readonly document: string | null
      readonly account_document: string | null
    }>`SELECT sequence, ledger.document, account.document AS account_document
      FROM number_auth_ledger AS ledger
      LEFT JOIN number_auth_account AS account
        ON account.location = ledger.location AND account.account = ${key.account}
      WHERE ledger.location = ${key.location}`
    const account = yield* accountOf(row?.account_document)
    // A store of an older version has no table of tokens yet.
    const tokens =
      last >= tokensMigration
        ? yield* sql<{ readonly document: string }>`SELECT document FROM number_auth_token
          WHERE location = ${key.location} AND account = ${key.account}`
        : []
    const token = tokens[0] === undefined ? null : yield* decodeSealedToken(tokens[0].document)
    const sealed = [account.version === 2 ? account.sessionKey : null, token?.token ?? null]
    return {
      isNew: false,
      moment: { sequence: Number(row?.sequence ?? 0), nowMillis },
      ledger: yield* ledgerOf(row?.document),
      account,
      isKeyStored: account.sessionKey !== null,
      sealedUnder: sealed.flatMap((each) => (each === null ? [] : [each.keyId])),
      sealedInAll: [],
      clockAheadMillis
    }
  }).pipe(outsideTransactions, Effect.mapError(storeErrorOf))

/** Inspects the ledger of a location and the records of all its accounts. If there are none, the result is empty. */
export const inspectLocation = (
  location: Location
): Effect.Effect<LocationInspection, AuthStoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { nowMillis } = yield* clocks
    const last = yield* lastMigration
    yield* notNewer(last)
    const nothing = { moment: { sequence: 0, nowMillis }, ledger: emptyLedgerRecord, accounts: new Map() }
    if (last === 0) return nothing
    // One statement, so that ledger and accounts are of one moment.
    const rows = yield* sql<{
      readonly sequence: string | number
      readonly document: string | null
      readonly account: AccountCode | null
      readonly account_document: string | null
    }>`SELECT sequence, ledger.document, account.account, account.document AS account_document
      FROM number_auth_ledger AS ledger
      LEFT JOIN number_auth_account AS account ON account.location = ledger.location
      WHERE ledger.location = ${location}`
    if (rows.length === 0) return nothing
    return {
      moment: { sequence: Number(rows[0]!.sequence), nowMillis },
      ledger: yield* ledgerOf(rows[0]!.document),
      accounts: new Map(
        rows.flatMap(({ account, account_document }) =>
          account === null || account_document === null ? [] : [[account, account_document] as const]
        )
      )
    }
  }).pipe(outsideTransactions, Effect.mapError(storeErrorOf))
