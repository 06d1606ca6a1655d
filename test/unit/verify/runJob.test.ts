import { assert, describe, inject, it } from "vitest"
import { runJob } from "../../verify/runJob.js"

const program = inject("jobProgram")
const task = { part: "wanderings", job: "1", most: 20, seed: 3, seconds: null }

describe("the process of a job", () => {
  it("does the given number of units, and returns its results", async () => {
    const found = await runJob(program, task, () => {})
    assert.deepStrictEqual(found.breaches, [])
    assert.strictEqual(found.done, 20)
    assert.propertyVal(found.figures, "steps", 20)
  })

  it("ends by itself when its time is over", async () => {
    const found = await runJob(program, { ...task, most: 1_000_000, seconds: 0.5 }, () => {})
    assert.deepStrictEqual(found.breaches, [])
    assert.isBelow(found.done, 1_000_000)
  })

  it("reports its failure as a breach with the seed, and has no figures", async () => {
    const found = await runJob(program, { ...task, part: "none" }, () => {})
    assert.isUndefined(found.figures)
    assert.match(found.breaches.join(), /none, 1, seed 3: .*There is no part "none"/)
  })
})
