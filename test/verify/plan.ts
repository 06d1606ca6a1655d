/** Divides the work among the processor's cores, and the time of a budget among the parts. */
import type { Part } from "./parts.js"

/** Jobs that are done one after the other: one job at full depth, all jobs of a part within a budget. */
export interface Lane {
  readonly part: Part
  readonly jobs: ReadonlyArray<string>
  /** The cost of the lane, in minutes of one core: the dearest lanes begin first. */
  readonly minutes: number
}

/** The jobs in the order of a seed, so that a budget that ends early does not always end before the same jobs. */
const rotated = (jobs: ReadonlyArray<string>, seed: number): ReadonlyArray<string> => {
  const at = seed % jobs.length
  return [...jobs.slice(at), ...jobs.slice(0, at)]
}

export const lanesOf = (
  part: Part,
  jobs: ReadonlyArray<string>,
  { isBudgeted, seed }: { readonly isBudgeted: boolean; readonly seed: number }
): ReadonlyArray<Lane> =>
  isBudgeted
    ? [{ part, jobs: rotated(jobs, seed), minutes: part.minutes }]
    : jobs.map((job) => ({ part, jobs: [job], minutes: part.minutes / jobs.length }))

export const byCost = (lanes: ReadonlyArray<Lane>): ReadonlyArray<Lane> =>
  lanes.slice().sort((one, other) => other.minutes - one.minutes)

/** The least seconds for a part and for a job, so that each does something, however small the budget. */
const leastSeconds = 5

/**
 * The seconds that a lane may take: its share, by cost, of the time that is left to the lanes of its kind.
 * Time that a lane does not need is left to the lanes after it.
 */
export const shareOf = (
  lane: Lane,
  left: {
    /** The seconds until the budget ends. */
    readonly seconds: number
    /** How many lanes run at once. */
    readonly slots: number
    /** The seconds that lanes under way may still take. */
    readonly taken: number
    /** The lanes that have not begun, this one among them. */
    readonly waiting: ReadonlyArray<Lane>
  }
): number => {
  const minutes = left.waiting.reduce((sum, each) => sum + each.minutes, 0)
  const share = ((left.slots * left.seconds - left.taken) * lane.minutes) / minutes
  return Math.max(leastSeconds, Math.min(left.seconds, share))
}

/** Whether a part fits into so many seconds. One that can be cut off fits into any. */
export const fits = ({ atOnce, minutes }: Part, seconds: number): boolean =>
  atOnce !== true || seconds > 2 * 60 * minutes

/**
 * The seconds for the next job of a lane. A job of one unit, such as a walk, is worth something only if it
 * comes to its end. So it may take all the time that is left.
 */
export const secondsOfJob = (part: Part, secondsLeft: number, jobsLeft: number): number =>
  part.full.each === 1 ? secondsLeft : Math.min(secondsLeft, Math.max(leastSeconds, secondsLeft / jobsLeft))
