/**
 * The rules of one mark of the ledger.
 */
import type { AccountCode } from "../../schemas/Credentials.js"
import type { AttemptId, Mark } from "../../schemas/StoredRecord.js"
import type { Policy } from "../Policy.js"

/**
 * The moment of a change: the sequence number of its transaction, and the time of the store's clock.
 *
 * @since 0.1.0
 * @category models
 */
export interface Moment {
  /** The transaction's number, greater than that of every earlier transaction of the location. */
  readonly sequence: number
  /** Epoch milliseconds. */
  readonly nowMillis: number
}

/**
 * Says whether a mark counts for the location: no success has cleared it there.
 *
 * @since 0.1.0
 * @category queries
 */
export const countsForLocation = (mark: Mark): boolean =>
  mark.status !== "settled" || !mark.clearedForLocation

/** The mark at this moment: lost once its lease is over, and settled once it has drained. */
export const aged = (mark: Mark, moment: Moment, policy: Policy): Mark => {
  if (isLeaseOver(mark, moment)) return toLost(mark, moment, policy)
  return isDrained(mark, moment) ? toSettled(mark, "lost", beforeThis(moment)) : mark
}

const isLeaseOver = (mark: Mark, { nowMillis }: Moment): boolean =>
  mark.status === "inFlight" && mark.leaseEndsAtMillis <= nowMillis

const isDrained = (mark: Mark, { nowMillis }: Moment): boolean =>
  mark.status === "lost" && mark.drainsAtMillis <= nowMillis

/** The sequence number of this transaction. */
export const asOf = (moment: Moment): number => moment.sequence

/** The sequence number before this transaction's. */
const beforeThis = (moment: Moment): number => moment.sequence - 1

/** The mark of an attempt whose outcome is not known, given up now. */
export const lostMark = (attempt: AttemptId, account: AccountCode, moment: Moment, policy: Policy): Mark => ({
  status: "lost",
  attempt,
  account,
  drainsAtMillis: moment.nowMillis + policy.drainMillis
})

/** The same attempt's mark as lost, given up now. */
export const toLost = (mark: Mark, moment: Moment, policy: Policy): Mark =>
  lostMark(mark.attempt, mark.account, moment, policy)

/** The mark of an attempt that is over. */
export const toSettled = (
  mark: Pick<Mark, "attempt" | "account">,
  reason: "refused" | "faulted" | "lost",
  settledAt: number
): Mark => ({
  status: "settled",
  attempt: mark.attempt,
  account: mark.account,
  reason,
  settledAt,
  clearedForLocation: false
})

/** Whether a success proves that Number counts the mark no more: the mark settled before that attempt was reserved. */
export const isProvenOver = (mark: Mark, success: AttemptId): mark is Extract<Mark, { status: "settled" }> =>
  mark.status === "settled" && mark.settledAt < success

/** Whether a mark still counts after the lift of a lock that was reported in the transaction `reportedAt`. */
export const outlivesLift = (mark: Mark, reportedAt: number): boolean =>
  mark.status !== "settled" || (mark.reason !== "lost" && mark.settledAt > reportedAt)
