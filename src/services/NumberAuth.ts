/**
 * Holds a session of one account with Number, and never locks the location out.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { type HttpClientError, RequestError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constTrue } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { type Decision, type Message, type OutcomeFacts, type Step } from "../machine/AuthCore.js"
import type { Command } from "../machine/Command.js"
import * as Ledger from "../machine/Ledger.js"
import { defaultPolicy, Policy } from "../machine/Policy.js"
import type { RefusalCode } from "../schemas/Answers.js"
import { AttemptOutcome } from "../schemas/AttemptOutcome.js"
import {
  type AccountCode,
  decodeAccountCode,
  decodeLocation,
  decodeToken,
  type Fingerprint,
  type Location,
  SessionKey,
  type Token
} from "../schemas/Credentials.js"
import { decodeInput, InvalidInput } from "../schemas/InvalidInput.js"
import {
  type Abort,
  type AccountRecord,
  type AttemptId,
  Claim,
  type Session,
  type StateName
} from "../schemas/StoredRecord.js"
import {
  AuthAborted,
  AuthBusy,
  AuthLocked,
  AuthLost,
  AuthRejected,
  AuthUnreachable,
  type Place
} from "./AuthError.js"
import { AuthInspector, makeRecord, show } from "./AuthInspector.js"
import { type AuthNotice, AuthNotifier, makeNotice } from "./AuthNotifier.js"
import { AuthStore, AuthStoreError, makeMemory, type Stored, type Write } from "./AuthStore.js"
import { CredentialError, CredentialProvider } from "./CredentialProvider.js"
import { Company } from "./internal/Company.js"
import { annotateSpan, type Answered, answeredBy, tell } from "./internal/callLog.js"
import { FingerprintCost, fingerprintInTurn } from "./internal/fingerprint.js"
import { withOwnSpan } from "./internal/quietSpans.js"
import { requestInit } from "./internal/redirects.js"
import { scrub } from "./internal/scrub.js"
import {
  canBeReplayed,
  resolveUrl,
  sendWithKey,
  type Sent,
  sentWithin
} from "./internal/sessionHttpClient.js"
import type { Place as Turn } from "./internal/turns.js"
import * as NumberMetrics from "./NumberMetrics.js"
import { AttemptNotPermitted, decodeBaseUrl, defaultBaseUrl, NumberTransport } from "./NumberTransport.js"
import * as SessionRefusal from "./SessionRefusal.js"
import type { SessionSignature } from "./SessionSignature.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The account code: 2 letters and 7 digits. */
  readonly account: string
  /**
   * The name of the egress IP. All that shares the IP uses one name and one store; an address that comes and goes (a
   * failover line) needs a name of its own. Default `default`.
   */
  readonly location?: string | undefined
  /** What `httpClient` puts before relative URLs. Default: that of `NumberTransport.defaultBaseUrl`. */
  readonly baseUrl?: string | undefined
  /** How long an attempt may take before it is given up as lost. Default 30 seconds. */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /** How long an attempt holds its lease; longer than `attemptTimeout`. Default `attemptTimeout` and 15 seconds. */
  readonly leaseDuration?: Duration.DurationInput | undefined
  /** How long a caller waits for another's attempt or for room before `AuthBusy`. Default: the lease and 5 seconds. */
  readonly waitTimeout?: Duration.DurationInput | undefined
  /** `Policy.limit`: 1 to 5, default 5. */
  readonly limit?: number | undefined
  /** `Policy.drainMillis` as a duration. Default 5 minutes. */
  readonly drainTime?: Duration.DurationInput | undefined
  /** `Policy.lostAttempts`. Default `abort`. */
  readonly lostAttempts?: Policy["lostAttempts"] | undefined
  /** `Policy.successClears`. Default `location`. */
  readonly successClears?: Policy["successClears"] | undefined
  /** `Policy.sessionLifetimeMillis` as a duration. Default 25 hours. */
  readonly sessionLifetime?: Duration.DurationInput | undefined
  /** `Policy.tokenWarningMillis` as a duration. Default 30 days. */
  readonly tokenWarning?: Duration.DurationInput | undefined
}

/**
 * How an account and its location stand.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthStatus {
  readonly state: StateName
  readonly account: AccountCode
  readonly location: Location
  /** Unsuccessful attempts in a row: the greater of the location's count and the account's own. */
  readonly failures: number
  /** Attempts of the location that are under way: each may become a failure. */
  readonly inFlight: number
  /** How many failures the library allows itself. */
  readonly limit: number
  /** When the session that is held ends by the clock. */
  readonly expiresAt: Option.Option<DateTime.Utc>
  /** The generation of the session that is held. */
  readonly generation: Option.Option<AttemptId>
  /** When the token ends, as far as Number has said. */
  readonly tokenEndsAt: Option.Option<DateTime.Utc>
  readonly abort: Option.Option<Abort>
  /** Whether the location is locked for this account, and by whom. A held session goes on serving. */
  readonly lock: Option.Option<"reported" | "limit">
}

/**
 * Why no session is to be had.
 *
 * @since 0.1.0
 * @category errors
 */
export type AuthError =
  | AuthAborted
  | AuthLocked
  | AuthUnreachable
  | AuthLost
  | AuthBusy
  | AuthStoreError
  | CredentialError
  | InvalidInput

/**
 * The session key was renewed, and the refused call was not sent again, since its body can be read only once.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestNotReplayable extends Schema.TaggedError<RequestNotReplayable>(
  "effect-number-auth/RequestNotReplayable"
)("RequestNotReplayable", { method: Schema.String }) {
  override get message(): string {
    return `Number refused the session key and did not carry out the ${this.method} request. The session was renewed, but the request's body is a stream that may be read only once, so it was not sent again. The location's count is unchanged. Send the request again with a fresh body.`
  }
}

/**
 * An `HttpClient` whose requests carry the session key.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionHttpClient = HttpClient.HttpClient.With<SessionHttpError>

/**
 * @since 0.1.0
 * @category models
 */
