/**
 * The flight: one acquisition for all callers of an account that need a session at the same time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { AttemptId } from "../../../schemas/StoredRecord.js"
import type { AuthError } from "../AuthError.js"
import type { SharedByAccounts } from "./SharedByAccounts.js"
import type { Seat as Turn } from "../../common/turns.js"
import * as NumberMetrics from "../NumberMetrics.js"
import type { Acquisition } from "./acquire.js"
import { steadyMillis } from "./clocks.js"
import type { HeldSession, Refusal, SessionHolder } from "./heldSession.js"
import type { Notices } from "./notices.js"
import type { Settings } from "./settings.js"

/** The owner of an account's flights. At most one is under way at a time. */
export interface Flights {
  /** A session newer than the one that was refused: the held one, or the result of a flight. */
  readonly sessionAfter: (refusal: Refusal | null) => Effect.Effect<HeldSession, AuthError>
}

interface Flight {
  readonly result: Deferred.Deferred<HeldSession, AuthError>
  /** The newest refused generation that this flight knows of; 0 if it knows of none. */
  readonly refused: AttemptId
  readonly turn: Turn
  /** How many callers await it, including the first one. */
  callers: number
  fiber: Fiber.RuntimeFiber<HeldSession, AuthError> | null
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

interface Given {
  readonly settings: Settings
  readonly acquisition: Acquisition
  readonly holder: SessionHolder
  readonly notices: Notices
  readonly shared: Pick<SharedByAccounts["Type"], "keep" | "turns">
  readonly scope: Scope.Scope
  /**
   * The context that flights run in. A caller's own context, such as a transaction, may be gone before its flight ends.
   */
  readonly context: Context.Context<never>
}

/** The context of a flight, below the span of the caller that started it. */
const below =
  (context: Context.Context<never>) =>
  (caller: Context.Context<never>): Context.Context<never> =>
    Option.match(Context.getOption(caller, Tracer.ParentSpan), {
      onNone: () => context,
      onSome: (span) => Context.add(context, Tracer.ParentSpan, span)
    })

/** Records how long a caller waits. */
const timed = <A, E>(location: Settings["location"], waiting: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(steadyMillis, (beganMillis) =>
    Effect.ensuring(
      waiting,
      Effect.flatMap(steadyMillis, (nowMillis) => NumberMetrics.waited(location, nowMillis - beganMillis))
    )
  )

/** The flight in progress, if there is one. `makeFlights` owns it. */
interface Progress {
  current: Flight | null
}

const clear = (progress: Progress, flight: Flight): void => {
  if (progress.current === flight) progress.current = null
}

/** Starts a flight. It goes on without its callers, so that an attempt is always settled. */
const start = (
  { acquisition, context, notices, scope, shared }: Given,
  progress: Progress,
  refusal: Refusal | null
): Effect.Effect<Flight> =>
  Effect.gen(function* () {
    const result = yield* Deferred.make<HeldSession, AuthError>()
    const turn = shared.turns.seat()
    const flight: Flight = { result, refused: refusal?.generation ?? 0, turn, callers: 1, fiber: null }
    progress.current = flight
    const abandonIfAlone = Effect.suspend(() => {
      if (flight.callers > 0) return Effect.void
      clear(progress, flight)
      return Effect.interrupt
    })
    flight.fiber = yield* shared
      .keep(Effect.interruptible(acquisition.obtain(refusal, { turn, abandonIfAlone })))
      .pipe(
        Effect.onExit((exit) => {
          turn.leave()
          clear(progress, flight)
          return Deferred.done(result, exit)
        }),
        // Notices are given after the callers have their answer, and before the scope may close.
        Effect.ensuring(notices.notify),
        Effect.mapInputContext(below(context)),
        Effect.forkIn(scope),
        // The callers get the failure. It is not logged: a provider's error may hold the token.
        Effect.withUnhandledErrorLogLevel(Option.none())
      )
    return flight
  }).pipe(Effect.uninterruptible)

/** Joins the flight in progress, or starts one. The caller must await it. */
const join = (given: Given, progress: Progress, refusal: Refusal | null): Effect.Effect<Flight> =>
  Effect.suspend(() => {
    if (progress.current === null) return start(given, progress, refusal)
    progress.current.callers += 1
    return Effect.succeed(progress.current)
  })

/**
 * Awaits a flight. When its last caller is gone, a flight that waits for its turn, or for room in its turn, is
 * interrupted.
 */
const awaitResult = (
  progress: Progress,
  flight: Flight,
  restore: Restore
): Effect.Effect<HeldSession, AuthError> =>
  Effect.onExit(restore(Deferred.await(flight.result)), () =>
    Effect.suspend(() => {
      flight.callers -= 1
      if (flight.callers > 0 || flight.fiber === null || !flight.turn.isPending()) return Effect.void
      clear(progress, flight)
      flight.turn.leave()
      return Fiber.interruptFork(flight.fiber)
    })
  )

/** The result of a flight that knows of the refusal; null if the flight does not know of it. */
const resultOfFlight = (
  given: Given,
  progress: Progress,
  refusal: Refusal | null
): Effect.Effect<HeldSession | null, AuthError> =>
  // Join and await in one uninterruptible step, or an abandoned flight keeps its seat.
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const flight = yield* join(given, progress, refusal)
      if (flight.refused >= (refusal?.generation ?? 0)) return yield* awaitResult(progress, flight, restore)
      // The flight may bring the refused key, or an error that has nothing to do with the refusal.
      yield* Effect.exit(awaitResult(progress, flight, restore))
      return null
    })
  )

const awaitSession = (
  given: Given,
  progress: Progress,
  refusal: Refusal | null
): Effect.Effect<HeldSession, AuthError> =>
  Effect.gen(function* () {
    const refused = refusal?.generation ?? 0
    while (true) {
      const held = given.holder.current(yield* Clock.currentTimeMillis, refused)
      if (held !== null) return held
      const session = yield* resultOfFlight(given, progress, refusal)
      // A session older than the refused one serves: the store may have been restored from a backup.
      if (session !== null && session.generation !== refused) return session
    }
  })

/** Makes the owner of an account's flights. */
export const makeFlights = (given: Given): Flights => {
  const { holder, settings } = given
  const progress: Progress = { current: null }
  return {
    sessionAfter: (refusal) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
        if (refusal !== null) holder.refuse(refusal, nowMillis)
        const held = holder.current(nowMillis, refusal?.generation ?? 0)
        return held === null
          ? timed(settings.location, awaitSession(given, progress, refusal))
          : Effect.succeed(held)
      })
  }
}
