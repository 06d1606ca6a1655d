/**
 * The rooms of the mutation tests: the files to mutate, the tests that judge the mutants, and the score below
 * which the run fails.
 */
import { readFileSync } from "node:fs"

export interface Room {
  readonly why: string
  /** Globs. One that begins with `!` leaves files out. */
  readonly mutate: ReadonlyArray<string>
  /** In percent of the mutants that compile, without the justified survivors. */
  readonly leastScore: number
  readonly tests: ReadonlyArray<string>
  /**
   * The configuration by which the compiler checks each mutant. Mutants that do not compile are left out. The
   * check takes longer than the tests. Without it such mutants are run like all others, and count if they
   * survive.
   */
  readonly checked?: string
  /**
   * Vitest's own runner, for tests that need servers and processes. The quicker runner, inProcess.js, has
   * none.
   */
  readonly runner?: "vitest"
}

/** From a JSON file, since Stryker's configuration, which is JavaScript, reads it too. */
export const rooms: Readonly<Record<string, Room>> = JSON.parse(
  readFileSync(new URL("rooms.json", import.meta.url), "utf8")
)