export interface HttpClientOptions {
  /** Signs the session key of every request, as methods that carry cardholder data want it. Default: it goes bare. */
  readonly signature?: SessionSignature["Type"] | undefined
  /**
   * How long one sending of a request may take until its answer is there; the wait for a session is not part of it. A
   * request that took longer fails with a `RequestError` of reason `Transport`, and may have been carried out. Default:
   * as long as the client at hand allows.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category errors
 */
export type SessionHttpError = HttpClientError | AuthError | RequestNotReplayable

/**
 * The session of one account.
 *
 * @since 0.1.0
 * @category services
 */
export class NumberAuth extends Context.Tag("effect-number-auth/NumberAuth")<
  NumberAuth,
  {
    /**
     * The session key. Where one is held this touches neither store nor network; else all callers of the account, in
     * every process that shares the store, get the result of one attempt. An unsuccessful attempt is never retried.
     */
    readonly sessionKey: Effect.Effect<SessionKey, AuthError>
    /**
     * Runs `use` with the session key. Where its result says that the key was refused (`SessionRefusal.fromResult`
     * finds 5030 or 5050), renews the session and runs `use` once more, and only once.
     */
    readonly withSession: <A, E, R>(
      use: (key: SessionKey) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | AuthError, R>
    /**
     * Sends every request below the base URL with the header `SessKey`, renews on 5030 and 5050, and sends the refused
     * request once more, only because the answer itself says that it was not carried out. An `HttpClient` at hand that
     * retries is stopped from sending a request twice; to repeat one that may be, retry this client.
     */
    readonly httpClient: SessionHttpClient
    /**
     * The same with a signature, a time-out, or both. What is replayed is signed anew, under the time of the replay.
     */
    readonly httpClientWith: (options: HttpClientOptions) => SessionHttpClient
    /** How things stand, by the store, without changing it. */
    readonly status: Effect.Effect<AuthStatus, AuthStoreError>
    /**
     * The status now, and again when a transaction, of whichever process, has changed it. Quiet while the store is away,
     * and about what time alone changes (a session's end, a lease, a drain).
     */
    readonly changes: Stream.Stream<AuthStatus>
    /** Takes a new token. One that Number refused before is rejected. The location's count stays as it is. */
    readonly replaceCredentials: (
      token: string
    ) => Effect.Effect<void, InvalidInput | AuthRejected | AuthStoreError | CredentialError>
    /** An operator's word that one more attempt may be made, after an abort that was no refusal of the credentials. */
    readonly resume: Effect.Effect<void, AuthRejected | AuthStoreError>
    /**
     * An operator's word that Number's support has lifted the lock and set the count of the IP to zero, no sooner than
     * `drainTime` after the last attempt, and that nothing was attempted since. To say so when it is not true is to lock the location.
     */
    readonly confirmLockLifted: Effect.Effect<AuthStatus, AuthRejected | AuthStoreError>
  }
>() {}

interface HeldSession {
  readonly key: SessionKey
  readonly generation: AttemptId
  /** By this host's clock, which need not be the store's. */
  readonly endsAtMillis: number
}

interface Refusal {
  readonly generation: AttemptId
  readonly code: RefusalCode
}

/** The session that was held before Number refused it or its time was over. */
interface Ended {
  readonly generation: AttemptId
  readonly reason: NumberMetrics.RenewalReason
  readonly ageMillis: number
}

/** A step that was stored, with the key it left, the last sequence number drawn by then, and the store's time. */
interface Taken extends Step {
  readonly sessionKey: SessionKey | null
  readonly sequence: number
  readonly nowMillis: number
  /** The state before it; null where nothing was written. */
  readonly from: StateName | null
}

interface Reserved {
  readonly attempt: AttemptId
  readonly token: Token
  readonly fingerprint: Fingerprint
}

interface Instant {
  readonly millis: number
  readonly nanos: bigint
}

interface Wait extends Extract<Decision, { readonly _tag: "wait" }> {
  readonly sequence: number
  readonly place: Place
}

interface Flight {
  readonly landing: Deferred.Deferred<HeldSession, AuthError>
  /** The newest generation whose refusal this flight knows of; 0 where it knows of none. */
  readonly refused: AttemptId
  /** Its place among the accounts of the process that need room at the location. */
  readonly turn: Turn
  /** How many callers await it, the one who began it included. */
  callers: number
  fiber: Fiber.RuntimeFiber<HeldSession, AuthError> | null
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** The token at hand. */
interface AtHand {
  readonly token: Token
  readonly fingerprint: Fingerprint
}

/**
 * Runs an effect where no interruption reaches it. `Effect.uninterruptible` is not enough: a fiber that is interrupted
 * passes the signal on to its children even so, and a time-out runs what it times in a child.
 */
const undisturbed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptible(Effect.flatMap(Effect.forkDaemon(effect), Fiber.join))

const instant: Effect.Effect<Instant> = Effect.all({
  millis: Clock.currentTimeMillis,
  nanos: Clock.currentTimeNanos
})

const steadyMillis: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) =>
  Number(nanos / 1_000_000n)
)

/** Asks an absent store again, soon at first and every 5 seconds later on. */
const storeIsBack = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced("5 seconds")))

const newClaim: Effect.Effect<Claim> = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 3),
  (parts) => Claim.make(parts.map((part) => part.toString(16).padStart(8, "0")).join(""))
)

const utc = (millis: number): DateTime.Utc => DateTime.unsafeMake(millis)

/** The key that the record holds after the commands; `accepted` is that of the attempt that was just accepted. */
const keyAfter = (
  commands: ReadonlyArray<Command>,
  before: SessionKey | null,
  accepted: SessionKey | null
): SessionKey | null =>
  commands.reduce(
    (key, command) =>
      command.type === "holdSession" ? accepted : command.type === "dropSession" ? null : key,
    before
  )

const factsOf = (outcome: AttemptOutcome): OutcomeFacts =>
  outcome._tag === "accepted"
    ? { _tag: "accepted", tokenEndsAtMillis: outcome.tokenEndsAtMillis, lockReported: outcome.lockReported }
    : outcome

