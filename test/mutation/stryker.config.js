import { readFileSync } from "node:fs"

/** The room that `mutate.ts` runs. */
const name = process.env.NUMBER_MUTATION_ROOM
const { checked, leastScore, mutate, runner } = JSON.parse(
  readFileSync(new URL("rooms.json", import.meta.url))
)[name]

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  mutate,
  plugins: ["@stryker-mutator/*", "./test/mutation/inProcess.js"],
  testRunner: runner ?? "in-process",
  // `related` would ask Vite for the import graph before each mutant; the configuration names the test files.
  vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
  coverageAnalysis: "perTest",
  // The statechart is built when its module is loaded: those mutants count like all others.
  ignoreStatic: false,
  ...(checked === undefined ? {} : { checkers: ["typescript"], tsconfigFile: `test/mutation/${checked}` }),
  // Type checks are for the checker, which reads the files as they are.
  disableTypeChecks: false,
  concurrency: 1,
  // Long, since a mutant that times out counts as detected, and a busy machine must not detect any.
  timeoutMS: 60_000,
  incremental: true,
  incrementalFile: `reports/mutation-${name}.incremental.json`,
  tempDirName: ".stryker-tmp",
  ignorePatterns: [".ci", ".mutants", "bench", "dist", "examples", "reports"],
  reporters: ["clear-text", "json", "progress-append-only"],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation-${name}.json` },
  // Where all must be killed, the verdict decides: it knows which survivors are justified.
  thresholds: { high: 100, low: 90, break: leastScore === 100 ? null : leastScore }
}
