/**
 * The ledger of attempts of one location. It makes six unsuccessful attempts in a row impossible.
 *
 * The ledger is a value with functions that change it. Every change happens inside one transaction of the store, which
 * draws the sequence number `sequence`. Sequence numbers are the ledger's clock: they order all changes. `nowMillis`
 * only ends leases and drains. The rules are those of the design, "The ledger".
 */
import type { AccountCode } from "../schemas/Credentials.js"
import type { AttemptId, LedgerRecord, Mark } from "../schemas/StoredRecord.js"
import {
  aged,
  asOf,
  countsForLocation,
  isProvenOver,
  lostMark,
  type Moment,
  outlivesLift,
  toLost,
  toSettled
} from "./internal/marks.js"
import type { Policy } from "./Policy.js"

export { countsForLocation, type Moment } from "./internal/marks.js"

/**
 * The ledger, as it is stored.
 *
 * @since 0.1.0
 * @category models
 */
export type Ledger = LedgerRecord

/**
 * The two counts. The documentation allows two readings: a row of the location, and a row of the account.
 * `failures` are settled and lost marks. `inFlight` are marks whose answer is still awaited.
 *
 * @since 0.1.0
 * @category models
 */
export interface Counts {
  readonly location: { readonly failures: number; readonly inFlight: number }
  readonly account: { readonly failures: number; readonly inFlight: number }
}

/**
 * Whether an account may make an attempt: `open`, it may; `full`, the marks in flight have to settle first; `locked`,
 * no attempt until a late acceptance or an operator ends the lock.
 *
 * @since 0.1.0
 * @category models
 */
export type Room = "open" | "full" | "locked"

const withMarks = (ledger: Ledger, marks: ReadonlyArray<Mark>): Ledger => ({ ...ledger, marks })

const tally = (marks: ReadonlyArray<Mark>): { readonly failures: number; readonly inFlight: number } => {
  const inFlight = marks.filter((mark) => mark.status === "inFlight").length
  return { failures: marks.length - inFlight, inFlight }
}

/**
 * Counts the marks of the location that no success has cleared, and those of the account that no success of its own
 * has cleared.
 *
 * @since 0.1.0
 * @category queries
 */
export const counts = (ledger: Ledger, account: AccountCode): Counts => ({
  location: tally(ledger.marks.filter(countsForLocation)),
  account: tally(ledger.marks.filter((mark) => mark.account === account))
})

/**
 * Says whether the account has room for an attempt under both counts.
 *
 * @since 0.1.0
 * @category queries
 */
export const room = (ledger: Ledger, account: AccountCode, policy: Policy): Room => {
  const { location, account: own } = counts(ledger, account)
  if (isLockReported(ledger) || isAtLimit(location.failures, policy) || isAtLimit(own.failures, policy)) {
    return "locked"
  }
  const isFull = [location, own].some(({ failures, inFlight }) => isAtLimit(failures + inFlight, policy))
  return isFull ? "full" : "open"
}

const isLockReported = (ledger: Ledger): boolean => ledger.lockReportedAt !== null

/** Whether a count leaves no room for one more. */
const isAtLimit = (count: number, policy: Policy): boolean => count >= policy.limit

/**
 * An id of the location's current lock; null while the location is not locked, though one account may be at the limit.
 *
 * @since 0.1.0
 * @category queries
 */
export const lockOf = (ledger: Ledger, policy: Policy): number | null => {
  if (ledger.lockReportedAt !== null) return ledger.lockReportedAt
  const failures = ledger.marks.filter((mark) => countsForLocation(mark) && mark.status !== "inFlight")
  // The next lock has a newer failure, so another id. Sequence numbers are unique, so no reported lock has this id.
  return failures.length < policy.limit ? null : Math.max(...failures.map(({ attempt }) => attempt))
}

/**
 * Lets time pass. A mark whose lease ran out becomes `lost`, and a lost mark whose drain time is over becomes
 * `settled`. It settles as of the transaction before this one, so an attempt reserved in this one came later.
 *
 * @since 0.1.0
 * @category transitions
 */
export const age = (ledger: Ledger, moment: Moment, policy: Policy): Ledger => {
  const marks = ledger.marks.map((mark) => aged(mark, moment, policy))
  return marks.some((mark, index) => mark !== ledger.marks[index]) ? withMarks(ledger, marks) : ledger
}

/**
 * Puts the mark of a new attempt, named by this transaction's sequence number. Call it only if {@link room} is `open`,
 * and send the attempt only once the transaction is durable.
 *
 * @since 0.1.0
 * @category transitions
 */
