import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { Broken, type CoreImplementation, run, schedule } from "./coreWorld.js"
import { type Mutant, mutants, plant } from "./mutants.js"
import { propertyOptions } from "./options.js"

const load = async (mutant: Mutant): Promise<CoreImplementation> => {
  const folder = plant(mutant)
  const { makeAuthCore } = (await import(`${folder}/src/machine/AuthCore.ts`)) as CoreImplementation
  const { defaultPolicy } = (await import(`${folder}/src/machine/Policy.ts`)) as CoreImplementation
  return { makeAuthCore, defaultPolicy }
}

describe("every lockout mutant is caught by a named property", () => {
  for (const mutant of mutants) {
    it(`${mutant.name}: caught by "${mutant.caughtBy}"`, async () => {
      const implementation = await load(mutant)
      // One seed, so that the same mutants are caught by the same schedules everywhere.
      const options = { ...propertyOptions({ numRuns: 40_000, seed: 5 }), endOnFailure: true }
      // Other properties may break first: only the one that names the rule is watched.
      const found = fc.check(
        fc.property(schedule, (given) => run(implementation, given, { watch: mutant.caughtBy })),
        options
      )
      assert.isTrue(found.failed, `not caught in ${found.numRuns} schedules (seed ${options.seed})`)
      assert.instanceOf(found.errorInstance, Broken)
      console.log(`${mutant.name}: caught after ${found.numRuns} schedules (seed ${found.seed})`)
    })
  }
})
