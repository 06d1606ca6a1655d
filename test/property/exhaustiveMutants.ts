/**
 * The mutants that the walk through the world has to find. Each is the source without one rule of the design,
 * a rule without which the location is locked out. A rule that processes keep is taken out of the model of a
 * process.
 */
import type { Options } from "../model/WorldModel.js"
import { edit, editsOf, files, type Mutant } from "./mutants.js"
import { hunting } from "./exhaustiveWorlds.js"

export interface LockoutMutant extends Pick<Mutant, "name" | "edits"> {
  /** The rule of the design that is taken out. */
  readonly rule: string
  /** The world in which it is found. */
  readonly world: Options
}

/** A mutant that does not lock the location, and breaks another property. */
export interface OtherMutant extends Pick<Mutant, "name" | "edits"> {
  readonly breaks: string
  readonly world: Options
}

const model = "test/model/WorldModel.ts"
const { ended, guards, handlers, ledger, marks } = files

/** The rules of the design's page, in its order, each by one mutant or more. */
export const lockoutMutants: ReadonlyArray<LockoutMutant> = [
  {
    rule: "limit one higher",
    name: "a limit of 6: one more than allowed",
    edits: editsOf("a limit of 6: one more than allowed"),
    world: hunting.plain
  },
  {
    rule: "mark after sending",
    name: "the attempt is sent before its mark is durable",
    edits: [
      edit(
        model,
        "reservationsOf",
        (was) => `(world, account, token, taken, asked) => {
          const { attempt } = taken.step.decision
          const early = attemptOf(attempt - 1, account, token, "gone", "sent")
          return [
            ...(${was})(world, account, token, taken, asked),
            {
              event: { ...asked, attempt: attempt - 1, isConfirmed: false },
              world: { ...world, attempts: [...world.attempts, early], next: world.next + 2, forms: null },
              broken: null,
              kinds: 0
            }
          ]
        }`
      )
    ],
    world: hunting.plain
  },
  {
    rule: "mark after sending",
    name: "the mark is put when the answer comes",
    edits: [edit(ledger, "reserve", "(ledger) => ledger")],
    world: hunting.plain
  },
  {
    rule: "lost not counted",
    name: "a time-out is not counted",
    edits: editsOf("a time-out is not counted"),
    world: hunting.plain
  },
  {
    rule: "lost taken for unsent",
    name: "a lease that ran out is taken for unsent",
    edits: editsOf("a lease that ran out is taken for unsent"),
    world: hunting.plain
  },
  {
    rule: "lost taken for unsent",
    name: "what got no answer is reported as unsent",
    edits: [edit(model, "givenUpAs", '"unsent"')],
    world: hunting.plain
  },
  {
    rule: "no drain time",
    name: "no drain time",
    edits: editsOf("no drain time"),
    world: hunting.plain
  },
  {
    rule: "a success that clears all",
    name: "a success clears everything",
    edits: editsOf("a success clears everything"),
    world: hunting.plain
  },
  {
    rule: "a success that clears all",
    name: "a success clears what is in flight",
    edits: editsOf("a success clears what is in flight"),
    world: hunting.plain
  },
  {
    rule: "no own count",
    name: "no count of the account's own",
    edits: editsOf("no count of the account's own"),
    world: hunting.perAccount
  },
  {
    rule: "a lifted lock that clears marks in flight",
    name: "a lifted lock clears what is in flight",
    edits: editsOf("a lifted lock clears what is in flight"),
    world: hunting.reported
  },
  {
    rule: "a fault that may be a gateway's drains",
    name: "a fault without Number's code settles",
    edits: [edit(ended, "isDoubtful", "() => false")],
    world: hunting.plain
  },
  {
    rule: "a new token does not change the count",
    name: "a new token resets the count",
    edits: editsOf("a new token resets the count"),
    world: hunting.tokens
  }
]

const small: Options = { ...hunting.plain, limit: 1, processes: 1 }
const byItself = "every account comes to be authenticated by itself, or a person has been asked"
const withHelp =
  "every account comes to be authenticated with the help of people, unless all its tokens were refused"

/** Mutants in which the world is stuck, and one that shows only with two accounts. */
export const otherMutants: ReadonlyArray<OtherMutant> = [
  {
    name: "the end of a lease is never found out",
    breaks: byItself,
    edits: [edit(marks, "isLeaseOver", "() => false")],
    world: small
  },
  {
    name: "who waits for an attempt goes on waiting when it was lost",
    breaks: byItself,
    edits: [edit(handlers, "isEndOf", "() => true")],
    world: small
  },
  {
    name: "a lost mark never drains",
    breaks: withHelp,
    edits: [edit(marks, "isDrained", "() => false")],
    world: small
  },
  {
    name: "nobody can resume",
    breaks: withHelp,
    edits: [edit(guards, "guardsOf/canResume", "() => false")],
    world: { ...small, limit: 2 }
  },
  {
    name: "a lock that was lifted goes on",
    breaks: withHelp,
    edits: [edit(ledger, "liftLock", "(ledger) => ledger")],
    world: small
  },
  {
    name: "what was cleared counts again",
    breaks: "what a success cleared counts no more, unless its failure comes after all",
    edits: [
      edit(
        marks,
        "aged",
        (was) => `(mark, ...rest) =>
          mark.status === "settled" && mark.clearedForLocation
            ? { ...mark, clearedForLocation: false }
            : (${was})(mark, ...rest)`
      )
    ],
    world: hunting.plain
  }
]