/** What `withSession` fails with by itself; all else is `use`'s. */
const isOwnError = (error: unknown): boolean =>
  [
    AuthAborted,
    AuthLocked,
    AuthUnreachable,
    AuthLost,
    AuthBusy,
    AuthStoreError,
    CredentialError,
    InvalidInput,
    SessionRefusal.SessionRefused
  ].some((kind) => error instanceof kind)

interface Settings {
  readonly account: AccountCode
  readonly location: Location
  readonly baseUrl: string
  readonly attemptTimeout: Duration.Duration
  readonly waitTimeout: Duration.Duration
  readonly policy: Policy
}

const validatePolicy = Schema.validateEither(Policy)

const decodeSettings = (options: Options): Either.Either<Settings, InvalidInput> =>
  Either.gen(function* () {
    const account = yield* decodeAccountCode(options.account)
    const location = yield* decodeLocation(options.location ?? "default")
    const baseUrl = yield* decodeBaseUrl(options.baseUrl ?? defaultBaseUrl)
    const attemptTimeout = Duration.decode(options.attemptTimeout ?? "30 seconds")
    const leaseDuration = Duration.decode(options.leaseDuration ?? Duration.sum(attemptTimeout, "15 seconds"))
    if (!Duration.isFinite(leaseDuration) || Duration.toMillis(attemptTimeout) < 1) {
      return yield* Either.left(
        new InvalidInput({ field: "attempt time-out", expected: "a finite duration such as 30 seconds" })
      )
    }
    if (Duration.lessThanOrEqualTo(leaseDuration, attemptTimeout)) {
      return yield* Either.left(
        new InvalidInput({ field: "lease duration", expected: "a duration longer than the attempt time-out" })
      )
    }
    const millis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
      input === undefined ? otherwise : Math.round(Duration.toMillis(input))
    const policy = yield* Either.mapLeft(
      validatePolicy({
        ...defaultPolicy,
        limit: options.limit ?? defaultPolicy.limit,
        leaseMillis: millis(leaseDuration, defaultPolicy.leaseMillis),
        drainMillis: millis(options.drainTime, defaultPolicy.drainMillis),
        lostAttempts: options.lostAttempts ?? defaultPolicy.lostAttempts,
        successClears: options.successClears ?? defaultPolicy.successClears,
        sessionLifetimeMillis: millis(options.sessionLifetime, defaultPolicy.sessionLifetimeMillis),
        tokenWarningMillis: millis(options.tokenWarning, defaultPolicy.tokenWarningMillis)
      }),
      () =>
        new InvalidInput({
          field: "policy",
          expected: "a limit from 1 to 5 (Number locks the IP at 6), and positive, finite durations"
        })
    )
    const waitTimeout = Duration.decode(options.waitTimeout ?? Duration.sum(leaseDuration, "5 seconds"))
    return { account, location, baseUrl, attemptTimeout, waitTimeout, policy }
  })

