/** The pure core in random schedules. */
import * as fc from "fast-check"
import { makeAuthCore } from "../../../src/machine/AuthCore.js"
import { defaultPolicy } from "../../../src/machine/Policy.js"
import { emptyTally, run, schedule } from "../../property/coreWorld.js"
import { pieces, sample, seedOf, totals } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures {
  readonly schedules: number
  readonly attempts: number
  readonly locks: number
  readonly greatestCount: number
  readonly states: ReadonlyArray<string>
}

const jobs = pieces(2)

export const runner: Runner<Figures> = {
  jobs,
  run: async (job, effort) => {
    const tally = emptyTally()
    const property = fc.asyncProperty(schedule, async (given) =>
      run({ makeAuthCore, defaultPolicy }, given, { tally })
    )
    const { breaches, done } = await sample(
      { ...effort, seed: seedOf(effort.seed, jobs, job) },
      property,
      100
    )
    const { greatestCount, locks, sends, states } = tally
    return {
      done,
      breaches,
      figures: { schedules: done, attempts: sends, locks, greatestCount, states: [...states] }
    }
  },
  sum: (found, { isWhole, seed }) => {
    const { greatest, sum } = totals(found)
    const figures = {
      seed,
      schedules: sum(({ schedules }) => schedules),
      attempts: sum(({ attempts }) => attempts),
      locks: sum(({ locks }) => locks),
      greatestCount: greatest(({ greatestCount }) => greatestCount),
      statesOfTheChart: new Set(found.flatMap((each) => each.figures.states)).size
    }
    // The few schedules of npm test need not come as far.
    // The schedules reach all of the chart, and the limit: a property that holds in a corner says little.
    const isVain =
      isWhole &&
      figures.schedules >= 100 &&
      (figures.statesOfTheChart !== 9 ||
        figures.greatestCount !== 5 ||
        figures.locks < figures.schedules / 50)
    return { figures, breaches: isVain ? [`the schedules reach too little: ${JSON.stringify(figures)}`] : [] }
  },
  print: sentences
}
