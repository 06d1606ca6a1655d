import { test } from "vitest"
import { VitestTestRunner } from "vitest/runners"

/**
 * A test file that cannot be loaded is a failed file of no tests to Vitest, and to Stryker then a mutant that no test has
 * caught. Here it has one test, which fails. It does not help where a `describe` throws while tests are collected: what
 * runs the code under test belongs into tests.
 */
export default class extends VitestTestRunner {
  override async importFile(path: string, source: "collect" | "setup"): Promise<unknown> {
    try {
      return await super.importFile(path, source)
    } catch (error) {
      if (source === "setup") throw error
      return test("can be loaded", () => {
        throw error
      })
    }
  }
}
