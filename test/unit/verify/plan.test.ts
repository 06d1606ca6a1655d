import { assert, describe, it } from "vitest"
import { parts, partNamed } from "../../verify/parts.js"
import { byCost, fits, type Lane, lanesOf, secondsOfJob, shareOf } from "../../verify/plan.js"

const part = partNamed("services")
const lane = (minutes: number): Lane => ({ part, jobs: ["1"], minutes })

describe("the plan of a verification", () => {
  it("has a lane for each job at full depth, and one for the part within a budget", () => {
    const jobs = ["a", "b", "c"]
    const full = lanesOf(part, jobs, { isBudgeted: false, seed: 4 })
    assert.deepStrictEqual(
      full.map((each) => each.jobs),
      [["a"], ["b"], ["c"]]
    )
    assert.closeTo(full[0]!.minutes, part.minutes / 3, 1e-9)
    const [only, ...none] = lanesOf(part, jobs, { isBudgeted: true, seed: 4 })
    assert.deepStrictEqual(only!.jobs, ["b", "c", "a"])
    assert.deepStrictEqual(none, [])
  })

  it("begins with the lane that costs most", () => {
    assert.deepStrictEqual(
      byCost([lane(1), lane(3), lane(2)]).map(({ minutes }) => minutes),
      [3, 2, 1]
    )
  })

  it("gives a lane its share by cost, and leaves unused time to the next lane", () => {
    const [one, other] = [lane(3), lane(1)]
    const left = { seconds: 100, slots: 1, taken: 0 }
    assert.strictEqual(shareOf(one, { ...left, waiting: [one, other] }), 75)
    // The first took 20 seconds of its 75.
    assert.strictEqual(shareOf(other, { ...left, seconds: 80, waiting: [other] }), 80)
  })

  it("counts the time that lanes under way may still take, and never gives more than is left", () => {
    const [one, other] = [lane(1), lane(1)]
    assert.strictEqual(shareOf(one, { seconds: 100, slots: 2, taken: 100, waiting: [one, other] }), 50)
    assert.strictEqual(shareOf(one, { seconds: 100, slots: 2, taken: 0, waiting: [one] }), 100)
  })

  it("gives a lane five seconds at least, and a job too unless less is left", () => {
    assert.strictEqual(shareOf(lane(1), { seconds: 2, slots: 2, taken: 4, waiting: [lane(1)] }), 5)
    assert.strictEqual(secondsOfJob(part, 60, 30), 5)
    assert.strictEqual(secondsOfJob(part, 60, 3), 20)
    assert.strictEqual(secondsOfJob(part, 3, 3), 3)
  })

  it("gives all the time that is left to a job of one unit, which is worth nothing if it is cut off", () => {
    assert.strictEqual(secondsOfJob(partNamed("walks"), 60, 30), 60)
  })
})

describe("a part that cannot be cut off", () => {
  it("is left out of a budget that is too small for it", () => {
    assert.isFalse(fits(partNamed("accounts"), 60))
    assert.isTrue(fits(partNamed("accounts"), Infinity))
    assert.isTrue(fits(partNamed("years"), 1))
  })
})

describe("the parts of a verification", () => {
  it("have distinct names, and partNamed rejects an unknown name", () => {
    const names = parts.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    assert.throws(() => partNamed("wlaks"), /There is no part "wlaks"\. The parts are: walks, /)
  })

  it("name only jobs that they have", async () => {
    for (const { full, load, name, quick } of parts) {
      const { jobs } = await load()
      assert.strictEqual(new Set(jobs).size, jobs.length, name)
      assert.includeMembers([...jobs], [...(quick.jobs ?? []), ...(full.jobs ?? [])], name)
    }
  })
})
