import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { makeAuthCore } from "../../src/machine/AuthCore.js"
import { defaultPolicy } from "../../src/machine/Policy.js"
import { writeFigures } from "../support/figures.js"
import { emptyTally, run, schedule } from "./coreWorld.js"
import { breathe, propertyOptions } from "./options.js"

describe("the pure core", { timeout: 900_000 }, () => {
  it("never passes the limit, never reserves from aborted or locked, and keeps every invariant", async () => {
    const tally = emptyTally()
    const options = propertyOptions({ numRuns: 5000 })
    await fc.assert(
      fc.asyncProperty(
        schedule,
        breathe(async (given) => run({ makeAuthCore, defaultPolicy }, given, { tally }))
      ),
      options
    )
    console.log(
      `core: ${options.numRuns} schedules, seed ${options.seed}; ${tally.states.size} states, ` +
        `${tally.transitions.size} transitions, ${tally.sends} attempts, ${tally.locks} locks, greatest count ${tally.greatestCount}`
    )
    writeFigures("core", {
      seed: options.seed,
      schedules: options.numRuns,
      attempts: tally.sends,
      locks: tally.locks,
      greatestCount: tally.greatestCount
    })
    // The schedules reach all of the chart, and the limit: a property that holds in a corner says little.
    assert.strictEqual(tally.states.size, 9)
    assert.strictEqual(tally.greatestCount, 5)
    assert.isAbove(tally.locks, 100)
  })
})
