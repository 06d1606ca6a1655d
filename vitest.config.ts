import { defineConfig } from "vitest/config"

const ci = Boolean(process.env["CI"])

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", ".mutants/**"],
    globalSetup: ["test/support/globalSetup.ts"],
    setupFiles: ["test/support/breathe.ts"],
    pool: "forks",
    // The files of a worker share what they import from packages: to load it anew for each takes as long as the tests.
    isolate: false,
    // Vitest leaves one core out by default, and so tests one file after the other on two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    // What the library logs is shown where a test fails.
    silent: "passed-only",
    reporters: ci ? ["default", "json"] : ["default"],
    outputFile: { json: "reports/vitest.json" }
  }
})
