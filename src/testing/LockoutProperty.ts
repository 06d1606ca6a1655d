/**
 * A property of programs that use the library: they never lock a location, whatever happens to them.
 *
 * The program runs in a simulated world. Processes die at every point that matters and are started again, the network
 * loses and delays messages, tokens go bad, sessions end, the store goes away, and people act. Time is virtual. The
 * emulator counts on its own and is the oracle.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Random from "effect/Random"
import { LockoutFound, type Violation } from "./lockout/finding.js"
import { limitOf, type Options } from "./lockout/options.js"
import { play, type Seen } from "./lockout/play.js"
import { inWords, type Schedule, schedule } from "./lockout/schedule.js"
import type { Environment } from "./lockout/stage.js"

export { LockoutFound, type Violation } from "./lockout/finding.js"
export type { Options } from "./lockout/options.js"
export { type Schedule, schedule, type Step } from "./lockout/schedule.js"
export type { Environment } from "./lockout/stage.js"

/**
 * The result if no violation was found.
 *
 * @since 0.1.0
 * @category models
 */
export interface Verdict {
  readonly runs: number
  readonly seed: number
  /** Attempts that reached the backend, in all runs. */
  readonly attempts: number
  /** How often a process died. */
  readonly crashes: number
  /** The greatest count that the backend reached. */
  readonly peak: number
}

interface Tally {
  attempts: number
  crashes: number
  peak: number
}

/** The error for a run that broke the property. */
const foundIn = (given: Schedule, violation: Violation, seen: Seen, options: Options): LockoutFound =>
  new LockoutFound({
    violation,
    count: seen.peak,
    limit: limitOf(options),
    steps: given.steps.map(inWords),
    diagram: seen.diagram,
    records: seen.records,
    seed: null,
    path: null,
    runs: 0
  })

const propertyWith = <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options,
  tally: Tally,
  watch: Violation | null = null
): FastCheck.IAsyncPropertyWithHooks<[Schedule]> => {
  // The schedule is shrunk for the first violation that was found. Otherwise a lockout would shrink to a lesser
  // violation.
  let first = watch
  return FastCheck.asyncProperty(schedule(options), async (given) => {
    const seen = await play(program, options, given)
    tally.attempts += seen.attempts
    tally.crashes += seen.crashes
    tally.peak = Math.max(tally.peak, seen.peak)
    if (seen.violation === null || (first !== null && seen.violation !== first)) return
    first = seen.violation
    throw foundIn(given, seen.violation, seen, options)
  })
}

/** Removes the steps that fast-check has left in and that the violation does not need. */
const withoutNeedless = async <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options,
  given: Schedule,
  found: LockoutFound
): Promise<LockoutFound> => {
  let shortest = given
  let error = found
  for (let index = given.steps.length - 1; index >= 0; index--) {
    const shorter = { ...shortest, steps: shortest.steps.filter((_, at) => at !== index) }
    const seen = await play(program, options, shorter)
    if (seen.violation !== found.violation) continue
    shortest = shorter
    error = foundIn(shorter, seen.violation, seen, options)
  }
  return error
}

/**
 * The property for `fc.assert` and `fc.check`. It throws a {@link LockoutFound}. Make a new property for each check.
 *
 * @since 0.1.0
 * @category properties
 */
export const asProperty = <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options = {}
): FastCheck.IAsyncPropertyWithHooks<[Schedule]> =>
  propertyWith(program, options, { attempts: 0, crashes: 0, peak: 0 })

/**
 * Drives a program through faults, crashes, restarts and time. Fails if the program could lock its location, with the
 * worst violation that was found and a short schedule that leads to it. The program's own result or error does not
 * matter.
 *
 * The program is begun many times, as a process is. State that it keeps outside of itself survives crashes. It may run
 * as long as it likes, but its loops must let time pass. A crash runs no finalizer. Time is virtual, so the effect
 * takes no time on the clock of the test. It needs no test runner: run it as you run any effect.
 *
 * @since 0.1.0
 * @category properties
 */
export const neverLocksOut = <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options = {}
): Effect.Effect<Verdict, LockoutFound> =>
  Effect.gen(function* () {
    const seed = options.seed ?? (yield* Random.nextIntBetween(0, 0x7fffffff))
    const tally = { attempts: 0, crashes: 0, peak: 0 }
    const check = (watch: Violation | null) =>
      Effect.promise(() =>
        FastCheck.check(propertyWith(program, options, tally, watch), {
          seed,
          numRuns: options.runs ?? 100,
          ...(options.path === undefined ? {} : { path: options.path })
        })
      )
    const any = yield* check(null)
    if (!any.failed) return { runs: any.numRuns, seed, ...tally }
    const first = any.errorInstance
    const mayBeWorse =
      first instanceof LockoutFound && first.violation !== "limitPassed" && options.path === undefined
    const worse = mayBeWorse ? yield* check("limitPassed") : any
    const failed = worse.failed ? worse : any
    const { counterexample, counterexamplePath, errorInstance, numRuns } = failed
    // Not a finding: this property has a mistake, or fast-check gave up.
    if (!(errorInstance instanceof LockoutFound) || counterexample === null)
      return yield* Effect.die(errorInstance)
    const found = yield* Effect.promise(() =>
      withoutNeedless(program, options, counterexample[0], errorInstance)
    )
    const { count, diagram, limit, records, steps, violation } = found
    return yield* new LockoutFound({
      violation,
      count,
      limit,
      steps,
      diagram,
      records,
      seed,
      path: counterexamplePath,
      runs: numRuns
    })
  }).pipe(Effect.withSpan("LockoutProperty.neverLocksOut", { captureStackTrace: false }))
