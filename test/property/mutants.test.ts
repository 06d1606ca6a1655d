import { afterAll, assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { writeFigures } from "../support/figures.js"
import * as coreWorld from "./coreWorld.js"
import { type Mutant, mutants, plant } from "./mutants.js"
import { breathe, propertyOptions } from "./options.js"
import * as world from "./world.js"

const load = async <A>(folder: string, file: string): Promise<A> =>
  (await import(`${folder}/src/${file}`)) as A

/** Runs schedules until one breaks the property that the mutant has to be caught by. */
const hunt = async (
  mutant: Mutant
): Promise<Pick<fc.RunDetails<unknown>, "failed" | "numRuns" | "seed" | "errorInstance">> => {
  const folder = plant(mutant)
  // One seed, so that the same mutants are caught by the same schedules everywhere.
  const seed = 5
  if (mutant.run === "core") {
    const { makeAuthCore } = await load<coreWorld.CoreImplementation>(folder, "machine/AuthCore.ts")
    const { defaultPolicy } = await load<coreWorld.CoreImplementation>(folder, "machine/Policy.ts")
    // Other properties may break first: only the one that names the rule is watched.
    const property = fc.asyncProperty(
      coreWorld.schedule,
      breathe(async (given) =>
        coreWorld.run({ makeAuthCore, defaultPolicy }, given, { watch: mutant.caughtBy })
      )
    )
    return fc.check(property, { ...propertyOptions({ numRuns: 40_000, seed }), endOnFailure: true })
  }
  const implementation: world.WorldImplementation = {
    AuthStore: await load(folder, "services/AuthStore.ts"),
    NumberAuth: await load(folder, "services/NumberAuth.ts"),
    NumberTransport: await load(folder, "services/NumberTransport.ts")
  }
  const property = fc.asyncProperty(
    world.schedule,
    breathe(async (given) => {
      world.run(implementation, given, { watch: mutant.caughtBy })
    })
  )
  return fc.check(property, { ...propertyOptions({ numRuns: 1000, seed }), endOnFailure: true })
}

describe("every lockout mutant is caught by a named property", { timeout: 900_000 }, () => {
  const caught: Array<string> = []
  afterAll(() => writeFigures("sampled-mutants", { mutants: mutants.length, caught: caught.length }))

  for (const mutant of mutants) {
    it(`${mutant.name}: caught by "${mutant.caughtBy}"`, async () => {
      const found = await hunt(mutant)
      assert.isTrue(found.failed, `not caught in ${found.numRuns} schedules (seed ${found.seed})`)
      assert.instanceOf(found.errorInstance, coreWorld.Broken)
      caught.push(mutant.name)
      console.log(`${mutant.name}: caught after ${found.numRuns} schedules (seed ${found.seed})`)
    })
  }
})
