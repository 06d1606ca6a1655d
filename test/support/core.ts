/**
 * Short names for the data of tests of the pure core.
 */
import type { AccountCode, Fingerprint } from "../../src/schemas/Credentials.js"
import type { AttemptId, LedgerRecord, Mark } from "../../src/schemas/StoredRecord.js"
import type { Moment } from "../../src/machine/Ledger.js"
import { defaultPolicy, type Policy } from "../../src/machine/Policy.js"

export const goodToken = "2148B239CF6846BDA5D141BF4A4CFBE8"
export const one = "EP0000001" as AccountCode
export const two = "EP0000002" as AccountCode
export const three = "EP0000003" as AccountCode
/** The fingerprint of the n-th token. */
export const print = (n: number): Fingerprint => n.toString(16).padStart(64, "0") as Fingerprint

export const policy = (options: Partial<Policy> = {}): Policy => ({ ...defaultPolicy, ...options })

/** Transaction `sequence`, at `nowMillis`. */
export const at = (sequence: number, nowMillis = 0): Moment => ({ sequence, nowMillis })

export const inFlight = (attempt: AttemptId, account = one, leaseEndsAtMillis = 45_000): Mark => ({
  status: "inFlight",
  attempt,
  account,
  leaseEndsAtMillis
})

export const lost = (attempt: AttemptId, account = one, drainsAtMillis = 300_000): Mark => ({
  status: "lost",
  attempt,
  account,
  drainsAtMillis
})

export const settled = (
  attempt: AttemptId,
  settledAt: number,
  account = one,
  options: { readonly reason?: "refused" | "faulted" | "lost"; readonly clearedForLocation?: boolean } = {}
): Mark => ({
  status: "settled",
  attempt,
  account,
  reason: "refused",
  settledAt,
  clearedForLocation: false,
  ...options
})

export const ledger = (...marks: ReadonlyArray<Mark>): LedgerRecord => ({
  version: 1,
  marks,
  lockReportedAt: null
})
