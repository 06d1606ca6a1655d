import { assert, it } from "vitest"
import { explore } from "../../src/testing/Explorer.js"
import { make, type Options } from "../../src/testing/WorldModel.js"
import { toSequenceDiagram } from "../../src/testing/WorldTrace.js"

/** A test for each world, that walks it to the end. */
export const itHolds = (worlds: Readonly<Record<string, Options>>): void => {
  for (const [name, options] of Object.entries(worlds)) {
    it(`is never locked out, keeps every invariant, and is never stuck (${name})`, () => {
      const model = make(options)
      const found = explore(model)
      if (found.violation !== null) {
        assert.fail(`${found.violation.name}\n${toSequenceDiagram(model, found.violation.path)}`)
      }
      assert.isTrue(found.isComplete)
      // It comes as far as it may: a walk that never meets the limit says little.
      assert.strictEqual(found.greatest, options.limit)
      console.log(
        `${name}: ${found.states} states, ${found.transitions} transitions, greatest count ${found.greatest} of ${options.limit}`
      )
    })
  }
}
