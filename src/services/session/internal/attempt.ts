/**
 * One attempt: it is sent once, and its outcome is stored.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Message, OutcomeFacts } from "../../../machine/AuthCore.js"
import type { Notice } from "../../../machine/Notice.js"
import { AttemptOutcome } from "../../../schemas/AttemptOutcome.js"
import type { Fingerprint, Token } from "../../../schemas/Credentials.js"
import type { AttemptId } from "../../../schemas/StoredRecord.js"
import { type AuthError, AuthLost, AuthUnreachable, AuthUnstored } from "../AuthError.js"
import { AuthStoreError } from "../../store/AuthStoreError.js"
import { annotateSpan, headOf, logAnswer } from "../../wire/answerHead.js"
import { scrubTo } from "../../common/scrub.js"
import { undisturbed } from "../../common/within.js"
import * as NumberMetrics from "../NumberMetrics.js"
import { AttemptNotPermitted, type NumberTransport } from "../../wire/NumberTransport.js"
import { type Accepted, type AccountLedger, personNeeded, type Stepped } from "./accountLedger.js"
import { type Instant, instant } from "./clocks.js"
import type { HeldSession, SessionHolder } from "./heldSession.js"
import type { Notices } from "./notices.js"
import type { Outbox } from "./outbox.js"
import type { Settings } from "./settings.js"

/** An attempt whose mark is stored, and the token that it is for. */
export interface Reserved {
  readonly attempt: AttemptId
  readonly token: Token
  readonly fingerprint: Fingerprint
  /** The step that reserved it. */
  readonly stepped: Stepped
}

/** Makes attempts. */
export interface Attempts {
  /**
   * Sends the reserved attempt, once, and stores its outcome. If the store does not take the outcome at once, the caller still
   * gets the result, and the outbox goes on. `began` is the moment before the reservation: the lease
   * counts from there. It must not be interrupted: the mark stands until the outcome is stored.
   */
  readonly make: (reserved: Reserved, began: Instant) => Effect.Effect<HeldSession, AuthError>
}

/** How far an attempt has come. */
export interface Progress {
  /** The transport was permitted to write the request. */
  readonly isWritten: boolean
  /** Its outcome is known: a late write would be another attempt. */
  readonly isOver: boolean
}

type Denial = AttemptNotPermitted["why"]

/**
 * Why an attempt must not be written now; null if it may be. Monotonic time does not jump, and wall time does not stand
 * still while the machine sleeps: the lease must still run by both.
 */
export const denialOf = (
  { isOver, isWritten }: Progress,
  began: Instant,
  now: Instant,
  leaseMillis: number
): Denial | null => {
  if (isWritten) return "alreadyWritten"
  const isLeaseOver =
    now.nanos - began.nanos >= BigInt(leaseMillis) * 1_000_000n || now.millis - began.millis >= leaseMillis
  return isOver || isLeaseOver ? "leaseEnded" : null
}

/**
 * The outcome of an attempt after a denied permit. If the lease ended before a permit was given, nothing was written:
 * lost becomes unsent. If a second write was denied, the first may have arrived: unsent becomes lost. A transport that
 * never asked for a permit is believed.
 */
export const outcomeAfter = (
  outcome: AttemptOutcome,
  denied: Denial | null,
  { isWritten }: Progress
): AttemptOutcome => {
  if (denied === "leaseEnded" && !isWritten && outcome._tag === "lost") {
    return AttemptOutcome.unsent({ detail: "the request could not be written in time" })
  }
  return denied === "alreadyWritten" && outcome._tag === "unsent"
    ? AttemptOutcome.lost({ detail: "the HTTP client tried to send the attempt twice" })
    : outcome
}

const factsOf = (outcome: AttemptOutcome): OutcomeFacts =>
  outcome._tag === "accepted"
    ? { _tag: "accepted", tokenEndsAtMillis: outcome.tokenEndsAtMillis, lockReported: outcome.lockReported }
    : outcome

/** In characters. A detail of ours holds a text of Number's, which is shortened already, and words around it. */
const longestDetail = 500

/** The outcome without the token, fit to be stored and shown: a custom transport may put the token into its detail. */
const scrubbed = (outcome: AttemptOutcome, token: Token): AttemptOutcome =>
  "detail" in outcome ? { ...outcome, detail: scrubTo(longestDetail, outcome.detail, token) } : outcome

interface Given {
  readonly settings: Settings
  readonly transport: NumberTransport["Type"]
  readonly ledger: AccountLedger
  readonly holder: SessionHolder
  readonly notices: Notices
  readonly outbox: Outbox
}

/** Sends an attempt once, within its time-out. */
const send = (
  { settings, transport }: Pick<Given, "settings" | "transport">,
  reserved: Reserved,
  began: Instant
): Effect.Effect<AttemptOutcome> =>
  Effect.suspend(() => {
    const { account, attemptTimeout, location, policy } = settings
    let progress: Progress = { isWritten: false, isOver: false }
    let denied: Denial | null = null
    const permit = Effect.gen(function* () {
      const now = yield* instant
      // From here to the end nothing yields: two permits that are asked for at once are not both given.
      const why = denialOf(progress, began, now, policy.leaseMillis)
      // A denial is final: a transport that was denied once gets no permit later.
      denied = why ?? denied
      if (denied !== null) return yield* new AttemptNotPermitted({ why: denied })
      progress = { ...progress, isWritten: true }
    })
    return Effect.suspend(() => transport.authenticate({ account, token: reserved.token, permit })).pipe(
      // An error of the transport is not shown, not even on the span: it may hold anything. The attempt is settled all
      // the same, if the transport throws, fails or interrupts itself.
      Effect.catchAllCause(() => Effect.succeed(AttemptOutcome.lost({ detail: "the transport failed" }))),
      Effect.map((outcome) => scrubbed(outcome, reserved.token)),
      Effect.tap((outcome) => annotateSpan(headOf(outcome))),
      Effect.withSpan("NumberAuth.attempt", { attributes: { account, location }, captureStackTrace: false }),
      Effect.disconnect,
      Effect.interruptible,
      Effect.timeoutTo({
        duration: attemptTimeout,
        onSuccess: (outcome) => outcome,
        onTimeout: () =>
          AttemptOutcome.lost({ detail: `no answer came within ${Duration.format(attemptTimeout)}` })
      }),
      Effect.map((outcome) => {
        progress = { ...progress, isOver: true }
        return outcomeAfter(outcome, denied, progress)
      })
    )
  })

