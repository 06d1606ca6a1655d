import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import * as AuthStore from "../../src/services/AuthStore.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as NumberTransport from "../../src/services/NumberTransport.js"
import { writeFigures } from "../support/figures.js"
import { breathe, propertyOptions } from "./options.js"
import { emptyTally, run, schedule } from "./world.js"

const library = { AuthStore, NumberAuth, NumberTransport }

// One seed for both, so that the naive client meets the first of the schedules that the library meets.
const { seed } = propertyOptions({ numRuns: 1 })

// As long as it takes: how fast it is, is no question of these tests.
describe("the real NumberAuth against the emulator", { timeout: 900_000 }, () => {
  it("never takes the emulator's count past the limit, and never sends a refused fingerprint again", async () => {
    const tally = emptyTally()
    const options = propertyOptions({ numRuns: 300, seed })
    let lockouts = 0
    await fc.assert(
      fc.asyncProperty(
        schedule,
        breathe(async (given) => {
          const { isLockedOut } = run(library, given, { tally })
          if (isLockedOut) lockouts += 1
          assert.isFalse(isLockedOut, "the backend never counts six")
        })
      ),
      options
    )
    console.log(
      `world: ${options.numRuns} schedules, seed ${options.seed}; ${lockouts} lockouts; ${tally.states.size} states, ` +
        `${tally.transitions.size} transitions, ${tally.attempts} attempts, ${tally.renewals} sessions, ` +
        `${tally.crashes} crashes, greatest count ${tally.peak}, ${tally.atTheLimit} runs at their limit`
    )
    writeFigures("world", {
      seed: options.seed,
      schedules: options.numRuns,
      attempts: tally.attempts,
      sessions: tally.renewals,
      crashes: tally.crashes,
      lockouts,
      greatestCount: tally.peak
    })
    assert.strictEqual(tally.states.size, 9)
    assert.strictEqual(tally.peak, 5)
    assert.isAbove(tally.atTheLimit, options.numRuns / 20)
    assert.isAbove(tally.renewals, options.numRuns * 2)
  })

  it("is not vacuous: in the same runs a naive client that retries locks the location, every time", async () => {
    const options = propertyOptions({ numRuns: 100, seed })
    let lockouts = 0
    await fc.assert(
      fc.asyncProperty(
        schedule,
        breathe(async (given) => {
          const { isLockedOut } = run("naive", given)
          if (isLockedOut) lockouts += 1
        })
      ),
      options
    )
    console.log(`naive: ${options.numRuns} schedules, seed ${options.seed}; ${lockouts} lockouts`)
    writeFigures("naive", { seed: options.seed, schedules: options.numRuns, lockouts })
    assert.strictEqual(lockouts, options.numRuns)
  })
})
