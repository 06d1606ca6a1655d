/**
 * The invariants of every step of the pure core. The exhaustive walks check all of them on each transition.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { CoreState, Message, Step } from "../../src/machine/AuthCore.js"
import * as Ledger from "../../src/machine/Ledger.js"
import type { Policy } from "../../src/machine/Policy.js"
import type { AccountCode, Fingerprint } from "../../src/schemas/Credentials.js"
import {
  type Abort,
  AccountRecord,
  type AuthContext,
  LedgerRecord,
  type Mark
} from "../../src/schemas/StoredRecord.js"

const decodeLedger = Schema.decodeUnknownEither(Schema.parseJson(LedgerRecord))
const encodeLedger = Schema.encodeEither(Schema.parseJson(LedgerRecord))
const decodeAccount = Schema.decodeUnknownEither(Schema.parseJson(AccountRecord))
const encodeAccount = Schema.encodeEither(Schema.parseJson(AccountRecord))

const isSameLedger = Schema.equivalence(LedgerRecord)
const isSameRecord = Schema.equivalence(AccountRecord)

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/**
 * Whether a value is unchanged by encoding and decoding. Answers are remembered: a walk meets the same values again and
 * again.
 */
const makeCanBeStored = <A>(
  encode: (value: A) => Either.Either<string, unknown>,
  decode: (text: string) => Either.Either<A, unknown>,
  isSame: (one: A, other: A) => boolean
): ((value: A) => boolean) => {
  const known = new Map<string, boolean>()
  return (value) => {
    const text = JSON.stringify(value)
    const answer = known.get(text)
    if (answer !== undefined) return answer
    const result = Either.match(Either.flatMap(encode(value), decode), {
      onLeft: () => false,
      onRight: (read) => isSame(read, value)
    })
    known.set(text, result)
    return result
  }
}

/**
 * All invariants, by name.
 *
 * @since 0.1.0
 * @category constants
 */
export const invariants = [
  "every record can be stored and read back",
  "an attempt never takes the count past the limit",
  "nothing is sent while a lock is reported",
  "an attempt is sent only with a mark of the same step",
  "an attempt is sent only by the account that is attempting it",
  "a refused fingerprint is never sent again",
  "an aborted account does not send the aborted credentials",
  "a mark is put by a reservation, or put back by a failure",
  "an attempt has one mark",
  "an account has one attempt in flight at the most",
  "what may still be worked on keeps its mark until its end is known",
  "a success clears only what had settled before it was reserved",
  "what a success cleared counts no more, unless its failure comes after all",
  "a mark is removed by an answer, or by a lock that was lifted",
  "a reported lock ends by an operator's word only",
  "authenticated has a session, and only it",
  "attempting has an attempt, and only it",
  "aborted says why, and nothing else does but a lock that came upon it",
  "an account is locked only where the ledger leaves no room",
  "an account that needs an attempt is locked where the ledger leaves no room",
  "a session is never replaced by an older one",
  "a refusal is never forgotten",
  "a refusal is remembered, however late",
  "a report of a lock is no verdict on the credentials",
  "a person is asked only where something is wrong",
  "a person is told of every abort",
  "a person is told of every lock",
  "a person is told of a lock once"
] as const

/**
 * @since 0.1.0
 * @category models
 */
export type Invariant = (typeof invariants)[number]

/**
 * Returns the names of the invariants that a step breaks: none, if all is well.
 *
 * @since 0.1.0
 * @category models
 */
export type Check = (
  before: CoreState,
  account: AccountCode,
  message: Message,
  moment: Ledger.Moment,
  next: Step
) => ReadonlyArray<Invariant>

/**
 * @since 0.1.0
 * @category constructors
 */
export const makeCheck = (policy: Policy): Check => {
  const canBeLedger = makeCanBeStored(encodeLedger, decodeLedger, isSameLedger)
  const canBeRecord = makeCanBeStored(encodeAccount, decodeAccount, isSameRecord)
  return (before, account, message, moment, next) => {
    const broken = brokenBy(policy, before, account, message, moment, next)
    const { context, ledger, state } = next
    return canBeLedger(ledger) && canBeRecord({ version: 1, state, context, sessionKey: null })
      ? broken
      : [...broken, "every record can be stored and read back"]
  }
}

