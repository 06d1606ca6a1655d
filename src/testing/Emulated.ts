/**
 * Everything over the emulator: layers for tests of programs against a backend that answers, counts and fails.
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
  /** A token that the emulator takes, and that is supplied: 32 hexadecimal characters. Default: one that is made up. */
  readonly token?: string | undefined
  /** Other settings of `NumberAuth`. */
  readonly auth?: Omit<NumberAuth.Options, "account"> | undefined
  /** How the emulator reads what the documentation leaves open. */
  readonly backend?: NumberEmulator.Options | undefined
  /** What attempts are sent over. Default `REST`. */
  readonly wire?: "REST" | "SOAP" | undefined
}

/**
 * All that `NumberAuth`, `NumberAccounts` and `SoapClient` stand on.
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
 * What a `NumberAuth` stands on: the emulator, its HttpClient, attempts over it, a store in memory, a token, and a notifier
 * that says nothing. Dies where account or token has not the documented form.
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
    Layer.merge(AuthStore.layerMemory),
    Layer.merge(Layer.succeed(AuthNotifier, { notify: () => Effect.void })),
    Layer.merge(CredentialProvider.layerConfig(Config.succeed(Redacted.make(token))))
  )
}

/**
 * A `NumberAuth` of which everything is real but the backend, and all that it stands on, the emulator for assertions
 * included.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<NumberAuth.NumberAuth | Services, InvalidInput> =>
  NumberAuth.layer({ ...options.auth, account: options.account ?? "EP0000001" }).pipe(
    Layer.provideMerge(layerServices(options))
  )
