/**
 * The end of an attempt: its effect on the ledger and on the chart.
 */
import type { LedgerRecord } from "../../schemas/StoredRecord.js"
import type { AuthEvent } from "../AuthEvent.js"
import { type Given, on } from "./chart.js"
import * as Ledger from "../Ledger.js"
import type { Message, OutcomeFacts, Step } from "../Step.js"

type Ended = Extract<Message, { readonly type: "attemptEnded" }>

/** A fault without an error code is not known to be Number's own: a gateway's status, say, or a malformed body. */
const isDoubtful = (outcome: OutcomeFacts): boolean =>
  outcome._tag === "faulted" && outcome.errorCode === null

/** The ledger after each kind of end. */
const ledgerAfter: Readonly<
  Record<OutcomeFacts["_tag"], (ledger: LedgerRecord, ended: Ended, given: Given) => LedgerRecord>
> = {
  accepted: (ledger, { attempt, outcome }, { account, moment, policy }) => {
    const cleared = Ledger.accept(ledger, { id: attempt, account }, policy)
    return outcome._tag === "accepted" && outcome.lockReported ? Ledger.reportLock(cleared, moment) : cleared
  },
  refused: (ledger, { attempt }, { account, moment }) =>
    Ledger.settle(ledger, { id: attempt, account }, "refused", moment),
  lockedOut: (ledger, { attempt }, { account, moment }) =>
    Ledger.reportLock(Ledger.settle(ledger, { id: attempt, account }, "faulted", moment), moment),
  faulted: (ledger, { attempt, outcome }, { account, moment, policy }) =>
    isDoubtful(outcome)
      ? Ledger.doubt(ledger, { id: attempt, account }, moment, policy)
      : Ledger.settle(ledger, { id: attempt, account }, "faulted", moment),
  lost: (ledger, { attempt }, { moment, policy }) => Ledger.lose(ledger, attempt, moment, policy),
  unsent: (ledger, { attempt }) => Ledger.release(ledger, attempt)
}

/** The token's end, if an accepted attempt's answer gave one. An end in the past is wrong: the token just worked. */
const tokenEndOf = (outcome: OutcomeFacts, nowMillis: number): number | null => {
  const endsAtMillis = outcome._tag === "accepted" ? outcome.tokenEndsAtMillis : null
  return endsAtMillis !== null && endsAtMillis > nowMillis ? endsAtMillis : null
}

const eventOf = ({ attempt, fingerprint, outcome }: Ended, nowMillis: number): AuthEvent => {
  switch (outcome._tag) {
    case "accepted": {
      const tokenEndsAtMillis = tokenEndOf(outcome, nowMillis)
      return { type: "attempt.accepted", attempt, fingerprint, nowMillis, tokenEndsAtMillis }
    }
    case "unsent":
      return { type: "attempt.unsent", attempt }
    default: {
      const { _tag, detail } = outcome
      return { type: `attempt.${_tag}`, attempt, fingerprint, detail, nowMillis }
    }
  }
}

/** Handles the end of an attempt. */
export const attemptEnded = (given: Given, step: Step, ended: Ended): Step => {
  const { moment, policy } = given
  const { outcome } = ended
  const ledger = ledgerAfter[outcome._tag](step.ledger, ended, given)
  const next = on(given, { ...step, ledger }, eventOf(ended, moment.nowMillis))
  const endsAtMillis = tokenEndOf(outcome, moment.nowMillis)
  return endsAtMillis !== null && endsAtMillis - moment.nowMillis <= policy.tokenWarningMillis
    ? { ...next, notices: [...next.notices, { kind: "tokenExpiring", endsAtMillis }] }
    : next
}
