/**
 * Acquires a session: from the store, by an attempt, or by waiting for the attempt of another process.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Decision, Message, Step } from "../../../machine/AuthCore.js"
import type { Fingerprint, Token } from "../../../schemas/Credentials.js"
import { Claim } from "../../../schemas/StoredRecord.js"
import { AuthBusy, type AuthError, AuthUnstored, type Standing } from "../AuthError.js"
import { CredentialError, type CredentialProvider } from "../CredentialProvider.js"
import type { SharedByAccounts } from "./SharedByAccounts.js"
import type { Seat as Turn } from "../../common/turns.js"
import { type AccountLedger, personNeeded, type Stepped } from "./accountLedger.js"
import { type Attempts, reasonOf } from "./attempt.js"
import { type Instant, instant, steadyMillis } from "./clocks.js"
import type { HeldSession, Refusal, SessionHolder } from "./heldSession.js"
import type { Notices } from "./notices.js"
import type { Outbox } from "./outbox.js"
import type { Settings } from "./settings.js"

/** The place of one acquisition: in the queue of accounts, and among its callers. */
export interface Seat {
  /** Its turn among the accounts of the process that need room at the location. */
  readonly turn: Turn
  /** Interrupts the acquisition if all its callers are gone. */
  readonly abandonIfAlone: Effect.Effect<void>
}

/** Acquires sessions. */
export interface Acquisition {
  /** Obtains a session. `refusal`: Number refused the previous one, and the store learns of that first. */
  readonly obtain: (refusal: Refusal | null, seat: Seat) => Effect.Effect<HeldSession, AuthError>
}

/** The token of the account's provider. */
interface TokenAtHand {
  readonly token: Token
  readonly fingerprint: Fingerprint
}

/** The caller must wait: another process has to end its attempt first, or the marks in flight leave no room. */
interface Wait extends Extract<Decision, { readonly _tag: "wait" }> {
  readonly sequence: number
  readonly standing: Standing
}

type Answer = HeldSession | Wait

interface Given {
  readonly settings: Settings
  readonly provider: CredentialProvider["Type"]
  readonly fingerprintOf: (token: Token) => Effect.Effect<Fingerprint>
  readonly ledger: AccountLedger
  readonly attempts: Attempts
  readonly holder: SessionHolder
  readonly notices: Notices
  readonly outbox: Outbox
  readonly shared: Pick<SharedByAccounts["Type"], "queueTimeout">
}

const newClaim: Effect.Effect<Claim> = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 3),
  (parts) => Claim.make(parts.map((part) => part.toString(16).padStart(8, "0")).join(""))
)

const needsRoom = ({ decision }: Stepped): boolean =>
  decision._tag === "send" || (decision._tag === "wait" && decision.on === "room")

/** Fetches the token, within 30 seconds. */
const fetchToken = ({
  fingerprintOf,
  provider,
  settings: { account }
}: Given): Effect.Effect<TokenAtHand, AuthError> =>
  Effect.suspend(() => provider.get(account)).pipe(
    Effect.timeoutFail({
      duration: "30 seconds",
      onTimeout: () => new CredentialError({ detail: "its source did not answer within 30 seconds" })
    }),
    Effect.flatMap((token) => Effect.map(fingerprintOf(token), (fingerprint) => ({ token, fingerprint })))
  )

/** The answer of a step that sends no attempt. */
const answerOf = ({ holder, ledger }: Given, stepped: Stepped): Effect.Effect<Answer, AuthError> => {
  const { decision, nowMillis, sequence, sessionKey } = stepped
  const standing = ledger.standing(stepped.ledger)
  if (decision._tag === "wait") return Effect.succeed({ ...decision, sequence, standing })
  if (decision._tag !== "held") return Effect.fail(personNeeded(stepped, standing)!)
  const { expiresAtMillis, generation } = decision.session
  return holder.hold(sessionKey!, generation, expiresAtMillis - nowMillis)
}

/** Withdraws the reservation of a request that the store did not confirm: no attempt was sent for it. */
const withdraw = (
  { ledger, notices, outbox }: Given,
  claim: Claim,
  began: Instant,
  reserved: Step
): Effect.Effect<void> =>
  outbox.post({
    store: Effect.zipRight(ledger.transact([{ type: "withdraw", claim }]), notices.notify),
    began,
    unstored: (cause) =>
      new AuthUnstored({
        standing: ledger.standing(reserved.ledger),
        outcome: "unsent",
        detail: "the store did not confirm that it was marked",
        why: reasonOf(cause)
      })
  })

