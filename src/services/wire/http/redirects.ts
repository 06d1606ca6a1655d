/**
 * Keeps fetch from following redirects: with a 307 it would send the token a second time, or the session key to another
 * host.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** The `RequestInit` at hand, without its redirect. */
export const requestInit: Effect.Effect<globalThis.RequestInit> = Effect.map(
  Effect.serviceOption(FetchHttpClient.RequestInit),
  Option.getOrElse(() => ({}))
)

/** Runs with the `RequestInit` at hand, or else with the one given, and follows no redirects. */
export const withoutRedirects =
  (given: globalThis.RequestInit) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(requestInit, (current) =>
      Effect.provideService(effect, FetchHttpClient.RequestInit, { ...given, ...current, redirect: "manual" })
    )
