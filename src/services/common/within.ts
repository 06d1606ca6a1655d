/**
 * A time-out that interrupts, and a region that no interruption reaches, wherever they are.
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

/**
 * Runs an effect where no interruption reaches it. `Effect.uninterruptible` is not enough: a fiber that is interrupted
 * passes the signal on to its children even so, and a time-out runs its effect in a child.
 */
export const undisturbed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptible(Effect.flatMap(Effect.forkDaemon(effect), Fiber.join))
