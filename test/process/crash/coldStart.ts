/**
 * Many commands that log in at once, on a store that is empty. Needs no vitest.
 */
import { assert } from "chai"
import * as Os from "node:os"
import { lastJson, start } from "../start.js"
import {
  account,
  assertNeverLocked,
  attempts,
  type EngineName,
  type Given,
  goodToken,
  inWorld,
  onStage,
  run,
  type World
} from "./world.js"

export interface ColdStartFigures {
  readonly processes: number
  readonly attempts: number
  readonly sessions: number
  readonly breaches: ReadonlyArray<string>
}

const login = (world: World) =>
  start([process.execPath, world.programs.cli, "login", "--json", "--show-key"], {
    HOME: Os.tmpdir(),
    NUMBER_ACCOUNT_CODE: account,
    NUMBER_TOKEN: goodToken,
    NUMBER_BASE_URL: world.url,
    NUMBER_STORE_URL: world.store,
    // On PostgreSQL, only processes that have the key share sessions.
    NUMBER_STORE_KEY: Buffer.alloc(32, "cold").toString("base64")
  }).ended

const logins = async (engine: EngineName, processes: number, world: World): Promise<ColdStartFigures> => {
  await run(world.emulator.setDelays({ answer: "300 millis" }))
  const ran = await Promise.all(Array.from({ length: processes }, () => login(world)))
  const sessions = new Set<string>()
  const breaches: Array<string> = []
  try {
    for (const each of ran) {
      assert.deepStrictEqual({ code: each.code, stderr: each.stderr }, { code: 0, stderr: "" })
      const { sessionKey, store } = lastJson(each)
      sessions.add(sessionKey)
      if (engine === "SQLite") continue
      assert.notInclude(each.stdout, new URL(world.store).password)
      assert.match(store, /^postgres:\/\/[a-z_]+@[^:@/]+:\d+\/\w+$/)
    }
    assert.strictEqual(sessions.size, 1, "sessions")
    assert.strictEqual(await attempts(world), 1, "attempts")
    await assertNeverLocked(world)
  } catch (error) {
    breaches.push(String(error))
  }
  return { processes, attempts: await attempts(world), sessions: sessions.size, breaches }
}

/** So many commands log in at once: one makes the attempt, and all get its session. */
export const coldStart = (
  engine: EngineName,
  processes: number,
  given: Given = {}
): Promise<ColdStartFigures> =>
  onStage(engine, given, (stage) => inWorld(stage, (world) => logins(engine, processes, world)))
