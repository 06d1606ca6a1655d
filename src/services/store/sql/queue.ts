/**
 * One use of a store at a time.
 */
import * as Effect from "effect/Effect"
import { inTurn, makeTurns } from "../../common/turns.js"

/** Runs effects one after the other, in the order in which they were given to it. */
export type Queue<E> = <A, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Makes a queue whose members wait here, and not in the driver's pool, where a time-out of a few seconds would end those
 * at the back of a long line though the database is well. Where one finds the store away, all who were waiting meanwhile
 * fail with it: they would else each wait for the same time-out, one after the other.
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
