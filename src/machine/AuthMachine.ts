/**
 * The statechart of one account: `unauthenticated`, `authenticated`, `expired`, `unauthorized`, `aborted`, `locked`.
 *
 * The chart is pure: XState's `transition` runs it, and gives the next snapshot and the actions as data. There is no
 * `invoke` and no `after`: XState restarts a promise actor when it restores a snapshot from the middle of it, so a
 * crash loop would lock the location.
 */
import { aborting, barredAbort, failedAbort, flappingAbort } from "./internal/aborts.js"
import { type Chart, setUp } from "./internal/setUp.js"
import { defaultPolicy, type Policy } from "./Policy.js"

export type { AuthEvent } from "./AuthEvent.js"
export type { StateMeta } from "./internal/setUp.js"

/** Takes answers to the attempt in progress, or to the last one that was given up, if no attempt came after it. */
const answersOf = (chart: Chart) =>
  chart.createStateConfig({
    on: {
      "attempt.accepted": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "#auth.authenticated",
        actions: [{ type: "rememberSession", params: ({ event }) => event }, "endAttempt"]
      },
      "attempt.refused": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "#auth.aborted",
        actions: [
          { type: "rememberRefusal", params: ({ event }) => event },
          ...aborting(failedAbort),
          "endAttempt"
        ]
      },
      "attempt.lockedOut": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "#auth.locked",
        actions: [
          { type: "forgetAbortOf", params: ({ event }) => event },
          "endAttempt",
          { type: "notify", params: { notice: { kind: "locked", reported: true } } }
        ]
      },
      "attempt.faulted": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "#auth.aborted",
        actions: [...aborting(failedAbort), "endAttempt"]
      }
    }
  }).on

const locksOf = (chart: Chart) =>
  chart.createStateConfig({
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

/** No attempt is in progress, and one can be made. */
const idleOf = (chart: Chart) =>
  chart.createStateConfig({
    description: "No attempt is under way.",
    meta: { toDo: "Nothing: the attempt is made when a caller needs a session." },
    on: {
      ...answersOf(chart),
      ...locksOf(chart),
      // No session is held here: the refusal is about a key of another process.
      "session.unauthorized": [
        {
          guard: { type: "isFlapping", params: ({ event }) => ({ event }) },
          target: "#auth.aborted",
          actions: [...aborting(flappingAbort), { type: "countFlap", params: ({ event }) => ({ event }) }]
        },
        {
          guard: { type: "isElsewhere", params: ({ event }) => event },
          actions: { type: "countFlap", params: ({ event }) => ({ event }) }
        }
      ],
      "attempt.reserved": {
        guard: { type: "canBeSent", params: ({ event }) => event },
        target: "attempting",
        actions: [{ type: "beginAttempt", params: ({ event }) => event }, "sendAttempt"]
      },
      "credentials.barred": { target: "#auth.aborted", actions: [...aborting(barredAbort)] }
    }
  })

const attemptingOf = (chart: Chart) =>
  chart.createStateConfig({
    description: "One attempt is under way. Its mark counts as a failure until it is answered.",
    meta: { toDo: "Wait: the attempt is answered, or given up, before its lease ends." },
    on: {
      ...answersOf(chart),
      // The attempt has to end before the account can be aborted.
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
          actions: [...aborting(failedAbort), "giveUpAttempt"]
        }
      ],
      "attempt.unsent": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        target: "idle",
        actions: "endAttempt"
      }
    }
  })

/** The children of `unauthenticated`, `expired` and `unauthorized`: all three get a session in the same way. */
const needyOf = (chart: Chart) =>
  chart.createStateConfig({
    initial: "idle",
    states: { idle: idleOf(chart), attempting: attemptingOf(chart) }
  })

