/**
 * A time-out that works in an uninterruptible region too, and a region that no interruption reaches.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * Interrupts an effect after a while, also in a region that cannot be interrupted (the acquisition of a resource). It
 * does not wait until the interruption is done. If the caller is interrupted while it waits, the effect is interrupted.
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
        // The fiber is joined, so its failure is not logged: an HTTP client's error may hold the session key.
        Effect.withUnhandledErrorLogLevel(Option.none()),
        Effect.flatMap((fiber) =>
          Effect.onInterrupt(restore(Fiber.join(fiber)), () => Fiber.interruptFork(fiber))
        )
      )
    )

/**
 * Runs an effect that no interruption can reach. `Effect.uninterruptible` is not enough: a fiber that is interrupted
 * still passes the signal on to its children, and a time-out runs its effect in a child.
 */
export const undisturbed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptible(Effect.flatMap(Effect.forkDaemon(effect), Fiber.join))
