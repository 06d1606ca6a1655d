/**
 * The record of a life: its trace, its faults, and the first promise that it broke.
 */
import type { VirtualClock } from "../VirtualClock.js"
import type { TraceEntry, Violation } from "./model.js"

export interface LifeLog {
  readonly trace: ReadonlyArray<TraceEntry>
  readonly faults: Readonly<Record<string, number>>
  readonly violation: () => Violation | null
  /** Adds an entry to the trace. The trace ends with the broken promise. */
  readonly note: (type: string, rest?: Omit<TraceEntry, "type" | "atMillis">) => void
  /** Counts a fault or a hardship. */
  readonly count: (kind: string) => void
  readonly broken: (promise: string) => void
}

export const makeLifeLog = (clock: VirtualClock, seed: number, life: number): LifeLog => {
  const trace: Array<TraceEntry> = []
  const faults: Record<string, number> = {}
  let violation: Violation | null = null
  const note: LifeLog["note"] = (type, rest = {}) => {
    if (violation === null || type === "broken") trace.push({ atMillis: clock.steadyMillis(), type, ...rest })
  }
  return {
    trace,
    faults,
    violation: () => violation,
    note,
    count: (kind) => {
      faults[kind] = (faults[kind] ?? 0) + 1
    },
    broken: (promise) => {
      if (violation !== null) return
      violation = { seed, life, promise, atMillis: clock.steadyMillis() }
      note("broken", { detail: promise })
    }
  }
}
