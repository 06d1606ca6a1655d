import { assert, describe, it } from "vitest"
import { start } from "./start.js"

describe("a process that has loaded the PostgreSQL of the tests", () => {
  it("ends with the exit code that it was given; otherwise failing tests would pass", async () => {
    const postgres = JSON.stringify(new URL("../support/postgres.ts", import.meta.url).href)
    const code = `const { unload } = await (await import(${postgres})).load(); unload(); process.exitCode = 3`
    const ran = await start(
      [process.execPath, "--import", "tsx", "--input-type=module", "-e", code],
      process.env as Record<string, string>
    ).ended
    assert.strictEqual(ran.code, 3, ran.stderr)
  })
})