const authenticatedOf = (chart: Chart) =>
  chart.createStateConfig({
    description: "A session is held, and serves every caller.",
    meta: { toDo: "Nothing." },
    on: {
      "session.expired": {
        guard: { type: "isHeld", params: ({ event }) => event },
        target: "expired",
        actions: ["forgetSession", "forgetFlaps"]
      },
      // This process has no key for it, so it needs a session of its own. The process with the key goes on using it.
      "session.unavailable": {
        guard: { type: "isHeld", params: ({ event }) => event },
        target: "unauthenticated",
        actions: ["leaveElsewhere", "forgetSession"]
      },
      "session.unauthorized": [
        {
          guard: { type: "isFlapping", params: ({ event }) => ({ event }) },
          target: "aborted",
          actions: [
            ...aborting(flappingAbort),
            { type: "countFlap", params: ({ event }) => ({ event }) },
            "forgetSession"
          ]
        },
        {
          guard: { type: "isHeld", params: ({ event }) => event },
          target: "unauthorized",
          actions: [{ type: "countFlap", params: ({ event }) => ({ event }) }, "forgetSession"]
        },
        {
          guard: { type: "isElsewhere", params: ({ event }) => event },
          actions: { type: "countFlap", params: ({ event }) => ({ event }) }
        }
      ]
    }
  })

const abortedOf = (chart: Chart) =>
  chart.createStateConfig({
    description: "An attempt was unsuccessful, or the next one would be. Nothing more is sent.",
    meta: {
      toDo: "Read the reason. If the token was refused or has ended, supply a new token. Otherwise correct the cause and resume."
    },
    on: {
      ...answersOf(chart),
      ...locksOf(chart),
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
  })

const lockedOf = (chart: Chart) =>
  chart.createStateConfig({
    description:
      "The location makes no attempt: Number reported its IP as locked, or the count has reached the limit.",
    meta: {
      toDo: "Correct the cause of the failures, ask Number's support to lift the lock, then confirm that it is lifted."
    },
    on: {
      "attempt.accepted": answersOf(chart)["attempt.accepted"],
      // The lock was known already. When it ends, the account is no longer aborted for this attempt.
      "attempt.lockedOut": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        actions: [{ type: "forgetAbortOf", params: ({ event }) => event }, "endAttempt"]
      },
      // The account was aborted for an attempt that never left: when the lock ends, it is no longer aborted.
      "attempt.unsent": {
        guard: { type: "isAwaited", params: ({ event }) => event },
        actions: ["endAttempt", "forgetAborts"]
      },
      "lock.lifted": [
        { guard: { type: "isStillAborted", params: ({ event }) => event }, target: "aborted" },
        { target: "unauthenticated", actions: "forgetAborts" }
      ]
    }
  })

/**
 * Builds the statechart for a policy.
 *
 * @since 0.1.0
 * @category constructors
 */
// The return type is inferred by XState: written out, it is longer than the chart.
export const makeAuthMachine = (policy: Policy) => {
  const chart = setUp(policy)
  const needy = needyOf(chart)
  return chart.createMachine({
    id: "auth",
    context: ({ input }) => input,
    initial: "unauthenticated",
    on: {
      // A refusal is remembered in every state, however late it comes.
      "attempt.refused": { actions: { type: "rememberRefusal", params: ({ event }) => event } }
    },
    states: {
      unauthenticated: {
        description: "No session is held, and an attempt may be made.",
        meta: { toDo: "Nothing: one attempt is made for the next caller." },
        ...needy
      },
      authenticated: authenticatedOf(chart),
      expired: {
        description: "The session is over: Number said so (5030), or its 25 hours have passed.",
        meta: { toDo: "Nothing: one attempt is made for the next caller." },
        ...needy
      },
      unauthorized: {
        description: "Number refused the session key (5050): the location's IP has changed.",
        meta: {
          toDo: "Nothing, if the IP did change. If this happens again, check whether two addresses share the location."
        },
        ...needy
      },
      aborted: abortedOf(chart),
      locked: lockedOf(chart)
    }
  })
}

/**
 * The statechart of one account under the default policy, for inspection and for generated pictures.
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
