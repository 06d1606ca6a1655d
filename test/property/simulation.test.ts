import { Either } from "effect"
import { mkdirSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Simulation from "../../src/testing/Simulation.js"
import * as SimulationTrace from "../../src/testing/SimulationTrace.js"
import { type Built, buildCli, lastJson, start } from "../process/build.js"
import { writeFigures } from "../support/figures.js"
import { propertyOptions } from "./options.js"

const { seed } = propertyOptions({ numRuns: 1 })

/** Half of the years each, as the machines on which this runs have two cores; each with a seed of its own. */
const simulate = async (bin: string, years: number): Promise<Simulation.Figures> => {
  const half = async (part: number): Promise<Simulation.Figures> => {
    const trace = `reports/simulation-${part}.jsonl`
    const flags = ["--seed", part, "--years", Math.ceil(years / 2), "--json", "--trace", trace].map(String)
    const ran = await start([process.execPath, bin, "simulate", ...flags], {}).ended
    assert.strictEqual(ran.code, 0, `${ran.stderr}\n${ran.stdout}`)
    return lastJson(ran) as Simulation.Figures
  }
  return Simulation.combine(...(await Promise.all([half(seed), half(seed + 1)])))
}

// As long as it takes: how fast it is, is no question of these tests.
describe("simulated years of the real services", { timeout: 3_600_000 }, () => {
  let cli: Built
  beforeAll(async () => {
    mkdirSync("reports", { recursive: true })
    cli = await buildCli()
  }, 120_000)
  afterAll(() => cli?.remove())

  it("are a thousand without a lockout, and the backend never counts more than the limit", async () => {
    const years = propertyOptions({ numRuns: 1000 }).numRuns
    const figures = await simulate(cli.bin, years)
    console.log(`simulation: from seed ${seed}; ${JSON.stringify(figures)}`)
    writeFigures("simulation", { seed, ...figures })
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

  it("lock out a naive client, in the first of them", () => {
    const life = Simulation.live({ seed, client: "naive" }, 0)
    console.log(
      `naive: seed ${seed}; locked after ${life.figures.years.toFixed(2)} years, ${life.figures.attempts} attempts`
    )
    assert.strictEqual(life.violation?.promise, "the backend never counts six")
    assert.match(SimulationTrace.toSequenceDiagram(life), /^sequenceDiagram\n[^]*count 6 of/)
  })
})
