/**
 * NumberAuth, emulator and store on a virtual clock, driven step by step from outside of Effect.
 */
import { Cause, Effect, Exit, Option, Scope } from "effect"
import type * as NumberAuth from "../../src/services/NumberAuth.js"
import { ip, makeWorld, start, type World } from "./stack.js"
import { makeVirtualClock } from "./virtualClock.js"

type Auth = NumberAuth.NumberAuth["Type"]

export const makeRig = async () => {
  const clock = makeVirtualClock()
  const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(Effect.withClock(effect, clock))
  const scope = await run(Scope.make())
  const world = await run(Scope.extend(makeWorld({ ip }), scope))
  return {
    clock,
    run,
    scope,
    world,
    /** A process on this world, or on one with another store. */
    process: (options: Partial<NumberAuth.Options> = {}, store?: World["store"]): Promise<Auth> =>
      run(Scope.extend(start(store === undefined ? world : { ...world, store }, options), scope)),
    /** Asks for a session, lets time pass, and says how it ended; null where it has not. */
    ask: async (auth: Auth, millis = 1000): Promise<string | null> => {
      let ended: string | null = null
      void run(Effect.exit(auth.sessionKey)).then((exit) => {
        ended = tagOf(exit)
      })
      await clock.advance(millis)
      return ended
    }
  }
}

/** How something ended: `ok`, `Interrupt`, or the tag of its error. */
export const tagOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>): string =>
  Exit.match(exit, {
    onSuccess: () => "ok",
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: () => (Cause.isInterruptedOnly(cause) ? "Interrupt" : cause._tag),
        onSome: (error) => error._tag
      })
  })
