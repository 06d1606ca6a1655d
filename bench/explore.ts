/**
 * Walks every state of the core and of the world around it, prints how many there are, and writes the figures to
 * `reports/exploration.json`.
 *
 *     npm run explore
 *
 * `NUMBER_EXPLORE=all` walks the large worlds, too, as far as `mostStates`.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { makeAuthCore } from "../src/machine/AuthCore.js"
import { defaultPolicy } from "../src/machine/Policy.js"
import { explore } from "../src/testing/Explorer.js"
import { make } from "../src/testing/WorldModel.js"
import { toSequenceDiagram } from "../src/testing/WorldTrace.js"
import { coreWalks, walk } from "../test/property/exhaustiveCore.js"
import { largeWorlds, mostStates, readings, worlds } from "../test/property/exhaustiveWorlds.js"

/** What is known of a walk. */
interface Figures {
  readonly walk: string
  readonly states: number
  readonly transitions: number
  /** The greatest count: the ledger's for one account, Number's for the world. */
  readonly greatestCount: number
  readonly limit: number
  /** Whether all that can be reached was seen. */
  readonly isComplete: boolean
  /** What does not hold, and the way to it; null if everything holds. */
  readonly broken: string | null
}

const row = (cells: ReadonlyArray<string | number>): void => console.log(`| ${cells.join(" | ")} |`)

const measured = (run: () => Figures): Figures => {
  const began = performance.now()
  const figures = run()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const { broken, greatestCount, isComplete, limit, states, transitions, walk } = figures
  const holds = broken === null ? "hold" : "BROKEN"
  row([walk, states, transitions, `${greatestCount} of ${limit}`, isComplete ? "yes" : "no", holds, seconds])
  if (broken !== null) {
    console.log(broken)
    process.exitCode = 1
  }
  return figures
}

row(["walk", "states", "transitions", "greatest count", "complete", "properties", "seconds"])
row(["---", "---:", "---:", "---:", "---", "---", "---:"])

const ofCore = Object.entries(coreWalks).map(([name, options]) =>
  measured(() => {
    const { broken, greatestCount, states, transitions } = walk({ makeAuthCore, defaultPolicy, ...options })
    return {
      walk: `one account, ${name}`,
      states,
      transitions,
      greatestCount,
      limit: options.policy.limit,
      isComplete: broken === null,
      broken: broken === null ? null : [broken.name, ...broken.path].join("\n")
    }
  })
)
const isAll = process.env["NUMBER_EXPLORE"] === "all"
const ofWorlds = Object.entries({ ...worlds, ...readings, ...(isAll ? largeWorlds : {}) }).map(
  ([name, options]) =>
    measured(() => {
      const model = make(options)
      const { greatest, isComplete, states, transitions, violation } = explore(model, { mostStates })
      return {
        walk: `the world, ${name}`,
        states,
        transitions,
        greatestCount: greatest,
        limit: options.limit,
        isComplete,
        broken: violation === null ? null : `${violation.name}\n${toSequenceDiagram(model, violation.path)}`
      }
    })
)

const reports = new URL("../reports/", import.meta.url)
mkdirSync(reports, { recursive: true })
writeFileSync(new URL("exploration.json", reports), `${JSON.stringify([...ofCore, ...ofWorlds], null, 2)}\n`)
