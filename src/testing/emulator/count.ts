/**
 * The count of one IP, folded over its events.
 */
import type { Rules } from "./rules.js"
import { UNSUCCESSFUL_THAT_LOCK } from "./rules.js"

/**
 * An event that changes the count of one IP. `account` is `""` if the request was too malformed to name one.
 *
 * @since 0.1.0
 * @category models
 */
export type CountEvent =
  | { readonly _tag: "Unsuccessful"; readonly account: string }
  | { readonly _tag: "Successful"; readonly account: string }
  | { readonly _tag: "Lifted" }

/**
 * The standing of an IP after its events.
 *
 * @since 0.1.0
 * @category models
 */
export interface Standing {
  /** The account of each unsuccessful attempt that nothing has cleared yet, oldest first. */
  readonly uncleared: ReadonlyArray<string>
  /** The count under the chosen reading; it goes on past six while the IP is locked. */
  readonly count: number
  /** The highest count ever reached; no success and no lifted lock lowers it. */
  readonly peak: number
  /** Whether the sixth was reached, and support has not lifted the lock since. */
  readonly isLocked: boolean
}

const countOf = (uncleared: ReadonlyArray<string>, counting: Reading["counting"]): number => {
  const accounts = Array.from(new Set(uncleared))
  return counting === "ip"
    ? uncleared.length
    : Math.max(0, ...accounts.map((account) => uncleared.filter((other) => other === account).length))
}

const unclearedAfter = (
  uncleared: ReadonlyArray<string>,
  event: CountEvent,
  successClears: Reading["successClears"]
): ReadonlyArray<string> => {
  switch (event._tag) {
    case "Unsuccessful":
      return [...uncleared, event.account]
    case "Successful":
      return successClears === "all" ? [] : uncleared.filter((account) => account !== event.account)
    case "Lifted":
      return []
  }
}

/**
 * Folds the events of one IP into its standing, under one reading of the documentation.
 *
 * @since 0.1.0
 * @category folds
 */
export const standingOf = (
  events: ReadonlyArray<CountEvent>,
  reading: { readonly counting: "ip" | "ipAndAccount"; readonly successClears: "all" | "own" }
): Standing => events.reduce((before, event) => standingAfter(before, event, reading), unblemished)

const unblemished: Standing = { uncleared: [], count: 0, peak: 0, isLocked: false }

const standingAfter = (
  before: Standing,
  event: CountEvent,
  reading: Pick<Rules, "counting" | "successClears">
): Standing => {
  const uncleared = unclearedAfter(before.uncleared, event, reading.successClears)
  const count = countOf(uncleared, reading.counting)
  return {
    uncleared,
    count,
    peak: Math.max(before.peak, count),
    isLocked: event._tag === "Lifted" ? false : before.isLocked || count >= UNSUCCESSFUL_THAT_LOCK
  }
}

/**
 * The same fold for a list that only grows. It goes on from where it stopped the last time: with ten thousand calls, a
 * full fold would be the slowest part of the emulator.
 */
export const makeStandings = (rules: Rules): ((events: ReadonlyArray<CountEvent>) => Standing) => {
  const folded = new WeakMap<ReadonlyArray<CountEvent>, { length: number; standing: Standing }>()
  return (events) => {
    const known = folded.get(events) ?? { length: 0, standing: unblemished }
    while (known.length < events.length) {
      known.standing = standingAfter(known.standing, events[known.length]!, rules)
      known.length += 1
    }
    folded.set(events, known)
    return known.standing
  }
}

/** The rules, and the standing that they give. */
export interface Reading extends Rules {
  /** The standing after the events of an IP. */
  readonly standingNow: (events: ReadonlyArray<CountEvent>) => Standing
}
