/**
 * Statechart and ledger together: what happens to an account's record and its location's ledger in one transaction.
 *
 * Pure, and the only place where both meet. The shell reads both in a transaction, calls {@link AuthCore.step}, stores
 * what comes back, and carries the commands out once the transaction is durable.
 */
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import { transition } from "xstate"
import type { AttemptOutcome } from "../schemas/AttemptOutcome.js"
import type { RefusalCode } from "../schemas/Answers.js"
import type { AccountCode, Fingerprint } from "../schemas/Credentials.js"
import type {
  Abort,
  AttemptId,
  AuthContext,
  Claim,
  LedgerRecord,
  Session,
  StateName
} from "../schemas/StoredRecord.js"
import { StateName as StateNameSchema } from "../schemas/StoredRecord.js"
import { makeAuthMachine, type AuthEvent, type AuthMachine } from "./AuthMachine.js"
import { Command } from "./Command.js"
import * as Ledger from "./Ledger.js"
import type { Policy } from "./Policy.js"

/**
 * What a transaction reads and writes, session key aside.
 *
 * @since 0.1.0
 * @category models
 */
export interface CoreState {
  readonly ledger: LedgerRecord
  readonly state: StateName
  readonly context: AuthContext
}

/**
 * How an attempt ended, without its secret.
 *
 * @since 0.1.0
 * @category models
 */
export type OutcomeFacts =
  | Omit<Extract<AttemptOutcome, { _tag: "accepted" }>, "sessionKey">
  | Exclude<AttemptOutcome, { _tag: "accepted" }>

/**
 * What the shell, or a person through it, tells the core.
 *
 * @since 0.1.0
 * @category models
 */
export type Message =
  /** A caller needs a session; these are the credentials at hand. */
  | { readonly type: "request"; readonly fingerprint: Fingerprint; readonly claim: Claim }
  /** The store did not confirm a request, so nothing was sent for it: what it may have reserved is given back. */
  | { readonly type: "withdraw"; readonly claim: Claim }
  /** Number refused the session key of that generation. */
  | { readonly type: "sessionRefused"; readonly generation: AttemptId; readonly code: RefusalCode }
  /** The session of that generation has no key in this process, which needs one. */
  | { readonly type: "sessionUnavailable"; readonly generation: AttemptId }
  /** An attempt ended. */
  | {
      readonly type: "attemptEnded"
      readonly attempt: AttemptId
      readonly fingerprint: Fingerprint
      readonly outcome: OutcomeFacts
    }
  /** A person brought other credentials. */
  | { readonly type: "replaceCredentials"; readonly fingerprint: Fingerprint }
  /** An operator says that the next attempt may be made. */
  | { readonly type: "resume" }
  /** An operator says that Number's support lifted the lock. */
  | { readonly type: "confirmLockLifted" }
  /** Nothing but the time has passed. */
  | { readonly type: "observe" }

/**
 * What the core answers to a message.
 *
 * - `held`: a session is there.
 * - `send`: the mark is put; send the attempt once the transaction is durable.
 * - `wait`: `attempt`, another process is making this account's attempt; `room`, the location's marks in flight leave
 *   no room. Ask again when the store changes, or after `forMillis` at the latest.
 * - `aborted`, `locked`: a person is needed.
 * - `done`: noted.
 * - `rejected`: a person's wish that would not be safe, or has nothing to act on. Nothing was changed.
 *
 * @since 0.1.0
 * @category models
 */
export type Decision = Data.TaggedEnum<{
  held: { readonly session: Session }
  send: { readonly attempt: AttemptId }
  wait: { readonly on: "attempt" | "room"; readonly forMillis: number }
  aborted: { readonly abort: Abort }
  locked: { readonly reported: boolean }
  done: {}
  rejected: {
    readonly why: "refusedCredentials" | "abortedCredentials" | "addressFlapping" | "notAborted" | "notLocked"
  }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Decision: Data.TaggedEnum.Constructor<Decision> = Data.taggedEnum<Decision>()

/**
 * What one transaction does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Step extends CoreState {
  /** What the chart took, in its order: without what changed nothing. */
  readonly events: ReadonlyArray<AuthEvent>
  readonly commands: ReadonlyArray<Command>
  readonly decision: Decision
}

/**
 * @since 0.1.0
 * @category models
 */
export interface AuthCore {
  readonly policy: Policy
  /** Takes one message of one account, at one moment. */
  readonly step: (core: CoreState, account: AccountCode, message: Message, moment: Ledger.Moment) => Step
}

const decodeCommand = Schema.decodeUnknownSync(Command)
const decodeStateName = Schema.decodeUnknownSync(StateNameSchema)

const nameOf = (value: string | object): StateName =>
  decodeStateName(typeof value === "string" ? value : Object.entries(value)[0]!.join("."))

const valueOf = (name: StateName): string | Record<string, string> => {
  const [state, child] = name.split(".") as [string, string | undefined]
  return child === undefined ? state : { [state]: child }
}

