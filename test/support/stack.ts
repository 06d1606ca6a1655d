/**
 * The real NumberAuth on the emulator in memory, with everything that a test wants to vary.
 */
import { HttpClient } from "@effect/platform"
import { Context, Effect, Layer, Redacted, Ref } from "effect"
import type { AccountCode, Token } from "../../src/schemas/Credentials.js"
import { AuthNotifier, type AuthNotice } from "../../src/services/session/AuthNotifier.js"
import { AuthStore, makeMemory } from "../../src/services/store/AuthStore.js"
import { CredentialProvider } from "../../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"
import type * as NumberTransport from "../../src/services/wire/NumberTransport.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { goodToken } from "./core.js"
import { rest, type Wire } from "./wires.js"

export { goodToken }

export const ip = "203.0.113.7"
export const account = "EP9116875"
export const baseUrl = "https://number.test/v1"
/** Tokens that no account has. */
export const badToken = (n: number): string => n.toString(16).toUpperCase().padStart(32, "0")

/** Everything that outlives a process: the backend, the store, and the notices that people got. */
export interface World {
  readonly emulator: Emulator.NumberEmulator["Type"]
  readonly store: AuthStore["Type"]
  readonly notices: Ref.Ref<ReadonlyArray<AuthNotice>>
  readonly token: Ref.Ref<string>
}

export const makeWorld = (options: Emulator.Options = {}) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.make(options)
    yield* emulator.addToken(account, goodToken)
    const world: World = {
      emulator,
      store: yield* makeMemory,
      notices: yield* Ref.make<ReadonlyArray<AuthNotice>>([]),
      token: yield* Ref.make(goodToken)
    }
    return world
  })

/** Everything below NumberAuth, for one process. */
export const environment = (
  world: World,
  client: HttpClient.HttpClient = Emulator.httpClient(world.emulator, ip),
  wire: Pick<Wire, "layer"> = rest
): Layer.Layer<
  AuthStore | AuthNotifier | CredentialProvider | NumberTransport.NumberTransport | HttpClient.HttpClient
> => {
  const http = Layer.succeed(HttpClient.HttpClient, client)
  return Layer.mergeAll(
    http,
    Layer.succeed(AuthStore, world.store),
    Layer.succeed(AuthNotifier, {
      notify: (notice) => Ref.update(world.notices, (notices) => [...notices, notice])
    }),
    Layer.succeed(CredentialProvider, {
      get: (_: AccountCode) => Effect.map(Ref.get(world.token), (token) => Redacted.make(token) as Token),
      put: (_, token) => Ref.set(world.token, Redacted.value(token))
    }),
    Layer.orDie(wire.layer(baseUrl)).pipe(Layer.provide(http))
  )
}

/** Starts a process: a NumberAuth of its own, for as long as the scope is open. */
export const start = (
  world: World,
  options: Partial<NumberAuth.Options> = {},
  client?: HttpClient.HttpClient,
  wire?: Pick<Wire, "layer">
) =>
  Layer.build(
    NumberAuth.layer({ account, baseUrl, ...options }).pipe(Layer.provide(environment(world, client, wire)))
  ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)), Effect.orDie)
