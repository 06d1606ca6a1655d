/**
 * Number's methods over SOAP, with the session key.
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
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { functionOkOf, RefusalCode, SoapBoolean, SoapMethodResult } from "../../schemas/Answers.js"
import type { SessionKey } from "../../schemas/Credentials.js"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import { AnswerUndecodable, type CallError, CallUncertain, CallUnsent, MethodFailed } from "./CallError.js"
import { type AnswerHead, emptyHead } from "../wire/answerHead.js"
import { logCall, successOf } from "./internal/callLog.js"
import { fieldsOf } from "./internal/undecodableFields.js"
import { withOwnSpan, withQuietSpans } from "../common/redactedSpans.js"
import { readText } from "../wire/http/readText.js"
import { requestInit, withoutRedirects } from "../wire/http/redirects.js"
import { scrub, withoutSecrets } from "../common/scrub.js"
import { bodyChild, faultText, methodResultOf, soapCall } from "../wire/soap/envelope.js"
import { type Parameters, readMethod, readParameters } from "../wire/soap/parameters.js"
import { transportFailure } from "../wire/http/fate.js"
import { within } from "../common/within.js"
import { parseXml, valueOf, type XmlValue } from "../wire/soap/xml.js"
import { type AuthError, NumberAuth } from "../session/NumberAuth.js"
import {
  configSoapOptions,
  decodeSoapOptions,
  type SoapOptions,
  type SoapWire
} from "../wire/NumberTransport.js"
import { SessionRefused } from "../session/SessionRefusal.js"

/**
 * What a method is called with: an element for each parameter, in this order, by the names that Number gives them. A nested
 * record holds elements, an array is the element once for each of its values, and what is null or undefined is left out.
 * Text is escaped; what is Redacted (a card number, say) is sent, and not shown where the answer echoes it. `SessKey` is
 * put in by the client.
 *
 * @since 0.1.0
 * @category models
 */
export type SoapParameters = Parameters

/**
 * What an element of an answer holds, as a schema of a result sees it: its text (`""` where it is empty), or its elements by
 * their local names, without prefixes. All values are texts: `Answers.SoapBoolean` and `Schema.NumberFromString` read them. An
 * element that is there several times is an array, and one that is there once is not: {@link listOf} reads lists. What
 * is `xsi:nil` is null. Attributes are left out.
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
 * Why a call has no result.
 *
 * @since 0.1.0
 * @category errors
 */
export type SoapError = AuthError | CallError

/**
 * Calls of Number's methods over SOAP, by the session of `NumberAuth`.
 *
 * @since 0.1.0
 * @category services
 */
