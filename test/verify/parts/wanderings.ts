/**
 * Random ways through the worlds. They go deeper than a walk that is cut off, and through worlds too large to
 * be walked completely.
 */
import { PCGRandom } from "effect/Utils"
import { make, type Options } from "../../model/WorldModel.js"
import { wander } from "../../model/wander.js"
import { toSequenceDiagram } from "../../model/WorldTrace.js"
import { largeWorlds, readings, worlds } from "../../property/exhaustiveWorlds.js"
import { breathe, pieces, seedOf } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Ways {
  readonly steps: number
  readonly transitions: number
  /** The worlds in which the count came to the limit. */
  readonly atTheLimit: ReadonlyArray<string>
}

const all: Readonly<Record<string, Options>> = { ...largeWorlds, ...worlds, ...readings }
const names = Object.keys(all)
const jobs = pieces(8)

/** The most steps of a way, before another way begins. */
const longest = 200

/** Goes one way through a world, and checks every transition on it. */
const goThrough = (name: string, random: PCGRandom, most: number) => {
  const options = all[name]!
  const model = make(options)
  const way = wander(model, { draw: (count) => random.integer(count), most })
  const { violation } = way
  return {
    ...way,
    isAtLimit: way.greatest === options.limit,
    broken: violation && `${name}: ${violation.name}\n${toSequenceDiagram(model, violation.path)}`
  }
}

export const runner: Runner<Ways> = {
  jobs,
  run: async (job, effort) => {
    const random = new PCGRandom(seedOf(effort.seed, jobs, job))
    const atTheLimit = new Set<string>()
    const breaches: Array<string> = []
    let steps = 0
    let transitions = 0
    for (let way = 0; steps < effort.most && breaches.length === 0 && effort.mayGoOn(); way++) {
      const name = names[way % names.length]!
      const went = goThrough(name, random, Math.min(longest, effort.most - steps))
      steps += went.steps
      transitions += went.transitions
      if (went.isAtLimit) atTheLimit.add(name)
      if (went.broken !== null) breaches.push(`seed ${effort.seed}: ${went.broken}`)
      effort.done(steps)
      await breathe()
    }
    return { done: steps, breaches, figures: { steps, transitions, atTheLimit: [...atTheLimit] } }
  },
  sum: (found, { isWhole, seed }) => {
    const reached = new Set(found.flatMap((each) => each.figures.atTheLimit))
    const figures = {
      seed,
      worlds: names.length,
      steps: found.reduce((sum, each) => sum + each.figures.steps, 0),
      transitions: found.reduce((sum, each) => sum + each.figures.transitions, 0),
      worldsAtTheLimit: reached.size
    }
    // In short it does not come through all worlds.
    const isDeep = isWhole && figures.steps > 100_000
    const isAtFive = names.some((name) => all[name]!.limit === 5 && reached.has(name))
    return {
      figures,
      breaches: [
        ...(isDeep && reached.size < names.length / 2
          ? ["in most of the worlds no way came to the limit"]
          : []),
        ...(isDeep && !isAtFive ? ["no way came to the limit of five"] : [])
      ]
    }
  },
  print: sentences
}
