/**
 * The handlers of the core, one for each message. Each takes a step that has caught up with the time, and gives the
 * next one.
 */
import type { Fingerprint } from "../../schemas/Credentials.js"
import type { AttemptId, AuthContext, LedgerRecord } from "../../schemas/StoredRecord.js"
import type { AuthEvent } from "../AuthEvent.js"
import { fire, type Given, on } from "./chart.js"
import * as Ledger from "../Ledger.js"
import { attemptEnded } from "./attemptEnded.js"
import { Decision, type Message, type Step } from "../Step.js"

type MessageOf<Type extends Message["type"]> = Extract<Message, { readonly type: Type }>

const decide = (step: Step, decision: Decision): Step => ({ ...step, decision })

/** Moves the account into the lock of its location, or out of it. */
export const followLock = (given: Given, step: Step): Step => {
  const isLocked = Ledger.room(step.ledger, given.account, given.policy) === "locked"
  if (step.state === "locked") {
    return isLocked ? step : on(given, step, { type: "lock.lifted", by: "other" })
  }
  if (!isLocked) return step
  // While an attempt is in progress, or a session is held, the chart ignores this event.
  return on(given, step, { type: step.ledger.lockReportedAt === null ? "ledger.full" : "lock.reported" })
}

/** Whether the message ends the attempt. Then the attempt is not reported lost, however late the message comes. */
const isEndOf = (message: Message, attempt: NonNullable<AuthContext["attempt"]>): boolean =>
  (message.type === "attemptEnded" && message.attempt === attempt.id) ||
  (message.type === "withdraw" && message.claim === attempt.claim)

const isInFlight = (ledger: LedgerRecord, attempt: AttemptId): boolean =>
  ledger.marks.some((mark) => mark.attempt === attempt && mark.status === "inFlight")

/** Catches up with the time that has passed, and with the changes that other processes and accounts made. */
export const catchUp = (given: Given, before: Step, message: Message): Step => {
  const { moment, policy } = given
  const { nowMillis } = moment
  let step: Step = { ...before, ledger: Ledger.age(before.ledger, moment, policy) }
  const { attempt, session } = step.context
  if (attempt !== null && !isEndOf(message, attempt) && !isInFlight(step.ledger, attempt.id)) {
    const { fingerprint, id } = attempt
    const detail = "the process that made the attempt stopped before its answer was stored"
    step = on(given, step, { type: "attempt.lost", attempt: id, fingerprint, detail, nowMillis })
  }
  if (session !== null && session.expiresAtMillis <= nowMillis) {
    step = on(given, step, { type: "session.expired", generation: session.generation })
  }
  return followLock(given, step)
}

/** Takes the credentials of a request. They change the account only if it is aborted. */
const takeCredentials = (given: Given, step: Step, fingerprint: Fingerprint): Step =>
  followLock(given, on(given, step, { type: "credentials.replaced", fingerprint }))

const isIdle = (step: Step): boolean => step.state.endsWith(".idle")

/** The reason not to try these credentials; null if there is none. */
const barOf = (
  context: AuthContext,
  fingerprint: Fingerprint,
  nowMillis: number
): { readonly reason: "barred" | "expired"; readonly detail: string } | null => {
  if (context.refusedFingerprints.includes(fingerprint)) {
    return { reason: "barred", detail: "Number refused this token before" }
  }
  const { tokenEnd } = context
  return tokenEnd !== null && tokenEnd.fingerprint === fingerprint && tokenEnd.atMillis <= nowMillis
    ? { reason: "expired", detail: "the token ended at the time that Number gave for it" }
    : null
}

/** How long a caller may wait before it asks again: until the next lease ends, and a minute at the most. */
const waitMillis = (step: Step, { moment }: Given): number =>
  step.ledger.marks.reduce(
    (shortest, mark) =>
      mark.status === "inFlight" ? Math.min(shortest, mark.leaseEndsAtMillis - moment.nowMillis) : shortest,
    60_000
  )

/** Decides a request by the state of the account. */
const decideByState = (given: Given, step: Step): Step => {
  const { context, ledger, state } = step
  switch (state) {
    case "authenticated":
      return decide(step, Decision.held({ session: context.session! }))
    case "aborted":
      return decide(step, Decision.aborted({ abort: context.abort! }))
    case "locked":
      return decide(step, Decision.locked({ reported: ledger.lockReportedAt !== null }))
    default:
      return decide(step, Decision.wait({ on: "attempt", forMillis: waitMillis(step, given) }))
  }
}