/**
 * Builds the session of one account. An attempt that is under way when the scope closes is awaited, settled and told of,
 * for `attemptTimeout` and the time that store and notifier take: to cut it off would spend a mark. Who asks after that is
 * interrupted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  NumberAuth["Type"],
  InvalidInput,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient | Scope.Scope
> =>
  Effect.gen(function* () {
    const settings = yield* decodeSettings(options)
    const { account, location, policy } = settings
    const store = yield* AuthStore
    const transport = yield* NumberTransport
    const notifier = yield* AuthNotifier
    const provider = yield* CredentialProvider
    const client = yield* HttpClient.HttpClient
    const scope = yield* Effect.scope
    const context = yield* Effect.context<never>()
    const init = yield* requestInit
    const company = yield* Company
    const inspector = yield* AuthInspector
    const core = company.coreOf(policy)
    const fingerprintCost = yield* FingerprintCost
    const fingerprintOf = (token: Token) =>
      fingerprintInTurn(account, token, fingerprintCost, company.fingerprinting)
    const key = { location, account }

    // The hot path reads this and nothing else.
    let held: HeldSession | null = null
    let ended: Ended | null = null
    let flight: Flight | null = null

    const placeOf = (ledger: Ledger.Ledger): Place => {
      const counts = Ledger.counts(ledger, account)
      return {
        account,
        location,
        failures: Math.max(counts.location.failures, counts.account.failures),
        limit: policy.limit
      }
    }

    const coreStateOf = ({ account: record, ledger }: Stored) => ({
      ledger,
      state: record.state,
      context: record.context
    })

    const stepThrough = (stored: Stored, messages: ReadonlyArray<Message>): Step => {
      let step: Step = { ...coreStateOf(stored), events: [], commands: [], decision: { _tag: "done" } }
      const take = (message: Message): void => {
        const next = core.step(step, account, message, stored.moment)
        step = {
          ...next,
          events: [...step.events, ...next.events],
          commands: [...step.commands, ...next.commands]
        }
      }
      for (const message of messages) {
        const { session } = step.context
        // Another process has the key, and the store keeps none: what this one cannot use is as good as none.
        if (
          message.type === "request" &&
          session !== null &&
          keyAfter(step.commands, stored.account.sessionKey, null) === null
        ) {
          take({ type: "sessionUnavailable", generation: session.generation })
        }
        take(message)
      }
      return step
    }

    /**
     * Runs messages through the core, as one transaction: all of it is durable when it succeeds. `onDecided` sees what it
     * is to write, as often as it is tried.
     */
    const transact = (
      messages: ReadonlyArray<Message>,
      accepted: SessionKey | null = null,
      onDecided: (step: Step) => void = () => {}
    ): Effect.Effect<Taken, AuthStoreError> =>
      Effect.tap(
        store.transact(key, (stored): readonly [Taken, Write] => {
          const before = coreStateOf(stored)
          const step = stepThrough(stored, messages)
          onDecided(step)
          const { nowMillis, sequence } = stored.moment
          const sessionKey = keyAfter(step.commands, stored.account.sessionKey, accepted)
          if (
            step.ledger === before.ledger &&
            step.state === before.state &&
            step.context === before.context
          ) {
            return [{ ...step, sessionKey, sequence: sequence - 1, nowMillis, from: null }, null]
          }
          const record: AccountRecord = { version: 1, state: step.state, context: step.context, sessionKey }
          return [
            { ...step, sessionKey, sequence, nowMillis, from: before.state },
            { ledger: step.ledger, account: record }
          ]
        }),
        (taken) =>
          Effect.suspend(() => {
            const notices = noticesOf(taken)
            untold = [...untold, ...notices]
            if (inspector !== null && taken.from !== null) {
              const { events, from, nowMillis, sequence } = taken
              const moment = { nowMillis, sequence }
              const { limit } = policy
              show(inspector, makeRecord({ key, moment, limit, from, after: taken, events, notices }))
            }
            return NumberMetrics.roomLeft(location, roomIn(taken.ledger))
          })
      )

    /** How many more attempts the location's count allows. */
    const roomIn = (ledger: Ledger.Ledger): number => {
      const { failures, inFlight } = Ledger.counts(ledger, account).location
      return ledger.lockReportedAt === null ? Math.max(policy.limit - failures - inFlight, 0) : 0
    }

    /** What people have yet to be told. */
    let untold: ReadonlyArray<AuthNotice> = []

    const noticesOf = (step: Step): ReadonlyArray<AuthNotice> => {
      const lock = Ledger.lockOf(step.ledger, policy)
      return step.commands
        .filter((command) => command.type === "notify")
        .map(({ notice }) => makeNotice(notice, placeOf(step.ledger)))
        .filter((told) => told.notice.kind !== "locked" || lock === null || company.tellsOfLock(lock, told))
    }

    const notifyOf = (notice: AuthNotice): Effect.Effect<void> =>
      Effect.suspend(() => notifier.notify(notice)).pipe(
        // What a notifier throws is not shown: it is not ours, and may hold anything. Caught before it leaves the
        // fiber of its own, since that fiber's end is logged.
        Effect.exit,
        Effect.disconnect,
        Effect.interruptible,
        Effect.timeoutTo({ duration: "10 seconds", onSuccess: Exit.isSuccess, onTimeout: () => false }),
        Effect.flatMap((isTold) => {
          if (isTold) return Effect.void
          const instead = notice.notice.kind === "locked" ? company.afterUntoldLock() : null
          return Effect.zipRight(
            Effect.logError(
              `The notifier failed to tell people that account ${notice.place.account} needs them (${notice.notice.kind}).`
            ),
            instead === null ? Effect.void : notifyOf(instead)
          )
        })
      )

    /** Tells people, however the fiber that does so is interrupted meanwhile. */
    const tellPeople = Effect.suspend(() => {
      // As a rule there is nothing to tell, and a fiber of its own would be begun for nothing.
      if (untold.length === 0) return Effect.void
      return undisturbed(
        // Taken in that fiber: who is interrupted before it has begun must not take the notices along.
        Effect.suspend(() => {
          const notices = untold
          untold = []
          return Effect.forEach(notices, notifyOf, { discard: true })
        })
      )
    })

    /** Keeps a session for the hot path, for as long as it has left, unless a newer one is kept already. */
    const hold = (key: SessionKey, generation: AttemptId, leftMillis: number): Effect.Effect<HeldSession> =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
        const session = { key, generation, endsAtMillis: nowMillis + leftMillis }
        const isNewer =
          held === null ||
          held.generation <= generation ||
          // A store that went back to a backup gives lower numbers to later sessions.
          held.endsAtMillis <= session.endsAtMillis
        if (!isNewer) return Effect.succeed(session)
        const before =
          held !== null && nowMillis >= held.endsAtMillis ? endOf(held, "expired", nowMillis) : ended
        held = session
        if (before === null || before.generation === generation) return Effect.succeed(session)
        ended = null
        return Effect.as(NumberMetrics.sessionRenewed(location, before), session)
      })

    const endOf = (
      { endsAtMillis, generation }: HeldSession,
      reason: Ended["reason"],
      nowMillis: number
    ): Ended => ({
      generation,
      reason,
      ageMillis: nowMillis - (endsAtMillis - policy.sessionLifetimeMillis)
    })

    /** The same for a session that a step left, which has its end by the store's clock. */
    const holdStored = (
      { generation, expiresAtMillis }: Session,
      { nowMillis }: Taken,
      key: SessionKey
    ): Effect.Effect<HeldSession> => hold(key, generation, expiresAtMillis - nowMillis)

    /**
     * Sends the attempt that was reserved, once. Not to be interrupted: from the reservation on a mark stands, and only
     * the attempt's outcome can take it away.
     */
    const send = (reserved: Reserved, began: Instant): Effect.Effect<AttemptOutcome> =>
      Effect.suspend(() => {
        let isWritten = false
        let isOver = false
        let why: AttemptNotPermitted["why"] | null = null
        const permit = Effect.gen(function* () {
          const now = yield* instant
          const { leaseMillis } = policy
          if (isWritten) why = "alreadyWritten"
          // Monotonic time does not jump, and wall time does not stand still while the machine sleeps: both must agree.
          else if (
            isOver ||
            now.nanos - began.nanos >= BigInt(leaseMillis) * 1_000_000n ||
            now.millis - began.millis >= leaseMillis
          ) {
            why = "leaseEnded"
          }
          if (why !== null) return yield* new AttemptNotPermitted({ why })
          isWritten = true
        })
        return transport.authenticate({ account, token: reserved.token, permit }).pipe(
          // What a transport throws is not shown, on the span either: it may hold anything.
          Effect.catchAllDefect(() =>
            Effect.succeed(AttemptOutcome.lost({ detail: "the transport failed" }))
          ),
          Effect.tap((outcome) => annotateSpan(answeredOf(reserved, outcome))),
          Effect.withSpan("NumberAuth.attempt", {
            attributes: { account, location },
            captureStackTrace: false
          }),
          Effect.disconnect,
          Effect.interruptible,
          Effect.timeoutTo({
            duration: settings.attemptTimeout,
            onSuccess: (outcome) => outcome,
            onTimeout: () =>
              AttemptOutcome.lost({
                detail: `no answer came within ${Duration.format(settings.attemptTimeout)}`
              })
          }),
          Effect.map((outcome): AttemptOutcome => {
            isOver = true
            // What was refused its permit was not written, and what may have been written twice is not unsent. A
            // transport that never asked is taken at its word, which may be "lost".
            if (why === "leaseEnded" && !isWritten && outcome._tag === "lost") {
              return AttemptOutcome.unsent({ detail: "the request could not be written in time" })
            }
            return why === "alreadyWritten" && outcome._tag === "unsent"
              ? AttemptOutcome.lost({ detail: "the HTTP client tried to send the attempt twice" })
              : outcome
          })
        )
      })

    /** What a transport says is scrubbed by then, as a rule; one of the user's own may not do so. */
    const answeredOf = ({ token }: Reserved, outcome: AttemptOutcome): Answered =>
      answeredBy(outcome, (text) => scrub(text, token))

    const attemptMessage = ({ token }: Reserved, outcome: AttemptOutcome): string => {
      const detail = "detail" in outcome ? `: ${scrub(outcome.detail, token)}` : ""
      return `The attempt to authenticate account ${account} at location ${location} was ${outcome._tag}${detail}.`
    }

    /** Counts and logs an attempt, once it is stored how it ended. */
    const tellOf = (reserved: Reserved, outcome: AttemptOutcome): Effect.Effect<void> =>
      NumberMetrics.attemptEnded(location, outcome._tag).pipe(
        Effect.zipRight(
          tell(attemptMessage(reserved, outcome), {
            isGood: outcome._tag === "accepted",
            call: "Authenticate",
            answered: answeredOf(reserved, outcome)
          })
        ),
        Effect.annotateLogs({ account, location, outcome: outcome._tag })
      )

    /** Stores how an attempt ended. */
    const settle = (reserved: Reserved, outcome: AttemptOutcome): Effect.Effect<HeldSession, AuthError> => {
      const { attempt, fingerprint } = reserved
      const sessionKey = outcome._tag === "accepted" ? outcome.sessionKey : null
      const store = transact(
        [{ type: "attemptEnded", attempt, fingerprint, outcome: factsOf(outcome) }],
        sessionKey
      )
      // The mark stands until the store takes the outcome, so it goes on trying; a key that was accepted serves already.
      const storeLater = store.pipe(
        Effect.sandbox,
        Effect.retry(storeIsBack),
        Effect.tap((taken) =>
          Effect.sync(() => {
            // The first try may have held after all: then this one moved nothing, and nobody has been told.
            const { abort } = taken.context
            if (taken.commands.length === 0 && abort !== null && abort.attempt === attempt) {
              untold = [...untold, makeNotice({ kind: "aborted", abort }, placeOf(taken.ledger))]
            }
          })
        ),
        Effect.zipRight(tellPeople),
        Effect.interruptible,
        company.keep,
        Effect.forkIn(scope)
      )
      return Effect.matchCauseEffect(store, {
        onSuccess: (taken) => resultOf(taken, outcome),
        onFailure: (cause) =>
          Effect.zipRight(
            storeLater,
            sessionKey === null
              ? Effect.failCause(cause)
              : hold(sessionKey, attempt, policy.sessionLifetimeMillis)
          )
      }).pipe(Effect.ensuring(tellOf(reserved, outcome)))
    }

    /** What the caller gets once the outcome of its attempt is stored. */
    const resultOf = (taken: Taken, outcome: AttemptOutcome): Effect.Effect<HeldSession, AuthError> => {
      const { session } = taken.context
      if (session !== null && taken.sessionKey !== null) return holdStored(session, taken, taken.sessionKey)
      const place = placeOf(taken.ledger)
      if (outcome._tag === "unsent")
        return Effect.fail(new AuthUnreachable({ place, detail: outcome.detail }))
      return Effect.fail(
        personNeeded(taken) ??
          new AuthLost({
            place,
            detail: "detail" in outcome ? outcome.detail : "its answer came after another attempt had begun"
          })
      )
    }

    /** The error of a state in which a person is needed. */
    const personNeeded = (step: Step): AuthAborted | AuthLocked | null => {
      const place = placeOf(step.ledger)
      if (step.state === "locked")
        return new AuthLocked({ place, reported: step.ledger.lockReportedAt !== null })
      return step.state === "aborted" ? new AuthAborted({ place, abort: step.context.abort! }) : null
    }

    const tokenAtHand: Effect.Effect<AtHand, AuthError> = Effect.suspend(() => provider.get(account)).pipe(
      Effect.timeoutFail({
        duration: "30 seconds",
        onTimeout: () => new CredentialError({ detail: "its source did not answer within 30 seconds" })
      }),
      Effect.flatMap((token) => Effect.map(fingerprintOf(token), (fingerprint) => ({ token, fingerprint })))
    )

    /**
     * Waits for the account's turn where it would need room at the location, and others of the process wait for that.
     * What the store can answer without an attempt does not wait behind them.
     */
    const awaitTurn = (
      messages: ReadonlyArray<Message>,
      atHand: AtHand,
      own: Flight
    ): Effect.Effect<AtHand, AuthError> =>
      Effect.gen(function* () {
        const { turn } = own
        // All may have gone while the token was fetched, or the store read: nobody is to wait behind this one.
        const leaveIfAlone = Effect.suspend(() => {
          if (own.callers > 0) return Effect.void
          if (flight === own) flight = null
          return Effect.interrupt
        })
        yield* leaveIfAlone
        if (turn.takeIfFree()) return atHand
        const stored = yield* store.read(key)
        const { fingerprint } = atHand
        const { decision, ledger } = stepThrough(stored, [
          ...messages,
          { type: "request", fingerprint, claim: yield* newClaim }
        ])
        const needsRoom = decision._tag === "send" || (decision._tag === "wait" && decision.on === "room")
        if (!needsRoom) return atHand
        yield* leaveIfAlone
        yield* Duration.isFinite(company.queueTimeout)
          ? Effect.timeoutFail(turn.enter, {
              duration: company.queueTimeout,
              onTimeout: () => new AuthBusy({ place: placeOf(ledger), on: "turn" })
            })
          : turn.enter
        // That may have taken long, and the token may have been replaced. Others wait, so its source has to be quick.
        return Option.getOrElse(yield* Effect.timeoutOption(tokenAtHand, "5 seconds"), () => atHand)
      })

    /** Asks the core for a session, and makes the attempt that it may call for. */
    const request = (
      messages: ReadonlyArray<Message>,
      { fingerprint, token }: AtHand,
      turn: Turn
    ): Effect.Effect<HeldSession | Wait, AuthError> =>
      Effect.uninterruptible(
        Effect.gen(function* () {
          const began = yield* instant
          const claim = yield* newClaim
          let isReserved = false
          const asked = { type: "request", fingerprint, claim } as const
          const taken = yield* transact([...messages, asked], null, (step) => {
            isReserved = step.context.attempt?.claim === claim
          }).pipe(Effect.tapError(() => (isReserved ? withdraw(claim) : Effect.void)))
          const { decision, sequence } = taken
          // Who waits for room keeps the turn; whoever has it, or needs none, lets the next ask.
          if (decision._tag !== "wait" || decision.on !== "room") turn.leave()
          if (decision._tag === "send") {
            const reserved = { attempt: decision.attempt, token, fingerprint }
            return yield* settle(reserved, yield* undisturbed(send(reserved, began)))
          }
          if (decision._tag === "wait") return { ...decision, sequence, place: placeOf(taken.ledger) }
          return decision._tag === "held"
            ? yield* holdStored(decision.session, taken, taken.sessionKey!)
            : yield* Effect.fail(personNeeded(taken)!)
        })
      )

    /**
     * Gives back what a request has reserved although the store did not confirm it: nothing was sent for it. Goes on until
     * the store is back.
     */
    const withdraw = (claim: Claim): Effect.Effect<void> =>
      transact([{ type: "withdraw", claim }]).pipe(
        Effect.retry(storeIsBack),
        Effect.zipRight(tellPeople),
        Effect.interruptible,
        company.keep,
        Effect.forkIn(scope),
        Effect.asVoid
      )

    /** Obtains a session: from the store, by an attempt of its own, or by waiting for another's. */
    const obtain = (refusal: Refusal | null, own: Flight): Effect.Effect<HeldSession, AuthError> =>
      Effect.gen(function* () {
        // Monotonic, and apart from the store's time: neither a clock that is set nor one that differs matters.
        let untilMillis = (yield* steadyMillis) + Duration.toMillis(settings.waitTimeout)
        let messages: ReadonlyArray<Message> =
          refusal === null ? [] : [{ type: "sessionRefused", ...refusal }]
        while (true) {
          const askedMillis = yield* steadyMillis
          const first = yield* tokenAtHand
          const atHand = yield* awaitTurn(messages, first, own)
          // The wait for a turn has a limit of its own.
          untilMillis += (yield* steadyMillis) - askedMillis
          const result = yield* request(messages, atHand, own.turn)
          messages = []
          if ("key" in result) return result
          const leftMillis = untilMillis - (yield* steadyMillis)
          if (leftMillis <= 0) return yield* new AuthBusy({ place: result.place, on: result.on })
          const millis = Math.max(Math.min(result.forMillis, leftMillis), 1)
          yield* store.changes(location).pipe(
            Stream.filter((sequence) => sequence > result.sequence),
            Stream.runHead,
            Effect.timeoutOption(Duration.millis(millis))
          )
        }
      })

    /** One flight for all who ask; it goes on when they have gone, so that an attempt is always settled. */
    const fly = (refusal: Refusal | null): Effect.Effect<Flight> =>
      Effect.gen(function* () {
        const landing = yield* Deferred.make<HeldSession, AuthError>()
        const turn = company.turns.place()
        const own: Flight = { landing, refused: refusal?.generation ?? 0, turn, callers: 1, fiber: null }
        flight = own
        own.fiber = yield* company.keep(Effect.interruptible(obtain(refusal, own))).pipe(
          Effect.onExit((exit) => {
            turn.leave()
            if (flight === own) flight = null
            return Deferred.done(landing, exit)
          }),
          // After the callers have their answer, and before the scope may close.
          Effect.ensuring(tellPeople),
          // Not the caller's: a transaction of theirs may be over before this is.
          Effect.mapInputContext((caller: Context.Context<never>) =>
            Option.match(Context.getOption(caller, Tracer.ParentSpan), {
              onNone: () => context,
              onSome: (span) => Context.add(context, Tracer.ParentSpan, span)
            })
          ),
          Effect.forkIn(scope),
          // Its callers are told how it ended: not the log, since what a provider throws may hold the token.
          Effect.withUnhandledErrorLogLevel(Option.none())
        )
        return own
      }).pipe(Effect.uninterruptible)

    /** The flight that is under way, or a new one; its caller has to land. */
    const board = (refusal: Refusal | null): Effect.Effect<Flight> =>
      Effect.suspend(() => {
        if (flight === null) return fly(refusal)
        flight.callers += 1
        return Effect.succeed(flight)
      })

    /** Awaits a flight. One that waits for its turn, or for room in its turn, ends when nobody awaits it any more. */
    const land = (joined: Flight, restore: Restore): Effect.Effect<HeldSession, AuthError> =>
      Effect.onExit(restore(Deferred.await(joined.landing)), () =>
        Effect.suspend(() => {
          joined.callers -= 1
          if (joined.callers > 0 || joined.fiber === null || !joined.turn.isPending()) return Effect.void
          if (flight === joined) flight = null
          joined.turn.leave()
          return Fiber.interruptFork(joined.fiber)
        })
      )

    /** A session newer than the one that was refused. */
    const sessionAfter = (refusal: Refusal | null): Effect.Effect<HeldSession, AuthError> =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
        if (refusal !== null && held?.generation === refusal.generation) {
          ended = endOf(held, `${refusal.code}`, nowMillis)
          held = null
        }
        return held !== null && held.generation > (refusal?.generation ?? 0) && nowMillis < held.endsAtMillis
          ? Effect.succeed(held)
          : timed(awaitSession(refusal))
      })

    /** Records how long a caller waits. */
    const timed = <A, E>(waiting: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.flatMap(steadyMillis, (beganMillis) =>
        Effect.ensuring(
          waiting,
          Effect.flatMap(steadyMillis, (nowMillis) => NumberMetrics.waited(location, nowMillis - beganMillis))
        )
      )

    const awaitSession = (refusal: Refusal | null): Effect.Effect<HeldSession, AuthError> =>
      Effect.gen(function* () {
        const refused = refusal?.generation ?? 0
        while (true) {
          const nowMillis = yield* Clock.currentTimeMillis
          if (held !== null && held.generation > refused && nowMillis < held.endsAtMillis) return held
          // In one piece with what awaits it: a flight that nobody had begun to await would keep its place for nobody.
          const session = yield* Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              const joined = yield* board(refusal)
              if (joined.refused >= refused) return yield* land(joined, restore)
              // It began without knowing of this refusal, so what it brings may be the refused key, or no answer to it.
              yield* Effect.exit(land(joined, restore))
              return null
            })
          )
          // An older one than was refused: the store went back, to a backup perhaps, and knows nothing of the refusal.
          if (session !== null && session.generation !== refused) return session
        }
      })

    const sessionKey = Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
      held !== null && nowMillis < held.endsAtMillis
        ? Effect.succeed(held.key)
        : Effect.map(sessionAfter(null), (current) => current.key)
    )

    const withSession: NumberAuth["Type"]["withSession"] = (use) =>
      Effect.gen(function* () {
        const first = yield* sessionAfter(null)
        const result = yield* Effect.either(use(first.key))
        const code = SessionRefusal.fromResult(result)
        if (Option.isNone(code)) return yield* result
        const second = yield* sessionAfter({ generation: first.generation, code: code.value })
        return yield* use(second.key)
      }).pipe(withOwnSpan("NumberAuth.withSession", { account, location }, isOwnError))

    const httpClientWith: NumberAuth["Type"]["httpClientWith"] = ({ signature, timeout }) => {
      const limit = timeout === undefined ? null : Duration.decode(timeout)
      const send = (
        request: HttpClientRequest.HttpClientRequest,
        { key }: HeldSession
      ): Effect.Effect<Sent, HttpClientError> => {
        const sending =
          signature === undefined
            ? sendWithKey(client, request, key, init)
            : Effect.flatMap(signature.sign(key), (signed) => sendWithKey(client, request, key, init, signed))
        return limit === null ? sending : sentWithin(request, limit)(sending)
      }
      return HttpClient.makeWith<never, never, SessionHttpError, never>(
        (requests) =>
          Effect.flatMap(requests, (given) =>
            Effect.gen(function* () {
              const request = yield* resolveUrl(settings.baseUrl, given)
              const first = yield* sessionAfter(null)
              const sent = yield* send(request, first)
              if (Option.isNone(sent.refusal)) return sent.response
              const second = yield* sessionAfter({ generation: first.generation, code: sent.refusal.value })
              if (!canBeReplayed(request)) return yield* new RequestNotReplayable({ method: request.method })
              return (yield* send(request, second)).response
            })
          ),
        Effect.succeed
      )
    }

    const statusOf = (stored: Stored): AuthStatus => {
      const { context, ledger, state } = core.step(
        coreStateOf(stored),
        account,
        { type: "observe" },
        stored.moment
      )
      const counts = Ledger.counts(ledger, account)
      const isLocked = Ledger.room(ledger, account, policy) === "locked"
      return {
        state,
        account,
        location,
        failures: placeOf(ledger).failures,
        inFlight: counts.location.inFlight,
        limit: policy.limit,
        expiresAt: Option.map(Option.fromNullable(context.session), ({ expiresAtMillis }) =>
          utc(expiresAtMillis)
        ),
        generation: Option.map(Option.fromNullable(context.session), ({ generation }) => generation),
        tokenEndsAt: Option.map(Option.fromNullable(context.tokenEnd), ({ atMillis }) => utc(atMillis)),
        abort: Option.fromNullable(context.abort),
        lock: isLocked ? Option.some(ledger.lockReportedAt === null ? "limit" : "reported") : Option.none()
      }
    }

    const status = Effect.map(store.read(key), statusOf)

    const changes = store.changes(location).pipe(
      // A store that goes away in between is asked again: what has changed is not to be missed.
      Stream.mapEffect(() => Effect.retry(status, Schedule.spaced("1 second"))),
      Stream.catchAll(() => Stream.empty),
      Stream.changesWith((one, other) => JSON.stringify(one) === JSON.stringify(other))
    )

    /** Carries out a person's wish, or says why it is not carried out. */
    const command = (message: Message): Effect.Effect<Step, AuthRejected | AuthStoreError> =>
      Effect.gen(function* () {
        const step = yield* transact([message])
        yield* Effect.forkIn(tellPeople, scope)
        const { decision } = step
        return decision._tag === "rejected"
          ? yield* new AuthRejected({ place: placeOf(step.ledger), why: decision.why })
          : step
      })

    const replaceCredentials = Effect.fnUntraced(
      function* (text: string) {
        const token = yield* decodeToken(text)
        const fingerprint = yield* fingerprintOf(token)
        // Asked before the provider keeps it, so that a token that is never sent does not take the place of one that is.
        const stored = yield* store.read(key)
        const { decision, ledger } = stepThrough(stored, [{ type: "replaceCredentials", fingerprint }])
        if (decision._tag === "rejected") {
          return yield* new AuthRejected({ place: placeOf(ledger), why: decision.why })
        }
        yield* provider.put(account, token)
        yield* command({ type: "replaceCredentials", fingerprint })
      },
      withOwnSpan("NumberAuth.replaceCredentials", {}, constTrue)
    )

    return {
      sessionKey,
      withSession,
      httpClient: httpClientWith({}),
      httpClientWith,
      status,
      changes,
      replaceCredentials,
      resume: command({ type: "resume" }).pipe(Effect.asVoid, Effect.withSpan("NumberAuth.resume")),
      confirmLockLifted: command({ type: "confirmLockLifted" }).pipe(
        Effect.zipRight(status),
        Effect.withSpan("NumberAuth.confirmLockLifted")
      )
    }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<
  NumberAuth,
  InvalidInput,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient
> => Layer.scoped(NumberAuth, make(options))

/**
 * How {@link layerTest} is set up.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestOptions extends Partial<Options> {
  /**
   * The first session's key; that of the n-th is `<key>-n`. Default: `TEST-SESSION-KEY`. It goes into a header, so it is
   * printable and without spaces.
   */
  readonly sessionKey?: string | undefined
  /**
   * How the account stands when the layer is built. Default `authenticated`, with a session that is held; `aborted` by a
   * refused token, and `locked` by a report of Number's.
   */
  readonly state?: "unauthenticated" | "authenticated" | "aborted" | "locked" | undefined
  /** What the next attempts come to, one after the other. After the last of them all are accepted. Default: none. */
  readonly outcomes?: ReadonlyArray<AttemptOutcome> | undefined
  /** What every call that needs a session fails with. Default: nothing. */
  readonly failure?: AuthError | undefined
  /** What requests are sent by. Default: a client that fails, since there is no network. */
  readonly client?: HttpClient.HttpClient | undefined
}

const testToken = "7E577E57000000000000000000000000"

const noNetwork = HttpClient.make((request) =>
  Effect.fail(
    new RequestError({
      request,
      reason: "Transport",
      description: "NumberAuth.layerTest has no network; give it a client"
    })
  )
)