const totalOf = ({ failures, inFlight }: Ledger.Counts["location"]): number => failures + inFlight

/** Whether an abort bars these credentials. After a refusal, the invariant of refused fingerprints says so. */
const isBarredBy = ({ abort, abortedFingerprints }: AuthContext, fingerprint: Fingerprint | null): boolean =>
  abort !== null &&
  !["refused", "barred"].includes(abort.reason) &&
  fingerprint !== null &&
  abortedFingerprints.includes(fingerprint)

const isCleared = (mark: Mark): boolean => mark.status === "settled" && mark.clearedForLocation

/** Whether the reason that an abort gives has occurred. */
const isFounded = (
  { attempt, reason }: Abort,
  before: CoreState,
  message: Message,
  moment: Ledger.Moment
): boolean => {
  switch (reason) {
    case "refused":
    case "faulted":
      return message.type === "attemptEnded" && message.attempt === attempt && message.outcome._tag === reason
    case "lost":
      return (
        (message.type === "attemptEnded" && message.attempt === attempt && message.outcome._tag === "lost") ||
        !before.ledger.marks.some(
          (mark) =>
            mark.attempt === attempt &&
            mark.status === "inFlight" &&
            mark.leaseEndsAtMillis > moment.nowMillis
        )
      )
    case "barred":
    case "expired":
      return message.type === "request"
    case "addressFlapping":
      return message.type === "sessionRefused" && message.code === 5050
  }
}

