/** Mutants of the core, one for each invariant that the walks check. */
import type * as AuthCore from "../../../src/machine/AuthCore.js"
import { defaultPolicy } from "../../../src/machine/Policy.js"
import { coreWalks, walk } from "../../property/exhaustiveCore.js"
import { invariantMutants } from "../../property/invariantMutants.js"
import { load, plant } from "../../property/mutants.js"
import { makeMutantRunner } from "../mutants.js"

const mutants = invariantMutants.map((mutant) => ({ ...mutant, name: mutant.invariant }))

export const runner = makeMutantRunner(mutants, async ({ edits, invariant, walk: name }, mayGoOn) => {
  const folder = plant({ name: `core ${invariant}`, edits }, "exhaustive")
  const { makeAuthCore } = await load<typeof AuthCore>(folder, "src/machine/AuthCore.ts")
  const { broken, states } = walk({
    makeAuthCore,
    defaultPolicy,
    mayGoOn,
    ...coreWalks[name],
    watch: invariant
  })
  return broken?.name === invariant ? { steps: broken.path.length, states } : `it holds in ${states} states`
})
