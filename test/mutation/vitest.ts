import { defineConfig } from "vitest/config"

/**
 * The tests that judge the mutants of a room: quick ones, and the same each time. Stryker's runner has one thread, which
 * it keeps: what the tests import from packages is loaded once, and src anew for each mutant.
 */
export const mutationConfig = (tests: {
  readonly include: Array<string>
  readonly exclude?: Array<string>
}) =>
  defineConfig({
    test: {
      ...tests,
      runner: "test/mutation/runner.ts",
      pool: "threads",
      isolate: false,
      testTimeout: 20_000,
      env: { NUMBER_PROPERTY_SEED: "5", NUMBER_PROPERTY_FACTOR: "0.1" }
    }
  })
