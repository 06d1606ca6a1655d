/** A program over the main entry. It is type-checked against the built package, and not run. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  AuthNotifier,
  AuthStore,
  CredentialProvider,
  Credentials,
  NumberAuth,
  NumberClient,
  NumberTransport
} from "effect-number-auth"

const profile = Effect.flatMap(NumberAuth.NumberAuth, (auth) => auth.sessionKey).pipe(
  Effect.catchTag("AuthAborted", ({ standing }) => Console.log(`${standing.failures} of ${standing.limit}`)),
  Effect.catchTag("AuthLocked", ({ message }) => Console.log(message))
)

const services = Layer.mergeAll(
  AuthStore.layerMemory,
  NumberTransport.layerRestConfig(),
  AuthNotifier.layerLog,
  CredentialProvider.layerConfig()
)

export const program: Effect.Effect<unknown, unknown> = Effect.provide(
  profile,
  NumberAuth.layerConfig().pipe(Layer.provide(services), Layer.provide(FetchHttpClient.layer))
)
export const uses = [Credentials.AccountCode, NumberClient.method] as const
