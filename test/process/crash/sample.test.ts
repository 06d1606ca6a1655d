/**
 * A sample of the kills and outages that `npm run verify` makes many of.
 */
import { assert, describe, inject, it } from "vitest"
import type { Effort } from "../../verify/effort.js"
import { useGiven } from "./engines.js"
import { killsOf } from "./kills.js"
import { outagesOf } from "./outages.js"
import { engineNames } from "./world.js"

const few = (most: number): Effort => ({ most, seed: 5, mayGoOn: () => true, done: () => {} })

describe.concurrent("processes that are killed by chance", { timeout: 120_000 }, () => {
  const given = useGiven()

  it.each(engineNames)("never lock the location, and overwrite no session, on %s", async (engine) => {
    const { breaches, kills, peak } = await killsOf(engine, few(8), given)
    assert.deepStrictEqual(breaches, [])
    assert.isAtLeast(kills, 8)
    assert.isAtMost(peak, 5)
  })

  it("stop early where there is no time left, and all is still checked", async () => {
    const { breaches, kills, served } = await killsOf("SQLite", { ...few(1000), mayGoOn: () => false }, given)
    assert.deepStrictEqual([breaches, kills], [[], 0])
    assert.isAtLeast(served, 12)
  })
})

describe("a PostgreSQL that is stopped and started under load", () => {
  it("is missed by all and found by all again, and nothing is sent meanwhile", async () => {
    const { breaches, processes, rounds } = await outagesOf(few(1), { programs: inject("programs") })
    assert.deepStrictEqual({ breaches, processes, rounds }, { breaches: [], processes: 6, rounds: 1 })
  }, 120_000)
})
