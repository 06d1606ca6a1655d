/**
 * The clocks of this host, for measured time that is not shown.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** One moment by both clocks of this host. */
export interface Instant {
  /** Wall time. It jumps when the clock is set. */
  readonly millis: number
  /** Monotonic time. It may stand still while the machine sleeps. */
  readonly nanos: bigint
}

export const instant: Effect.Effect<Instant> = Effect.all({
  millis: Clock.currentTimeMillis,
  nanos: Clock.currentTimeNanos
})

/** Monotonic milliseconds, for durations: setting a clock does not change them. */
export const steadyMillis: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) =>
  Number(nanos / 1_000_000n)
)