/** Asks the core for a session, and makes the attempt if the core decides to send one. */
const request = (
  given: Given,
  messages: ReadonlyArray<Message>,
  { fingerprint, token }: TokenAtHand,
  turn: Turn
): Effect.Effect<Answer, AuthError> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const began = yield* instant
      const claim = yield* newClaim
      let reserved: Step | null = null
      const stepped = yield* given.ledger
        .transact([...messages, { type: "request", fingerprint, claim }], {
          onDecided: (step) => {
            reserved = step.context.attempt?.claim === claim ? step : null
          }
        })
        .pipe(
          Effect.tapError(() => (reserved === null ? Effect.void : withdraw(given, claim, began, reserved)))
        )
      const { decision } = stepped
      // An account that waits for room keeps the turn. In every other case the next account may ask.
      if (decision._tag !== "wait" || decision.on !== "room") turn.leave()
      return decision._tag === "send"
        ? yield* given.attempts.make({ attempt: decision.attempt, token, fingerprint, stepped }, began)
        : yield* answerOf(given, stepped)
    })
  )

/** The answer of the store, which needs no turn, or the token for a request in the account's turn. */
type Ready = { readonly answer: Answer } | { readonly atHand: TokenAtHand }

/**
 * Waits for the account's turn, if it needs room at the location while other accounts of the process wait for room. An
 * answer that the store has ready does not wait behind them.
 */
const prepare = (
  given: Given,
  messages: ReadonlyArray<Message>,
  { abandonIfAlone, turn }: Seat
): Effect.Effect<Ready, AuthError> =>
  Effect.gen(function* () {
    const { shared, ledger } = given
    const atHand = yield* fetchToken(given)
    // All callers may be gone by now. Then no account should wait behind this one.
    yield* abandonIfAlone
    if (turn.takeIfFree()) return { atHand }
    const { fingerprint } = atHand
    const foreseen = yield* ledger.foresee([
      ...messages,
      { type: "request", fingerprint, claim: yield* newClaim }
    ])
    if (!needsRoom(foreseen)) {
      // There is nothing to write, so this is the answer already.
      return foreseen.from === null ? { answer: yield* answerOf(given, foreseen) } : { atHand }
    }
    yield* abandonIfAlone
    const { queueTimeout } = shared
    yield* Duration.isFinite(queueTimeout)
      ? Effect.timeoutFail(turn.enter, {
          duration: queueTimeout,
          onTimeout: () => new AuthBusy({ standing: ledger.standing(foreseen.ledger), on: "turn" })
        })
      : turn.enter
    // The token may have been replaced meanwhile. Other accounts wait now, so its source must answer within 5 seconds.
    const later = yield* Effect.timeoutOption(fetchToken(given), "5 seconds")
    return { atHand: Option.getOrElse(later, () => atHand) }
  })

/** Waits until the store changes, or until the time of the wait is over. */
const awaitChange = ({ ledger }: Given, { forMillis, sequence }: Wait, leftMillis: number) =>
  ledger.changes.pipe(
    Stream.filter((changed) => changed > sequence),
    Stream.runHead,
    Effect.timeoutOption(Duration.millis(Math.max(Math.min(forMillis, leftMillis), 1)))
  )

/** Makes the acquisition of an account's sessions. */
export const makeAcquisition = (given: Given): Acquisition => ({
  obtain: (refusal, seat) =>
    Effect.gen(function* () {
      // Monotonic time, independent of the store's: a clock that is set, or that differs, does not matter.
      let untilMillis = (yield* steadyMillis) + Duration.toMillis(given.settings.waitTimeout)
      let messages: ReadonlyArray<Message> = refusal === null ? [] : [{ type: "sessionRefused", ...refusal }]
      while (true) {
        const beganMillis = yield* steadyMillis
        const ready = yield* prepare(given, messages, seat)
        // The wait for a turn does not count here: it has a limit of its own.
        untilMillis += (yield* steadyMillis) - beganMillis
        const answer =
          "answer" in ready ? ready.answer : yield* request(given, messages, ready.atHand, seat.turn)
        if ("key" in answer) return answer
        // A transaction has taken the messages. If there was none, they changed nothing, and would change nothing
        // again.
        messages = []
        const leftMillis = untilMillis - (yield* steadyMillis)
        if (leftMillis <= 0) return yield* new AuthBusy({ standing: answer.standing, on: answer.on })
        yield* awaitChange(given, answer, leftMillis)
      }
    })
})
