/**
 * The rules of one mark of the ledger.
 */
import type { AccountCode } from "../../schemas/Credentials.js"
import type { AttemptId, Mark } from "../../schemas/StoredRecord.js"
import type { Policy } from "../Policy.js"

/**
 * When a change happens: the number that its transaction drew, and the store's clock.
 *
 * @since 0.1.0
 * @category models
 */
export interface Moment {
  /** Greater than that of every earlier transaction of the location. */
  readonly sequence: number
  /** Epoch milliseconds. */
  readonly nowMillis: number
}

/**
 * Says whether a mark counts for the location: no success of it came after.
 *
 * @since 0.1.0
 * @category queries
 */
export const countsForLocation = (mark: Mark): boolean =>
  mark.status !== "settled" || !mark.clearedForLocation

/** The mark, as time leaves it. */
export const aged = (mark: Mark, moment: Moment, policy: Policy): Mark => {
  if (isLeaseOver(mark, moment)) return toLost(mark, moment, policy)
  return isDrained(mark, moment) ? toSettled(mark, "lost", beforeThis(moment)) : mark
}

const isLeaseOver = (mark: Mark, { nowMillis }: Moment): boolean =>
  mark.status === "inFlight" && mark.leaseEndsAtMillis <= nowMillis

const isDrained = (mark: Mark, { nowMillis }: Moment): boolean =>
  mark.status === "lost" && mark.drainsAtMillis <= nowMillis

/** The transaction of this moment. */
export const asOf = (moment: Moment): number => moment.sequence

/** The transaction before this one. */
const beforeThis = (moment: Moment): number => moment.sequence - 1

/** The mark of an attempt whose outcome is not known, given up now. */
export const lostMark = (attempt: AttemptId, account: AccountCode, moment: Moment, policy: Policy): Mark => ({
  status: "lost",
  attempt,
  account,
  drainsAtMillis: moment.nowMillis + policy.drainMillis
})

/** The mark, given up now. */
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

/** Whether the success of an attempt proves that Number's count of the mark is over: it had settled before. */
export const isProvenOver = (mark: Mark, success: AttemptId): mark is Extract<Mark, { status: "settled" }> =>
  mark.status === "settled" && mark.settledAt < success

/** Whether a mark still counts after Number's support lifted a lock that was reported then. */
export const outlivesLift = (mark: Mark, reportedAt: number): boolean =>
  mark.status !== "settled" || (mark.reason !== "lost" && mark.settledAt > reportedAt)
