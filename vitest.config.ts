import { defineConfig } from "vitest/config"

const ci = Boolean(process.env["CI"])

export default defineConfig({
  test: {
    pool: "forks",
    setupFiles: ["test/support/breathe.ts"],
    testTimeout: 60_000,
    // What the library logs is shown where a test fails.
    silent: "passed-only",
    // Vitest leaves one core out by default, and so tests one file after the other on two cores.
    maxWorkers: 2,
    reporters: ci ? ["default", "json"] : ["default"],
    outputFile: { json: "reports/vitest.json" },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/mutation/*.test.ts"],
          // The files of a worker share their modules: to load them anew for each takes longer than the tests.
          isolate: false
        }
      },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["test/{browser,integration,process,property}/**/*.test.ts"],
          globalSetup: ["test/support/globalSetup.ts"]
        }
      }
    ]
  }
})
