/**
 * Processes that open one SQLite file at the same time.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, inject, it } from "vitest"
import { start } from "../process/start.js"

describe("processes that share a file", () => {
  it("can open a fresh file at once, all four, and lose no transaction", async () => {
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-"))
    try {
      const filename = Path.join(folder, "auth.sqlite")
      const ran = await Promise.all(
        Array.from(
          { length: 4 },
          () => start([process.execPath, inject("programs").drawer, filename], {}).ended
        )
      )
      const drawn = ran.flatMap(({ code, stderr, stdout }): ReadonlyArray<number> => {
        assert.strictEqual(code, 0, stderr)
        return JSON.parse(stdout)
      })
      assert.strictEqual(new Set(drawn).size, 200)
      assert.strictEqual(Math.max(...drawn), 200)
    } finally {
      Fs.rmSync(folder, { recursive: true, force: true })
    }
  })
})
