/**
 * A time-out that holds wherever it is.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * Gives up on an effect after a while, also in a region that cannot be interrupted (the acquisition of a resource), and does
 * not wait for one that is slow to let go. Whoever is interrupted while waiting interrupts it.
 */
export const within =
  <E2>(duration: Duration.Duration, onTimeout: () => E2) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.uninterruptibleMask((restore) =>
      effect.pipe(
        Effect.disconnect,
        Effect.timeoutFail({ duration, onTimeout }),
        Effect.interruptible,
        Effect.forkDaemon,
        // It is awaited: the log is not told how it ends, since what an HTTP client throws may hold the session key.
        Effect.withUnhandledErrorLogLevel(Option.none()),
        Effect.flatMap((fiber) =>
          Effect.onInterrupt(restore(Fiber.join(fiber)), () => Fiber.interruptFork(fiber))
        )
      )
    )
