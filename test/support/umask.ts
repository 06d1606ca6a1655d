import { Effect } from "effect"
import { isMainThread } from "node:worker_threads"

/**
 * Runs an effect with no umask, so that files have the very mode with which they are made. A worker thread, in which
 * mutants are judged, cannot set it: there it stays as it is.
 */
export const withoutUmask = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  isMainThread
    ? Effect.acquireUseRelease(
        Effect.sync(() => process.umask(0)),
        () => effect,
        (mask) => Effect.sync(() => process.umask(mask))
      )
    : effect
