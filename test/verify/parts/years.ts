/** Simulated years of the real services. */
import { mkdirSync, writeFileSync } from "node:fs"
import * as Simulation from "../../../src/testing/Simulation.js"
import * as SimulationTrace from "../../../src/testing/SimulationTrace.js"
import { breathe, pieces, seedOf } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

const jobs = pieces(20)

/** The promise that broke, the file of its trace, and a diagram of it. */
const breachOf = (seed: number, number: number, life: Simulation.Life): string => {
  const trace = `reports/years-${seed}.jsonl`
  mkdirSync("reports", { recursive: true })
  writeFileSync(trace, SimulationTrace.toJsonLines({ seed }, number, life))
  return [
    `${life.violation!.promise}: seed ${seed}, life ${number}. Its trace is ${trace}; to look at it: npm run -s number-auth -- inspect --trace ${trace}`,
    SimulationTrace.toSequenceDiagram(life)
  ].join("\n")
}

export const runner: Runner<Simulation.Figures> = {
  jobs,
  run: async (job, effort) => {
    // A year makes thousands of errors that are expected: their stacks take an eighth of its time, and nothing shows them.
    Error.stackTraceLimit = 0
    const seed = seedOf(effort.seed, jobs, job)
    let figures = Simulation.noFigures
    for (let number = 0; figures.years < effort.most && effort.mayGoOn(); number++) {
      const life = Simulation.live({ seed }, number)
      figures = Simulation.combine(figures, life.figures)
      if (life.violation !== null)
        return { done: figures.years, breaches: [breachOf(seed, number, life)], figures }
      effort.done(figures.years)
      await breathe()
    }
    return { done: figures.years, breaches: [], figures }
  },
  sum: (found, { isWhole, seed }) => {
    const figures = found.reduce((sum, each) => Simulation.combine(sum, each.figures), Simulation.noFigures)
    const { crashes, renewals, years, yearsAtTheLimit } = figures
    const isVain = isWhole && (renewals < years * 50 || crashes < years * 10 || yearsAtTheLimit === 0)
    return {
      figures: { seed, ...figures },
      breaches: isVain ? [`the years reach too little: ${JSON.stringify(figures)}`] : []
    }
  },
  print: sentences
}
