/**
 * The contents of a store, for the tests of stores: an account with a session, and the ledger of its
 * location.
 */
import { Redacted, Schema } from "effect"
import type { Location, Token } from "../../src/schemas/Credentials.js"
import { AccountRecord, emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import type { AccountKey, AuthStore } from "../../src/services/store/AuthStore.js"
import { settled } from "./core.js"
import { key } from "./secrets.js"

export const sessionKey = "B9F24903C3BA4770AE303032303541303032353437"
export const authenticated = Schema.decodeUnknownSync(AccountRecord)({
  version: 1,
  state: "authenticated",
  context: {
    ...emptyAccountRecord.context,
    session: { generation: 1, fingerprint: "ab".repeat(32), obtainedAtMillis: 0, expiresAtMillis: 1 }
  },
  sessionKey
})
export const ledger = { ...emptyLedgerRecord, marks: [settled(1, 1)], lockReportedAt: 1 }

/** The account at another location. */
export const elsewhere: AccountKey = { ...key, location: "elsewhere" as Location }

export const tokenOf = (text: string): Token => Redacted.make(text) as Token

/** A record with its key as plain text: assertions do not distinguish two Redacted values. */
export const plain = ({ sessionKey: redacted, ...record }: AccountRecord) => ({
  ...record,
  sessionKey: redacted === null ? null : Redacted.value(redacted)
})

/** Writes ledger and record, and gives the number that was drawn. */
export const write = (store: AuthStore["Type"], at: AccountKey = key) =>
  store.transact(at, ({ moment }) => [moment.sequence, { ledger, account: authenticated }])

/** Writes a mark only, and gives the number that was drawn. */
export const draw = (store: AuthStore["Type"], at: AccountKey = key) =>
  store.transact(at, ({ account, ledger: known, moment }) => [
    moment.sequence,
    { ledger: { ...known, marks: [settled(moment.sequence, moment.sequence)] }, account }
  ])
