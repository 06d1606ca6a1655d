/**
 * The statechart of one account: `unauthenticated`, `authenticated`, `expired`, `unauthorized`, `aborted`, `locked`.
 *
 * Pure: it is run with XState's `transition`, which gives the next snapshot and the actions as data. There is no
 * `invoke` and no `after`: XState starts a promise actor again when a snapshot taken in the middle of it is restored,
 * and a crash loop would then be a lockout machine.
 */
import { assign, setup } from "xstate"
import type { Fingerprint } from "../schemas/Credentials.js"
import type { Abort, AttemptId, AuthContext, Claim, Session } from "../schemas/StoredRecord.js"
import type { Notice } from "./Command.js"
import { defaultPolicy, type Policy } from "./Policy.js"

/**
 * The facts that move the chart. Times and ids come in with them.
 *
 * @since 0.1.0
 * @category models
 */
export type AuthEvent =
  /** A caller needs a session, and the ledger had room: the mark is in the same transaction. */
  | {
      readonly type: "attempt.reserved"
      readonly attempt: AttemptId
      readonly fingerprint: Fingerprint
      readonly claim: Claim
    }
  /** Number accepted the credentials. */
  | {
      readonly type: "attempt.accepted"
      readonly attempt: AttemptId
      readonly fingerprint: Fingerprint
      readonly nowMillis: number
      /** The token's end as the answer gave it, if it is to be believed. */
      readonly tokenEndsAtMillis: number | null
    }
  /** Number refused the credentials. */
  | AttemptFailed<"attempt.refused">
  /** The attempt failed, and the credentials may be good. */
  | AttemptFailed<"attempt.faulted">
  /** It may have reached Number, and no answer came. */
  | AttemptFailed<"attempt.lost">
  /** It provably never left. */
  | { readonly type: "attempt.unsent"; readonly attempt: AttemptId }
  /** 5030, or 25 hours by the clock. */
  | { readonly type: "session.expired"; readonly generation: AttemptId }
  /** The process that needs the session has no key of it: another obtained it, and the store keeps none. */
  | { readonly type: "session.unavailable"; readonly generation: AttemptId }
  /** 5050. */
  | { readonly type: "session.unauthorized"; readonly generation: AttemptId; readonly nowMillis: number }
  /** A token with another fingerprint than the aborted one. */
  | { readonly type: "credentials.replaced"; readonly fingerprint: Fingerprint }
  /** The credentials at hand are known not to work: refused earlier, or past their known end. Nothing was sent. */
  | {
      readonly type: "credentials.barred"
      readonly reason: "barred" | "expired"
      readonly fingerprint: Fingerprint
      readonly detail: string
      readonly nowMillis: number
    }
  /** An operator's word that the next attempt may be made. */
  | { readonly type: "attempt.resumed" }
  /** Number reported the IP as locked. */
  | { readonly type: "lock.reported" }
  /** The ledger holds as many failures as the limit. */
  | { readonly type: "ledger.full" }
  /**
   * The lock is over: an operator of this account confirmed that Number's support lifted it, or it ended otherwise (for
   * another account's operator, or by a late acceptance that ended one of our own making).
   */
  | { readonly type: "lock.lifted"; readonly by: "operator" | "other" }

/**
 * What people read of a state: XState's `description` says what it means, this what they do.
 *
 * @since 0.1.0
 * @category models
 */
export interface StateMeta {
  /** What a person does while the account is in this state. */
  readonly toDo: string
}

interface AttemptFailed<Type extends string> {
  readonly type: Type
  readonly attempt: AttemptId
  readonly fingerprint: Fingerprint
  /** Text for people, free of secrets. */
  readonly detail: string
  readonly nowMillis: number
}

type Failed =
  AttemptFailed<"attempt.refused"> | AttemptFailed<"attempt.faulted"> | AttemptFailed<"attempt.lost">

type Accepted = Extract<AuthEvent, { type: "attempt.accepted" }>

const reasonOf = {
  "attempt.refused": "refused",
  "attempt.faulted": "faulted",
  "attempt.lost": "lost"
} as const

const abortOf = (event: Failed): Abort => ({
  reason: reasonOf[event.type],
  attempt: event.attempt,
  fingerprint: event.fingerprint,
  detail: event.detail,
  atMillis: event.nowMillis
})

