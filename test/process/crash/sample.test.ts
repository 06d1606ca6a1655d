/**
 * A sample of the kills and outages that `npm run verify` makes many of.
 */
import { assert, describe, inject, it } from "vitest"
import type { Effort } from "../../verify/effort.js"
import { partNamed } from "../../verify/parts.js"
import { useGiven } from "./engines.js"
import { killsOf } from "./kills.js"
import { outagesOf } from "./outages.js"
import { engineNames } from "./world.js"

/** The first effort ends with so many units; the second is stopped after as many, and all has to hold as well. */
const few = (most: number): Effort => ({ most, seed: 5, mayGoOn: () => true, done: () => {} })
const stopped = (after: number): Effort => {
  let kills = 0
  return { most: 1000, seed: 6, mayGoOn: () => kills < after, done: (units) => (kills = units) }
}

describe.concurrent("processes that are killed by chance", { timeout: 120_000 }, () => {
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
  it("is missed by all and found by all again, and nothing is sent meanwhile", async () => {
    const wanted = partNamed("outages").quick.each
    const { breaches, processes, rounds } = await outagesOf(few(wanted), { programs: inject("programs") })
    assert.deepStrictEqual({ breaches, processes, rounds }, { breaches: [], processes: 6, rounds: wanted })
  }, 120_000)
})
