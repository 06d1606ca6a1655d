/**
 * Layers over the emulator: for tests of programs against a backend that answers, counts and fails.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { InvalidInput } from "../schemas/InvalidInput.js"
import { AuthNotifier } from "../services/session/AuthNotifier.js"
import * as AuthStore from "../services/store/AuthStore.js"
import * as CredentialProvider from "../services/session/CredentialProvider.js"
import * as NumberAuth from "../services/session/NumberAuth.js"
import * as NumberTransport from "../services/wire/NumberTransport.js"
import * as SoapTransport from "../services/wire/SoapTransport.js"
import * as NumberEmulator from "./NumberEmulator.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The account. Default `EP0000001`. */
  readonly account?: string | undefined
  /**
   * The token that the emulator accepts and the provider supplies: 32 hexadecimal characters. Default: a made-up one.
   */
  readonly token?: string | undefined
  /** Other settings of `NumberAuth`. */
  readonly auth?: Omit<NumberAuth.Options, "account"> | undefined
  /** The emulator's settings: its reading of the points that the documentation leaves open. */
  readonly backend?: NumberEmulator.Options | undefined
  /** The protocol of attempts. Default `REST`. */
  readonly wire?: "REST" | "SOAP" | undefined
}

/**
 * The services that `NumberAuth`, `NumberAccounts` and `SoapClient` depend on.
 *
 * @since 0.1.0
 * @category models
 */
export type Services =
  | NumberEmulator.NumberEmulator
  | HttpClient.HttpClient
  | NumberTransport.NumberTransport
  | AuthStore.AuthStore
  | AuthNotifier
  | CredentialProvider.CredentialProvider

/**
 * The services that a `NumberAuth` depends on: the emulator, its HttpClient, a transport of attempts over it, a store
 * in memory, a token, and a notifier that does nothing. Dies if the account or the token is malformed.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServices = (options: Options = {}): Layer.Layer<Services, InvalidInput> => {
  const token = options.token ?? "7E577E57000000000000000000000000"
  const emulator = Layer.tap(NumberEmulator.layer(options.backend), (context) =>
    Effect.flatMap(NumberEmulator.NumberEmulator, (backend) =>
      backend.addToken(options.account ?? "EP0000001", token)
    ).pipe(Effect.provide(context))
  )
  const transport =
    options.wire === "SOAP"
      ? SoapTransport.layer()
      : NumberTransport.layerRest(
          options.auth?.baseUrl === undefined ? {} : { baseUrl: options.auth.baseUrl }
        )
  return transport.pipe(
    Layer.provideMerge(NumberEmulator.layerHttpClient),
    Layer.provideMerge(emulator),
    Layer.merge(Layer.effect(AuthStore.AuthStore, AuthStore.makeMemory)),
    Layer.merge(Layer.succeed(AuthNotifier, { notify: () => Effect.void })),
    Layer.merge(CredentialProvider.layerConfig(Config.succeed(Redacted.make(token))))
  )
}

/**
 * A real `NumberAuth` over the emulated backend, and the services that it depends on. The emulator is among them, for
 * assertions.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<NumberAuth.NumberAuth | Services, InvalidInput> =>
  NumberAuth.layer({ ...options.auth, account: options.account ?? "EP0000001" }).pipe(
    Layer.provideMerge(layerServices(options))
  )
