/**
 * The draws of a life, and the conditions that are drawn for it.
 */
import { PCGRandom } from "effect/Utils"
import { plainFaults } from "../internal/plainFaults.js"
import { Fault } from "../NumberEmulator.js"

/** Random draws from a seed. Their order decides the life. */
export const makeChance = (seed: number, life: number) => {
  const random = new PCGRandom(seed, life)
  const below = (count: number): number => random.integer(count)
  return {
    below,
    seed: random.integer(0x7fffffff),
    oneOf: <A>(...values: readonly [A, ...Array<A>]): A => values[below(values.length)]!,
    fraction: () => random.number(),
    between: (from: number, to: number): number => from + below(to - from + 1),
    /** One of the names, with a probability in proportion to its weight. */
    weighted: <K extends string>(weights: Readonly<Record<K, number>>): K => {
      const entries = Object.entries(weights) as Array<[K, number]>
      let left = below(entries.reduce((sum, [, weight]) => sum + weight, 0))
      for (const [name, weight] of entries) if ((left -= weight) < 0) return name
      return entries[0]![0]
    }
  }
}

export type Chance = ReturnType<typeof makeChance>

const allAccounts = ["EP0000001", "EP0000002"] as const

/** The policy of the location, its size, and how its backend counts. */
export const drawConditions = ({ below, between, oneOf }: Chance) => {
  const limit = oneOf(5, 5, 5, 3, 1)
  const backend = {
    counting: oneOf("ip", "ipAndAccount"),
    successClears: oneOf("all", "own"),
    faultsCount: oneOf(true, false)
  } as const
  const lostAttempts = oneOf("abort", "continue")
  const wire = below(8) === 0 ? "SOAP" : "REST"
  const processes = between(1, 3)
  const accounts = allAccounts.slice(0, oneOf(1, 1, 2))
  return { limit, backend, lostAttempts, wire, processes, accounts } as const
}

export type Conditions = ReturnType<typeof drawConditions>

export const drawFault = ({ between, oneOf }: Chance): Fault =>
  oneOf<Fault>(
    ...plainFaults,
    // Number works on a delayed request before the drain is over: the promise assumes that.
    Fault.DelayRequest(between(1, 240) * 1000),
    Fault.DelayAnswer(between(1, 600) * 1000)
  )
