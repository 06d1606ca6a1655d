/**
 * The promises that every write of the store keeps, whichever process writes.
 */
import type { Stored, Write } from "../../services/store/AuthStore.js"

const generationOf = ({ account }: Pick<Stored, "account">): number =>
  account.context.session?.generation ?? 0

/** The names of the promises that a write breaks. */
export const promisesBrokenBy = (before: Stored, write: Exclude<Write, null>): ReadonlyArray<string> => {
  const { context } = write.account
  const { attempt, session } = context
  const isReservation = attempt !== null && attempt.id !== before.account.context.attempt?.id
  const marks = write.ledger.marks.filter((mark) => mark.attempt === attempt?.id)
  const promises = {
    "a refused fingerprint is never sent again":
      !isReservation || !before.account.context.refusedFingerprints.includes(attempt.fingerprint),
    "an attempt that may be sent has its mark": !isReservation || marks.length === 1,
    "the store holds the key of the session, and no other":
      (write.account.sessionKey === null) === (session === null),
    "a session is never replaced by an older one":
      session === null || session.generation >= generationOf(before)
  }
  return Object.entries(promises).flatMap(([promise, isKept]) => (isKept ? [] : [promise]))
}
