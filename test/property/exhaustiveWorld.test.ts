import { assert, describe, it } from "vitest"
import { explore } from "../../src/testing/Explorer.js"
import { make, neverLockedOut } from "../../src/testing/WorldModel.js"
import { toSequenceDiagram } from "../../src/testing/WorldTrace.js"
import { itHolds } from "./exhaustiveWalk.js"
import { unsafeWorlds, worlds } from "./exhaustiveWorlds.js"

describe("the world around the core, from end to end", { timeout: 3_600_000 }, () => {
  itHolds(worlds)

  for (const [name, options] of Object.entries(unsafeWorlds)) {
    it(`is locked out, and by success alone: ${name}`, () => {
      const model = make(options)
      // Without a lifted lock, so that it is nobody's word that was not true.
      const { violation } = explore(
        {
          ...model,
          transitionsOf: (state) => model.transitionsOf(state).filter(({ event }) => event.type !== "lift")
        },
        { watch: neverLockedOut }
      )
      if (violation === null) return assert.fail("it is safe now: let the worlds have it")
      console.log(toSequenceDiagram(model, violation.path))
    })
  }
})
