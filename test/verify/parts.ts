/**
 * The parts of the verification: the claim of each, its jobs and its cost. `npm test` runs each in short, and
 * `npm run verify` at full depth or within a budget. No other file says how deep a part goes.
 */
import type { Effort } from "./effort.js"

/** The findings of a job. */
export interface Found<A = unknown> {
  /** Units of work that were done. */
  readonly done: number
  /** Everything that does not hold, each with the seed that repeats it; empty if all holds. */
  readonly breaches: ReadonlyArray<string>
  readonly figures: A
}

/** The findings of a part. */
export interface Summary {
  /** For `docs/verification.json`. */
  readonly figures: unknown
  /** Breaches of the whole, such as a limit that no schedule came to. */
  readonly breaches: ReadonlyArray<string>
}

/** How a part is run. */
export interface Runner<A = unknown> {
  /** The jobs into which the part is divided. */
  readonly jobs: ReadonlyArray<string>
  run(job: string, effort: Effort): Promise<Found<A>>
  /** `isWhole`: every job was done to its end, so that the whole has to show that it reached its aim. */
  sum(found: ReadonlyArray<Found<A>>, of: { readonly seed: number; readonly isWhole: boolean }): Summary
  /** The figures in Markdown. */
  print(figures: unknown): string
}

/** How deep a part goes. */
export interface Size {
  /** The most units of work for each job. */
  readonly each: number
  /** The jobs. Default: all. */
  readonly jobs?: ReadonlyArray<string>
}

/** A part of the verification. */
export interface Part {
  readonly name: string
  /** The claim that holds if the part finds nothing. */
  readonly proves: string
  /** The unit of work: walks, years, kills. */
  readonly unit: string
  /** The size in `npm test`. */
  readonly quick: Size
  /** The size of `npm run verify`. */
  readonly full: Size
  /** The cost of the full size, in minutes of one quiet core. */
  readonly minutes: number
  /** The part mostly waits, and so runs beside those that compute. */
  readonly waits?: boolean
  /** The part cannot be cut off: it is left out of a budget that is too small for it. */
  readonly atOnce?: boolean
  /** The part runs only if `--only` names it. */
  readonly byNameOnly?: boolean
  readonly load: () => Promise<Runner>
}

