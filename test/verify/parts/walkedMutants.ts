/** Mutants that the walk through the world has to find. */
import type * as Explorer from "../../model/Explorer.js"
import * as WorldModel from "../../model/WorldModel.js"
import type * as WorldTrace from "../../model/WorldTrace.js"
import { lockoutMutants, otherMutants } from "../../property/exhaustiveMutants.js"
import { load, plant } from "../../property/mutants.js"
import { makeMutantRunner } from "../mutants.js"

const mutants = [
  ...lockoutMutants.map((mutant) => ({ ...mutant, breaks: WorldModel.neverLockedOut })),
  ...otherMutants
]

export const runner = makeMutantRunner(mutants, async (mutant, mayGoOn) => {
  const folder = plant(mutant, "exhaustive")
  const { make } = await load<typeof WorldModel>(folder, "test/model/WorldModel.ts")
  const { explore } = await load<typeof Explorer>(folder, "test/model/Explorer.ts")
  const { toSequenceDiagram } = await load<typeof WorldTrace>(folder, "test/model/WorldTrace.ts")
  const model = make(mutant.world)
  const { greatest, states, violation } = explore(model, { watch: mutant.breaks, mayGoOn })
  if (violation?.name !== mutant.breaks) return `nothing breaks in ${states} states`
  const { limit } = mutant.world
  if (mutant.breaks === WorldModel.neverLockedOut) {
    if (greatest !== limit + 1) return `the count came to ${greatest} of ${limit}`
    if (!toSequenceDiagram(model, violation.path).includes(`count ${limit + 1} of ${limit}`))
      return "its diagram does not show the count"
  }
  return { steps: violation.path.length - 1, states }
})