const brokenBy = (
  policy: Policy,
  before: CoreState,
  account: AccountCode,
  message: Message,
  moment: Ledger.Moment,
  next: Step
): ReadonlyArray<Invariant> => {
  const broken: Array<Invariant> = []
  const holds = (condition: boolean, name: Invariant): void => {
    if (!condition) broken.push(name)
  }
  const { context, decision, ledger, notices, state } = next
  const markOf = (id: number, { marks }: LedgerRecord) => marks.find(({ attempt }) => attempt === id)

  // The ledger.
  const { account: own, location } = Ledger.counts(ledger, account)
  if (decision._tag === "send") {
    holds(
      totalOf(location) <= policy.limit && totalOf(own) <= policy.limit,
      "an attempt never takes the count past the limit"
    )
    holds(before.ledger.lockReportedAt === null, "nothing is sent while a lock is reported")
  }
  if (decision._tag === "send") {
    const { attempt } = decision
    const fingerprint = message.type === "request" ? message.fingerprint : null
    holds(
      attempt === moment.sequence && markOf(attempt, ledger)?.status === "inFlight",
      "an attempt is sent only with a mark of the same step"
    )
    holds(
      context.attempt?.id === attempt && context.attempt.fingerprint === fingerprint,
      "an attempt is sent only by the account that is attempting it"
    )
    holds(
      fingerprint === null || !before.context.refusedFingerprints.includes(fingerprint),
      "a refused fingerprint is never sent again"
    )
    holds(
      before.state !== "aborted" || !isBarredBy(before.context, fingerprint),
      "an aborted account does not send the aborted credentials"
    )
  }
  const isFailureOf = (id: number): boolean =>
    message.type === "attemptEnded" &&
    message.attempt === id &&
    ["refused", "lockedOut", "faulted"].includes(message.outcome._tag)
  const isReservationOf = (id: number): boolean => decision._tag === "send" && decision.attempt === id
  holds(
    ledger.marks.every(
      ({ attempt }) =>
        markOf(attempt, before.ledger) !== undefined || isReservationOf(attempt) || isFailureOf(attempt)
    ),
    "a mark is put by a reservation, or put back by a failure"
  )
  holds(
    new Set(ledger.marks.map(({ attempt }) => attempt)).size === ledger.marks.length,
    "an attempt has one mark"
  )
  holds(
    ledger.marks.filter((mark) => mark.account === account && mark.status === "inFlight").length <= 1,
    "an account has one attempt in flight at the most"
  )
  const ends = (id: number): boolean =>
    (message.type === "attemptEnded" && message.attempt === id) || message.type === "withdraw"
  for (const mark of before.ledger.marks) {
    const after = markOf(mark.attempt, ledger)
    const isBeingWorkedOn =
      (mark.status === "inFlight" && mark.leaseEndsAtMillis > moment.nowMillis) ||
      (mark.status === "lost" && mark.drainsAtMillis > moment.nowMillis)
    holds(
      !isBeingWorkedOn || ends(mark.attempt) || after?.status === mark.status,
      "what may still be worked on keeps its mark until its end is known"
    )
    if (message.type === "attemptEnded" && message.outcome._tag === "accepted" && mark.status === "settled") {
      holds(
        (after !== undefined && !isCleared(after)) ||
          mark.clearedForLocation ||
          mark.attempt === message.attempt ||
          mark.settledAt < message.attempt,
        "a success clears only what had settled before it was reserved"
      )
    }
    holds(
      !isCleared(mark) || after === undefined || isCleared(after) || isFailureOf(mark.attempt),
      "what a success cleared counts no more, unless its failure comes after all"
    )
    const mayRemove =
      message.type === "confirmLockLifted" || message.type === "attemptEnded" || message.type === "withdraw"
    holds(mayRemove || after !== undefined, "a mark is removed by an answer, or by a lock that was lifted")
  }
  holds(
    before.ledger.lockReportedAt === null ||
      ledger.lockReportedAt !== null ||
      message.type === "confirmLockLifted",
    "a reported lock ends by an operator's word only"
  )

  // The chart.
  holds(
    (state === "authenticated") === (context.session !== null),
    "authenticated has a session, and only it"
  )
  holds(
    state.endsWith(".attempting") === (context.attempt !== null),
    "attempting has an attempt, and only it"
  )
  holds(
    state === "aborted" ? context.abort !== null : state === "locked" || context.abort === null,
    "aborted says why, and nothing else does but a lock that came upon it"
  )
  const room = Ledger.room(ledger, account, policy)
  holds(state !== "locked" || room === "locked", "an account is locked only where the ledger leaves no room")
  holds(
    room !== "locked" || !(state.endsWith(".idle") || state === "aborted"),
    "an account that needs an attempt is locked where the ledger leaves no room"
  )
  const generation = context.session?.generation ?? null
  holds(
    generation === null || before.context.session === null || generation >= before.context.session.generation,
    "a session is never replaced by an older one"
  )
  holds(
    before.context.refusedFingerprints.every((refused) => context.refusedFingerprints.includes(refused)),
    "a refusal is never forgotten"
  )
  if (message.type === "attemptEnded" && message.outcome._tag === "refused") {
    holds(context.refusedFingerprints.includes(message.fingerprint), "a refusal is remembered, however late")
  }
  if (message.type === "attemptEnded" && message.outcome._tag === "lockedOut") {
    holds(
      same(context.refusedFingerprints, before.context.refusedFingerprints) &&
        (context.abort === null || context.abort.attempt !== message.attempt),
      "a report of a lock is no verdict on the credentials"
    )
  }

  // Notices.
  const isNewlyAborted =
    context.abort !== null && !same(context.abort, before.context.abort) && before.state !== "locked"
  holds(
    !isNewlyAborted || isFounded(context.abort, before, message, moment),
    "a person is asked only where something is wrong"
  )
  holds(
    !isNewlyAborted ||
      notices.some((notice) => notice.kind === "aborted" && same(notice.abort, context.abort)),
    "a person is told of every abort"
  )
  holds(
    !(state === "locked" && before.state !== "locked") || notices.some(({ kind }) => kind === "locked"),
    "a person is told of every lock"
  )
  holds(
    !(
      before.state === "locked" &&
      Ledger.room(before.ledger, account, policy) === "locked" &&
      state === "locked"
    ) || notices.every(({ kind }) => kind !== "locked"),
    "a person is told of a lock once"
  )
  return broken
}
