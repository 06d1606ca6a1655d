/**
 * The client of Number's methods over SOAP, with the session key.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { functionOkOf, RefusalCode, SoapBoolean, SoapMethodResult } from "../../schemas/Answers.js"
import type { SessionKey } from "../../schemas/Credentials.js"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import { AnswerUndecodable, type CallError, CallUncertain, CallUnsent, MethodFailed } from "./CallError.js"
import { type AnswerHead, emptyHead } from "../wire/answerHead.js"
import { logCall, successOf } from "./internal/callLog.js"
import { verdictOf } from "./internal/verdict.js"
import { fieldsOf } from "./internal/undecodableFields.js"
import { withOwnSpan, withRedactedSpans } from "../common/redactedSpans.js"
import { readText } from "../wire/http/readText.js"
import { requestInit, withoutRedirects } from "../wire/http/redirects.js"
import { scrub, withoutSecrets } from "../common/scrub.js"
import { bodyChild, faultText, methodResultOf, soapCall } from "../wire/soap/envelope.js"
import { type Parameters, readMethod, readParameters } from "../wire/soap/parameters.js"
import { fateOf } from "../wire/http/fate.js"
import { sendOnce } from "../wire/http/sendOnce.js"
import { within } from "../common/within.js"
import { parseXml, valueOf, type XmlValue } from "../wire/soap/xml.js"
import { type AuthError, NumberAuth } from "../session/NumberAuth.js"
import {
  configSoapOptions,
  decodeSoapOptions,
  type SoapOptions,
  type SoapWire
} from "../wire/soap/settings.js"
import { SessionRefused } from "../session/SessionRefusal.js"

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

/**
 * The longest answer to a call that is read, in bytes: 4 MiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestResultBytes = 4 * 1_048_576

/** As many tags as a long report has. Parsing them takes seconds, and blocks the process. */
const mostResultTags = 100_000

type Secrets = ReadonlyArray<Redacted.Redacted<string>>

/** Text of an answer, fit to be shown; null if nothing is left. */
const shownOf = (text: string | null, secrets: Secrets): string | null => {
  const shown = scrub(text ?? "", ...secrets)
  return shown === "" ? null : shown
}

const booleanOf = (value: unknown): boolean | null =>
  Option.getOrNull(Schema.decodeUnknownOption(SoapBoolean)(value))

/** The head of an answer, and its result or the error for its verdict. */
interface Read {
  readonly head: AnswerHead
  readonly result: Effect.Effect<XmlValue, SessionRefused | MethodFailed | CallUncertain>
}

const headOf = (
  result: Option.Option<typeof SoapMethodResult.Type>,
  value: Option.Option<XmlValue>,
  secrets: Secrets
): AnswerHead =>
  Option.match(result, {
    onNone: () => emptyHead,
    onSome: (found) => ({
      FunctionOk: functionOkOf(found) ?? null,
      success: successOf(Option.getOrNull(value), booleanOf),
      RespMsg: shownOf(found.RespMsg, secrets),
      ErrCode: found.ErrCode,
      ErrMsg: shownOf(found.ErrMsg, secrets)
    })
  })

/** Reads the answer to a call. Pure, and takes any text. */
const readAnswer = (
  method: string,
  answer: { readonly status: number; readonly body: string | null },
  secrets: Secrets
): Read => {
  const uncertain = (detail: string): CallUncertain => new CallUncertain({ method, detail })
  if (answer.body === null) {
    return { head: emptyHead, result: uncertain("its answer was longer than 4 MiB and was cut off") }
  }
  const child = Option.flatMap(parseXml(answer.body, mostResultTags), bodyChild)
  if (Option.isSome(child) && child.value.name === "Fault") {
    const isSuccess = answer.status >= 200 && answer.status <= 299
    const status = isSuccess ? "" : ` and HTTP status ${answer.status}`
    const reason = shownOf(faultText(child.value), secrets)?.replace(/\.$/, "") ?? "no reason given"
    return { head: emptyHead, result: uncertain(`it answered with a SOAP fault${status}: ${reason}`) }
  }
  const value = Option.map(Option.flatMap(child, methodResultOf(method)), valueOf)
  const head = headOf(Option.flatMap(value, Schema.decodeUnknownOption(SoapMethodResult)), value, secrets)
  const verdict = verdictOf(answer.status, head, "its answer is not of the documented form")
  switch (verdict._tag) {
    case "carriedOut":
      return { head, result: Effect.succeed(Option.getOrThrow(value)) }
    case "notCarriedOut": {
      const { code, detail } = verdict
      return {
        head,
        result: Schema.is(RefusalCode)(code)
          ? new SessionRefused({ code })
          : new MethodFailed({ method, code, detail })
      }
    }
    case "unknown":
      return { head, result: uncertain(verdict.detail) }
  }
}

/** The error if no answer came. The client's error is not kept: its request holds the session key. */
const ofFailure = (method: string, error: HttpClientError.HttpClientError): CallUncertain | CallUnsent => {
  const fate = fateOf(error)
  if (fate._tag === "unsent") return new CallUnsent({ method, detail: fate.detail })
  const detail = fate._tag === "lost" ? fate.detail : `Number answered with HTTP status ${fate.status}`
  return new CallUncertain({ method, detail })
}

/** The result of a call, in its own field, so that only `readAnswer` can take it for a refusal of the key. */
interface Answer {
  readonly value: XmlValue
  readonly head: AnswerHead
}

/** One sending of a call. */
const send = (
  client: HttpClient.HttpClient,
  call: {
    readonly wire: SoapWire
    readonly timeout: Duration.Duration
    readonly init: globalThis.RequestInit
    readonly method: string
    readonly parameters: Parameters
    readonly secrets: Secrets
    /** Takes the head of an answer that refused the key. */
    readonly onRefused: (head: AnswerHead) => void
  },
  key: SessionKey
): Effect.Effect<Answer, SessionRefused | MethodFailed | CallUncertain | CallUnsent> =>
  Effect.gen(function* () {
    const request = soapCall(call.wire, call.method, { SessKey: Redacted.value(key), ...call.parameters })
    const response = yield* sendOnce(client, request)
    const { status } = response
    const body = yield* readText(response, longestResultBytes).pipe(
      // A status outside 2xx decides even if its body cannot be read. An answer without a body is whole.
      Effect.catchIf(
        (error) => status < 200 || status > 299 || error.reason === "EmptyBody",
        () => Effect.succeed("")
      )
    )
    return { status, body }
  }).pipe(
    withoutRedirects(call.init),
    // The envelope, which holds the key, is never printed.
    withRedactedSpans((text) => withoutSecrets(text, key, ...call.secrets), identity),
    Effect.mapError((error) => ofFailure(call.method, error)),
    within(
      call.timeout,
      () =>
        new CallUncertain({
          method: call.method,
          detail: `no answer came within ${Duration.format(call.timeout)}`
        })
    ),
    Effect.tapError((error) => logCall(call.method, emptyHead, error)),
    Effect.flatMap((answer) => {
      const { head, result } = readAnswer(call.method, answer, [key, ...call.secrets])
      return result.pipe(
        Effect.map((value) => ({ value, head })),
        Effect.tapError((error) =>
          // A refusal is logged only if the replay is refused too.
          error._tag === "SessionRefused"
            ? Effect.sync(() => call.onRefused(head))
            : logCall(call.method, head, error)
        )
      )
    })
  )

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
          .withSession((key) => send(client, { ...call, onRefused: (answer) => (refused = answer) }, key))
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
