import { Either } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import * as Simulation from "../../src/testing/Simulation.js"
import * as SimulationTrace from "../../src/testing/SimulationTrace.js"
import { propertyOptions } from "./options.js"

const { seed } = propertyOptions({ numRuns: 1 })

/** Lives until so many years are over, or a promise is broken. The event loop turns after each. */
const simulate = async (options: Simulation.Options, years: number) => {
  let figures = Simulation.noFigures
  for (let number = 0; figures.years < years; number++) {
    const life = Simulation.live(options, number)
    figures = Simulation.combine(figures, life.figures)
    if (life.violation !== null) return { figures, number, life }
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return { figures, number: null, life: null }
}

// As long as it takes: how fast it is, is no question of these tests.
describe("simulated years of the real services", { timeout: 3_600_000 }, () => {
  it("end without a lockout, and the backend never counts more than the limit", async () => {
    const years = propertyOptions({ numRuns: 20 }).numRuns
    const { figures, life, number } = await simulate({ seed }, years)
    console.log(`simulation: seed ${seed}; ${JSON.stringify(figures)}`)
    mkdirSync("reports", { recursive: true })
    writeFileSync("reports/simulation.json", `${JSON.stringify({ seed, ...figures }, null, 2)}\n`)
    if (life !== null) {
      writeFileSync("reports/simulation-trace.jsonl", SimulationTrace.toJsonLines({ seed }, number, life))
      assert.fail(
        `${life.violation!.promise}: broken in life ${number} of seed ${seed}; number-auth simulate --replay reports/simulation-trace.jsonl\n${SimulationTrace.toSequenceDiagram(life)}`
      )
    }
    assert.strictEqual(figures.lockouts, 0)
    assert.isAtLeast(figures.years, years)
    assert.isAbove(figures.renewals, years * 50)
    assert.isAbove(figures.crashes, years * 10)
    assert.isAbove(figures.yearsAtTheLimit, 0)
  })

  it("are the same to the last byte when they are replayed", async () => {
    const life = Simulation.live({ seed }, 0)
    assert.isAbove(life.trace.length, 300)
    await new Promise<void>((resolve) => setImmediate(resolve))
    const replayed = SimulationTrace.replay(SimulationTrace.toJsonLines({ seed }, 0, life))
    assert.isNull(Either.getOrThrow(replayed).differsAt)
  })

  it("are told apart where a line of a trace was changed, and what is no trace is refused", () => {
    const options = { seed, client: "naive" } as const
    const lines = SimulationTrace.toJsonLines(options, 0, Simulation.live(options, 0)).split("\n")
    lines[4] = lines[4]!.replace(/"atMillis":\d+/, '"atMillis":1')
    assert.strictEqual(Either.getOrThrow(SimulationTrace.replay(lines.join("\n"))).differsAt, 5)
    assert.isTrue(Either.isLeft(SimulationTrace.replay("{}")))
  })

  it("lock out a naive client, in the first of them", async () => {
    const { figures, life } = await simulate({ seed, client: "naive" }, 5)
    console.log(
      `naive: seed ${seed}; locked after ${figures.years.toFixed(2)} years, ${figures.attempts} attempts`
    )
    assert.isNotNull(life)
    assert.strictEqual(life.violation!.promise, "the backend never counts six")
    assert.match(SimulationTrace.toSequenceDiagram(life), /^sequenceDiagram\n[^]*count 6 of/)
  })
})
