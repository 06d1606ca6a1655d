/** The canonical form of the walks: states that it merges behave alike, and no state is left out. */
import { PCGRandom } from "effect/Utils"
import { make, neverLockedOut, type Options } from "../../model/WorldModel.js"
import { hunting } from "../../property/exhaustiveWorlds.js"
import { breathe, type Effort, seedOf } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Found, Runner } from "../parts.js"

interface Compared {
  /** States, or steps, that were compared with those of their forms. */
  readonly compared: number
}

/**
 * All features at once, with more processes than any walk goes to the end with. The address changes there and back, which
 * the promise does not cover (see the part `assumptions`): here the count may pass the limit.
 */
const everything: Options = {
  ...hunting.plain,
  processes: 4,
  tokens: 2,
  addressMoves: 2,
  refusals: [5030, 5050],
  keysApart: true,
  reportsLocks: true,
  losesConfirmations: true
}

/** Random ways through these compare each step from a world with each step from its form. */
const stepped: Readonly<Record<string, Partial<Options>>> = {
  "steps, plain": {},
  "steps, lost attempts continue": { lostAttempts: "continue" },
  "steps, limit 3, a success clears its own": {
    successClears: "account",
    limit: 3,
    reading: { counting: "ip", successClears: "own", faultsCount: true }
  },
  "steps, limit 5, count per account": {
    limit: 5,
    reading: { counting: "ipAndAccount", successClears: "own", faultsCount: false }
  }
}

/** Small worlds with a bit of every feature: they are walked twice, once with nothing renamed. */
const walkedTwice: Readonly<Record<string, { readonly options: Partial<Options>; readonly depth: number }>> =
  {
    "twice, two tokens, locks reported": { options: { limit: 2, tokens: 2, reportsLocks: true }, depth: 4 },
    "twice, the address changes": {
      options: { limit: 1, addressMoves: 1, losesConfirmations: true },
      depth: 5
    },
    "twice, one process, keys apart": {
      options: { limit: 1, processes: 1, refusals: [5030, 5050], keysApart: true, successClears: "account" },
      depth: 7
    }
  }

const jobs = [...Object.keys(stepped), ...Object.keys(walkedTwice)]

const isSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((each) => other.has(each))

/** Walks a world with and without renaming, and compares the forms level by level. */
const walkTwice = (name: string, { most }: Effort): Found<Compared> => {
  const { depth, options } = walkedTwice[name]!
  const model = make({ ...hunting.plain, ...options })
  let here = new Map([[JSON.stringify(model.start), model.start]])
  let there = new Set([model.initial])
  const seenHere = new Set(here.keys())
  const seenThere = new Set(there)
  const formsHere = new Set(there)
  const breaches: Array<string> = []
  for (let level = 1; level <= depth && breaches.length === 0; level++) {
    const nextHere: typeof here = new Map()
    const nextThere: typeof there = new Set()
    for (const { world } of [...here.values()].flatMap(model.stepsOf)) {
      const state = JSON.stringify(world)
      if (seenHere.has(state)) continue
      seenHere.add(state)
      nextHere.set(state, world)
      formsHere.add(model.formOf(world))
    }
    for (const { to } of [...there].flatMap(model.transitionsOf)) {
      if (seenThere.has(to)) continue
      seenThere.add(to)
      nextThere.add(to)
    }
    here = nextHere
    there = nextThere
    if (!isSame(formsHere, seenThere))
      breaches.push(`${name}: other forms without renaming, after ${level} steps`)
  }
  if (seenHere.size <= 2 * seenThere.size) breaches.push(`${name}: renaming merges hardly anything`)
  // The depth does not depend on the effort.
  return { done: most, breaches, figures: { compared: seenHere.size } }
}

/** Compares the steps from worlds on random ways with the steps from their forms. */
const compareSteps = async (name: string, effort: Effort): Promise<Found<Compared>> => {
  const model = make({ ...everything, ...stepped[name]! })
  const random = new PCGRandom(seedOf(effort.seed, jobs, name))
  let compared = 0
  let ways = 0
  for (; ways < effort.most && effort.mayGoOn(); ways++) {
    let world = model.start
    for (let length = 0; length < 40; length++) {
      const steps = model.stepsOf(world)
      const here = new Set(steps.map((step) => `${model.formOf(step.world)} ${step.broken}`))
      const there = model.transitionsOf(model.formOf(world)).map(({ broken, to }) => `${to} ${broken}`)
      compared += steps.length
      const broken = steps.find((step) => step.broken !== null && step.broken !== neverLockedOut)?.broken
      if (broken !== undefined || !isSame(here, new Set(there))) {
        const breach = `${name}, seed ${effort.seed}: ${broken ?? "a world and its form part ways"}`
        return { done: ways, breaches: [breach], figures: { compared } }
      }
      if (steps.length === 0) break
      world = steps[random.integer(steps.length)]!.world
    }
    effort.done(ways + 1)
    await breathe()
  }
  return { done: ways, breaches: [], figures: { compared } }
}

export const runner: Runner<Compared> = {
  jobs,
  run: async (job, effort) => (job in stepped ? compareSteps(job, effort) : walkTwice(job, effort)),
  sum: (found, { seed }) => ({
    figures: { seed, compared: found.reduce((sum, each) => sum + each.figures.compared, 0) },
    breaches: []
  }),
  print: sentences
}
