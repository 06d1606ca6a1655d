/**
 * Typed calls to the methods of Number's REST API, with the session of a `NumberAuth`.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../schemas/InvalidInput.js"
import { AnswerUndecodable, type CallError, CallUncertain, CallUnsent, MethodFailed } from "./CallError.js"
import { emptyHead } from "../wire/answerHead.js"
import { logCall } from "./internal/callLog.js"
import { type JsonAnswer, readJsonAnswer } from "./internal/jsonAnswer.js"
import { fieldsOf } from "./internal/undecodableFields.js"
import { withOwnSpan } from "../common/redactedSpans.js"
import { scrub } from "../common/scrub.js"
import { sentWithin } from "../wire/http/keyedRequest.js"
import { KeylessResponse } from "../wire/http/KeylessResponse.js"
import { fateOf } from "../wire/http/fate.js"
import { hiddenBody } from "../wire/http/hiddenBody.js"
import { type AuthError, NumberAuth } from "../session/NumberAuth.js"
import { SessionSignature } from "../session/SessionSignature.js"

/**
 * The default time-out of a call: 60 seconds. Number usually answers within 2 seconds. It is long, since a payment
 * whose call timed out must be queried.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultTimeout: Duration.Duration = Duration.seconds(60)

/**
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /**
   * How long to wait for Number's answer before the call is `CallUncertain`. The wait for a session is not part of it,
   * and a replay has the same time again. Default {@link defaultTimeout}.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface MethodOptions<Signed extends boolean = boolean> extends CallOptions {
  /** The method's name in the answer: the result is under `<name>Result`. Default: the last segment of the path. */
  readonly name?: string | undefined
  /** Signs the session key by `SessionSignature`, for methods that carry cardholder data. Default: no. */
  readonly signature?: Signed | undefined
}

/**
 * The error of a call: of the call itself, or of its session.
 *
 * @since 0.1.0
 * @category errors
 */
export type MethodError = CallError | AuthError

/**
 * A method, ready to be called.
 *
 * @since 0.1.0
 * @category models
 */
export interface Method<Request, Result, R> {
  (request: Request, options?: CallOptions): Effect.Effect<Result, MethodError, R>
}

/** The result of an answer, or the error for its verdict. */
const resultOf = (
  method: string,
  expected: string,
  { found, verdict }: JsonAnswer,
  show: (text: string) => string
): Effect.Effect<unknown, CallError> => {
  if (verdict._tag === "unknown") return new CallUncertain({ method, detail: verdict.detail })
  if (verdict._tag === "notCarriedOut") {
    return new MethodFailed({ method, code: verdict.code, detail: verdict.detail })
  }
  const [name, result] = found!
  if (name === expected) return Effect.succeed(result)
  return new AnswerUndecodable({
    method,
    detail: `its result is under ${show(name)} and not under ${expected}; set the option name`
  })
}

const allErrors = { errors: "all" } as const

const requestOf = (path: string, encoded: unknown) =>
  Effect.map(
    // A method without parameters has no body.
    encoded === undefined ? Effect.succeed(HttpBody.empty) : Effect.map(HttpBody.json(encoded), hiddenBody),
    (body) =>
      HttpClientRequest.post(path).pipe(
        HttpClientRequest.setBody(body),
        // The documentation sets this header even without a body.
        HttpClientRequest.setHeader("content-type", "application/json"),
        HttpClientRequest.acceptJson
      )
  )

/** The error if no answer came, or none could be read. The client's error is not kept: it holds the request. */
const ofFailure = (
  method: string,
  error: HttpClientError.HttpClientError
): CallUncertain | CallUnsent | InvalidInput => {
  const fate = fateOf(error)
  switch (fate._tag) {
    case "unsent":
      return fate.why === "url"
        ? new InvalidInput({
            field: "path of the method",
            expected: "one below the base URL, such as Query/AccountProfile, and not Authenticate"
          })
        : new CallUnsent({ method, detail: fate.detail })
    case "answered":
      return new CallUncertain({ method, detail: `Number answered with HTTP status ${fate.status}` })
    case "lost":
      return new CallUncertain({ method, detail: fate.detail })
  }
}