/** Runs the chart over one event: the next state, and its actions decoded as commands. */
const fire = (machine: AuthMachine, step: Step, event: AuthEvent): Step => {
  const snapshot = machine.resolveState({ value: valueOf(step.state), context: step.context })
  const [next, actions] = transition(machine, snapshot, event)
  const commands = actions.map((action) =>
    decodeCommand({ ...(action.params as object | undefined), type: action.type })
  )
  const state = nameOf(next.value)
  // The chart has no transition that only commands.
  const isTaken = state !== step.state || next.context !== step.context
  return {
    ...step,
    state,
    context: next.context,
    events: isTaken ? [...step.events, event] : step.events,
    commands: [...step.commands, ...commands]
  }
}

const isIdle = (state: StateName): boolean => state.endsWith(".idle")

const leaseLost = "the process that made the attempt stopped before its answer was stored"

/**
 * Builds the core for a policy.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeAuthCore = (policy: Policy): AuthCore => {
  const machine = makeAuthMachine(policy)

  const step: AuthCore["step"] = (core, account, message, moment) => {
    const on = (current: Step, event: AuthEvent): Step => fire(machine, current, event)
    const decide = (current: Step, decision: Decision): Step => ({ ...current, decision })
    const { nowMillis } = moment

    /** Moves the account into the location's lock, or out of it. */
    const followLock = (current: Step): Step => {
      const isLocked = Ledger.room(current.ledger, account, policy) === "locked"
      if (current.state === "locked")
        return isLocked ? current : on(current, { type: "lock.lifted", by: "other" })
      if (!isLocked) return current
      // Nothing comes of it while an attempt is under way, or while a session is held.
      return on(current, { type: current.ledger.lockReportedAt === null ? "ledger.full" : "lock.reported" })
    }

    const liftLock = (current: Step): Step => {
      const next = { ...current, ledger: Ledger.liftLock(current.ledger) }
      const isOver = Ledger.room(next.ledger, account, policy) !== "locked"
      return isOver ? on(next, { type: "lock.lifted", by: "operator" }) : next
    }

    /** Catches up with the time that has passed, and with what other processes and accounts did. */
    const catchUp = (current: Step): Step => {
      let next: Step = { ...current, ledger: Ledger.age(current.ledger, moment, policy) }
      const { attempt, session } = next.context
      // The end that this very message brings is not lost, however late it comes: nobody need be told so.
      const isEnding =
        (message.type === "attemptEnded" && message.attempt === attempt?.id) ||
        (message.type === "withdraw" && message.claim === attempt?.claim)
      if (
        attempt !== null &&
        !isEnding &&
        !next.ledger.marks.some((m) => m.attempt === attempt.id && m.status === "inFlight")
      ) {
        next = on(next, {
          type: "attempt.lost",
          attempt: attempt.id,
          fingerprint: attempt.fingerprint,
          detail: leaseLost,
          nowMillis
        })
      }
      if (session !== null && session.expiresAtMillis <= nowMillis) {
        next = on(next, { type: "session.expired", generation: session.generation })
      }
      return followLock(next)
    }

    const request = (current: Step, { claim, fingerprint }: Extract<Message, { type: "request" }>): Step => {
      // Nothing comes of it but where the account is aborted.
      let next = followLock(on(current, { type: "credentials.replaced", fingerprint }))
      const { context, ledger } = next
      if (isIdle(next.state)) {
        const bar = barOf(context, fingerprint, nowMillis)
        if (bar !== null) {
          next = on(next, { type: "credentials.barred", fingerprint, nowMillis, ...bar })
        } else if (Ledger.room(ledger, account, policy) === "full") {
          return decide(next, Decision.wait({ on: "room", forMillis: nextChangeMillis(ledger, moment) }))
        } else {
          const reserved = on(next, {
            type: "attempt.reserved",
            attempt: moment.sequence,
            fingerprint,
            claim
          })
          // The chart has the last word: without its command there is no mark and no attempt.
          if (reserved.commands.some((command) => command.type === "sendAttempt")) {
            return decide(
              { ...reserved, ledger: Ledger.reserve(ledger, account, moment, policy) },
              Decision.send({ attempt: moment.sequence })
            )
          }
        }
      }
      if (next.state === "authenticated")
        return decide(next, Decision.held({ session: next.context.session! }))
      if (next.state === "aborted") return decide(next, Decision.aborted({ abort: next.context.abort! }))
      if (next.state === "locked") {
        return decide(next, Decision.locked({ reported: next.ledger.lockReportedAt !== null }))
      }
      return decide(next, Decision.wait({ on: "attempt", forMillis: nextChangeMillis(ledger, moment) }))
    }

    const ended = (current: Step, end: Extract<Message, { type: "attemptEnded" }>): Step => {
      const { attempt, fingerprint, outcome } = end
      const mark = { id: attempt, account }
      const withLedger = (ledger: LedgerRecord): Step => ({
        ...current,
        ledger: "lockReported" in outcome && outcome.lockReported ? Ledger.reportLock(ledger, moment) : ledger
      })
      switch (outcome._tag) {
        case "accepted": {
          // An end in the past cannot be right: the token has just authenticated.
          const endsAt = outcome.tokenEndsAtMillis
          const tokenEndsAtMillis = endsAt !== null && endsAt > nowMillis ? endsAt : null
          const next = on(withLedger(Ledger.accept(current.ledger, mark, policy)), {
            type: "attempt.accepted",
            attempt,
            fingerprint,
            nowMillis,
            tokenEndsAtMillis
          })
          return tokenEndsAtMillis !== null && tokenEndsAtMillis - nowMillis <= policy.tokenWarningMillis
            ? tell(next, { kind: "tokenExpiring", endsAtMillis: tokenEndsAtMillis })
            : next
        }
        case "refused":
        case "faulted":
          return on(withLedger(failed(current.ledger, mark, outcome, moment, policy)), {
            type: `attempt.${outcome._tag}`,
            attempt,
            fingerprint,
            detail: outcome.detail,
            nowMillis
          })
        case "lost":
          return on(withLedger(Ledger.lose(current.ledger, attempt, moment, policy)), {
            type: "attempt.lost",
            attempt,
            fingerprint,
            detail: outcome.detail,
            nowMillis
          })
        case "unsent":
          return on(withLedger(Ledger.release(current.ledger, attempt)), { type: "attempt.unsent", attempt })
      }
    }

    const handle = (current: Step): Step => {
      switch (message.type) {
        case "observe":
          return current
        case "request":
          return request(current, message)
        case "withdraw": {
          const reserved = current.context.attempt ?? current.context.lostAttempt
          if (reserved?.claim !== message.claim) return current
          const { id } = reserved
          return on(
            { ...current, ledger: Ledger.release(current.ledger, id) },
            { type: "attempt.unsent", attempt: id }
          )
        }
        case "sessionRefused":
          return on(
            current,
            message.code === 5030
              ? { type: "session.expired", generation: message.generation }
              : { type: "session.unauthorized", generation: message.generation, nowMillis }
          )
        case "sessionUnavailable":
          return on(current, { type: "session.unavailable", generation: message.generation })
        case "attemptEnded":
          return ended(current, message)
        case "replaceCredentials": {
          const { fingerprint } = message
          if (current.context.refusedFingerprints.includes(fingerprint)) {
            return decide(current, Decision.rejected({ why: "refusedCredentials" }))
          }
          const next = on(current, { type: "credentials.replaced", fingerprint })
          return next.state === "aborted"
            ? decide(
                next,
                Decision.rejected({
                  why:
                    next.context.abort?.reason === "addressFlapping"
                      ? "addressFlapping"
                      : "abortedCredentials"
                })
              )
            : next
        }
        case "resume": {
          if (current.state !== "aborted") return decide(current, Decision.rejected({ why: "notAborted" }))
          const next = on(current, { type: "attempt.resumed" })
          return next.state === "aborted"
            ? decide(next, Decision.rejected({ why: "refusedCredentials" }))
            : next
        }
        case "confirmLockLifted":
          // Without a lock there is nothing that support can have lifted, and the count is still Number's count.
          return Ledger.room(current.ledger, account, policy) === "locked"
            ? liftLock(current)
            : decide(current, Decision.rejected({ why: "notLocked" }))
      }
    }

    return followLock(handle(catchUp({ ...core, events: [], commands: [], decision: Decision.done() })))
  }

  return { policy, step }
}

