/**
 * The client of Number's methods over SOAP, with the session key.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import { withOwnSpan } from "../common/redactedSpans.js"
import { scrub } from "../common/scrub.js"
import { type AuthError, NumberAuth } from "../session/NumberAuth.js"
import type { SessionRefused } from "../session/SessionRefusal.js"
import { type AnswerHead, emptyHead } from "../wire/answerHead.js"
import { requestInit } from "../wire/http/redirects.js"
import { type Parameters, readMethod, readParameters } from "../wire/soap/parameters.js"
import { configSoapOptions, decodeSoapOptions, type SoapOptions } from "../wire/soap/settings.js"
import type { XmlValue } from "../wire/soap/xml.js"
import { AnswerUndecodable, type CallError, MethodFailed } from "./CallError.js"
import { logCall } from "./internal/callLog.js"
import type { Secrets } from "./internal/soapAnswer.js"
import { sendCall } from "./internal/soapSending.js"
import { fieldsOf } from "./internal/undecodableFields.js"

export { longestResultBytes } from "./internal/soapSending.js"

/**
 * The parameters of a method: one element for each, in this order, by Number's names. A nested record holds elements.
 * An array repeats the element once for each of its values. A null or undefined value is left out. Text is escaped. A
 * Redacted value (a card number, say) is sent, and is not shown if the answer echoes it. The client adds `SessKey`.
 *
 * @since 0.1.0
 * @category models
 */
export type SoapParameters = Parameters

/**
 * The content of an element of an answer, as a result's schema gets it: its text (`""` if it is empty), or its elements
 * by their local names, without prefixes. All values are texts: `Answers.SoapBoolean` and `Schema.NumberFromString`
 * read them. A repeated element is an array, and a single one is not: {@link listOf} reads lists. An `xsi:nil` element
 * is null. Attributes are left out.
 *
 * @since 0.1.0
 * @category models
 */
export type SoapValue = XmlValue

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends SoapOptions {
  /** How long one sending may take, from the first byte to the last, before it is given up. Default 60 seconds. */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * The error of a call: of the call itself, or of its session.
 *
 * @since 0.1.0
 * @category errors
 */
export type SoapError = AuthError | CallError

/**
 * Calls Number's methods over SOAP, with the session of `NumberAuth`.
 *
 * @since 0.1.0
 * @category services
 */
export class SoapClient extends Context.Tag("effect-number-auth/SoapClient")<
  SoapClient,
  {
    /**
     * Calls a method, with `SessKey` before its parameters, and decodes its result ({@link SoapValue}: `FunctionOk`,
     * `ErrCode`, `RespMsg` and the method's own). If the answer refuses the key (`FunctionOk` false with `ErrCode` 5030
     * or 5050), it renews the session and replays the call, once. Nothing else is sent twice: every other failure is an
     * error, `CallUncertain` if it is not known whether the call was carried out.
     *
     * A call is a span `SoapClient.method`, and is logged like a call of `NumberClient`.
     *
     * `Authenticate` is refused in every spelling: it would be an attempt that the ledger does not know of.
     */
    readonly method: <A, I, R>(
      name: string,
      parameters: SoapParameters,
      result: Schema.Schema<A, I, R>
    ) => Effect.Effect<A, SoapError, R>
  }
>() {}

/** Names the fields that do not decode. The parse error holds their values, so it is dropped. */
const undecodable =
  (method: string, secrets: Secrets) =>
  (error: ParseResult.ParseError): AnswerUndecodable =>
    new AnswerUndecodable({
      method,
      detail: `see ${fieldsOf(error, (text) => scrub(text, ...secrets))}`
    })

/** The key was refused, renewed, and refused again. */
const refusedAgain = (method: string, { code }: SessionRefused, head: AnswerHead): MethodFailed =>
  new MethodFailed({ method, code, detail: head.ErrMsg ?? head.RespMsg ?? "no reason given" })

/**
 * Builds the client, on the provided `NumberAuth` and `HttpClient`. As for attempts, the `HttpClient` must not repeat
 * requests within itself, nor follow redirects.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<SoapClient["Type"], InvalidInput, NumberAuth | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const wire = yield* decodeSoapOptions(options)
    const timeout = Duration.decode(options.timeout ?? "60 seconds")
    const auth = yield* NumberAuth
    const client = yield* HttpClient.HttpClient
    const init = yield* requestInit

    const method: SoapClient["Type"]["method"] = (name, given, result) =>
      Effect.gen(function* () {
        const method = yield* readMethod(name)
        yield* Effect.annotateCurrentSpan("number.call", method)
        const { parameters, secrets } = yield* readParameters(given)
        const call = { wire, timeout, init, method, parameters, secrets }
        let refused: AnswerHead = emptyHead
        const { head, value } = yield* auth
          .withSession((key) => sendCall(client, { ...call, onRefused: (answer) => (refused = answer) }, key))
          .pipe(
            Effect.catchTag("SessionRefused", (refusal) => {
              const error = refusedAgain(method, refusal, refused)
              return Effect.zipRight(logCall(method, refused, error), error)
            })
          )
        return yield* Schema.decodeUnknown(result, { errors: "all" })(value).pipe(
          Effect.mapError(undecodable(method, secrets)),
          Effect.tapBoth({
            onSuccess: () => logCall(method, head, null),
            onFailure: (error) => logCall(method, head, error)
          })
        )
      }).pipe(withOwnSpan("SoapClient.method", {}, constTrue))

    return { method }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SoapClient, InvalidInput, NumberAuth | HttpClient.HttpClient> =>
  Layer.effect(SoapClient, make(options))

/**
 * {@link layer} with the settings from a `Config`, default `SoapTransport.configSoapOptions`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config<Options> = configSoapOptions
): Layer.Layer<SoapClient, InvalidInput | ConfigError.ConfigError, NumberAuth | HttpClient.HttpClient> =>
  Layer.effect(SoapClient, Effect.flatMap(options, make))

const itemsIn = (name: string, input: unknown): unknown => {
  if (input === null || (typeof input === "string" && input.trim() === "")) return []
  if (!Predicate.isRecord(input) || Object.keys(input).some((other) => other !== name)) return input
  const items = input[name]
  return Array.isArray(items) ? items : [items]
}

/**
 * A list as WCF writes it: an element that holds one element called `name` for each item. It may be empty.
 *
 * @since 0.1.0
 * @category schemas
 */
export const listOf = <A, I, R>(
  name: string,
  item: Schema.Schema<A, I, R>
): Schema.Schema<ReadonlyArray<A>, unknown, R> =>
  Schema.transform(Schema.Unknown, Schema.Array(item), {
    strict: false,
    decode: (input: unknown) => itemsIn(name, input),
    encode: (items: unknown) => ({ [name]: items })
  })
