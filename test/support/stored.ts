/** What a store holds, for the tests of stores: an account with a session, and the ledger of its location. */
import { Schema } from "effect"
import { AccountRecord, emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import { settled } from "./core.js"

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