/** A fault without an error code is no word of Number's own: a gateway's status, or a body of another form. */
const failed = (
  ledger: LedgerRecord,
  mark: { readonly id: AttemptId; readonly account: AccountCode },
  outcome: Extract<OutcomeFacts, { readonly _tag: "refused" | "faulted" }>,
  moment: Ledger.Moment,
  policy: Policy
): LedgerRecord =>
  outcome._tag === "faulted" && outcome.errorCode === null
    ? Ledger.doubt(ledger, mark, moment, policy)
    : Ledger.settle(ledger, mark, outcome._tag, moment)

const tell = (step: Step, notice: Extract<Command, { type: "notify" }>["notice"]): Step => ({
  ...step,
  commands: [...step.commands, { type: "notify", notice }]
})

/** Why these credentials need not be tried, if there is a reason. */
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
    ? { reason: "expired", detail: "the token is past the end that Number gave for it" }
    : null
}

/** How long until the next lease runs out, and so how long a waiter may wait before it looks again. */
const nextChangeMillis = (ledger: LedgerRecord, moment: Ledger.Moment): number =>
  ledger.marks.reduce(
    (shortest, mark) =>
      mark.status === "inFlight" ? Math.min(shortest, mark.leaseEndsAtMillis - moment.nowMillis) : shortest,
    60_000
  )