export const parts: ReadonlyArray<Part> = [
  {
    name: "walks",
    proves:
      "Every state that core and ledger can reach, alone and in a world of two accounts, keeps every invariant.",
    unit: "walks",
    quick: {
      each: 1,
      jobs: [
        "one account, continues",
        "the world, limit 2, one process, sessions refused, a success clears its own; policy account"
      ]
    },
    full: { each: 1 },
    minutes: 5,
    load: async () => (await import("./parts/walks.js")).runner
  },
  {
    name: "wanderings",
    proves:
      "Random ways through the worlds break no invariant. Among them are worlds too large to be walked to the end, and worlds with the real limit of five.",
    unit: "steps",
    quick: { each: 1600, jobs: ["1"] },
    full: { each: 80_000 },
    minutes: 4,
    load: async () => (await import("./parts/wanderings.js")).runner
  },
  {
    name: "forms",
    proves: "The canonical form of the walks merges only states that behave alike.",
    unit: "comparisons",
    quick: { each: 1, jobs: ["steps, limit 5, count per account", "twice, the address changes"] },
    full: { each: 60 },
    minutes: 1,
    load: async () => (await import("./parts/forms.js")).runner
  },
  {
    name: "walked-mutants",
    proves:
      "With any rule of the design taken out, the walk through the world finds a lockout, or an account that is stuck.",
    unit: "mutants",
    quick: {
      each: 1,
      jobs: ["the attempt is sent before its mark is durable"]
    },
    full: { each: 1 },
    minutes: 1.5,
    load: async () => (await import("./parts/walkedMutants.js")).runner
  },
  {
    name: "assumptions",
    proves:
      "Where an assumption of the promise does not hold, the walk finds the lockout: the assumption is needed.",
    unit: "worlds",
    quick: {
      each: 1,
      jobs: ["the default policy where a success does not interrupt the rows of other accounts"]
    },
    full: { each: 1 },
    minutes: 0.3,
    load: async () => (await import("./parts/assumptions.js")).runner
  },
  {
    name: "invariants",
    proves: "Each invariant of the walks is seen to break, in a core that lacks the rule it watches.",
    unit: "mutants",
    quick: {
      each: 1,
      jobs: ["an attempt never takes the count past the limit"]
    },
    full: { each: 1 },
    minutes: 0.5,
    load: async () => (await import("./parts/invariants.js")).runner
  },
  {
    name: "services",
    proves:
      "The real services, over a network that loses and delays, with processes that crash and freeze, never pass the limit at an emulator that counts on its own.",
    unit: "schedules",
    quick: { each: 6, jobs: ["1"] },
    full: { each: 150 },
    minutes: 1,
    load: async () => (await import("./parts/services.js")).runner
  },
  {
    name: "naive",
    proves:
      "The same schedules lock a client that authenticates again when that has failed: they would find a lockout.",
    unit: "schedules",
    quick: { each: 5 },
    full: { each: 100 },
    minutes: 0.2,
    load: async () => (await import("./parts/naive.js")).runner
  },
  {
    name: "sampled-mutants",
    proves: "Each mutant of core and services is caught by the property that names its rule.",
    unit: "mutants",
    quick: {
      each: 1,
      jobs: ["a time-out is not counted", "an unsuccessful attempt is retried without a mark"]
    },
    full: { each: 1 },
    minutes: 3,
    load: async () => (await import("./parts/sampledMutants.js")).runner
  },
  {
    name: "programs",
    proves: "The kit's property finds nothing in a program that leaves attempts to the library.",
    unit: "schedules",
    quick: { each: 3 },
    full: { each: 60 },
    minutes: 0.5,
    load: async () => (await import("./parts/programs.js")).runner
  },
  {
    name: "years",
    proves:
      "Years of the real services in simulated time, over a disk that tears and loses writes, bring no lockout.",
    unit: "years",
    quick: { each: 1, jobs: ["1"] },
    full: { each: 50 },
    minutes: 56,
    load: async () => (await import("./parts/years.js")).runner
  },
  {
    name: "simulated-mutants",
    proves: "The simulated years catch a library, or a store, with one rule taken out.",
    unit: "mutants",
    quick: { each: 1, jobs: ["the mark is put after sending"] },
    full: { each: 1 },
    minutes: 1.3,
    load: async () => (await import("./parts/simulatedMutants.js")).runner
  },
  {
    name: "answers",
    proves:
      "Mutated answers are classified: none throws, shows a secret, or is taken for accepted unless it says so.",
    unit: "answers",
    quick: { each: 2000, jobs: ["REST 1", "SOAP 1"] },
    full: { each: 50_000 },
    minutes: 1.5,
    load: async () => (await import("./parts/answers.js")).runner
  },
  {
    name: "accounts",
    proves:
      "Thousands of accounts that start together are all served, by one attempt each and five at a time.",
    unit: "accounts",
    quick: { each: 200 },
    full: { each: 10_000 },
    minutes: 1.6,
    atOnce: true,
    load: async () => (await import("./parts/accounts.js")).runner
  },
  {
    name: "kills",
    proves:
      "Processes that are killed and suspended at every step of an attempt never lock the location, send a refused token again or overwrite a newer session.",
    unit: "kills",
    quick: { each: 8 },
    full: { each: 200 },
    minutes: 6,
    waits: true,
    load: async () => (await import("./parts/kills.js")).runner
  },
  {
    name: "outages",
    proves:
      "While a PostgreSQL is stopped nothing is sent and held keys serve; once it is back all recovers by itself.",
    unit: "rounds",
    quick: { each: 1 },
    full: { each: 6 },
    minutes: 0.8,
    waits: true,
    load: async () => (await import("./parts/outages.js")).runner
  },
  {
    name: "cold-starts",
    proves: "Commands that log in at once on an empty store make one attempt, and share its session.",
    unit: "commands",
    quick: { each: 4 },
    full: { each: 16 },
    minutes: 0.6,
    waits: true,
    load: async () => (await import("./parts/coldStarts.js")).runner
  },
  {
    name: "canaries",
    proves:
      "No secret, in whatever form, is in any log, span, metric, error, record, page, file or output of a command.",
    unit: "runs",
    quick: { each: 1 },
    full: { each: 1 },
    minutes: 0.8,
    waits: true,
    load: async () => (await import("./parts/canaries.js")).runner
  },
  {
    name: "mutation",
    proves: "The tests notice nearly every small change of the code.",
    unit: "rooms",
    // Its runner is tried by the tests of test/mutation.
    quick: { each: 1, jobs: [] },
    full: { each: 1 },
    minutes: 300,
    byNameOnly: true,
    load: async () => (await import("./parts/mutation.js")).runner
  }
]

export const partNamed = (name: string): Part => {
  const part = parts.find((each) => each.name === name)
  if (part === undefined)
    throw new Error(
      `There is no part "${name}". The parts are: ${parts.map((each) => each.name).join(", ")}.`
    )
  return part
}
