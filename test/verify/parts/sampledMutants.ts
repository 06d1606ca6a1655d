/** Mutants of core and services, each hunted by the property that has to catch it. */
import * as fc from "fast-check"
import * as coreWorld from "../../property/coreWorld.js"
import { load, type Mutant, mutants, plant } from "../../property/mutants.js"
import * as world from "../../property/world.js"
import { breathe } from "../effort.js"
import { makeMutantRunner } from "../mutants.js"

/** Runs one schedule, and throws where the property breaks that is watched: others may break first. */
type Trial = { readonly property: (watch: string) => fc.IAsyncProperty<unknown>; readonly most: number }

const coreTrial = async (folder: string): Promise<Trial> => {
  const { makeAuthCore } = await load<coreWorld.CoreImplementation>(folder, "src/machine/AuthCore.ts")
  const { defaultPolicy } = await load<coreWorld.CoreImplementation>(folder, "src/machine/Policy.ts")
  return {
    property: (watch) =>
      fc.asyncProperty(coreWorld.schedule, async (given) =>
        coreWorld.run({ makeAuthCore, defaultPolicy }, given, { watch })
      ),
    most: 40_000
  }
}

const worldTrial = async (folder: string): Promise<Trial> => {
  const implementation: world.WorldImplementation = {
    AuthStore: await load(folder, "src/services/store/AuthStore.ts"),
    NumberAuth: await load(folder, "src/services/session/NumberAuth.ts"),
    NumberTransport: await load(folder, "src/services/wire/NumberTransport.ts"),
    SoapTransport: await load(folder, "src/services/wire/SoapTransport.ts")
  }
  return {
    property: (watch) =>
      fc.asyncProperty(world.schedule, async (given) => {
        world.run(implementation, given, { watch })
      }),
    most: 1000
  }
}

/** One seed, so that the same mutants are caught by the same schedules everywhere. */
const seed = 5
const piece = 100

const hunt = async ({ caughtBy, run, ...mutant }: Mutant, mayGoOn: () => boolean) => {
  const folder = plant(mutant, "sampled")
  const { most, property } = await (run === "core" ? coreTrial(folder) : worldTrial(folder))
  for (let done = 0; done < most && mayGoOn(); done += piece) {
    const found = await fc.check(property(caughtBy), {
      seed: seed + done,
      numRuns: piece,
      endOnFailure: true
    })
    if (found.failed) {
      if (!(found.errorInstance instanceof coreWorld.Broken))
        return `it ended with ${String(found.errorInstance)}`
      return { caughtBy, schedules: done + found.numRuns }
    }
    await breathe()
  }
  return `no schedule breaks "${caughtBy}"`
}

export const runner = makeMutantRunner(mutants, hunt)
