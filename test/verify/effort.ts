/** How far a job of the verification goes. */
import type * as fc from "fast-check"
import { check, defaultReportMessage } from "fast-check"

/** How much of a part is run, and how the part reports its progress. */
export interface Effort {
  /** The most units of work to do: schedules, years, kills. */
  readonly most: number
  /** Every random choice comes from it. */
  readonly seed: number
  /** Whether there is time left for one more unit. */
  readonly mayGoOn: () => boolean
  /** Reports how many units are done. */
  readonly done: (units: number) => void
}

/** An effort that ends after so many seconds. */
export const makeEffort = (given: {
  readonly most: number
  readonly seed: number
  /** Default: no end. */
  readonly seconds?: number | undefined
  readonly done?: (units: number) => void
}): Effort => {
  const endsAt = performance.now() + (given.seconds ?? Infinity) * 1000
  return {
    most: given.most,
    seed: given.seed,
    mayGoOn: () => performance.now() < endsAt,
    done: given.done ?? (() => {})
  }
}

/** Lets the event loop turn, so that reports and signals get through while a job computes. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Runs a property until there were as many runs as wanted or the time is over. The runs come in pieces with
 * seeds of their own: a failure names the seed of its piece, and can be repeated without the pieces before
 * it.
 */
export const sample = async <A>(
  effort: Effort,
  property: fc.IAsyncProperty<A>,
  piece: number
): Promise<{ readonly done: number; readonly breaches: ReadonlyArray<string> }> => {
  let done = 0
  for (let seed = effort.seed; done < effort.most && effort.mayGoOn(); seed++) {
    const details = await check(property, { seed, numRuns: Math.min(piece, effort.most - done) })
    const message = defaultReportMessage(details)
    if (message !== undefined) return { done, breaches: [message] }
    done += details.numRuns
    effort.done(done)
    await breathe()
  }
  return { done, breaches: [] }
}

/** The names "1" to `count`: jobs that differ by their seed only. */
export const pieces = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => String(index + 1))

/** A seed of its own for each job: the jobs of a part must not repeat each other. */
export const seedOf = (seed: number, jobs: ReadonlyArray<string>, job: string): number =>
  (seed + jobs.indexOf(job) * 1_000_003) & 0x7fffffff

/** Adds up a figure of all jobs, and takes the greatest of one. */
export const totals = <A>(found: ReadonlyArray<{ readonly figures: A }>) => ({
  sum: (of: (figures: A) => number): number => found.reduce((total, each) => total + of(each.figures), 0),
  greatest: (of: (figures: A) => number): number => Math.max(0, ...found.map((each) => of(each.figures)))
})