const barredOf = (event: Extract<AuthEvent, { type: "credentials.barred" }>): Abort => ({
  reason: event.reason,
  attempt: null,
  fingerprint: event.fingerprint,
  detail: event.detail,
  atMillis: event.nowMillis
})

type Unauthorized = Extract<AuthEvent, { type: "session.unauthorized" }>

/** The session that is held, and those that other processes have the keys of. */
const sessionsOf = ({ session, sessionsElsewhere }: AuthContext): ReadonlyArray<Session> =>
  session === null ? sessionsElsewhere : [...sessionsElsewhere, session]

const refusedSession = (context: AuthContext, generation: AttemptId): Session | null =>
  sessionsOf(context).find((session) => session.generation === generation) ?? null

const flappingOf = (context: AuthContext, event: Unauthorized): Abort => ({
  reason: "addressFlapping",
  attempt: null,
  fingerprint: refusedSession(context, event.generation)!.fingerprint,
  detail: "Number refused fresh sessions with 5050 again and again",
  atMillis: event.nowMillis
})

/** How many sessions of other processes are remembered. Where there are more of them some flap unseen. */
const mostElsewhere = 16

const abortedNotice = (abort: Abort): { readonly notice: Notice } => ({ notice: { kind: "aborted", abort } })

const including = (
  fingerprints: ReadonlyArray<Fingerprint>,
  fingerprint: Fingerprint
): ReadonlyArray<Fingerprint> =>
  fingerprints.includes(fingerprint) ? fingerprints : [...fingerprints, fingerprint]

/** Whether an abort speaks of the credentials themselves, so that only other credentials help. */
const isRefusal = (abort: Abort): boolean => abort.reason === "refused" || abort.reason === "barred"

/**
 * Builds the statechart for a policy.
 *
 * @since 0.1.0
 * @category constructors
 */
