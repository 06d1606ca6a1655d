/**
 * A queue for the uses of a store: one at a time.
 */
import * as Effect from "effect/Effect"
import { inTurn, makeTurns } from "../../common/turns.js"

/** Runs effects one at a time, in the order of their arrival. */
export type Queue<E> = <A, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Makes a queue whose members wait here, and not in the driver's pool. In the pool, a time-out of a few seconds would
 * fail the end of a long line although the database is well. If one member finds the store unavailable, all that waited
 * meanwhile fail with its error. Otherwise each would wait for the same time-out, one after the other.
 */
export const makeQueue = <E>(isAway: (error: E) => boolean): Queue<E> => {
  const turns = makeTurns()
  let timesAway = 0
  let away: E
  return (effect) =>
    Effect.suspend(() => {
      const timesBefore = timesAway
      return inTurn(
        turns,
        Effect.suspend(() =>
          timesAway > timesBefore
            ? Effect.fail(away)
            : Effect.tapError(effect, (error) =>
                Effect.sync(() => {
                  if (!isAway(error)) return
                  timesAway += 1
                  away = error
                })
              )
        )
      )
    })
}
