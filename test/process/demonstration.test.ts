import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"
import { start } from "./start.js"

describe("npm start", () => {
  it("shows the main job, ends by itself with 0, and leaves nothing behind", async () => {
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-demonstration-"))
    try {
      const ran = await start(["npm", "start"], { HOME: folder, TMPDIR: folder }).ended
      assert.strictEqual(ran.code, 0, ran.stdout + ran.stderr)
      for (const line of [
        /^1\. Authenticate$/m,
        /^ {3}ok {2}executions of payment 1: 1$/m,
        /^ {3}ok {2}executions of payment 2: 1$/m,
        /^ {3}ok {2}starts that got AuthAborted: 10$/m,
        /^ {3}ok {2}the emulator's count: 5$/m,
        /^ {3}ok {2}the location is locked: false$/m,
        /^ {3}ok {2}payment 3 carried out: true$/m,
        /^ {3}ok {2}the highest count of any IP \(six locks\): 5$/m,
        /^As promised: 10 steps, \d+ facts\.$/m
      ]) {
        assert.match(ran.stdout, line)
      }
      assert.notMatch(ran.stdout, /NOT AS PROMISED|WARN/)
      assert.deepStrictEqual(
        Fs.readdirSync(folder).filter((name) => name.startsWith("effect-number-auth-")),
        []
      )
    } finally {
      Fs.rmSync(folder, { recursive: true, force: true })
    }
  })
})