// The type is XState's inference: written out it is longer than the chart.
export const makeAuthMachine = (policy: Policy) => {
  const sessionOf = (event: Accepted): Session => ({
    generation: event.attempt,
    fingerprint: event.fingerprint,
    obtainedAtMillis: event.nowMillis,
    expiresAtMillis: event.nowMillis + policy.sessionLifetimeMillis
  })

  /**
   * The flaps after a 5050. Where each process has a session of its own, one change of the address has all of them refused:
   * it counts once, and again only for a session that was obtained after it.
   */
  const flapsAfter = (context: AuthContext, { generation, nowMillis }: Unauthorized): number => {
    const refused = refusedSession(context, generation)
    if (refused === null || generation <= context.addressChangedAt) return context.flaps
    const isFresh = (session: Session): boolean =>
      nowMillis - session.obtainedAtMillis < policy.flapWindowMillis
    if (!isFresh(refused)) return 0
    // One that has served for long since the last change says that the row had ended before this one.
    const hasServed = sessionsOf(context).some(
      (session) => session.generation > context.addressChangedAt && !isFresh(session)
    )
    return hasServed ? 1 : context.flaps + 1
  }

  const isFlapping = (context: AuthContext, event: Unauthorized): boolean =>
    flapsAfter(context, event) > context.flaps && flapsAfter(context, event) >= policy.flapLimit

  const chart = setup({
    types: {
      context: {} as AuthContext,
      input: {} as AuthContext,
      events: {} as AuthEvent,
      meta: {} as StateMeta
    },
    guards: {
      /** The answer belongs to the attempt under way, or to the one that was given up last and nothing replaced. */
      isAwaited: ({ context }, params: { attempt: AttemptId }) =>
        (context.attempt ?? context.lostAttempt)?.id === params.attempt,
      isAwaitedAndMayContinue: ({ context }, params: { attempt: AttemptId }) =>
        context.attempt?.id === params.attempt && policy.lostAttempts === "continue",
      /** The refusal is about the key that is held, and not an older one. */
      isHeld: ({ context }, params: { generation: AttemptId }) =>
        context.session?.generation === params.generation,
      /** The refusal is about a key that another process has for itself. */
      isElsewhere: ({ context }, params: { generation: AttemptId }) =>
        context.sessionsElsewhere.some(({ generation }) => generation === params.generation),
      isFlapping: ({ context }, params: { event: Unauthorized }) => isFlapping(context, params.event),
      /**
       * After a refusal any credentials that were not refused; after another abort those only that were not aborted
       * before, so that two that take turns while Number is out of order make one attempt each. Where addresses flap none
       * are better than others.
       */
      canBeReplaced: ({ context }, params: { fingerprint: Fingerprint }) =>
        context.abort?.reason !== "addressFlapping" &&
        !context.refusedFingerprints.includes(params.fingerprint) &&
        ((context.abort !== null && isRefusal(context.abort)) ||
          !context.abortedFingerprints.includes(params.fingerprint)),
      canBeSent: ({ context }, params: { fingerprint: Fingerprint }) =>
        !context.refusedFingerprints.includes(params.fingerprint),
      /** What an account was aborted for before the lock is over only by a word for that account. */
      isStillAborted: ({ context }, params: { by: "operator" | "other" }) =>
        params.by === "other" && context.abort !== null,
      /** Refused credentials are never tried again, by nobody's word. */
      canResume: ({ context }) => context.abort !== null && !isRefusal(context.abort)
    },
    actions: {
      // Commands to the shell: named here, carried out there.
      sendAttempt: (_, _params: { attempt: AttemptId; fingerprint: Fingerprint }) => {},
      holdSession: (_, _params: { session: Session }) => {},
      dropSession: (_, _params: { generation: AttemptId }) => {},
      notify: (_, _params: { notice: Notice }) => {},
      // What the chart remembers.
      beginAttempt: assign((_, params: { attempt: AttemptId; fingerprint: Fingerprint; claim: Claim }) => ({
        attempt: { id: params.attempt, fingerprint: params.fingerprint, claim: params.claim },
        lostAttempt: null
      })),
      endAttempt: assign({ attempt: null, lostAttempt: null }),
      giveUpAttempt: assign(({ context }) => ({ attempt: null, lostAttempt: context.attempt })),
      rememberSession: assign((_, params: { session: Session; tokenEndsAtMillis: number | null }) => ({
        session: params.session,
        abort: null,
        abortedFingerprints: [],
        tokenEnd:
          params.tokenEndsAtMillis === null
            ? null
            : { fingerprint: params.session.fingerprint, atMillis: params.tokenEndsAtMillis }
      })),
      forgetSession: assign({ session: null }),
      rememberAbort: assign(({ context }, params: { abort: Abort }) => ({
        abort: params.abort,
        abortedFingerprints: including(context.abortedFingerprints, params.abort.fingerprint)
      })),
      // Other credentials: those that were aborted before are still no replacement for them.
      leaveAbort: assign({ abort: null, flaps: 0 }),
      forgetAborts: assign({ abort: null, abortedFingerprints: [], flaps: 0 }),
      forgetTokenEnd: assign({ tokenEnd: null }),
      rememberRefusal: assign(({ context }, params: { fingerprint: Fingerprint }) => ({
        refusedFingerprints: including(context.refusedFingerprints, params.fingerprint)
      })),
      countFlap: assign(({ context }, { event }: { event: Unauthorized }) => ({
        flaps: flapsAfter(context, event),
        addressChangedAt:
          event.generation <= context.addressChangedAt
            ? context.addressChangedAt
            : Math.max(context.attempt?.id ?? 0, ...sessionsOf(context).map((session) => session.generation)),
        sessionsElsewhere: context.sessionsElsewhere.filter(
          ({ generation }) => generation !== event.generation
        )
      })),
      leaveElsewhere: assign(({ context }) => ({
        sessionsElsewhere: sessionsOf(context)
          .filter(({ expiresAtMillis }) => expiresAtMillis > context.session!.obtainedAtMillis)
          .slice(-mostElsewhere)
      })),
      forgetFlaps: assign({ flaps: 0 })
    }
  })

  // Answers are taken from the attempt under way, and from the last one given up while nothing newer took its place.
  const answers = chart.createStateConfig({
    on: {
      "attempt.accepted": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "#auth.authenticated",
        actions: [
          { type: "holdSession", params: ({ event }) => ({ session: sessionOf(event) }) },
          { type: "rememberSession", params: ({ event }) => ({ ...event, session: sessionOf(event) }) },
          "endAttempt"
        ]
      },
      "attempt.refused": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "#auth.aborted",
        actions: [
          { type: "rememberRefusal", params: ({ event }) => event },
          { type: "rememberAbort", params: ({ event }) => ({ abort: abortOf(event) }) },
          { type: "notify", params: ({ event }) => abortedNotice(abortOf(event)) },
          "endAttempt"
        ]
      },
      "attempt.faulted": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "#auth.aborted",
        actions: [
          { type: "rememberAbort", params: ({ event }) => ({ abort: abortOf(event) }) },
          { type: "notify", params: ({ event }) => abortedNotice(abortOf(event)) },
          "endAttempt"
        ]
      }
    }
  }).on

  const locking = chart.createStateConfig({
    on: {
      "lock.reported": {
        target: "#auth.locked",
        actions: { type: "notify", params: { notice: { kind: "locked", reported: true } } }
      },
      "ledger.full": {
        target: "#auth.locked",
        actions: { type: "notify", params: { notice: { kind: "locked", reported: false } } }
      }
    }
  }).on

  // A 5050 for a session that another process has the key of, while none is held.
  const flapping = chart.createStateConfig({
    on: {
      "session.unauthorized": [
        {
          guard: { type: "isFlapping", params: ({ event }) => ({ event }) },
          target: "#auth.aborted",
          actions: [
            {
              type: "rememberAbort",
              params: ({ context, event }) => ({ abort: flappingOf(context, event) })
            },
            { type: "notify", params: ({ context, event }) => abortedNotice(flappingOf(context, event)) },
            { type: "countFlap", params: ({ event }) => ({ event }) }
          ]
        },
        {
          guard: { type: "isElsewhere", params: ({ event }) => event },
          actions: { type: "countFlap", params: ({ event }) => ({ event }) }
        }
      ]
    }
  }).on

  // `unauthenticated`, `expired` and `unauthorized` need a session, and get it in the same way.
  const needy = chart.createStateConfig({
    initial: "idle",
    states: {
      idle: {
        description: "No attempt is under way.",
        meta: { toDo: "Nothing: the attempt is made when a caller needs a session." },
        on: {
          ...answers,
          ...locking,
          ...flapping,
          "attempt.reserved": {
            guard: { type: "canBeSent", params: ({ event }) => event },
            target: "attempting",
            actions: [
              { type: "beginAttempt", params: ({ event }) => event },
              { type: "sendAttempt", params: ({ event }) => event }
            ]
          },
          "credentials.barred": {
            target: "#auth.aborted",
            actions: [
              { type: "rememberAbort", params: ({ event }) => ({ abort: barredOf(event) }) },
              { type: "notify", params: ({ event }) => abortedNotice(barredOf(event)) }
            ]
          }
        }
      },
      attempting: {
        description: "One attempt is under way. Its mark counts as a failure until it is answered.",
        meta: { toDo: "Wait: it is answered, or given up, before its lease ends." },
        on: {
          ...answers,
          // What is under way has to end first.
          "session.unauthorized": {
            guard: { type: "isElsewhere", params: ({ event }) => event },
            actions: { type: "countFlap", params: ({ event }) => ({ event }) }
          },
          "attempt.lost": [
            {
              guard: { type: "isAwaitedAndMayContinue", params: ({ event }) => event },
              target: "idle",
              actions: "giveUpAttempt"
            },
            {
              guard: { type: "isAwaited", params: ({ event }) => event },
              target: "#auth.aborted",
              actions: [
                { type: "rememberAbort", params: ({ event }) => ({ abort: abortOf(event) }) },
                { type: "notify", params: ({ event }) => abortedNotice(abortOf(event)) },
                "giveUpAttempt"
              ]
            }
          ],
          "attempt.unsent": {
            guard: { type: "isAwaited", params: ({ event }) => event },
            target: "idle",
            actions: "endAttempt"
          }
        }
      }
    }
  })

  return chart.createMachine({
    id: "auth",
    context: ({ input }) => input,
    initial: "unauthenticated",
    on: {
      // A refusal is remembered wherever it arrives, however late.
      "attempt.refused": { actions: { type: "rememberRefusal", params: ({ event }) => event } }
    },
    states: {
      unauthenticated: {
        description: "No session is held, and nothing speaks against an attempt.",
        meta: { toDo: "Nothing: the next caller has one attempt made." },
        ...needy
      },
      authenticated: {
        description: "A session is held, and serves every caller.",
        meta: { toDo: "Nothing." },
        on: {
          "session.expired": {
            guard: { type: "isHeld", params: ({ event }) => event },
            target: "expired",
            actions: [{ type: "dropSession", params: ({ event }) => event }, "forgetSession", "forgetFlaps"]
          },
          // As good as none for who asks. Whoever has the key goes on using it until it is refused.
          "session.unavailable": {
            guard: { type: "isHeld", params: ({ event }) => event },
            target: "unauthenticated",
            actions: [
              "leaveElsewhere",
              { type: "dropSession", params: ({ event }) => event },
              "forgetSession"
            ]
          },
          "session.unauthorized": [
            {
              guard: { type: "isFlapping", params: ({ event }) => ({ event }) },
              target: "aborted",
              actions: [
                {
                  type: "rememberAbort",
                  params: ({ context, event }) => ({ abort: flappingOf(context, event) })
                },
                {
                  type: "notify",
                  params: ({ context, event }) => abortedNotice(flappingOf(context, event))
                },
                { type: "countFlap", params: ({ event }) => ({ event }) },
                {
                  type: "dropSession",
                  params: ({ context }) => ({ generation: context.session!.generation })
                },
                "forgetSession"
              ]
            },
            {
              guard: { type: "isHeld", params: ({ event }) => event },
              target: "unauthorized",
              actions: [
                { type: "countFlap", params: ({ event }) => ({ event }) },
                { type: "dropSession", params: ({ event }) => event },
                "forgetSession"
              ]
            },
            {
              guard: { type: "isElsewhere", params: ({ event }) => event },
              actions: { type: "countFlap", params: ({ event }) => ({ event }) }
            }
          ]
        }
      },
      expired: {
        description: "The session is over: Number said so (5030), or its 25 hours have passed.",
        meta: { toDo: "Nothing: the next caller has one attempt made." },
        ...needy
      },
      unauthorized: {
        description: "Number refused the session key (5050): the location's IP has changed.",
        meta: {
          toDo: "Nothing, if it did change. If it comes again, look whether two addresses share the location."
        },
        ...needy
      },
      aborted: {
        description: "An attempt was unsuccessful, or could only be. Nothing more is sent.",
        meta: {
          toDo: "Read the reason. If the credentials were refused or have ended, bring a new token. Else mend the cause and resume."
        },
        on: {
          ...answers,
          ...locking,
          "attempt.unsent": {
            guard: { type: "isAwaited", params: ({ event }) => event },
            target: "unauthenticated",
            actions: ["endAttempt", "forgetAborts"]
          },
          "credentials.replaced": {
            guard: { type: "canBeReplaced", params: ({ event }) => event },
            target: "unauthenticated",
            actions: "leaveAbort"
          },
          "attempt.resumed": {
            guard: "canResume",
            target: "unauthenticated",
            actions: ["forgetAborts", "forgetTokenEnd"]
          }
        }
      },
      locked: {
        description:
          "The location makes no attempt: Number reported its IP as locked, or the count has reached the limit.",
        meta: {
          toDo: "Mend what made the attempts fail, have Number's support lift the lock, then confirm that it is lifted."
        },
        on: {
          "attempt.accepted": answers["attempt.accepted"],
          // It was aborted for an attempt that never left: when the lock ends, it is not aborted any more.
          "attempt.unsent": {
            guard: { type: "isAwaited", params: ({ event }) => event },
            actions: ["endAttempt", "forgetAborts"]
          },
          "lock.lifted": [
            {
              guard: { type: "isStillAborted", params: ({ event }) => event },
              target: "aborted"
            },
            { target: "unauthenticated", actions: "forgetAborts" }
          ]
        }
      }
    }
  })
}

/**
 * The statechart of one account under the default policy: to look at, and to generate pictures from.
 *
 * @since 0.1.0
 * @category machines
 */
export const authMachine: AuthMachine = makeAuthMachine(defaultPolicy)

/**
 * @since 0.1.0
 * @category models
 */
export type AuthMachine = ReturnType<typeof makeAuthMachine>