/** Counts and logs the outcome of an attempt. */
const report = ({ account, location }: Settings, outcome: AttemptOutcome): Effect.Effect<void> => {
  const detail = "detail" in outcome ? `: ${outcome.detail}` : ""
  const message = `The attempt to authenticate account ${account} at location ${location} was ${outcome._tag}${detail}.`
  return NumberMetrics.attemptEnded(location, outcome._tag).pipe(
    Effect.zipRight(
      logAnswer(message, {
        isGood: outcome._tag === "accepted",
        call: "Authenticate",
        head: headOf(outcome)
      })
    ),
    Effect.annotateLogs({ account, location, outcome: outcome._tag })
  )
}

/** The session, or the error, of a caller whose attempt's outcome is stored. */
const resultOf = (
  { holder, ledger }: Pick<Given, "holder" | "ledger">,
  stepped: Stepped,
  outcome: AttemptOutcome
): Effect.Effect<HeldSession, AuthError> => {
  const { session } = stepped.context
  if (session !== null && stepped.sessionKey !== null) {
    return holder.hold(stepped.sessionKey, session.generation, session.expiresAtMillis - stepped.nowMillis)
  }
  const standing = ledger.standing(stepped.ledger)
  if (outcome._tag === "unsent") return Effect.fail(new AuthUnreachable({ standing, detail: outcome.detail }))
  const detail = "detail" in outcome ? outcome.detail : "its answer came after another attempt had begun"
  return Effect.fail(personNeeded(stepped, standing) ?? new AuthLost({ standing, detail }))
}

/** The notices that the end of an attempt called for, from the state that it led to. */
const noticesDue = (
  { context: { abort }, ledger, state }: Stepped,
  attempt: AttemptId
): ReadonlyArray<Notice> => [
  ...(abort !== null && abort.attempt === attempt ? [{ kind: "aborted", abort } as const] : []),
  ...(state === "locked" ? [{ kind: "locked", reported: ledger.lockReportedAt !== null } as const] : [])
]

/** Why the store did not take an outcome, without the location's count: the outcome's error says that. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof AuthStoreError
    ? `the store is ${error.reason}, ${error.detail}`
    : "the store failed"
}

/** Stores the outcome of an attempt. If the store does not take it, the outbox does, and the result is the one foreseen. */
const settle = (given: Given, reserved: Reserved, began: Instant, outcome: AttemptOutcome) => {
  const { ledger, notices, outbox, settings } = given
  const { attempt, fingerprint, stepped } = reserved
  const accepted: Accepted | undefined =
    outcome._tag === "accepted" ? { attempt, sessionKey: outcome.sessionKey } : undefined
  const message: Message = { type: "attemptEnded", attempt, fingerprint, outcome: factsOf(outcome) }
  const store = ledger.transact([message], { accepted })
  const storeAgain = Effect.zipRight(
    Effect.tap(store, (stored) =>
      Effect.sync(() => {
        // The first try may have been stored after all. Then this one changed nothing, and its notices are still due.
        if (stored.notices.length === 0) {
          notices.add(notices.ofStep({ ...stored, notices: noticesDue(stored, attempt) }))
        }
      })
    ),
    notices.notify
  )
  const onFailure = (cause: Cause.Cause<AuthStoreError>) => {
    const foreseen = ledger.after(stepped, message, accepted)
    const lost = {
      standing: ledger.standing(foreseen.ledger),
      outcome: outcome._tag,
      detail: "detail" in outcome ? outcome.detail : ""
    }
    const unstored = (why: Cause.Cause<unknown>) => new AuthUnstored({ ...lost, why: reasonOf(why) })
    const logged = Effect.logWarning(
      `The outcome of an attempt (${outcome._tag}) could not be stored yet: ${reasonOf(cause)}. It is tried again; closing waits for it while the lease runs.`
    ).pipe(
      Effect.annotateLogs({ account: settings.account, location: settings.location }),
      // A logger that throws must not take the outcome with it.
      Effect.catchAllDefect(() => Effect.void)
    )
    return outbox
      .post({ store: storeAgain, began, unstored })
      .pipe(Effect.zipRight(logged), Effect.zipRight(resultOf(given, foreseen, outcome)))
  }
  return Effect.matchCauseEffect(store, {
    onSuccess: (stored) => resultOf(given, stored, outcome),
    onFailure
  }).pipe(Effect.ensuring(report(settings, outcome)))
}

/** Makes attempts over a transport. */
export const makeAttempts = (given: Given): Attempts => ({
  make: (reserved, began) =>
    Effect.flatMap(undisturbed(send(given, reserved, began)), (outcome) =>
      settle(given, reserved, began, outcome)
    )
})