export const reserve = (ledger: Ledger, account: AccountCode, moment: Moment, policy: Policy): Ledger =>
  withMarks(ledger, [
    ...ledger.marks,
    {
      status: "inFlight",
      attempt: moment.sequence,
      account,
      leaseEndsAtMillis: moment.nowMillis + policy.leaseMillis
    }
  ])

/**
 * Settles an attempt that was refused, or faulted by an answer of Number's own (else: {@link doubt}). A failure always
 * counts: a mark that is gone is put back. It can be gone if the answer came after lease and drain, and a success or a
 * lifted lock removed the mark.
 *
 * @since 0.1.0
 * @category transitions
 */
export const settle = (
  ledger: Ledger,
  attempt: { readonly id: AttemptId; readonly account: AccountCode },
  reason: "refused" | "faulted",
  moment: Moment
): Ledger => {
  // The same answer may come twice, if the store did not confirm the first time.
  if (isSettledByAnswer(ledger, attempt.id)) return ledger
  const settled = toSettled({ attempt: attempt.id, account: attempt.account }, reason, asOf(moment))
  return withMarks(ledger, [...otherMarks(ledger, attempt.id), settled])
}

/** Whether Number's own answer settled the attempt: then it is over. */
const isSettledByAnswer = (ledger: Ledger, id: AttemptId): boolean =>
  ledger.marks.some((mark) => mark.attempt === id && mark.status === "settled" && mark.reason !== "lost")

const otherMarks = (ledger: Ledger, id: AttemptId): ReadonlyArray<Mark> =>
  ledger.marks.filter((mark) => mark.attempt !== id)

/**
 * Records that an attempt failed by an answer that is not known to be Number's own. A gateway may have given up, say,
 * while Number still works on the attempt and counts it later than a success that is reserved now. So the mark drains
 * like that of a lost attempt, counted from now. A mark that is gone is put back.
 *
 * @since 0.1.0
 * @category transitions
 */
export const doubt = (
  ledger: Ledger,
  attempt: { readonly id: AttemptId; readonly account: AccountCode },
  moment: Moment,
  policy: Policy
): Ledger => {
  if (isSettledByAnswer(ledger, attempt.id)) return ledger
  const lost = lostMark(attempt.id, attempt.account, moment, policy)
  return withMarks(ledger, [...otherMarks(ledger, attempt.id), lost])
}

/**
 * Removes the mark of an attempt that provably never left.
 *
 * @since 0.1.0
 * @category transitions
 */
export const release = (ledger: Ledger, id: AttemptId): Ledger => withMarks(ledger, otherMarks(ledger, id))

/**
 * Records that no answer came. The mark stays unsettled until the drain time is over, counted from now. An attempt can
 * be given up twice, if another process found its lease ended earlier. Then the drain counts from the later time.
 *
 * @since 0.1.0
 * @category transitions
 */
export const lose = (ledger: Ledger, id: AttemptId, moment: Moment, policy: Policy): Ledger =>
  withMarks(
    ledger,
    ledger.marks.map((mark) =>
      mark.attempt === id && mark.status !== "settled" ? toLost(mark, moment, policy) : mark
    )
  )

/**
 * Records a success. It clears its own mark, and the marks that had settled before it was reserved. It proves nothing
 * about an overlapping failure, so that mark stays. A success does not end a reported lock.
 *
 * @since 0.1.0
 * @category transitions
 */
export const accept = (
  ledger: Ledger,
  attempt: { readonly id: AttemptId; readonly account: AccountCode },
  policy: Policy
): Ledger =>
  withMarks(
    ledger,
    ledger.marks.flatMap((mark): ReadonlyArray<Mark> => {
      if (mark.attempt === attempt.id) return []
      if (!isProvenOver(mark, attempt.id)) return [mark]
      if (mark.account === attempt.account) return []
      return policy.successClears === "location" ? [{ ...mark, clearedForLocation: true }] : [mark]
    })
  )

/**
 * Records that Number's answer reported the IP as locked.
 *
 * @since 0.1.0
 * @category transitions
 */
export const reportLock = (ledger: Ledger, moment: Moment): Ledger =>
  ledger.lockReportedAt === null ? { ...ledger, lockReportedAt: moment.sequence } : ledger

/**
 * Records that an operator confirmed the lift: Number's support lifted the lock, which set Number's count to zero.
 * Keeps the marks that the backend may still be working on, and failures that were answered after the lock was
 * reported: Number may have counted those after the lift.
 *
 * @since 0.1.0
 * @category transitions
 */
export const liftLock = (ledger: Ledger): Ledger => {
  const reportedAt = ledger.lockReportedAt ?? Infinity
  const marks = ledger.marks.filter((mark) => outlivesLift(mark, reportedAt))
  return { version: ledger.version, lockReportedAt: null, marks }
}