/**
 * A `NumberAuth` for tests of what depends on one: the real one, over a store in memory and attempts that are not sent but
 * come to what {@link TestOptions} say. It needs nothing, and opens no connection. `replaceCredentials` and `resume` do
 * what they do otherwise. To test against a backend, take the emulator of `effect-number-auth/testing`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (options: TestOptions = {}): Layer.Layer<NumberAuth, InvalidInput> =>
  Layer.scoped(
    NumberAuth,
    Effect.gen(function* () {
      const { client, failure, outcomes = [], sessionKey, state = "authenticated", ...settings } = options
      const keyText = sessionKey ?? "TEST-SESSION-KEY"
      const decodeKey = decodeInput(SessionKey, "session key", "printable characters without spaces")
      yield* decodeKey(keyText)
      let sessions = 0
      const accepted = (): AttemptOutcome => {
        sessions += 1
        const text = sessions === 1 ? keyText : `${keyText}-${sessions}`
        return AttemptOutcome.accepted({
          sessionKey: Redacted.make(text) as SessionKey,
          tokenEndsAtMillis: null,
          lockReported: false
        })
      }
      const refused = (lockReported: boolean): AttemptOutcome =>
        AttemptOutcome.refused({ detail: "layerTest began so", lockReported })
      const coming = [
        ...(state === "aborted" ? [refused(false)] : state === "locked" ? [refused(true)] : []),
        ...outcomes
      ]
      const auth = yield* make({ account: "EP0000001", ...settings }).pipe(
        Effect.provideService(NumberTransport, {
          authenticate: ({ permit }) =>
            Effect.match(permit, {
              onSuccess: () => coming.shift() ?? accepted(),
              onFailure: ({ message }) => AttemptOutcome.unsent({ detail: message })
            })
        }),
        Effect.provideService(AuthStore, yield* makeMemory),
        Effect.provideService(AuthNotifier, { notify: () => Effect.void }),
        Effect.provideServiceEffect(CredentialProvider, testCredentials),
        Effect.provideService(HttpClient.HttpClient, client ?? noNetwork),
        Effect.provideService(FingerprintCost, 1)
      )
      if (failure !== undefined) {
        const httpClient = HttpClient.makeWith<never, never, SessionHttpError, never>(
          () => Effect.fail(failure),
          Effect.succeed
        )
        return {
          ...auth,
          sessionKey: Effect.fail(failure),
          withSession: () => Effect.fail(failure),
          httpClient,
          httpClientWith: () => httpClient
        }
      }
      if (state === "unauthenticated") return auth
      // The session of the beginning is no outcome that was asked for.
      if (state === "authenticated") coming.unshift(accepted())
      yield* Effect.exit(auth.sessionKey)
      return auth
    })
  )

const testCredentials: Effect.Effect<CredentialProvider["Type"]> = Effect.sync(() => {
  let token = Redacted.make(testToken) as Token
  return {
    get: () => Effect.sync(() => token),
    put: (_, replacement) =>
      Effect.sync(() => {
        token = replacement
      })
  }
})

/**
 * The settings of a location that the environment gives: `NUMBER_LOCATION`, `NUMBER_BASE_URL`, `NUMBER_ATTEMPT_TIMEOUT` (such
 * as `30 seconds`) and `NUMBER_LIMIT`. All have the defaults of {@link Options}.
 *
 * @since 0.1.0
 * @category config
 */
