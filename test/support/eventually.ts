/** Waiting for a condition, in place of a sleep that is long enough for it to come true. */
import { Effect } from "effect"

/** Looks every few milliseconds until it is true; the test's own time-out ends the wait. */
export const eventually = <E, R>(isTrue: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.repeat(Effect.zipLeft(isTrue, Effect.sleep("3 millis")), { until: (is) => is }))
