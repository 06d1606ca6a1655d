/** The rooms of the mutation tests: what is mutated, by which tests it is judged, and which score breaks the run. */
import { readFileSync } from "node:fs"

export interface Room {
  readonly why: string
  /** Globs, of which those with `!` leave out. */
  readonly mutate: ReadonlyArray<string>
  /** In percent of the mutants that compile, the justified survivors left out. */
  readonly leastScore: number
  readonly tests: ReadonlyArray<string>
  /**
   * The configuration by which the compiler checks each mutant, so that those are left out that do not compile. It takes
   * longer than the tests: without it they are run like all others, and count where they survive.
   */
  readonly checked?: string
  /** Vitest's own where tests need what the quicker one, inProcess.js, has not: servers and processes. */
  readonly runner?: "vitest"
}

/** From a file that Stryker's configuration, which is no TypeScript, reads too. */
export const rooms: Readonly<Record<string, Room>> = JSON.parse(
  readFileSync(new URL("rooms.json", import.meta.url), "utf8")
)
