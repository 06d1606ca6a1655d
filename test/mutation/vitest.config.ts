import { defineConfig } from "vitest/config"
import { rooms } from "./rooms.js"

/**
 * For the rooms whose tests Vitest itself runs, since they need a server or a process. Stryker's runner keeps
 * one thread: packages that the tests import are loaded once, and src is loaded anew for each mutant.
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
