/** Mutants of library and store that the simulated years have to find. */
import type * as Simulation from "../../../src/testing/Simulation.js"
import { neverLockedOut } from "../../model/WorldModel.js"
import { editsOf, load, type Mutant, plant } from "../../property/mutants.js"
import { breathe } from "../effort.js"
import { makeMutantRunner } from "../mutants.js"

interface SimulatedMutant extends Pick<Mutant, "name" | "edits"> {
  /** The promise that has to be broken. */
  readonly breaks: string
  /** A seed in which the mutant is found soon; the same everywhere. */
  readonly seed: number
  /** When the simulated store answers, if it does not keep its contract. */
  readonly acknowledges?: Simulation.Options["acknowledges"]
}

const backend = neverLockedOut

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
    edits: [],
    acknowledges: "beforeDurable",
    breaks: backend
  }
]

/** In a hundred times as many years the library breaks no promise. */
const mostYears = 8
const yearMillis = 8766 * 3_600_000

/**
 * Simulates years until a promise is broken. Effect keeps the default of a `Context.Reference` for the whole program, the core
 * with it: so each mutant needs a process of its own.
 */
export const runner = makeMutantRunner(mutants, async (mutant, mayGoOn) => {
  const folder = plant(mutant, "simulated")
  const { live } = await load<typeof Simulation>(folder, "src/testing/Simulation.ts")
  let years = 0
  for (let number = 0; years < mostYears && mayGoOn(); number++) {
    const { figures, violation } = live({ seed: mutant.seed, acknowledges: mutant.acknowledges }, number)
    if (violation !== null) {
      if (violation.promise !== mutant.breaks) return `it broke "${violation.promise}" instead`
      return { seed: mutant.seed, years: years + violation.atMillis / yearMillis }
    }
    years += figures.years
    await breathe()
  }
  return `no promise is broken in ${years} years of seed ${mutant.seed}`
})
