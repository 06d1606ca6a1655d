/** The kit's property, on a program that leaves attempts to the library. */
import { Effect, Either } from "effect"
import { neverLocksOut } from "../../../src/testing/LockoutProperty.js"
import { proper } from "../../property/programs.js"
import { breathe, totals } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures {
  readonly schedules: number
  readonly attempts: number
  readonly crashes: number
  readonly greatestCount: number
}

const piece = 10

export const runner: Runner<Figures> = {
  jobs: ["REST", "SOAP"],
  run: async (job, effort) => {
    const figures = { schedules: 0, attempts: 0, crashes: 0, greatestCount: 0 }
    for (let seed = effort.seed; figures.schedules < effort.most && effort.mayGoOn(); seed++) {
      const runs = Math.min(piece, effort.most - figures.schedules)
      const verdict = await Effect.runPromise(
        Effect.either(neverLocksOut(proper, { seed, wire: job as "REST" | "SOAP", runs }))
      )
      if (Either.isLeft(verdict)) {
        return { done: figures.schedules, breaches: [`over ${job}: ${verdict.left.message}`], figures }
      }
      figures.schedules += verdict.right.runs
      figures.attempts += verdict.right.attempts
      figures.crashes += verdict.right.crashes
      figures.greatestCount = Math.max(figures.greatestCount, verdict.right.peak)
      effort.done(figures.schedules)
      await breathe()
    }
    return { done: figures.schedules, breaches: [], figures }
  },
  sum: (found, { isWhole, seed }) => {
    const { greatest, sum } = totals(found)
    const figures = {
      seed,
      schedules: sum(({ schedules }) => schedules),
      attempts: sum(({ attempts }) => attempts),
      crashes: sum(({ crashes }) => crashes),
      greatestCount: greatest(({ greatestCount }) => greatestCount)
    }
    // The schedules have to try hard enough: the ledger was filled to its limit.
    const isVain =
      isWhole &&
      figures.schedules >= 100 &&
      (figures.greatestCount !== 5 ||
        figures.attempts < 2 * figures.schedules ||
        figures.crashes < figures.schedules / 2)
    return { figures, breaches: isVain ? [`the schedules reach too little: ${JSON.stringify(figures)}`] : [] }
  },
  print: sentences
}
