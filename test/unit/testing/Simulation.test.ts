import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { NumberAuth } from "../../../src/services/session/NumberAuth.js"
import { neverLocksOut } from "../../../src/testing/LockoutProperty.js"
import * as Simulation from "../../../src/testing/Simulation.js"
import { standing } from "../../support/standing.js"

// The time-out is long, since these tests do not measure speed.
describe("a simulated life", { timeout: 300_000 }, () => {
  it("leaves no fiber of its processes behind, so that memory does not grow over the years", () => {
    const before = standing()
    const life = Simulation.live({ seed: 14 }, 0)
    assert.isAbove(life.figures.crashes, 10)
    assert.isNull(life.violation)
    assert.strictEqual(standing(), before)
  })

  it("leaves no fiber behind if a broken promise ends it early", () => {
    const before = standing()
    const life = Simulation.live({ seed: 1, client: "naive" }, 0)
    assert.isBelow(life.figures.years, 1)
    assert.isNotNull(life.violation)
    assert.strictEqual(life.trace.at(-1)?.type, "broken")
    assert.strictEqual(standing(), before)
  })
})

describe("a run of neverLocksOut", { timeout: 300_000 }, () => {
  it("leaves no fiber behind, of the program or of the world", async () => {
    const before = standing()
    const program = Effect.flatMap(NumberAuth, (auth) => auth.sessionKey)
    const { crashes } = await Effect.runPromise(neverLocksOut(program, { runs: 3, seed: 1 }))
    assert.isAbove(crashes, 0)
    assert.strictEqual(standing(), before)
  })
})
