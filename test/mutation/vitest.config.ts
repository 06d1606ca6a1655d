import { defineConfig } from "vitest/config"
import { rooms } from "./rooms.js"

/**
 * For the rooms whose tests Vitest itself runs, since they need a server or a process. Stryker's runner has one thread, which
 * it keeps: what the tests import from packages is loaded once, and src anew for each mutant.
 */
export default defineConfig({
  test: {
    include: [...rooms[process.env["NUMBER_MUTATION_ROOM"]!]!.tests],
    runner: "test/mutation/runner.ts",
    pool: "threads",
    isolate: false,
    testTimeout: 20_000
  }
})