export class SoapClient extends Context.Tag("effect-number-auth/SoapClient")<
  SoapClient,
  {
    /**
     * Calls a method, with `SessKey` before its parameters, and decodes its result ({@link SoapValue}: `FunctionOk`,
     * `ErrCode`, `RespMsg` and the method's own). Where the answer refuses the key (`FunctionOk` false with `ErrCode` 5030 or
     * 5050), renews the session and sends the call once more, and only once. Nothing else is sent twice: all else that is no
     * result fails, `CallUncertain` where the call may have been carried out.
     *
     * A call is logged, and is a span, as one of `NumberClient` is.
     *
     * `Authenticate` is refused, however it is written: it would be an attempt that the ledger does not know of.
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

/** As many tags as a long report has; to parse them takes seconds, in which nothing else runs. */
const mostResultTags = 100_000

/** The call was written once. */
class AlreadyWritten {
  readonly _tag = "AlreadyWritten"
}

type Secrets = ReadonlyArray<Redacted.Redacted<string>>

/** Text of an answer, fit to be shown; null where nothing is left. */
const shownOf = (text: string | null, secrets: Secrets): string | null => {
  const shown = scrub(text ?? "", ...secrets)
  return shown === "" ? null : shown
}

const reasonIn = (text: string | null, secrets: Secrets): string =>
  shownOf(text, secrets)?.replace(/\.$/, "") ?? "no reason given"

const booleanOf = (value: unknown): boolean | null =>
  Option.getOrNull(Schema.decodeUnknownOption(SoapBoolean)(value))

/** What an answer says, and its result or why there is none. */
interface Read {
  readonly said: AnswerHead
  readonly verdict: Effect.Effect<XmlValue, SessionRefused | MethodFailed | CallUncertain>
}

/** Reads the answer to a call. Pure, and takes any text. */
const readAnswer = (
  method: string,
  answer: { readonly status: number; readonly body: string | null },
  secrets: Secrets
): Read => {
  const uncertain = (detail: string, said: AnswerHead = emptyHead): Read => ({
    said,
    verdict: new CallUncertain({ method, detail })
  })
  const isSuccess = answer.status >= 200 && answer.status <= 299
  const status = isSuccess ? "" : ` and HTTP status ${answer.status}`
  if (answer.body === null) return uncertain("its answer was longer than 4 MiB and was cut off")

  const child = Option.flatMap(parseXml(answer.body, mostResultTags), bodyChild)
  if (Option.exists(child, ({ name }) => name === "Fault")) {
    const said = Option.match(child, { onNone: () => "", onSome: faultText })
    return uncertain(`it answered with a SOAP fault${status}: ${reasonIn(said, secrets)}`)
  }
  const value = Option.map(Option.flatMap(child, methodResultOf(method)), valueOf)
  const head = Option.flatMap(value, Schema.decodeUnknownOption(SoapMethodResult))
  const functionOk = Option.flatMapNullable(head, functionOkOf)
  const said: AnswerHead = Option.match(head, {
    onNone: () => emptyHead,
    onSome: ({ ErrCode, ErrMsg, RespMsg }) => ({
      FunctionOk: Option.getOrNull(functionOk),
      success: successOf(Option.getOrNull(value), booleanOf),
      RespMsg: shownOf(RespMsg, secrets),
      ErrCode,
      ErrMsg: shownOf(ErrMsg, secrets)
    })
  })
  if (Option.isSome(head) && Option.contains(functionOk, false)) {
    const { ErrCode: code, ErrMsg, RespMsg } = head.value
    if (Schema.is(RefusalCode)(code)) return { said, verdict: new SessionRefused({ code }) }
    return {
      said,
      verdict: new MethodFailed({
        method,
        code,
        detail: reasonIn(ErrMsg === null || ErrMsg === "" ? RespMsg : ErrMsg, secrets)
      })
    }
  }
  if (!isSuccess) return uncertain(`it answered with HTTP status ${answer.status}`, said)
  return Option.contains(functionOk, true) && Option.isSome(value)
    ? { said, verdict: Effect.succeed(value.value) }
    : uncertain("its answer is not of the documented form", said)
}

/** No answer came. The error itself is not kept: it holds the request, and the request holds the session key. */
const ofFailure = (
  method: string,
  error: AlreadyWritten | HttpClientError.HttpClientError
): CallUncertain | CallUnsent => {
  const uncertain = (detail: string) => new CallUncertain({ method, detail })
  if (error._tag === "AlreadyWritten") {
    return uncertain(
      "the HTTP client tried to send it a second time, and what the first came to is not known"
    )
  }
  if (error._tag === "RequestError" && error.reason !== "Transport") {
    return new CallUnsent({ method, detail: "the request could not be built" })
  }
  if (error._tag === "ResponseError" && error.reason === "StatusCode") {
    return uncertain(`it answered with HTTP status ${error.response.status}`)
  }
  const failure = transportFailure(error.cause)
  return failure.unsent && error._tag === "RequestError"
    ? new CallUnsent({ method, detail: `Number could not be reached (${failure.code})` })
    : uncertain(`the connection failed before a whole answer came (${failure.code})`)
}

/** The result of a call, in a field of its own, so that it is never taken for a refusal of the key but by `readAnswer`. */
interface Answer {
  readonly value: XmlValue
  readonly said: AnswerHead
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
    /** Sees what an answer said that refused the key. */
    readonly onRefused: (said: AnswerHead) => void
  },
  key: SessionKey
): Effect.Effect<Answer, SessionRefused | MethodFailed | CallUncertain | CallUnsent> =>
  Effect.gen(function* () {
    const written = yield* Ref.make(false)
    const once = Effect.flatMap(Ref.getAndSet(written, true), (isWritten) =>
      isWritten ? Effect.fail(new AlreadyWritten()) : Effect.void
    )
    const request = soapCall(call.wire, call.method, { SessKey: Redacted.value(key), ...call.parameters })
    const response = yield* client.pipe(
      HttpClient.tapRequest(() => once),
      (guarded) => guarded.execute(request)
    )
    const { status } = response
    const body = yield* readText(response, longestResultBytes).pipe(
      // A status that is no success has spoken, whatever became of its body; and no body is a whole answer.
      Effect.catchIf(
        (error) => status < 200 || status > 299 || error.reason === "EmptyBody",
        () => Effect.succeed("")
      )
    )
    return { status, body }
  }).pipe(
    withoutRedirects(call.init),
    // The envelope, which holds the key, is never printed.
    withQuietSpans((text) => withoutSecrets(text, key, ...call.secrets), identity),
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
      const { said, verdict } = readAnswer(call.method, answer, [key, ...call.secrets])
      return verdict.pipe(
        Effect.map((value) => ({ value, said })),
        Effect.tapError((error) =>
          // A refusal is told of where it is the second.
          error._tag === "SessionRefused"
            ? Effect.sync(() => call.onRefused(said))
            : logCall(call.method, said, error)
        )
      )
    })
  )

/** Names the fields that do not decode; the parse error, which holds what is in them, is dropped. */
const undecodable =
  (method: string, secrets: Secrets) =>
  (error: ParseResult.ParseError): AnswerUndecodable =>
    new AnswerUndecodable({
      method,
      detail: `see ${fieldsOf(error, (text) => scrub(text, ...secrets))}`
    })

/** The key was refused, renewed, and refused again. */
const refusedAgain = (method: string, { code }: SessionRefused, said: AnswerHead): MethodFailed =>
  new MethodFailed({ method, code, detail: said.ErrMsg ?? said.RespMsg ?? "no reason given" })

/**
 * Builds the client, on the `NumberAuth` and the `HttpClient` at hand. Of the latter the same holds as for attempts: it must
 * not repeat requests within itself, nor follow redirects.
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
        const { said, value } = yield* auth
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
            onSuccess: () => logCall(method, said, null),
            onFailure: (error) => logCall(method, said, error)
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
 * {@link layer} with the settings from a `Config`, default `NumberTransport.configSoapOptions`.
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
 * A list as WCF writes it, an element that holds one of that name for each item: none, one or several of them.
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
