/**
 * NumberAuth, emulator and store on a virtual clock, driven step by step from outside of Effect.
 */
import { Cause, Exit, type Fiber, Option, Scope } from "effect"
import type * as NumberAuth from "../../src/services/session/NumberAuth.js"
import * as VirtualClock from "../../src/testing/VirtualClock.js"
import { ip, makeWorld, start, type World } from "./stack.js"

type Auth = NumberAuth.NumberAuth["Type"]

export const makeRig = async () => {
  const clock = VirtualClock.make()
  const run = clock.runPromise
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
    /** Asks for a session, lets time pass, and returns how it ended; null if it has not ended. */
    ask: (auth: Auth, millis = 1000): string | null => {
      const fiber = clock.fork(auth.sessionKey)
      clock.advance(millis)
      return endOf(fiber)
    }
  }
}

/** How a fiber ended; null if it has not ended. */
export const endOf = (fiber: Fiber.RuntimeFiber<unknown, { readonly _tag: string }>): string | null => {
  const exit = fiber.unsafePoll()
  return exit === null ? null : tagOf(exit)
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
