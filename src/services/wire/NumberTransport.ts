/**
 * One attempt, one classified outcome.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import {
  AuthenticateAnswer,
  type AuthenticateResult,
  functionOkOf,
  SoapAuthenticateResult
} from "../../schemas/Answers.js"
import { AttemptOutcome } from "../../schemas/AttemptOutcome.js"
import type { AccountCode, Token } from "../../schemas/Credentials.js"
import { InvalidInput } from "../../schemas/InvalidInput.js"
import { withQuietSpans } from "../common/redactedSpans.js"
import { readText } from "./http/readText.js"
import { requestInit, withoutRedirects } from "./http/redirects.js"
import { scrub, withoutKeys } from "../common/scrub.js"
import { bodyChild, faultText, resultOf, soapCall } from "./soap/envelope.js"
import { transportFailure } from "./http/fate.js"
import { unprinted } from "./http/hiddenBody.js"
import { parseXml, valueOf } from "./soap/xml.js"

/**
 * One attempt, as the transport is asked to make it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  readonly account: AccountCode
  readonly token: Token
  /**
   * To be run right before the request is written, each time it would be. Fails where it must not be: the lease has
   * run out, or the one write that the mark stands for was made already.
   */
  readonly permit: Effect.Effect<void, AttemptNotPermitted>
}

/**
 * The attempt must not be written (again).
 *
 * @since 0.1.0
 * @category errors
 */
export class AttemptNotPermitted extends Schema.TaggedError<AttemptNotPermitted>(
  "effect-number-auth/AttemptNotPermitted"
)("AttemptNotPermitted", { why: Schema.Literal("leaseEnded", "alreadyWritten") }) {
  override get message(): string {
    return this.why === "leaseEnded"
      ? "The attempt's lease ran out before it was sent, so it was not sent."
      : "The attempt was sent once already. The HTTP client tried to send it again, which would be another attempt."
  }
}

/**
 * Makes attempts. Knows the wire, and neither ledger nor machine.
 *
 * @since 0.1.0
 * @category services
 */
export class NumberTransport extends Context.Tag("effect-number-auth/NumberTransport")<
  NumberTransport,
  {
    /**
     * Sends one `Authenticate` and classifies what came of it. Never fails, and never sends twice. Has no time-out of
     * its own: it is interrupted.
     */
    readonly authenticate: (attempt: Attempt) => Effect.Effect<AttemptOutcome>
  }
>() {}

/**
 * The base URL of the newer documentation pages (`number-api.md`, section "REST").
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultBaseUrl = "https://easypay5.com/APIcardProcNumber/v1.0.0"

/**
 * @since 0.1.0
 * @category models
 */
export interface RestOptions {
  /** Where `/Authenticate` is: default {@link defaultBaseUrl}. */
  readonly baseUrl?: string | undefined
}

/**
 * The longest answer that is read, in bytes: 1 MiB. The rest is cut off, and the attempt counts as faulted.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestAnswerBytes = 1_048_576

/**
 * Checks a base URL: absolute, `https:` (or `http:` to a loopback address, for the emulator), without user, query or
 * fragment. Drops a trailing slash.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeBaseUrl = (input: string): Either.Either<string, InvalidInput> =>
  Either.map(decodeUrl(input, "base URL", defaultBaseUrl), (url) => url.replace(/\/+$/, ""))

const decodeUrl = (input: string, field: string, example: string): Either.Either<string, InvalidInput> => {
  const invalid = () =>
    new InvalidInput({
      field,
      expected: `an https URL such as ${example}, without user, query or fragment (http only to a loopback address)`
    })
  const url = URL.canParse(input.trim()) ? new URL(input.trim()) : undefined
  if (url === undefined) return Either.left(invalid())
  const isLoopback =
    url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname)
  const isAllowed = url.protocol === "https:" || (url.protocol === "http:" && isLoopback)
  // An empty query or fragment is in `href` only.
  const isPlain = url.username === "" && url.password === "" && !/[?#]/.test(url.href)
  return isAllowed && isPlain ? Either.right(url.href) : Either.left(invalid())
}

/**
 * Builds the request of an attempt (`number-api.md`, section "REST"). The token is in the body only.
 *
 * @since 0.1.0
 * @category wire
 */
export const restRequest = (baseUrl: string, attempt: Attempt): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.post(`${baseUrl}/Authenticate`).pipe(
    HttpClientRequest.acceptJson,
    HttpClientRequest.setBody(
      unprinted(HttpBody.unsafeJson({ AcctCode: attempt.account, Token: Redacted.value(attempt.token) }))
    )
  )

const show = (text: string | null, token: Token): string => {
  const shown = scrub(text ?? "", token)
  return shown === "" ? "no reason given" : shown
}

