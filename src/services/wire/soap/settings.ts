/**
 * The settings of SOAP.
 */
import * as Config from "effect/Config"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { InvalidInput } from "../../../schemas/InvalidInput.js"
import { decodeUrl } from "../http/baseUrl.js"

/**
 * The endpoint in Number's documentation (`number-api.md`, section "SOAP").
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultSoapEndpoint = "https://easypay5.com/APIcardProcR119/CardProcAPI.svc"

/**
 * WCF's default namespace. Number's documentation does not state one.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultSoapNamespace = "http://tempuri.org/"

/**
 * The settings of SOAP 1.1. Number's documentation states the endpoint only. The other defaults are WCF's.
 *
 * @since 0.1.0
 * @category models
 */
export interface SoapOptions {
  /** The service: default {@link defaultSoapEndpoint}. */
  readonly endpoint?: string | undefined
  /** The namespace of methods and parameters: default {@link defaultSoapNamespace}. */
  readonly namespace?: string | undefined
  /** The text before the method's name in `SOAPAction`. Default: the namespace, a slash, and `ICardProcess/`. */
  readonly actionPrefix?: string | undefined
}

/**
 * {@link SoapOptions} after the check, with the defaults filled in.
 *
 * @since 0.1.0
 * @category models
 */
export interface SoapWire {
  readonly endpoint: string
  readonly namespace: string
  readonly actionPrefix: string
}

/**
 * Checks the settings of SOAP. The endpoint must follow the rules of a base URL, but keeps a trailing slash. The other
 * two go into XML and into a header, so they must be printable, without spaces, quotes, ampersands or angle brackets.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeSoapOptions = (options: SoapOptions): Either.Either<SoapWire, InvalidInput> =>
  Either.gen(function* () {
    const endpoint = yield* decodeUrl(
      options.endpoint ?? defaultSoapEndpoint,
      "SOAP endpoint",
      defaultSoapEndpoint
    )
    const uri = (field: string, text: string): Either.Either<string, InvalidInput> =>
      /^[\x21\x23-\x25\x28-\x3b\x3d\x3f-\x7e]+$/.test(text)
        ? Either.right(text)
        : Either.left(
            new InvalidInput({
              field,
              expected: `a URI such as ${defaultSoapNamespace}, without spaces, quotes, ampersands or angle brackets`
            })
          )
    const namespace = yield* uri("SOAP namespace", options.namespace ?? defaultSoapNamespace)
    const actionPrefix = yield* uri(
      "SOAPAction prefix",
      options.actionPrefix ?? `${namespace.replace(/\/?$/, "/")}ICardProcess/`
    )
    return { endpoint, namespace, actionPrefix }
  })

/**
 * The settings of SOAP from the environment: `NUMBER_SOAP_ENDPOINT`, `NUMBER_SOAP_NAMESPACE` and
 * `NUMBER_SOAP_ACTION_PREFIX`, with the defaults of {@link SoapOptions}.
 *
 * @since 0.1.0
 * @category config
 */
export const configSoapOptions: Config.Config<SoapOptions> = Config.map(
  Config.all({
    endpoint: Config.option(Config.string("NUMBER_SOAP_ENDPOINT")),
    namespace: Config.option(Config.string("NUMBER_SOAP_NAMESPACE")),
    actionPrefix: Config.option(Config.string("NUMBER_SOAP_ACTION_PREFIX"))
  }),
  ({ actionPrefix, endpoint, namespace }) => ({
    endpoint: Option.getOrUndefined(endpoint),
    namespace: Option.getOrUndefined(namespace),
    actionPrefix: Option.getOrUndefined(actionPrefix)
  })
)
