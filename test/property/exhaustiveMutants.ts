/**
 * The mutants that the walk through the world has to find: of each rule of the design without which the location is locked
 * out, the source with that rule taken out. What a process does wrong is taken out of the model of a process.
 */
import type { Options } from "../../src/testing/WorldModel.js"
import { type Edit, type Mutant, mutants } from "./mutants.js"
import { hunting } from "./exhaustiveWorlds.js"

export interface LockoutMutant extends Pick<Mutant, "name" | "edits"> {
  /** The rule of the design that is taken out. */
  readonly rule: string
  /** The world in which it is found. */
  readonly world: Options
}

const model = "testing/WorldModel.ts"

const known = (name: string): ReadonlyArray<Edit> => mutants.find((mutant) => mutant.name === name)!.edits

/** The rules of the design's page, in its order, each by one mutant or more. */
export const lockoutMutants: ReadonlyArray<LockoutMutant> = [
  {
    rule: "limit one higher",
    name: "a limit of 6: one more than allowed",
    edits: known("a limit of 6: one more than allowed"),
    world: hunting.plain
  },
  {
    rule: "mark after sending",
    name: "the attempt is sent before its mark is durable",
    edits: [
      {
        file: model,
        find: "// The mark is durable; the process is told so, or not.",
        replace: `const early = attemptOf(decision.attempt - 1, account, token, "gone", "sent")
          steps.push({
            event: { ...asked, attempt: decision.attempt - 1, isConfirmed: false },
            world: { ...world, attempts: [...attempts, early], next: world.next + 2, forms: null },
            broken: null,
            kinds: 0
          })`
      }
    ],
    world: hunting.plain
  },
  {
    rule: "mark after sending",
    name: "the mark is put when the answer comes",
    edits: [
      {
        file: "machine/AuthCore.ts",
        find: "{ ...reserved, ledger: Ledger.reserve(ledger, account, moment, policy) },",
        replace: "reserved,"
      }
    ],
    world: hunting.plain
  },
  {
    rule: "lost not counted",
    name: "a time-out is not counted",
    edits: known("a time-out is not counted"),
    world: hunting.plain
  },
  {
    rule: "lost taken for unsent",
    name: "a lease that ran out is taken for unsent",
    edits: known("a lease that ran out is taken for unsent"),
    world: hunting.plain
  },
  {
    rule: "lost taken for unsent",
    name: "what got no answer is reported as unsent",
    edits: [
      {
        file: model,
        find: 'end("lost", isSent(attempt) ? way : "nothing", 0)',
        replace: 'end("unsent", isSent(attempt) ? way : "nothing", 0)'
      }
    ],
    world: hunting.plain
  },
  {
    rule: "no drain time",
    name: "no drain time",
    edits: known("no drain time"),
    world: hunting.plain
  },
  {
    rule: "a success that clears all",
    name: "a success clears everything",
    edits: known("a success clears everything"),
    world: hunting.plain
  },
  {
    rule: "a success that clears all",
    name: "a success clears what is in flight",
    edits: known("a success clears what is in flight"),
    world: hunting.plain
  },
  {
    rule: "no own count",
    name: "no count of the account's own",
    edits: known("no count of the account's own"),
    world: hunting.perAccount
  },
  {
    rule: "a lifted lock that clears marks in flight",
    name: "a lifted lock clears what is in flight",
    edits: known("a lifted lock clears what is in flight"),
    world: hunting.reported
  },
  {
    rule: "a new token does not change the count",
    name: "a new token resets the count",
    edits: known("a new token resets the count"),
    world: hunting.tokens
  }
]
