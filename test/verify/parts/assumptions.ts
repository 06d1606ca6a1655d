/** Worlds in which an assumption of the promise does not hold: the walk finds the lockout. */
import { explore } from "../../model/Explorer.js"
import { make, neverLockedOut } from "../../model/WorldModel.js"
import { unsafeWorlds } from "../../property/exhaustiveWorlds.js"
import { makeMutantRunner } from "../mutants.js"

const worlds = Object.entries(unsafeWorlds).map(([name, options]) => ({ name, options }))

export const runner = makeMutantRunner(worlds, async ({ options }, mayGoOn) => {
  const model = make(options)
  // Without a lifted lock, so that no untrue confirmation is the cause.
  const { states, violation } = explore(
    {
      ...model,
      transitionsOf: (state) => model.transitionsOf(state).filter(({ event }) => event.type !== "lift")
    },
    { watch: neverLockedOut, mayGoOn }
  )
  return violation === null ? `it is safe in ${states} states` : { steps: violation.path.length - 1, states }
})