/**
 * Defines a method. A call POSTs the encoded request to a path below the base URL, with the session key of
 * `NumberAuth`, and decodes the `<name>Result` of the answer. After a refusal by 5030 or 5050, the session is renewed
 * and the call is replayed once. Nothing else is ever sent twice.
 *
 * Each call is a span `NumberClient.<path>`. Its result is a log entry, at debug level if there is no error and
 * `success` is not false, else as a warning. The entry has the fields that Number recommends: `call`, `FunctionOk`,
 * `success` (`TxApproved` and the like), `RespMsg`, `ErrCode`, `ErrMsg`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const method =
  <A, I, RequestR, B, J, ResultR, Signed extends boolean = false>(
    path: string,
    requestSchema: Schema.Schema<A, I, RequestR>,
    resultSchema: Schema.Schema<B, J, ResultR>,
    options: MethodOptions<Signed> = {}
  ): Method<A, B, NumberAuth | RequestR | ResultR | (Signed extends true ? SessionSignature : never)> =>
  (input, callOptions = {}) => {
    const name = path.replace(/^\/+/, "")
    const expected = `${options.name ?? name.split("/").at(-1)!}Result`
    const timeout = Duration.decode(callOptions.timeout ?? options.timeout ?? defaultTimeout)
    const invalid = (expectation: string) =>
      new InvalidInput({ field: `request of ${name}`, expected: expectation })

    const answered = (response: HttpClientResponse.HttpClientResponse) =>
      Effect.gen(function* () {
        const text = yield* sentWithin(response.request, timeout)(response.text)
        const show = (shown: string): string =>
          response instanceof KeylessResponse ? response.scrub(shown) : scrub(shown)
        const answer = readJsonAnswer({ status: response.status, text }, expected, show)
        return { head: answer.head, show, result: resultOf(name, expected, answer, show) }
      })

    const call = Effect.gen(function* () {
      const auth = yield* NumberAuth
      const encoded = yield* Effect.catchAll(Schema.encode(requestSchema, allErrors)(input), (error) =>
        invalid(`the form of its schema; see ${fieldsOf(error, (text) => scrub(text))}`)
      )
      const request = yield* Effect.mapError(requestOf(path, encoded), () => invalid("a JSON value"))
      const signature = options.signature === true ? yield* SessionSignature : undefined
      const { head, result, show } = yield* auth
        .httpClientWith({ signature, timeout })
        .execute(request)
        .pipe(
          Effect.flatMap(answered),
          Effect.catchTags({
            RequestError: (error) => Effect.fail(ofFailure(name, error)),
            ResponseError: (error) => Effect.fail(ofFailure(name, error)),
            // The body is bytes, which can always be sent again.
            RequestNotReplayable: Effect.die
          }),
          Effect.tapErrorTag("CallUncertain", (error) => logCall(name, emptyHead, error)),
          Effect.tapErrorTag("CallUnsent", (error) => logCall(name, emptyHead, error))
        )
      return yield* result.pipe(
        Effect.flatMap((found) =>
          Effect.catchAll(
            Schema.decodeUnknown(resultSchema, allErrors)(found),
            (error) => new AnswerUndecodable({ method: name, detail: `see ${fieldsOf(error, show)}` })
          )
        ),
        Effect.tapBoth({
          onSuccess: () => logCall(name, head, null),
          onFailure: (error) => logCall(name, head, error)
        })
      )
    })
    // `SessionSignature` is required only if `Signed` is true in the type.
    return withOwnSpan(`NumberClient.${name}`, { "number.call": name }, constTrue)(call) as Effect.Effect<
      B,
      MethodError,
      NumberAuth | RequestR | ResultR | (Signed extends true ? SessionSignature : never)
    >
  }