export const configLocationOptions: Config.Config<Omit<Options, "account">> = Config.map(
  Config.all({
    location: Config.option(Config.string("NUMBER_LOCATION")),
    baseUrl: Config.option(Config.string("NUMBER_BASE_URL")),
    attemptTimeout: Config.option(Config.duration("NUMBER_ATTEMPT_TIMEOUT")),
    limit: Config.option(Config.integer("NUMBER_LIMIT"))
  }),
  ({ attemptTimeout, baseUrl, limit, location }) => ({
    location: Option.getOrUndefined(location),
    baseUrl: Option.getOrUndefined(baseUrl),
    attemptTimeout: Option.getOrUndefined(attemptTimeout),
    limit: Option.getOrUndefined(limit)
  })
)

/**
 * {@link configLocationOptions} and `NUMBER_ACCOUNT_CODE`, which has no default.
 *
 * @since 0.1.0
 * @category config
 */
export const configOptions: Config.Config<Options> = Config.map(
  Config.all({ account: Config.string("NUMBER_ACCOUNT_CODE"), location: configLocationOptions }),
  ({ account, location }) => ({ account, ...location })
)

/**
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config<Options> = configOptions
): Layer.Layer<
  NumberAuth,
  InvalidInput | ConfigError.ConfigError,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient
> => Layer.scoped(NumberAuth, Effect.flatMap(options, make))
