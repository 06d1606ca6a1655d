/**
 * Walks every state of the core and of the world around it, and prints how many there are.
 *
 *     npm run explore
 *
 * `NUMBER_EXPLORE=all` walks the large worlds, too.
 */
import { makeAuthCore } from "../src/machine/AuthCore.js"
import { defaultPolicy } from "../src/machine/Policy.js"
import { explore } from "../src/testing/Explorer.js"
import { make } from "../src/testing/WorldModel.js"
import { toSequenceDiagram } from "../src/testing/WorldTrace.js"
import { coreWalks, walk } from "../test/property/exhaustiveCore.js"
import { exploredWorlds } from "../test/property/exhaustiveWorlds.js"

interface Row {
  readonly name: string
  readonly states: number
  readonly transitions: number
  readonly greatest: string
  readonly broken: string | null
}

const row = (cells: ReadonlyArray<string>): void => console.log(`| ${cells.join(" | ")} |`)

const timed = (measured: () => Row): void => {
  const began = performance.now()
  const { broken, greatest, name, states, transitions } = measured()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  row([name, `${states}`, `${transitions}`, greatest, broken === null ? "holds" : "BROKEN", seconds])
  if (broken === null) return
  console.log(broken)
  process.exitCode = 1
}

row(["walk", "states", "transitions", "greatest count", "all invariants", "seconds"])
row(["---", "---:", "---:", "---:", "---", "---:"])
for (const [name, options] of Object.entries(coreWalks)) {
  timed(() => {
    const { broken, greatestCount, states, transitions } = walk({ makeAuthCore, defaultPolicy, ...options })
    return {
      name: `one account, ${name}`,
      states,
      transitions,
      greatest: `${greatestCount} of ${options.policy.limit}`,
      broken: broken === null ? null : [broken.name, ...broken.path].join("\n")
    }
  })
}
for (const [name, options] of Object.entries(exploredWorlds)) {
  timed(() => {
    const model = make(options)
    const { greatest, states, transitions, violation } = explore(model)
    return {
      name: `the world, ${name}`,
      states,
      transitions,
      greatest: `${greatest} of ${options.limit}`,
      broken: violation === null ? null : `${violation.name}\n${toSequenceDiagram(model, violation.path)}`
    }
  })
}
