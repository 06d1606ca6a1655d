/** Each invariant is seen to break once: in the core without the rule that it watches. */
import type { Invariant } from "../../src/testing/CoreInvariants.js"
import type { coreWalks } from "./exhaustiveCore.js"
import { type Edit, editsOf } from "./mutants.js"

/** The core without the rule that an invariant watches, and the walk in which the invariant breaks. */
export interface InvariantMutant {
  readonly invariant: Invariant
  readonly edits: ReadonlyArray<Edit>
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
      {
        file: "machine/AuthMachine.ts",
        find: "attempt: { id: params.attempt, fingerprint",
        replace: "attempt: { id: params.attempt - 1, fingerprint"
      }
    ],
    walk: "small"
  },
  {
    invariant: "a mark is put by a reservation, or put back by a failure",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: "Ledger.lose(current.ledger, attempt, moment, policy)",
        replace: "Ledger.doubt(current.ledger, mark, moment, policy)"
      }
    ],
    walk: "overlap"
  },
  {
    invariant: "an account has one attempt in flight at the most",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: "if (isIdle(next.state)) {",
        replace: 'if (isIdle(next.state) || next.state.endsWith(".attempting")) {'
      },
      {
        file: "machine/AuthMachine.ts",
        find: "          // What is under way has to end first.\n",
        replace: `          "attempt.reserved": {
            actions: [
              { type: "beginAttempt", params: ({ event }) => event },
              { type: "sendAttempt", params: ({ event }) => event }
            ]
          },
`
      }
    ],
    walk: "overlap"
  },
  {
    invariant: "a person is asked only where something is wrong",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: '!next.ledger.marks.some((m) => m.attempt === attempt.id && m.status === "inFlight")',
        replace: "attempt !== null"
      }
    ],
    walk: "small"
  },
  {
    invariant: "a person is told of a lock once",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: 'return isLocked ? current : on(current, { type: "lock.lifted", by: "other" })',
        replace:
          'return isLocked ? tell(current, { kind: "locked", reported: false }) : on(current, { type: "lock.lifted", by: "other" })'
      }
    ],
    walk: "small"
  },
  {
    invariant: "a decision to send has its command, and no command is without its decision",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: '              { type: "sendAttempt", params: ({ event }) => event }\n',
        replace: ""
      },
      {
        file: "machine/AuthCore.ts",
        find: 'if (reserved.commands.some((command) => command.type === "sendAttempt")) {',
        replace: "{"
      }
    ],
    walk: "small"
  },
  {
    invariant: "an attempt is sent only with a mark of the same step",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: "{ ...reserved, ledger: Ledger.reserve(ledger, account, moment, policy) },",
        replace: "reserved,"
      }
    ],
    walk: "small"
  },
  {
    invariant: "a refused fingerprint is never sent again",
    edits: editsOf("a refused fingerprint is forgotten"),
    walk: "tokens"
  },
  {
    invariant: "a refusal is remembered, however late",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: '"attempt.refused": { actions: { type: "rememberRefusal", params: ({ event }) => event } }',
        replace: ""
      }
    ],
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
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: 'actions: [{ type: "dropSession", params: ({ event }) => event }, "forgetSession", "forgetFlaps"]',
        replace: 'actions: [{ type: "dropSession", params: ({ event }) => event }, "forgetFlaps"]'
      }
    ],
    walk: "small"
  },
  {
    invariant: "attempting has an attempt, and only it",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: "giveUpAttempt: assign(({ context }) => ({ attempt: null, lostAttempt: context.attempt })),",
        replace: "giveUpAttempt: assign(({ context }) => ({ lostAttempt: context.attempt })),"
      }
    ],
    walk: "small"
  },
  {
    invariant: "aborted says why, and nothing else does but a lock that came upon it",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: "leaveAbort: assign({ abort: null, flaps: 0 }),",
        replace: "leaveAbort: assign({ flaps: 0 }),"
      }
    ],
    walk: "tokens"
  },
  {
    invariant: "an account that needs an attempt is locked where the ledger leaves no room",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: "return followLock(handle(",
        replace: "return (handle("
      }
    ],
    walk: "small"
  },
  {
    invariant: "an account is locked only where the ledger leaves no room",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: 'return isLocked ? current : on(current, { type: "lock.lifted", by: "other" })',
        replace: "return current"
      }
    ],
    walk: "small"
  },
  {
    invariant: "the commands to hold and to drop a session lead to the session that the state has",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: 'actions: [{ type: "dropSession", params: ({ event }) => event }, "forgetSession", "forgetFlaps"]',
        replace: 'actions: ["forgetSession", "forgetFlaps"]'
      }
    ],
    walk: "small"
  },
  {
    invariant: "a person is told of every lock",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: `        target: "#auth.locked",
        actions: { type: "notify", params: { notice: { kind: "locked", reported: false } } }`,
        replace: '        target: "#auth.locked"'
      }
    ],
    walk: "small"
  },
  {
    invariant: "a person is told of every abort",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: `              { type: "rememberAbort", params: ({ event }) => ({ abort: barredOf(event) }) },
              { type: "notify", params: ({ event }) => abortedNotice(barredOf(event)) }`,
        replace:
          '              { type: "rememberAbort", params: ({ event }) => ({ abort: barredOf(event) }) }'
      }
    ],
    walk: "small"
  },
  {
    invariant: "a reported lock ends by an operator's word only",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: "const next = on(withLedger(Ledger.accept(current.ledger, mark, policy)), {",
        replace:
          "const next = on(withLedger({ ...Ledger.accept(current.ledger, mark, policy), lockReportedAt: null }), {"
      }
    ],
    walk: "overlap"
  },
  {
    invariant: "nothing is sent while a lock is reported",
    edits: [
      {
        file: "machine/Ledger.ts",
        find: 'if (ledger.lockReportedAt !== null) return "locked"',
        replace: ""
      }
    ],
    walk: "small"
  },
  {
    invariant: "an attempt has one mark",
    edits: [
      {
        file: "machine/Ledger.ts",
        find: "withMarks(ledger, [...others, settled])",
        replace: "withMarks(ledger, [...ledger.marks, settled, ...others.slice(0, 0)])"
      }
    ],
    walk: "small"
  },
  {
    invariant: "a refusal is never forgotten",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: "refusedFingerprints: including(context.refusedFingerprints, params.fingerprint)",
        replace: "refusedFingerprints: including(context.refusedFingerprints.slice(0, 0), params.fingerprint)"
      }
    ],
    walk: "tokens"
  },
  {
    invariant: "a session is never replaced by an older one",
    edits: [
      {
        file: "machine/AuthMachine.ts",
        find: "(context.attempt ?? context.lostAttempt)?.id === params.attempt,",
        replace: "context.attempt !== undefined || params.attempt > 0,"
      },
      {
        file: "machine/AuthMachine.ts",
        find: 'meta: { toDo: "Nothing." },\n        on: {',
        replace: 'meta: { toDo: "Nothing." },\n        on: { "attempt.accepted": answers["attempt.accepted"],'
      }
    ],
    walk: "overlap"
  },
  {
    invariant: "every record can be stored and read back",
    edits: [
      {
        file: "machine/Ledger.ts",
        find: "drainsAtMillis: moment.nowMillis + policy.drainMillis",
        replace: "drainsAtMillis: moment.nowMillis + policy.drainMillis + 0.5"
      }
    ],
    walk: "small"
  }
]
