/**
 * An `HttpClient` whose requests carry the session key.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AuthError } from "./AuthError.js"
import { canBeReplayed, resolveUrl, sendWithKey, type Sent, sentWithin } from "../wire/http/keyedRequest.js"
import type { SessionSignature } from "./SessionSignature.js"
import type { Flights } from "./internal/flight.js"
import type { HeldSession } from "./internal/heldSession.js"

/**
 * The session key was renewed, and the refused call was not sent again, since its body can be read only once.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestNotReplayable extends Schema.TaggedError<RequestNotReplayable>(
  "effect-number-auth/RequestNotReplayable"
)("RequestNotReplayable", { method: Schema.String }) {
  override get message(): string {
    return `Number refused the session key and did not carry out the ${this.method} request. The session was renewed, but the request's body is a stream that may be read only once, so it was not sent again. The location's count is unchanged. Send the request again with a fresh body.`
  }
}

/**
 * An `HttpClient` whose requests carry the session key.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionHttpClient = HttpClient.HttpClient.With<SessionHttpError>

/**
 * @since 0.1.0
 * @category models
 */
export interface HttpClientOptions {
  /** Signs the session key of every request, for methods that carry cardholder data. Default: the key is not signed. */
  readonly signature?: SessionSignature["Type"] | undefined
  /**
   * How long one sending of a request may take until its answer is there, without the wait for a session. A request
   * that takes longer fails with a `RequestError` of reason `Transport`, and may have been carried out. Default: as
   * long as the `HttpClient` in the context allows.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category errors
 */
export type SessionHttpError = HttpClientError | AuthError | RequestNotReplayable

/** Makes session clients over an `HttpClient`. A refused request is sent once more, with the next session. */
export const makeWith =
  (given: {
    readonly client: HttpClient.HttpClient
    readonly baseUrl: string
    readonly init: globalThis.RequestInit
    readonly sessionAfter: Flights["sessionAfter"]
  }) =>
  ({ signature, timeout }: HttpClientOptions): SessionHttpClient => {
    const { baseUrl, client, init, sessionAfter } = given
    const limit = timeout === undefined ? null : Duration.decode(timeout)
    const send = (
      request: HttpClientRequest.HttpClientRequest,
      { key }: HeldSession
    ): Effect.Effect<Sent, HttpClientError> => {
      const sending =
        signature === undefined
          ? sendWithKey(client, request, key, init)
          : Effect.flatMap(signature.sign(key), (signed) => sendWithKey(client, request, key, init, signed))
      return limit === null ? sending : sentWithin(request, limit)(sending)
    }
    const execute = (given: HttpClientRequest.HttpClientRequest) =>
      Effect.gen(function* () {
        const request = yield* resolveUrl(baseUrl, given)
        const first = yield* sessionAfter(null)
        const sent = yield* send(request, first)
        if (Option.isNone(sent.refusal)) return sent.response
        const second = yield* sessionAfter({ generation: first.generation, code: sent.refusal.value })
        if (!canBeReplayed(request)) return yield* new RequestNotReplayable({ method: request.method })
        return (yield* send(request, second)).response
      })
    return HttpClient.makeWith<never, never, SessionHttpError, never>(Effect.flatMap(execute), Effect.succeed)
  }
