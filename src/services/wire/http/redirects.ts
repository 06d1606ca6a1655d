/**
 * The rule that fetch does not follow redirects. On a 307, it would send the token a second time, or the session key to
 * another host.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** The `RequestInit` in the context; empty if there is none. */
export const requestInit: Effect.Effect<globalThis.RequestInit> = Effect.map(
  Effect.serviceOption(FetchHttpClient.RequestInit),
  Option.getOrElse(() => ({}))
)

/** Runs an effect without following redirects. The `RequestInit` in its context overrides the given one by property. */
export const withoutRedirects =
  (given: globalThis.RequestInit) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(requestInit, (current) =>
      Effect.provideService(effect, FetchHttpClient.RequestInit, { ...given, ...current, redirect: "manual" })
    )
