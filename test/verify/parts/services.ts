/** The real services against the emulator, in random schedules of calls, crashes, faults and people. */
import * as fc from "fast-check"
import { schedule } from "../../model/ServicesSchedule.js"
import { emptyTally, run } from "../../model/ServicesWorld.js"
import { pieces, sample, seedOf, totals } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures {
  readonly schedules: number
  readonly attempts: number
  readonly sessions: number
  readonly crashes: number
  readonly greatestCount: number
  readonly atTheLimit: number
  readonly states: ReadonlyArray<string>
}

const jobs = pieces(2)

export const runner: Runner<Figures> = {
  jobs,
  run: async (job, effort) => {
    const tally = emptyTally()
    const property = fc.asyncProperty(schedule, async (given) => {
      const { broken, isLockedOut } = run("library", given, tally)
      for (const promise of broken) throw new Error(`broken: ${promise}`)
      if (isLockedOut) throw new Error("the backend counted six")
    })
    const { breaches, done } = await sample({ ...effort, seed: seedOf(effort.seed, jobs, job) }, property, 10)
    return {
      done,
      breaches,
      figures: {
        schedules: done,
        attempts: tally.attempts,
        sessions: tally.renewals,
        crashes: tally.crashes,
        greatestCount: tally.peak,
        atTheLimit: tally.atTheLimit,
        states: [...tally.states]
      }
    }
  },
  sum: (found, { isWhole, seed }) => {
    const { greatest, sum } = totals(found)
    const figures = {
      seed,
      schedules: sum(({ schedules }) => schedules),
      attempts: sum(({ attempts }) => attempts),
      sessions: sum(({ sessions }) => sessions),
      crashes: sum(({ crashes }) => crashes),
      greatestCount: greatest(({ greatestCount }) => greatestCount),
      schedulesAtTheLimit: sum(({ atTheLimit }) => atTheLimit),
      statesOfTheChart: new Set(found.flatMap((each) => each.figures.states)).size
    }
    // The few schedules of npm test need not come as far.
    const isVain =
      isWhole &&
      figures.schedules >= 100 &&
      (figures.statesOfTheChart !== 9 ||
        figures.greatestCount !== 5 ||
        figures.schedulesAtTheLimit < figures.schedules / 20 ||
        figures.sessions < figures.schedules * 2)
    return { figures, breaches: isVain ? [`the schedules reach too little: ${JSON.stringify(figures)}`] : [] }
  },
  print: sentences
}
