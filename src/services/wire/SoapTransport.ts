/**
 * The transport that sends attempts over SOAP 1.1.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import { makeTransport, NumberTransport } from "./NumberTransport.js"
import { classifySoapAnswer, soapRequest } from "./soap/authenticate.js"
import { configSoapOptions, decodeSoapOptions, type SoapOptions } from "./soap/settings.js"

export { classifySoapAnswer, soapRequest } from "./soap/authenticate.js"
export {
  configSoapOptions,
  decodeSoapOptions,
  defaultSoapEndpoint,
  defaultSoapNamespace,
  type SoapOptions,
  type SoapWire
} from "./soap/settings.js"

/**
 * The transport over SOAP, on the provided `HttpClient`. That client must satisfy the conditions of
 * `NumberTransport.layerRest`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: SoapOptions = {}
): Layer.Layer<NumberTransport, InvalidInput, HttpClient.HttpClient> =>
  Layer.effect(
    NumberTransport,
    Effect.flatMap(decodeSoapOptions(options), (wire) =>
      makeTransport({ request: (attempt) => soapRequest(wire, attempt), classify: classifySoapAnswer })
    )
  )

/**
 * {@link layer} with the settings from a `Config`, default {@link configSoapOptions}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config<SoapOptions> = configSoapOptions
): Layer.Layer<NumberTransport, InvalidInput | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrapEffect(Effect.map(options, layer))
