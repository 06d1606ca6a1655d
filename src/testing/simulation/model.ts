/**
 * The settings of a simulation, and its results.
 */
import type { Observer } from "../../services/session/AuthObserver.js"

/**
 * Settings of a simulation.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly seed: number
  /** The client that holds the session: the library (default), or a client as people write it. */
  readonly client?: "library" | "naive" | undefined
  /** When the store acknowledges a write. Default: `whenDurable`, the store's contract. See `SimulatedDisk.Options`. */
  readonly acknowledges?: "whenDurable" | "beforeDurable" | undefined
  /** Observes the library in each process. It does not change the life. The naive client has nothing to observe. */
  readonly observer?: Observer | undefined
}

/**
 * One entry of the trace. It holds no secrets.
 *
 * @since 0.1.0
 * @category models
 */
export interface TraceEntry {
  /** Since the life began, in milliseconds. */
  readonly atMillis: number
  /** The kind of event. */
  readonly type: string
  readonly account?: string
  readonly process?: number
  readonly detail?: string
}

/**
 * The figures of a simulation.
 *
 * @since 0.1.0
 * @category models
 */
export interface Figures {
  readonly years: number
  readonly lockouts: number
  readonly attempts: number
  readonly renewals: number
  readonly calls: number
  readonly crashes: number
  /** The greatest count that the backend reached. At six Number locks the location. */
  readonly greatestCount: number
  /** Years in which the count reached the limit that was set. */
  readonly yearsAtTheLimit: number
  /** The number of faults and hardships, by kind. */
  readonly faults: Readonly<Record<string, number>>
}

/**
 * A promise that was broken.
 *
 * @since 0.1.0
 * @category models
 */
export interface Violation {
  readonly seed: number
  readonly life: number
  readonly promise: string
  readonly atMillis: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Life {
  readonly figures: Figures
  readonly violation: Violation | null
  readonly trace: ReadonlyArray<TraceEntry>
}

/**
 * The figures of no simulation: all are zero.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noFigures: Figures = {
  years: 0,
  lockouts: 0,
  attempts: 0,
  renewals: 0,
  calls: 0,
  crashes: 0,
  greatestCount: 0,
  yearsAtTheLimit: 0,
  faults: {}
}

/**
 * Combines the figures of two simulations.
 *
 * @since 0.1.0
 * @category combining
 */
export const combine = (one: Figures, other: Figures): Figures => {
  const faults: Record<string, number> = { ...one.faults }
  for (const [kind, times] of Object.entries(other.faults)) faults[kind] = (faults[kind] ?? 0) + times
  return {
    years: one.years + other.years,
    lockouts: one.lockouts + other.lockouts,
    attempts: one.attempts + other.attempts,
    renewals: one.renewals + other.renewals,
    calls: one.calls + other.calls,
    crashes: one.crashes + other.crashes,
    greatestCount: Math.max(one.greatestCount, other.greatestCount),
    yearsAtTheLimit: one.yearsAtTheLimit + other.yearsAtTheLimit,
    faults
  }
}
