import { mkdirSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { buildCli, lastJson, start } from "../process/build.js"
import { writeFigures } from "../support/figures.js"
import { editsOf, type Mutant, plant } from "./mutants.js"

interface SimulatedMutant extends Pick<Mutant, "name" | "edits"> {
  /** The promise that has to be broken. */
  readonly breaks: string
  /** One in which it is found soon; the same everywhere. */
  readonly seed: number
}

const backend = "the backend never counts more than the limit"

const known = (name: string, seed: number, breaks = backend): SimulatedMutant => ({
  name,
  seed,
  edits: editsOf(name),
  breaks
})

const mutants: ReadonlyArray<SimulatedMutant> = [
  known("a limit of 6: one more than allowed", 5),
  known("the mark is put after sending", 5),
  known("what is not certain is taken for unsent", 5),
  known("no drain time", 1),
  known("a refused fingerprint is forgotten", 5, "a refused fingerprint is never sent again"),
  {
    name: "the store acknowledges what is not durable",
    seed: 7,
    edits: [
      {
        file: "testing/Simulation.ts",
        find: 'const { acknowledges = "whenDurable" } = options',
        replace: 'const acknowledges = "beforeDurable" as "whenDurable" | "beforeDurable"'
      }
    ],
    breaks: backend
  }
]

/** In a hundred times as many the library breaks no promise. */
const mostYears = 8
const yearMillis = 8766 * 3_600_000

/**
 * Simulates years until a promise is broken. In a process of its own: what a module gives as a default, the core with it,
 * Effect keeps for the whole program, so that a second mutant would run with the first one's core.
 */
const hunt = async (mutant: SimulatedMutant) => {
  const cli = await buildCli(plant(mutant, "simulated"), "cli-mutant")
  const trace = "reports/simulation-mutant.jsonl"
  const flags = ["--seed", mutant.seed, "--years", mostYears, "--json", "--trace", trace].map(String)
  const ran = await start([process.execPath, cli.bin, "simulate", ...flags], {}).ended
  cli.remove()
  return { code: ran.code, report: lastJson(ran), diagram: ran.stderr }
}

// As long as it takes: how fast it is, is no question of these tests.
describe("the simulated years find every mutant", { timeout: 900_000 }, () => {
  const caught: Array<{ readonly mutant: string; readonly seed: number; readonly years: number }> = []
  beforeAll(() => void mkdirSync("reports", { recursive: true }))
  afterAll(() => writeFigures("simulation-mutants", { mutants: mutants.length, caught }))

  for (const mutant of mutants) {
    it(`${mutant.name}: "${mutant.breaks}"`, async () => {
      const { code, diagram, report } = await hunt(mutant)
      assert.strictEqual(code, 70, `not caught in ${mostYears} years of seed ${mutant.seed}`)
      assert.strictEqual(report.promise, mutant.breaks)
      const years = report.life + report.atMillis / yearMillis
      caught.push({ mutant: mutant.name, seed: mutant.seed, years })
      console.log(
        `${mutant.name}: caught in year ${report.life + 1}, after ${years.toFixed(2)} (seed ${mutant.seed})\n${diagram}`
      )
    })
  }
})