const ofResult = (result: AuthenticateResult, token: Token): AttemptOutcome => {
  const lockReported = result.ThisUser?.IsLockedOut === true
  const functionOk = functionOkOf(result)
  if (functionOk === false) {
    return AttemptOutcome.faulted({
      detail: `Number could not carry out the call: ${show(result.ErrMsg, token)} (ErrCode ${result.ErrCode ?? "none"})`,
      errorCode: result.ErrCode,
      lockReported
    })
  }
  if (functionOk === true && result.AuthSuccess === false) {
    return AttemptOutcome.refused({ detail: show(result.RespMsg, token), lockReported })
  }
  if (functionOk === true && result.AuthSuccess === true && result.SessKey !== null) {
    return AttemptOutcome.accepted({
      sessionKey: result.SessKey,
      tokenEndsAtMillis: result.ThisUser?.ExpirationDate ?? null,
      lockReported
    })
  }
  return AttemptOutcome.faulted({
    detail: "Number's answer lacks FunctionOk, AuthSuccess or SessKey",
    errorCode: result.ErrCode,
    lockReported
  })
}

/**
 * An answer to an attempt, as it came. `body` is null where it was longer than {@link longestAnswerBytes}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly status: number
  readonly body: string | null
}

/**
 * Classifies an answer by the seed's order: status, body, FunctionOk, AuthSuccess. Pure, and takes any text.
 *
 * @since 0.1.0
 * @category wire
 */
export const classifyRestAnswer = (answer: Answer, token: Token): AttemptOutcome => {
  const read = decodeAnswer(answer.body)
  return classify(answer, Either.getOrUndefined(read)?.AuthenticateResult, token)
}

const decodeAnswer = Schema.decodeUnknownEither(AuthenticateAnswer)
const decodeSoapResult = Schema.decodeUnknownOption(SoapAuthenticateResult)

const classify = (answer: Answer, result: AuthenticateResult | undefined, token: Token): AttemptOutcome => {
  if (answer.status < 200 || answer.status > 299) {
    return AttemptOutcome.faulted({
      detail: `Number answered with HTTP status ${answer.status}`,
      errorCode: result?.ErrCode ?? null,
      lockReported: result?.ThisUser?.IsLockedOut === true
    })
  }
  if (result !== undefined) return ofResult(result, token)
  return AttemptOutcome.faulted({
    detail:
      answer.body === null
        ? "Number's answer was longer than 1 MiB and was cut off"
        : "Number's answer is not of the documented form",
    errorCode: null,
    lockReported: false
  })
}

const isNotPermitted = (error: unknown): error is AttemptNotPermitted => error instanceof AttemptNotPermitted

/** How attempts and their answers are written on the wire. */
interface Wire {
  readonly request: (attempt: Attempt) => HttpClientRequest.HttpClientRequest
  readonly classify: (answer: Answer, token: Token) => AttemptOutcome
}

/** No answer came. The error itself is not kept: it holds the request, and the request holds the token. */
const ofFailure = (
  error: AttemptNotPermitted | HttpClientError.HttpClientError,
  token: Token,
  wire: Wire
): AttemptOutcome => {
  if (isNotPermitted(error)) {
    // A detail is put into a sentence.
    const detail = error.message.replace(/\.$/, "")
    return error.why === "leaseEnded" ? AttemptOutcome.unsent({ detail }) : AttemptOutcome.lost({ detail })
  }
  if (error._tag === "RequestError" && error.reason !== "Transport") {
    return AttemptOutcome.unsent({ detail: "the request could not be built" })
  }
  if (error._tag === "ResponseError" && error.reason === "StatusCode") {
    return wire.classify({ status: error.response.status, body: "" }, token)
  }
  const failure = transportFailure(error.cause)
  return failure.unsent && error._tag === "RequestError"
    ? AttemptOutcome.unsent({ detail: `Number could not be reached (${failure.code})` })
    : AttemptOutcome.lost({ detail: `the connection failed before a whole answer came (${failure.code})` })
}

const make = (wire: Wire): Effect.Effect<NumberTransport["Type"], never, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const init = yield* requestInit
    return {
      authenticate: (attempt: Attempt) =>
        Effect.gen(function* () {
          const response = yield* client.pipe(
            HttpClient.tapRequest(() => attempt.permit),
            (once) => once.execute(wire.request(attempt))
          )
          const status = response.status
          const body = yield* readText(response, longestAnswerBytes).pipe(
            // A status that is no success has spoken, whatever became of its body; and no body is a whole answer.
            Effect.catchIf(
              (error) => status < 200 || status > 299 || error.reason === "EmptyBody",
              () => Effect.succeed("")
            )
          )
          return wire.classify({ status, body }, attempt.token)
        }).pipe(
          withoutRedirects(init),
          // The body, which holds the token, is never printed.
          withQuietSpans((text) => withoutKeys(text, attempt.token), identity),
          Effect.catchAll((error) => Effect.succeed(ofFailure(error, attempt.token, wire)))
        )
    }
  })

