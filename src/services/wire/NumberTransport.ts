/**
 * The transport: it sends one attempt and classifies its outcome.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import { AttemptOutcome } from "../../schemas/AttemptOutcome.js"
import type { Token } from "../../schemas/Credentials.js"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import { withRedactedSpans } from "../common/redactedSpans.js"
import { withoutKeys } from "../common/scrub.js"
import { type Attempt, AttemptNotPermitted } from "./attempt.js"
import { type Answer, classifyRestAnswer, longestAnswerBytes, restRequest } from "./authenticate.js"
import { decodeBaseUrl, defaultBaseUrl } from "./http/baseUrl.js"
import { fateOf } from "./http/fate.js"
import { readAnswer } from "./http/readAnswer.js"
import { requestInit, withoutRedirects } from "./http/redirects.js"

export { type Attempt, AttemptNotPermitted } from "./attempt.js"
export { type Answer, classifyRestAnswer, longestAnswerBytes, restRequest } from "./authenticate.js"
export { decodeBaseUrl, defaultBaseUrl } from "./http/baseUrl.js"

/**
 * Makes attempts. It knows the wire, and neither ledger nor machine.
 *
 * @since 0.1.0
 * @category services
 */
export class NumberTransport extends Context.Tag("effect-number-auth/NumberTransport")<
  NumberTransport,
  {
    /**
     * Sends one `Authenticate` and classifies its outcome. It never fails, and never sends twice. It has no time-out of
     * its own: the caller interrupts it.
     */
    readonly authenticate: (attempt: Attempt) => Effect.Effect<AttemptOutcome>
  }
>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface RestOptions {
  /** The URL above `/Authenticate`: default {@link defaultBaseUrl}. */
  readonly baseUrl?: string | undefined
}

/** The wire format of attempts and their answers. */
export interface Wire {
  readonly request: (attempt: Attempt) => HttpClientRequest.HttpClientRequest
  readonly classify: (answer: Answer, token: Token) => AttemptOutcome
}

/** The outcome without an answer. The error is not kept: it holds the request, and the request holds the token. */
const ofFailure = (
  error: AttemptNotPermitted | HttpClientError.HttpClientError,
  token: Token,
  wire: Wire
): AttemptOutcome => {
  if (error instanceof AttemptNotPermitted) {
    // The detail is put into a sentence, so its full stop is cut off.
    const detail = error.message.replace(/\.$/, "")
    return error.why === "leaseEnded" ? AttemptOutcome.unsent({ detail }) : AttemptOutcome.lost({ detail })
  }
  const fate = fateOf(error)
  switch (fate._tag) {
    case "unsent":
      return AttemptOutcome.unsent({ detail: fate.detail })
    case "answered":
      return wire.classify({ status: fate.status, body: "" }, token)
    case "lost":
      return AttemptOutcome.lost({ detail: fate.detail })
  }
}

/** Makes the transport of a wire, on the provided `HttpClient`. */
export const makeTransport = (
  wire: Wire
): Effect.Effect<NumberTransport["Type"], never, HttpClient.HttpClient> =>
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
          return wire.classify(yield* readAnswer(response, longestAnswerBytes), attempt.token)
        }).pipe(
          withoutRedirects(init),
          // The body, which holds the token, is never printed.
          withRedactedSpans((text) => withoutKeys(text, attempt.token), identity),
          Effect.catchAll((error) => Effect.succeed(ofFailure(error, attempt.token, wire)))
        )
    }
  })

/**
 * The transport over REST, on the provided `HttpClient`. That client must send a request once. The attempt's permit
 * stops `HttpClient.retry` and the like from sending it twice. It cannot stop a client that repeats a request within
 * itself, or that follows redirects (`HttpClient.followRedirects`). fetch is set not to follow redirects. If you need a
 * `RequestInit` for fetch (a proxy's dispatcher, say), provide it to this layer too, or it is not used.
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
      makeTransport({ request: (attempt) => restRequest(baseUrl, attempt), classify: classifyRestAnswer })
    )
  )

/**
 * {@link layerRest} with the base URL from a `Config`: default `NUMBER_BASE_URL`, or else {@link defaultBaseUrl}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRestConfig = (
  baseUrl: Config.Config<string> = Config.withDefault(Config.string("NUMBER_BASE_URL"), defaultBaseUrl)
): Layer.Layer<NumberTransport, InvalidInput | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrapEffect(Effect.map(baseUrl, (url) => layerRest({ baseUrl: url })))
