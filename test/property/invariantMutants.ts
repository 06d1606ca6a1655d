/** Each invariant is seen to break once: in the core without the rule that it watches. */
import type { Invariant } from "../model/CoreInvariants.js"
import type { coreWalks } from "./exhaustiveCore.js"
import type { NamedEdit } from "../support/namedEdit.js"
import { edit, editsOf, files } from "./mutants.js"

const { chart, core, ended, guards, handlers, ledger, marks, memory } = files

/** The core without the rule that an invariant watches, and the walk in which the invariant breaks. */
export interface InvariantMutant {
  readonly invariant: Invariant
  readonly edits: ReadonlyArray<NamedEdit>
  readonly walk: keyof typeof coreWalks
}

export const invariantMutants: ReadonlyArray<InvariantMutant> = [
  {
    invariant: "an attempt never takes the count past the limit",
    edits: editsOf("a limit of 6: one more than allowed"),
    walk: "small"
  },
  {
    invariant: "an attempt is sent only by the account that is attempting it",
    edits: [
      edit(
        memory,
        "memoryOf/beginAttempt",
        `change((_, { attempt, claim, fingerprint }) => ({
          attempt: { id: attempt - 1, fingerprint, claim },
          lostAttempt: null
        }))`
      )
    ],
    walk: "small"
  },
  {
    invariant: "an aborted account does not send the aborted credentials",
    edits: [
      edit(
        guards,
        "guardsOf/canBeReplaced",
        "({ context }, { fingerprint }) => !context.refusedFingerprints.includes(fingerprint)"
      )
    ],
    walk: "overlap"
  },
  {
    invariant: "a mark is put by a reservation, or put back by a failure",
    edits: [
      edit(
        ended,
        "ledgerAfter/lost",
        `(ledger, { attempt }, { account, moment, policy }) =>
          Ledger.doubt(ledger, { id: attempt, account }, moment, policy)`
      )
    ],
    walk: "overlap"
  },
  {
    invariant: "an account has one attempt in flight at the most",
    edits: [
      edit(handlers, "isIdle", "({ state }) => /\\.(idle|attempting)$/.test(state)"),
      edit(
        chart,
        "attemptingOf/on",
        (was) => `{
          ...${was},
          "attempt.reserved": { actions: [{ type: "beginAttempt", params: ({ event }) => event }, "sendAttempt"] }
        }`
      )
    ],
    walk: "overlap"
  },
  {
    invariant: "a person is asked only where something is wrong",
    edits: [edit(handlers, "isInFlight", "() => false")],
    walk: "small"
  },
  {
    invariant: "a person is told of a lock once",
    edits: [
      edit(
        handlers,
        "followLock",
        (was) => `(given, step) =>
          step.state === "locked" && Ledger.room(step.ledger, given.account, given.policy) === "locked"
            ? { ...step, notices: [...step.notices, { kind: "locked", reported: false }] }
            : (${was})(given, step)`
      )
    ],
    walk: "small"
  },
  {
    invariant: "an attempt is sent only with a mark of the same step",
    edits: [edit(ledger, "reserve", "(ledger) => ledger")],
    walk: "small"
  },
  {
    invariant: "a refused fingerprint is never sent again",
    edits: editsOf("a refused fingerprint is forgotten"),
    walk: "tokens"
  },
  {
    invariant: "a refusal is remembered, however late",
    edits: [edit(chart, "makeAuthMachine/on", "{}")],
    walk: "small"
  },
  {
    invariant: "what may still be worked on keeps its mark until its end is known",
    edits: editsOf("a lifted lock clears what is in flight"),
    walk: "overlap"
  },
  {
    invariant: "a success clears only what had settled before it was reserved",
    edits: editsOf("a success clears everything"),
    walk: "overlap"
  },
  {
    invariant: "a mark is removed by an answer, or by a lock that was lifted",
    edits: editsOf("a lease that ran out is taken for unsent"),
    walk: "small"
  },
  {
    invariant: "authenticated has a session, and only it",
    edits: [edit(chart, "authenticatedOf/session.expired/actions", '["forgetFlaps"]')],
    walk: "small"
  },
  {
    invariant: "attempting has an attempt, and only it",
    edits: [edit(memory, "memoryOf/giveUpAttempt", "change(({ attempt }) => ({ lostAttempt: attempt }))")],
    walk: "small"
  },
  {
    invariant: "aborted says why, and nothing else does but a lock that came upon it",
    edits: [edit(memory, "memoryOf/leaveAbort", "change(() => ({ flaps: 0 }))")],
    walk: "tokens"
  },
  {
    invariant: "an account that needs an attempt is locked where the ledger leaves no room",
    edits: [
      edit(
        core,
        "makeAuthCore/step",
        `(core, account, message, moment) => {
          const given = { machine, policy, account, moment }
          const before = { ...core, events: [], notices: [], decision: Decision.done() }
          return handle(given, catchUp(given, before, message), message)
        }`
      )
    ],
    walk: "small"
  },
  {
    invariant: "an account is locked only where the ledger leaves no room",
    edits: [
      edit(
        handlers,
        "followLock",
        (was) => `(given, step) => (step.state === "locked" ? step : (${was})(given, step))`
      )
    ],
    walk: "small"
  },
  {
    invariant: "a person is told of every lock",
    edits: [edit(chart, "locksOf/ledger.full", '{ target: "#auth.locked" }')],
    walk: "small"
  },
  {
    invariant: "a person is told of every abort",
    edits: [edit(chart, "idleOf/credentials.barred/actions", "[aborting(barredAbort)[0]]")],
    walk: "small"
  },
  {
    invariant: "a reported lock ends by an operator's word only",
    edits: [
      edit(
        ended,
        "ledgerAfter/accepted",
        (was) => `(...args) => ({ ...(${was})(...args), lockReportedAt: null })`
      )
    ],
    walk: "overlap"
  },
  {
    invariant: "nothing is sent while a lock is reported",
    edits: [edit(ledger, "isLockReported", "() => false")],
    walk: "small"
  },
  {
    invariant: "a report of a lock is no verdict on the credentials",
    edits: [
      edit(
        chart,
        "answersOf/attempt.lockedOut/actions",
        '[{ type: "rememberRefusal", params: ({ event }) => event }, "endAttempt", { type: "notify", params: { notice: { kind: "locked", reported: true } } }]'
      )
    ],
    walk: "small"
  },
  {
    invariant: "an attempt has one mark",
    edits: [edit(ledger, "otherMarks", "({ marks }) => marks")],
    walk: "small"
  },
  {
    invariant: "a refusal is never forgotten",
    edits: [
      edit(
        memory,
        "memoryOf/rememberRefusal",
        "change((_, { fingerprint }) => ({ refusedFingerprints: [fingerprint] }))"
      )
    ],
    walk: "tokens"
  },
  {
    invariant: "a session is never replaced by an older one",
    edits: [
      edit(guards, "guardsOf/isAwaited", "() => true"),
      edit(
        chart,
        "authenticatedOf/on",
        (was) => `{ ...${was}, "attempt.accepted": answersOf(chart)["attempt.accepted"] }`
      )
    ],
    walk: "overlap"
  },
  {
    invariant: "every record can be stored and read back",
    edits: [edit(marks, "lostMark/drainsAtMillis", "moment.nowMillis + policy.drainMillis + 0.5")],
    walk: "small"
  }
]