/** Reserves an attempt. The mark is put only if the chart sends the attempt. */
const reserve = (given: Given, step: Step, { claim, fingerprint }: MessageOf<"request">): Step => {
  const { account, moment, policy } = given
  const attempt = moment.sequence
  const reserved = fire(given, step, { type: "attempt.reserved", attempt, fingerprint, claim })
  if (!reserved.sends) return decideByState(given, step)
  const ledger = Ledger.reserve(step.ledger, account, moment, policy)
  return decide({ ...reserved.step, ledger }, Decision.send({ attempt }))
}

const request = (given: Given, current: Step, message: MessageOf<"request">): Step => {
  const { fingerprint } = message
  const { account, moment, policy } = given
  const step = takeCredentials(given, current, fingerprint)
  if (!isIdle(step)) return decideByState(given, step)
  const bar = barOf(step.context, fingerprint, moment.nowMillis)
  if (bar !== null) {
    const { nowMillis } = moment
    return decideByState(
      given,
      on(given, step, { type: "credentials.barred", fingerprint, nowMillis, ...bar })
    )
  }
  return Ledger.room(step.ledger, account, policy) === "full"
    ? decide(step, Decision.wait({ on: "room", forMillis: waitMillis(step, given) }))
    : reserve(given, step, message)
}

const withdraw = (given: Given, step: Step, { claim }: MessageOf<"withdraw">): Step => {
  const reserved = step.context.attempt ?? step.context.lostAttempt
  if (reserved?.claim !== claim) return step
  const { id } = reserved
  return on(
    given,
    { ...step, ledger: Ledger.release(step.ledger, id) },
    { type: "attempt.unsent", attempt: id }
  )
}

const refusalOf = ({ code, generation }: MessageOf<"sessionRefused">, nowMillis: number): AuthEvent =>
  code === 5030
    ? { type: "session.expired", generation }
    : { type: "session.unauthorized", generation, nowMillis }

const replaceCredentials = (
  given: Given,
  step: Step,
  { fingerprint }: MessageOf<"replaceCredentials">
): Step => {
  if (step.context.refusedFingerprints.includes(fingerprint)) {
    return decide(step, Decision.rejected({ why: "refusedCredentials" }))
  }
  const next = on(given, step, { type: "credentials.replaced", fingerprint })
  if (next.state !== "aborted") return next
  const why = next.context.abort?.reason === "addressFlapping" ? "addressFlapping" : "abortedCredentials"
  return decide(next, Decision.rejected({ why }))
}

const resume = (given: Given, step: Step): Step => {
  if (step.state !== "aborted") return decide(step, Decision.rejected({ why: "notAborted" }))
  const next = on(given, step, { type: "attempt.resumed" })
  return next.state === "aborted" ? decide(next, Decision.rejected({ why: "refusedCredentials" })) : next
}

const confirmLockLifted = (given: Given, step: Step): Step => {
  const { account, policy } = given
  const isLocked = (ledger: LedgerRecord): boolean => Ledger.room(ledger, account, policy) === "locked"
  // Without a lock, support cannot have lifted one, so Number's count still stands.
  if (!isLocked(step.ledger)) return decide(step, Decision.rejected({ why: "notLocked" }))
  const next = { ...step, ledger: Ledger.liftLock(step.ledger) }
  return isLocked(next.ledger) ? next : on(given, next, { type: "lock.lifted", by: "operator" })
}

/** Handles the message. */
export const handle = (given: Given, step: Step, message: Message): Step => {
  switch (message.type) {
    case "observe":
      return step
    case "request":
      return request(given, step, message)
    case "withdraw":
      return withdraw(given, step, message)
    case "sessionRefused":
      return on(given, step, refusalOf(message, given.moment.nowMillis))
    case "sessionUnavailable":
      return on(given, step, { type: "session.unavailable", generation: message.generation })
    case "attemptEnded":
      return attemptEnded(given, step, message)
    case "replaceCredentials":
      return replaceCredentials(given, step, message)
    case "resume":
      return resume(given, step)
    case "confirmLockLifted":
      return confirmLockLifted(given, step)
  }
}
