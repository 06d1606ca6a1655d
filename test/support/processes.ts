/** Processes of an account that share a store, in the process of the test. */
import { anyDrainTime } from "../../src/testing/NumberAuthTest.js"
import type { HttpClient } from "@effect/platform"
import { Context, Duration, Effect, Layer } from "effect"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"
import type { AuthStore } from "../../src/services/store/AuthStore.js"
import { account, environment, type World } from "./stack.js"

/** A `NumberAuth` as in a process of its own. */
export const startProcess = (
  world: World,
  store: AuthStore["Type"],
  options: Partial<NumberAuth.Options> = {},
  client?: HttpClient.HttpClient
) =>
  Layer.build(
    NumberAuth.layer({ account, baseUrl: "https://number.test/v1", ...options }).pipe(
      Layer.provide([environment({ ...world, store }, client), anyDrainTime]),
      Layer.orDie
    )
  ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))

/** The duration of an effect in real milliseconds, and its result. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [number, A], E, R> =>
  Effect.map(Effect.timed(effect), ([duration, result]) => [Duration.toMillis(duration), result])
