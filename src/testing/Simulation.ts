/**
 * Years of a location's life, simulated in seconds: the real services run on virtual time, against the emulator as the
 * oracle. Network, disk, clocks, processes, supervisors, callers and people are simulated, and one seed decides all of
 * it.
 *
 * A simulation consists of lives. A life is one location for one year, with a backend, a store and processes of its
 * own. It depends only on the seed and its number, so a life that broke a promise can be run alone.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { live } from "./simulation/live.js"
import {
  combine,
  type Figures,
  type Life,
  noFigures,
  type Options,
  type Violation
} from "./simulation/model.js"

export { live } from "./simulation/live.js"
export {
  combine,
  type Figures,
  type Life,
  noFigures,
  type Options,
  type TraceEntry,
  type Violation
} from "./simulation/model.js"

/**
 * The result of a simulation. `broken` is the life in which a promise was broken; the simulation ends with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly seed: number
  readonly figures: Figures
  readonly broken: (Life & { readonly violation: Violation }) | null
}

const isBroken = (life: Life): life is Life & { readonly violation: Violation } => life.violation !== null

/**
 * Simulates `years` years, or fewer if a promise is broken. Other fibers of the program may run after each life.
 *
 * @since 0.1.0
 * @category running
 */
export const simulate = (options: Options & { readonly years: number }): Effect.Effect<Report> =>
  Effect.gen(function* () {
    let figures = noFigures
    for (let life = 0; figures.years < options.years; life++) {
      const lived = live(options, life)
      figures = combine(figures, lived.figures)
      if (isBroken(lived)) return { seed: options.seed, figures, broken: lived }
      yield* Effect.sleep(0)
    }
    return { seed: options.seed, figures, broken: null }
  })
