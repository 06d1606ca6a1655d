import { assert, describe, it } from "vitest"
import { explore, type Model } from "../../src/testing/Explorer.js"
import { type Event, kinds, make, neverLockedOut } from "../../src/testing/WorldModel.js"
import { toSequenceDiagram } from "../../src/testing/WorldTrace.js"
import { exploredWorlds, hunting } from "./exhaustiveWorlds.js"

describe("the world around the core, from end to end", { timeout: 3_600_000 }, () => {
  for (const [name, options] of Object.entries(exploredWorlds)) {
    it(`is never locked out, keeps every invariant, and is never stuck (${name})`, () => {
      const model = make(options)
      const found = explore(model)
      if (found.violation !== null) {
        assert.fail(`${found.violation.name}\n${toSequenceDiagram(model, found.violation.path)}`)
      }
      assert.isTrue(found.isComplete)
      // It comes as far as it may: a walk that never meets the limit says little.
      assert.strictEqual(found.greatest, options.limit)
      console.log(
        `${name}: ${found.states} states, ${found.transitions} transitions, greatest count ${found.greatest} of ${options.limit}`
      )
    })
  }

  // Open: a fault settles its mark at once, as if Number were done with the attempt. Whoever closes this takes the test out,
  // and lets the worlds have gateways.
  it("is not safe from a gateway that answers for Number while Number still works on the attempt", () => {
    const model = make({ ...hunting.plain, gatewayAnswers: true })
    // Without a lifted lock, so that it is nobody's word that was not true.
    const { violation } = explore(
      {
        ...model,
        transitionsOf: (state) => model.transitionsOf(state).filter(({ event }) => event.type !== "lift")
      },
      { watch: neverLockedOut }
    )
    if (violation === null) return assert.fail("it is safe now")
    console.log(toSequenceDiagram(model, violation.path))
  })

  it("sees a world in which nobody resumes what was aborted as stuck", () => {
    const model = make({ ...hunting.plain, limit: 1, processes: 1 })
    const broken: Model<Event> = {
      ...model,
      transitionsOf: (state) =>
        model.transitionsOf(state).map((each) => (each.kinds === kinds.people ? { ...each, kinds: 0 } : each))
    }
    assert.include(explore(broken).violation?.name, "with the help of people")
  })

  it("sees a world in which leases never run out as stuck", () => {
    const model = make({ ...hunting.plain, limit: 1, processes: 1 })
    const broken: Model<Event> = {
      ...model,
      transitionsOf: (state) => model.transitionsOf(state).filter(({ event }) => event.type !== "leaseEnds")
    }
    assert.include(explore(broken).violation?.name, "by itself")
  })
})
