/** The schedules of the services, with a client that authenticates again after a failure. */
import * as fc from "fast-check"
import { schedule } from "../../model/ServicesSchedule.js"
import { run } from "../../model/ServicesWorld.js"
import { sample } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures {
  readonly schedules: number
  readonly lockouts: number
}

export const runner: Runner<Figures> = {
  jobs: ["naive"],
  run: async (_, effort) => {
    let lockouts = 0
    const property = fc.asyncProperty(schedule, async (given) => {
      if (run("naive", given).isLockedOut) lockouts += 1
    })
    const { breaches, done } = await sample(effort, property, 10)
    return {
      done,
      breaches: [
        ...breaches,
        ...(lockouts < done ? [`${done - lockouts} of ${done} schedules lock nobody`] : [])
      ],
      figures: { schedules: done, lockouts }
    }
  },
  sum: ([first], { seed }) => ({ figures: { seed, ...first?.figures }, breaches: [] }),
  print: sentences
}
