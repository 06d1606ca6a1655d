/**
 * Lockout mutants: the library's own source with one rule of the design taken out. Each must be caught by a property
 * with a name; a property that catches none proves nothing.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildModule } from "../verify/build.js"

export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  readonly edits: ReadonlyArray<Edit>
  /** Which run has to find it: that of the pure core, or that of the real NumberAuth against the emulator. */
  readonly run: "core" | "world"
  /** The property that has to break. */
  readonly caughtBy: string
}

const backend = "the backend never counts more than the limit"
const ledger = "machine/Ledger.ts"
const core = "machine/AuthCore.ts"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "a limit of 6: one more than allowed",
    edits: [
      {
        file: ledger,
        find: "if (location.failures >= policy.limit || own.failures >= policy.limit)",
        replace: "if (location.failures > policy.limit || own.failures > policy.limit)"
      },
      {
        file: ledger,
        find: "location.failures + location.inFlight < policy.limit",
        replace: "location.failures + location.inFlight <= policy.limit"
      },
      {
        file: ledger,
        find: "own.failures + own.inFlight < policy.limit",
        replace: "own.failures + own.inFlight <= policy.limit"
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "a success clears everything",
    edits: [
      {
        file: ledger,
        find: 'if (mark.status !== "settled" || mark.settledAt >= attempt.id) return [mark]',
        replace: 'if (mark.status !== "settled") return [mark]'
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "a success clears what is in flight",
    edits: [
      {
        file: ledger,
        find: 'if (mark.status !== "settled" || mark.settledAt >= attempt.id) return [mark]',
        replace: 'if (mark.status !== "settled") return []'
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "a time-out is not counted",
    edits: [
      {
        file: core,
        find: "Ledger.lose(current.ledger, attempt, moment, policy)",
        replace: "Ledger.release(current.ledger, attempt)"
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "a lease that ran out is taken for unsent",
    edits: [
      {
        file: ledger,
        find: "const marks = ledger.marks.map(",
        replace:
          'const marks = ledger.marks.filter((mark) => mark.status !== "inFlight" || mark.leaseEndsAtMillis > moment.nowMillis).map('
      },
      {
        file: ledger,
        find: "return marks.some((mark, index) => mark !== ledger.marks[index]) ?",
        replace:
          "return marks.length !== ledger.marks.length || marks.some((mark, index) => mark !== ledger.marks[index]) ?"
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "no drain time",
    edits: [
      {
        file: ledger,
        find: "drainsAtMillis: moment.nowMillis + policy.drainMillis",
        replace: "drainsAtMillis: moment.nowMillis"
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "a new token resets the count",
    edits: [
      {
        file: core,
        find: 'let next = followLock(on(current, { type: "credentials.replaced", fingerprint }))',
        replace:
          'let next = current.state !== "aborted" ? current : followLock({ ...on(current, { type: "credentials.replaced", fingerprint }), ledger: { ...current.ledger, marks: [] } })'
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "the order of dates for the order of sequence numbers",
    edits: [
      {
        file: ledger,
        find: "reason, moment.sequence)",
        replace: "reason, moment.nowMillis)"
      },
      { file: ledger, find: '"lost", moment.sequence - 1)', replace: '"lost", moment.nowMillis)' },
      {
        file: ledger,
        find: "mark.settledAt >= attempt.id",
        replace:
          'mark.settledAt >= ledger.marks.reduce((at, own) => (own.attempt === attempt.id && own.status === "inFlight" ? own.leaseEndsAtMillis - policy.leaseMillis : at), 0)'
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "no count of the account's own",
    edits: [
      { file: ledger, find: " || own.failures >= policy.limit", replace: "" },
      { file: ledger, find: " && own.failures + own.inFlight < policy.limit", replace: "" }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "a lifted lock clears what is in flight",
    edits: [
      {
        file: ledger,
        find: '(mark) => mark.status !== "settled" ||',
        replace: '(mark) => mark.status === "lost" ||'
      },
      {
        file: ledger,
        find: '(mark.reason !== "lost" && mark.settledAt > reportedAt)',
        replace: '(mark.status === "settled" && mark.reason !== "lost" && mark.settledAt > reportedAt)'
      }
    ],
    run: "core",
    caughtBy: backend
  },
  {
    name: "a refused fingerprint is forgotten",
    edits: [
      {
        file: core,
        find: "if (context.refusedFingerprints.includes(fingerprint)) {",
        replace: "if (false as boolean) {"
      },
      {
        file: "machine/AuthMachine.ts",
        find: "canBeSent: ({ context }, params: { fingerprint: Fingerprint }) =>\n        !context.refusedFingerprints.includes(params.fingerprint)",
        replace: "canBeSent: (_, _params: { fingerprint: Fingerprint }) => true"
      },
      {
        file: "machine/AuthMachine.ts",
        find: "!context.refusedFingerprints.includes(params.fingerprint) &&\n        ((context",
        replace: "((context"
      }
    ],
    run: "core",
    caughtBy: "a refused fingerprint is never sent again"
  },
  {
    name: "the mark is put after sending",
    edits: [
      {
        file: "services/session/internal/acquire.ts",
        find: "const stepped = yield* given.ledger\n        .transact(",
        replace: `const ahead = (yield* given.ledger.foresee([{ type: "request", fingerprint, claim }])).decision
      const early =
        ahead._tag === "send" ? yield* given.attempts.send({ attempt: ahead.attempt, token, fingerprint }, began) : null
      const stepped = yield* given.ledger
        .transact(`
      },
      {
        file: "services/session/internal/acquire.ts",
        find: "given.attempts.make({ attempt: decision.attempt, token, fingerprint }, began)",
        replace: "given.attempts.make({ attempt: decision.attempt, token, fingerprint }, began, early)"
      },
      {
        file: "services/session/internal/attempt.ts",
        find: "make: (reserved, began) =>\n    Effect.flatMap(undisturbed(send(given, reserved, began)),",
        replace: `send: (reserved, began) => send(given, reserved, began),
  make: (reserved, began, early) =>
    Effect.flatMap(early === null ? undisturbed(send(given, reserved, began)) : Effect.succeed(early),`
      }
    ],
    run: "world",
    caughtBy: backend
  },
  {
    name: "an unsuccessful attempt is retried without a mark",
    edits: [
      {
        file: "services/session/internal/attempt.ts",
        find: "undisturbed(send(given, reserved, began))",
        replace: `undisturbed(
                Effect.repeat(send(given, reserved, began), { times: 2, until: (outcome) => outcome._tag === "accepted" })
              )`
      }
    ],
    run: "world",
    caughtBy: backend
  },
  {
    name: "what is not certain is taken for unsent",
    edits: [
      {
        file: "services/wire/http/fate.ts",
        find: 'return { unsent: false, code: "unknown" }',
        replace: 'return { unsent: true, code: "unknown" }'
      },
      {
        file: "services/wire/http/fate.ts",
        find: "unsent: isUnsent(current, code),",
        replace: "unsent: true,"
      }
    ],
    run: "world",
    caughtBy: backend
  }
]

/** The edits of a mutant, for those who hunt it in another world. */
export const editsOf = (name: string): ReadonlyArray<Edit> => {
  const mutant = mutants.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`There is no mutant "${name}"`)
  return mutant.edits
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/**
 * Writes a mutant's whole source tree and gives its folder, which is the caller's own. An edit that does not apply is a test
 * out of date.
 */
export const plant = (
  mutant: Pick<Mutant, "name" | "edits">,
  owner: "sampled" | "exhaustive" | "simulated"
): string => {
  const folder = join(root, ".mutants", owner, mutant.name.replace(/[^a-z0-9]+/gi, "-"))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true })
  for (const { file, find, replace } of mutant.edits) {
    const path = join(folder, "src", file)
    const text = readFileSync(path, "utf8")
    if (text.split(find).length !== 2) {
      throw new Error(
        `The mutant "${mutant.name}" does not apply: ${file} holds its text ${text.split(find).length - 1} times`
      )
    }
    writeFileSync(
      path,
      text.replace(find, () => replace)
    )
  }
  return folder
}

/** A module of a planted mutant, by its path below `src`. */
export const load = async <A>(folder: string, file: string): Promise<A> =>
  (await import(await buildModule(join(folder, "src", file)))) as A
