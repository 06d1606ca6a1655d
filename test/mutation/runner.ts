import { test } from "vitest"
import { VitestTestRunner } from "vitest/runners"

/**
 * Vitest takes a test file that cannot be loaded for a failed file without tests, and Stryker then takes the
 * mutant for one that no test has caught. Here such a file has one test, which fails. This does not help if a
 * `describe` throws while tests are collected: code under test has to run inside tests.
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
