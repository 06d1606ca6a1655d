/**
 * Random kills at every step of an attempt, in four locations side by side, one for each policy. Needs no
 * vitest.
 */
import type { Effort } from "../../verify/effort.js"
import { type Kills, steps } from "./fates.js"
import { countOf, type Tally } from "./location.js"
import { randomOf } from "./random.js"
import { killsAt } from "./rounds.js"
import { type EngineName, type Given, inWorld, onStage, shortLived, type Stage } from "./world.js"

export interface KillFigures {
  readonly seed: number
  readonly kills: number
  readonly byStep: Kills
  readonly suspended: number
  /** How many attempts the emulators counted. */
  readonly attempts: number
  /** The highest count of any emulator. */
  readonly peak: number
  readonly served: number
  /** The errors of the calls that were not served, and their counts. */
  readonly failed: Readonly<Record<string, number>>
  /** How often a person resumed, or confirmed that a lock was lifted. */
  readonly words: number
  /** The promises that were broken, each with its seed; empty if there are none. */
  readonly breaches: ReadonlyArray<string>
}

const policies = (["location", "account"] as const).flatMap((successClears) =>
  (["abort", "continue"] as const).map((lostAttempts) => ({ successClears, lostAttempts }))
)

/** After so many kills, a step without a kill was not missed by chance. */
const enoughForEachStep = 64

const missedSteps = (kills: number, tally: Tally): ReadonlyArray<string> => [
  ...(kills < enoughForEachStep
    ? []
    : steps.filter((step) => tally.byStep[step] === undefined).map((step) => `no kill at ${step}`)),
  ...(tally.served === 0 ? ["no call was served"] : [])
]

const killsOn = async (stage: Stage, effort: Effort): Promise<KillFigures> => {
  const { seed } = effort
  const tally: Tally = { byStep: {}, suspended: 0, served: 0, failed: {}, words: 0 }
  const breaches: Array<string> = []
  const random = randomOf(seed)
  const killsEach = Math.ceil(effort.most / policies.length)
  const mayGoOn = (killed: number): boolean => {
    effort.done(countOf(tally.byStep))
    return killed < killsEach && breaches.length === 0 && effort.mayGoOn()
  }
  // Side by side: each is a location of its own, and they mostly wait.
  const locations = await Promise.all(
    policies.map(async ({ lostAttempts, successClears }) => {
      const own = randomOf(random.seed())
      const settings = { ...shortLived, waitTimeout: "20 seconds", lostAttempts, successClears } as const
      const backend = { successClears: successClears === "location" ? "all" : "own" } as const
      try {
        return await inWorld(stage, (world) => killsAt(world, own, tally, mayGoOn), settings, backend)
      } catch (error) {
        breaches.push(`${successClears}, ${lostAttempts}: ${String(error)}`)
        return { attempts: 0, peak: 0 }
      }
    })
  )
  const kills = countOf(tally.byStep)
  effort.done(kills)
  if (breaches.length === 0) breaches.push(...missedSteps(kills, tally))
  return {
    seed,
    kills,
    ...tally,
    attempts: locations.reduce((sum, each) => sum + each.attempts, 0),
    peak: Math.max(...locations.map((each) => each.peak)),
    breaches: breaches.map((breach) => `seed ${seed}: ${breach}`)
  }
}

/**
 * Kills processes on an engine, `effort.most` times or as long as `effort.mayGoOn()`. A seed makes the same
 * choices again, but the timing of the processes depends on the machine.
 */
export const killsOf = (engine: EngineName, effort: Effort, given: Given = {}): Promise<KillFigures> =>
  onStage(engine, given, (stage) => killsOn(stage, effort))
