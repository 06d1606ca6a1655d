/** Mutants of core and services, each hunted at random for the property that has to catch it. */
import * as fc from "fast-check"
import { PCGRandom } from "effect/Utils"
import { schedule } from "../../model/ServicesSchedule.js"
import type * as ServicesWorld from "../../model/ServicesWorld.js"
import type * as Wander from "../../model/wander.js"
import type * as WorldModel from "../../model/WorldModel.js"
import { load, type Mutant, mutants, plant } from "../../property/mutants.js"
import { breathe } from "../effort.js"
import { cell } from "../markdown.js"
import { type Caught, makeMutantRunner } from "../mutants.js"

/** One seed, so that the same mutants are caught in the same way everywhere. */
const seed = 5
const mostSteps = 120_000
const mostSchedules = 1000
const piece = 100

type Hunted = Pick<Mutant, "caughtBy"> & { readonly folder: string; readonly mayGoOn: () => boolean }

/** Goes random ways through a world around the mutant of the core. */
const goThrough = async (
  world: WorldModel.Options,
  { caughtBy, folder, mayGoOn }: Hunted
): Promise<Caught | string> => {
  const { make } = await load<typeof WorldModel>(folder, "test/model/WorldModel.ts")
  const { wander } = await load<typeof Wander>(folder, "test/model/wander.ts")
  const model = make(world)
  const random = new PCGRandom(seed)
  let steps = 0
  while (steps < mostSteps && mayGoOn()) {
    const way = wander(model, { draw: (count) => random.integer(count), most: 60, watch: caughtBy })
    steps += way.steps
    if (way.violation !== null) return { caughtBy, after: `${cell(steps)} steps` }
    await breathe()
  }
  return `no way in ${steps} steps breaks "${caughtBy}"`
}

/** Runs random schedules with the mutant of the services. */
const runSchedules = async ({ caughtBy, folder, mayGoOn }: Hunted): Promise<Caught | string> => {
  const { run } = await load<typeof ServicesWorld>(folder, "test/model/ServicesWorld.ts")
  let isCaught = false
  const keepsPromise = fc.property(schedule, (given) => {
    isCaught = run("library", given).broken.has(caughtBy)
    return !isCaught
  })
  for (let done = 0; done < mostSchedules && mayGoOn(); done += piece) {
    const found = fc.check(keepsPromise, { seed: seed + done, numRuns: piece, endOnFailure: true })
    if (found.failed)
      return isCaught
        ? { caughtBy, after: `${cell(done + found.numRuns)} schedules` }
        : `it ended with ${String(found.errorInstance)}`
    await breathe()
  }
  return `no schedule breaks "${caughtBy}"`
}

export const runner = makeMutantRunner(mutants, ({ caughtBy, world, ...mutant }, mayGoOn) => {
  const hunted = { caughtBy, folder: plant(mutant, "sampled"), mayGoOn }
  return world === null ? runSchedules(hunted) : goThrough(world, hunted)
})
