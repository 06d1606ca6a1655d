import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config"

const ci = Boolean(process.env["CI"])

/**
 * Tests that count the connections of their process, or change its timers, and two that wait most of the time. They run in a
 * thread beside the workers.
 */
const alone = [
  "test/integration/sockets.test.ts",
  "test/integration/pgAway.test.ts",
  "test/integration/canaries.test.ts",
  "test/process/cli.test.ts"
]

const test: TestProjectInlineConfiguration["test"] = {
  setupFiles: ["test/support/breathe.ts", "test/support/environment.ts"],
  testTimeout: 60_000
}

export default defineConfig({
  test: {
    // Once for all projects.
    globalSetup: ["test/support/globalSetup.ts"],
    pool: "forks",
    // The files of a worker share what they import: to load it anew takes as long as the tests. The pool reads this here,
    // and not in a project.
    isolate: false,
    poolOptions: { threads: { isolate: true, maxThreads: 1, minThreads: 1 } },
    // Vitest leaves one core out by default, and so tests one file after the other on two cores.
    maxWorkers: 2,
    // What the library logs is shown where a test fails.
    silent: "passed-only",
    reporters: ci ? ["default", "json"] : ["default"],
    outputFile: { json: "reports/vitest.json" },
    projects: [
      {
        test: {
          ...test,
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ".mutants/**", ...alone]
        }
      },
      { test: { ...test, name: "alone", include: alone, pool: "threads" } }
    ]
  }
})
