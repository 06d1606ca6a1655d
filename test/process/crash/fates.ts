/**
 * The fate of a process, chosen at random before the process starts. Needs no vitest.
 */
import { assert } from "chai"
import { setTimeout as sleep } from "node:timers/promises"
import type { Gate } from "../worker.js"
import type { Random } from "./random.js"
import { isAtGate, isResult, isWritten, type Worker } from "./workers.js"

/** `anywhere`: a random moment. The worker reports the other steps, or stops at them. */
export const steps = [
  "beforeMark",
  "inMark",
  "beforeSending",
  "inFlight",
  "beforeSettling",
  "inSettling",
  "settled",
  "anywhere"
] as const
export type Step = (typeof steps)[number]

/** How many kills there were, by step. */
export type Kills = Record<string, number>

export type Fate =
  | { readonly type: "survives" }
  | { readonly type: "killed"; readonly at: Step; readonly afterMillis: number }
  | { readonly type: "suspended"; readonly at: "beforeSending" | "beforeSettling"; readonly rounds: number }

/**
 * The least tried steps come first, since not every process reaches the step at which it is to be killed. In
 * a row of bad tokens, the steps after Number has counted come first.
 */
const nextStep = (random: Random, killed: Kills, isStormy: boolean): Step => {
  const least = Math.min(...steps.map((step) => killed[step] ?? 0))
  const rare = steps.filter((step) => (killed[step] ?? 0) === least)
  if (random.chance(isStormy ? 0.2 : 0.6)) return random.pick(rare)
  return random.pick(isStormy ? ["beforeSettling", "inSettling", "settled"] : steps)
}

/** The fate of a process of a round; the first of a round is always killed. */
export const fateOf = (random: Random, killed: Kills, index: number, isStormy: boolean): Fate => {
  const afterMillis = random.next()
  const at = nextStep(random, killed, isStormy)
  if (index === 0 || random.chance(0.6)) {
    return { type: "killed", at, afterMillis: afterMillis * (at === "inFlight" ? 150 : 600) }
  }
  if (random.chance(0.75)) return { type: "survives" }
  return {
    type: "suspended",
    at: random.pick(["beforeSending", "beforeSettling"]),
    rounds: random.pick([1, 2])
  }
}

/** The gate at which a process meets its fate. */
export const gateOf = (fate: Fate): Gate =>
  fate.type === "survives" || fate.at === "inFlight" || fate.at === "anywhere" ? null : fate.at

/** Kills a worker at a step, and returns the step that it had reached; null if the worker was done before. */
export const strike = async (
  worker: Worker,
  { afterMillis, at }: Extract<Fate, { readonly type: "killed" }>
): Promise<Step | null> => {
  const isThere = at === "anywhere" ? () => true : at === "inFlight" ? isWritten : isAtGate
  const reached = await worker.until(isThere)
  if (reached && (at === "anywhere" || at === "inFlight")) {
    await Promise.race([worker.ended, sleep(afterMillis)])
  }
  const { lines } = worker
  const isOver = lines.some(isResult)
  const { signal } = await worker.kill()
  assert.isTrue(reached || isOver, `a process hangs: ${JSON.stringify(lines)}`)
  if (signal !== "SIGKILL" || isOver) return null
  return at === "inFlight" && lines.some(({ type }) => type === "answered") ? "anywhere" : at
}
