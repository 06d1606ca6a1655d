/** Random ways through the worlds: they come deeper than a walk that is cut off, and through worlds that no walk ends in. */
import { PCGRandom } from "effect/Utils"
import { make, type Options } from "../../../src/testing/WorldModel.js"
import { toSequenceDiagram } from "../../../src/testing/WorldTrace.js"
import { largeWorlds, readings, worlds } from "../../property/exhaustiveWorlds.js"
import { breathe, seedOf } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Way {
  readonly steps: number
  readonly transitions: number
  readonly isAtLimit: boolean
}

const all: Readonly<Record<string, Options>> = { ...largeWorlds, ...worlds, ...readings }
const jobs = Object.keys(all)

/** Steps until a way begins anew. */
const longest = 400

export const runner: Runner<Way> = {
  jobs,
  run: async (job, effort) => {
    const options = all[job]!
    const model = make(options)
    const seed = seedOf(effort.seed, jobs, job)
    const random = new PCGRandom(seed)
    let steps = 0
    let transitions = 0
    let greatest = 0
    while (steps < effort.most && effort.mayGoOn()) {
      const path = [model.initial]
      while (path.length <= longest && steps < effort.most) {
        const ways = model.transitionsOf(path.at(-1)!)
        const broken = ways.find((way) => way.broken !== null)
        if (broken !== undefined) {
          const diagram = toSequenceDiagram(model, [...path, broken.to])
          return {
            done: steps,
            breaches: [`${job}, seed ${effort.seed}: ${broken.broken}\n${diagram}`],
            figures: { steps, transitions, isAtLimit: greatest === options.limit }
          }
        }
        steps += 1
        transitions += ways.length
        if (ways.length === 0) break
        path.push(ways[random.integer(ways.length)]!.to)
        greatest = Math.max(greatest, model.measure(path.at(-1)!))
      }
      effort.done(steps)
      await breathe()
    }
    return {
      done: steps,
      breaches: [],
      figures: { steps, transitions, isAtLimit: greatest === options.limit }
    }
  },
  sum: (found, { isWhole, seed }) => {
    const figures = {
      seed,
      worlds: found.length,
      steps: found.reduce((sum, each) => sum + each.figures.steps, 0),
      transitions: found.reduce((sum, each) => sum + each.figures.transitions, 0),
      worldsAtTheLimit: found.filter((each) => each.figures.isAtLimit).length
    }
    const isVain = isWhole && figures.worldsAtTheLimit < figures.worlds / 2
    return { figures, breaches: isVain ? ["in most of the worlds no way came to the limit"] : [] }
  },
  print: sentences
}