/**
 * Over REST, on the `HttpClient` at hand. That client must send a request once: `HttpClient.retry` and the like are
 * stopped from sending an attempt twice, but a client that repeats a request within itself, or follows redirects
 * (`HttpClient.followRedirects`), cannot be. fetch is told not to follow redirects; its `RequestInit`, where you need one
 * (a proxy's dispatcher, say), has to be provided to this layer too, or it is not seen.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRest = (
  options: RestOptions = {}
): Layer.Layer<NumberTransport, InvalidInput, HttpClient.HttpClient> =>
  Layer.effect(
    NumberTransport,
    Effect.flatMap(decodeBaseUrl(options.baseUrl ?? defaultBaseUrl), (baseUrl) =>
      make({ request: (attempt) => restRequest(baseUrl, attempt), classify: classifyRestAnswer })
    )
  )

/**
 * {@link layerRest} with the base URL from a `Config`, default `NUMBER_BASE_URL`, and {@link defaultBaseUrl} without it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRestConfig = (
  baseUrl: Config.Config<string> = Config.withDefault(Config.string("NUMBER_BASE_URL"), defaultBaseUrl)
): Layer.Layer<NumberTransport, InvalidInput | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrapEffect(Effect.map(baseUrl, (url) => layerRest({ baseUrl: url })))

/**
 * The service of the documentation (`number-api.md`, section "SOAP").
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultSoapEndpoint = "https://easypay5.com/APIcardProcR119/CardProcAPI.svc"

/**
 * WCF's default, which the documentation does not state.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultSoapNamespace = "http://tempuri.org/"

/**
 * How Number is spoken to over SOAP 1.1. The documentation states the endpoint only; the rest are WCF's defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface SoapOptions {
  /** The service: default {@link defaultSoapEndpoint}. */
  readonly endpoint?: string | undefined
  /** The namespace of methods and parameters: default {@link defaultSoapNamespace}. */
  readonly namespace?: string | undefined
  /** What stands before the method's name in `SOAPAction`: default the namespace, a slash, and `ICardProcess/`. */
  readonly actionPrefix?: string | undefined
}

/**
 * {@link SoapOptions} that were checked.
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
 * Checks how Number is spoken to over SOAP. The endpoint has to be what a base URL has to be, and is used as it is; the
 * other two go into XML and into a header, so they are printable and hold no spaces, quotes, ampersands or angle brackets.
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
 * Builds the request of an attempt over SOAP. The token is in the body only.
 *
 * @since 0.1.0
 * @category wire
 */
export const soapRequest = (wire: SoapWire, attempt: Attempt): HttpClientRequest.HttpClientRequest =>
  soapCall(wire, "Authenticate", { AcctCode: attempt.account, Token: Redacted.value(attempt.token) })

/**
 * Classifies a SOAP answer in the same order. A `Fault` is an unsuccessful attempt. Elements are known by their local names,
 * wrapped as `AuthenticateResponse/AuthenticateResult` or as `api_AuthResponse`; what is there twice where it may be once
 * makes the answer one of another form. Pure, and takes any text.
 *
 * @since 0.1.0
 * @category wire
 */
export const classifySoapAnswer = (answer: Answer, token: Token): AttemptOutcome => {
  const child = Option.flatMap(Option.flatMap(Option.fromNullable(answer.body), parseXml), bodyChild)
  const isSuccess = answer.status >= 200 && answer.status <= 299
  if (Option.isSome(child) && child.value.name === "Fault") {
    const status = isSuccess ? "" : ` and HTTP status ${answer.status}`
    return AttemptOutcome.faulted({
      detail: `Number answered with a SOAP fault${status}: ${show(faultText(child.value), token)}`,
      errorCode: null,
      lockReported: false
    })
  }
  const result = Option.flatMap(child, resultOf("Authenticate", ["api_AuthResponse"])).pipe(
    Option.flatMap((element) => decodeSoapResult(valueOf(element)))
  )
  return classify(answer, Option.getOrUndefined(result), token)
}

/**
 * Over SOAP, on the `HttpClient` at hand, of which the same holds as for {@link layerRest}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSoap = (
  options: SoapOptions = {}
): Layer.Layer<NumberTransport, InvalidInput, HttpClient.HttpClient> =>
  Layer.effect(
    NumberTransport,
    Effect.flatMap(decodeSoapOptions(options), (wire) =>
      make({ request: (attempt) => soapRequest(wire, attempt), classify: classifySoapAnswer })
    )
  )

/**
 * The settings of SOAP that the environment gives: `NUMBER_SOAP_ENDPOINT`, `NUMBER_SOAP_NAMESPACE` and
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

/**
 * {@link layerSoap} with the settings from a `Config`, default {@link configSoapOptions}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSoapConfig = (
  options: Config.Config<SoapOptions> = configSoapOptions
): Layer.Layer<NumberTransport, InvalidInput | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrapEffect(Effect.map(options, layerSoap))
