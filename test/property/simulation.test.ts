import { Either } from "effect"
import { assert, describe, it } from "vitest"
import * as Simulation from "../../src/testing/Simulation.js"
import * as SimulationTrace from "../../src/testing/SimulationTrace.js"
import { describeInShort } from "../verify/inShort.js"

/** The seed of a life with few calls. */
const seed = 14

describeInShort("simulated years of the real services", ["years"])

describe("simulated years", () => {
  it("are the same to the last byte when they are replayed", () => {
    const life = Simulation.live({ seed }, 0)
    assert.isAbove(life.trace.length, 300)
    const replayed = SimulationTrace.replay(SimulationTrace.toJsonLines({ seed }, 0, life))
    assert.isNull(Either.getOrThrow(replayed).differsAt)
  })

  it("differ from a changed trace at the changed line, and refuse text that is not a trace", () => {
    const options = { seed, client: "naive" } as const
    const lines = SimulationTrace.toJsonLines(options, 0, Simulation.live(options, 0)).split("\n")
    lines[4] = lines[4]!.replace(/"atMillis":\d+/, '"atMillis":1')
    assert.strictEqual(Either.getOrThrow(SimulationTrace.replay(lines.join("\n"))).differsAt, 5)
    assert.isTrue(Either.isLeft(SimulationTrace.replay("{}")))
  })

  it("lock out a naive client in its first life", () => {
    const life = Simulation.live({ seed, client: "naive" }, 0)
    assert.strictEqual(life.violation?.promise, "the backend never counts six")
    assert.match(SimulationTrace.toSequenceDiagram(life), /^sequenceDiagram\n[^]*count 6 of/)
  })
})
