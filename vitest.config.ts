import { defineConfig } from "vitest/config"

const ci = Boolean(process.env["CI"])

/** These count the connections of their process, or change its timers. */
const alone = ["test/integration/sockets.test.ts", "test/integration/pgAway.test.ts"]

export default defineConfig({
  test: {
    setupFiles: ["test/support/breathe.ts", "test/support/environment.ts"],
    pool: "forks",
    // The files of a worker share what they import: to load it anew takes as long as the tests. The pool reads this here,
    // and not in a project.
    isolate: false,
    // The tests that must be by themselves mostly wait. They run in a thread beside the workers.
    poolOptions: { threads: { isolate: true, maxThreads: 1, minThreads: 1 } },
    // Vitest leaves one core out by default, and so tests one file after the other on two cores. Its pool may end the last file of a
    // run with "Terminating worker thread" if it may have fewer workers than it has.
    minWorkers: 2,
    maxWorkers: 2,
    testTimeout: 60_000,
    // What the library logs is shown where a test fails.
    silent: "passed-only",
    reporters: ci ? ["default", "json"] : ["default"],
    outputFile: { json: "reports/vitest.json" },
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          globalSetup: ["test/support/globalSetup.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ".mutants/**", ...alone]
        }
      },
      { extends: true, test: { name: "alone", include: alone, pool: "threads" } }
    ]
  }
})
