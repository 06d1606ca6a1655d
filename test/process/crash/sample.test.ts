/**
 * A small sample of the kills and outages of `npm run verify`.
 */
import { assert, describe, inject, it } from "vitest"
import type { Effort } from "../../verify/effort.js"
import { partNamed } from "../../verify/parts.js"
import { useGiven } from "./engines.js"
import { killsOf } from "./kills.js"
import { outagesOf } from "./outages.js"
import { engineNames } from "./world.js"

/**
 * The first effort ends by itself after so many units. The second is stopped after as many, and must hold as
 * well.
 */
const few = (most: number): Effort => ({ most, seed: 5, mayGoOn: () => true, done: () => {} })
const stopped = (after: number): Effort => {
  let kills = 0
  return { most: 1000, seed: 6, mayGoOn: () => kills < after, done: (units) => (kills = units) }
}

describe.concurrent("processes that are killed at random", { timeout: 120_000 }, () => {
  const given = useGiven()
  const wanted = partNamed("kills").quick.each

  it.each(engineNames)("never lock the location, and overwrite no session, on %s", async (engine) => {
    const effort = engine === "PostgreSQL" ? few(wanted) : stopped(wanted)
    const { breaches, kills, peak, served } = await killsOf(engine, effort, given)
    assert.deepStrictEqual(breaches, [])
    assert.isAtLeast(kills, wanted)
    assert.isAtMost(kills, wanted + 12)
    assert.isAtMost(peak, 5)
    assert.isAtLeast(served, 12)
  })
})

describe("a PostgreSQL that is stopped and started under load", () => {
  it("lets all processes recover after the start, and nothing is sent meanwhile", async () => {
    const wanted = partNamed("outages").quick.each
    const { breaches, processes, rounds } = await outagesOf(few(wanted), { programs: inject("programs") })
    assert.deepStrictEqual({ breaches, processes, rounds }, { breaches: [], processes: 6, rounds: wanted })
  }, 120_000)
})
