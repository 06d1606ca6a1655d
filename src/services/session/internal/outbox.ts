/**
 * What the store has yet to take: the outcomes of attempts, and reservations that were not confirmed. Closing waits for them.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { undisturbed } from "../../common/within.js"
import type { AuthUnstored } from "../AuthError.js"
import { type Instant, instant } from "./clocks.js"
import type { SharedByAccounts } from "./SharedByAccounts.js"

/** A write that the store did not take. */
export interface Letter {
  /** Writes it, and does all that follows from it. */
  readonly store: Effect.Effect<unknown, unknown>
  /** The moment before the reservation: the lease counts from there. */
  readonly began: Instant
  /** The loss, if the store has not taken it by the end of the lease. The cause is that of the last try. */
  readonly unstored: (cause: Cause.Cause<unknown>) => AuthUnstored
}

/** The owner of what the store has yet to take. */
export interface Outbox {
  /** Takes a letter, and goes on storing it: undisturbed while its lease runs, then until the scope closes. */
  readonly post: (letter: Letter) => Effect.Effect<void>
  /** Waits until every letter is stored. Fails if the lease of one ends first. */
  readonly settled: Effect.Effect<void, AuthUnstored>
}

/** Retries while the store is unavailable: soon at first, later every 5 seconds. */
const storeIsBack = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced("5 seconds")))

/** Makes the outbox of an account. `onLost` runs if the scope closes before a letter is stored. */
export const makeOutbox = (given: {
  readonly leaseMillis: number
  readonly shared: Pick<SharedByAccounts["Type"], "keep">
  readonly scope: Scope.Scope
  readonly onLost: (unstored: AuthUnstored) => Effect.Effect<void>
}): Effect.Effect<Outbox> => {
  const { leaseMillis, onLost, scope, shared } = given
  const waiting = new Map<Deferred.Deferred<void, AuthUnstored>, Fiber.Fiber<void>>()

  const leaseRuns = ({ began }: Letter): Effect.Effect<boolean> =>
    Effect.map(instant, ({ nanos }) => nanos - began.nanos < BigInt(leaseMillis) * 1_000_000n)

  const deliver = (letter: Letter, result: Deferred.Deferred<void, AuthUnstored>): Effect.Effect<void> =>
    Effect.gen(function* () {
      const store = Effect.sandbox(letter.store)
      const untilLeaseEnds = { schedule: storeIsBack, while: () => leaseRuns(letter) }
      const first = yield* Effect.either(undisturbed(Effect.retry(store, untilLeaseEnds)))
      if (first._tag === "Right") return yield* Deferred.succeed(result, undefined)
      const unstored = letter.unstored(first.left)
      yield* Deferred.fail(result, unstored)
      yield* Effect.retry(store, storeIsBack).pipe(
        Effect.interruptible,
        Effect.onInterrupt(() => onLost(unstored))
      )
    }).pipe(Effect.ensuring(Effect.sync(() => waiting.delete(result))), Effect.asVoid, Effect.ignore)

  return Effect.as(
    // Made before any flight, so it closes after all flights: what they post is waited for.
    Scope.addFinalizer(
      scope,
      Effect.suspend(() => Fiber.interruptAll([...waiting.values()]))
    ),
    {
      post: (letter) =>
        Effect.uninterruptible(
          Effect.gen(function* () {
            const result = yield* Deferred.make<void, AuthUnstored>()
            // Registered before it may end.
            const begun = yield* Deferred.make<void>()
            const fiber = yield* Deferred.await(begun).pipe(
              Effect.zipRight(deliver(letter, result)),
              shared.keep,
              Effect.forkDaemon
            )
            waiting.set(result, fiber)
            yield* Deferred.succeed(begun, undefined)
          })
        ),
      settled: Effect.suspend(() =>
        Effect.forEach([...waiting.keys()], (result) => Deferred.await(result), { discard: true })
      )
    }
  )
}
