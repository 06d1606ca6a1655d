import { defineConfig } from "vitest/config"

const ci = Boolean(process.env["CI"])

export default defineConfig({
  test: {
    setupFiles: ["test/support/breathe.ts"],
    testTimeout: 60_000,
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
          pool: "threads",
          isolate: false
        }
      },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["test/{browser,integration,process,property}/**/*.test.ts"],
          globalSetup: ["test/support/globalSetup.ts"],
          pool: "forks"
        }
      }
    ]
  }
})
