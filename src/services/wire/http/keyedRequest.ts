/**
 * Requests that carry the session key, and the search for its refusal in the answer.
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type RefusalCode, refusalIn } from "../../../schemas/Answers.js"
import type { SessionKey } from "../../../schemas/Credentials.js"
import { isCallUrl } from "./baseUrl.js"
import { PassedResponse } from "./PassedResponse.js"
import { withRedactedSpans } from "../../common/redactedSpans.js"
import { ReadResponse } from "./ReadResponse.js"
import { inScopeOf } from "./requestScope.js"
import { withoutRedirects } from "./redirects.js"
import { withoutSecrets } from "../../common/scrub.js"
import { SendTimedOut } from "./SendTimedOut.js"
import { sendOnce } from "./sendOnce.js"
import { within } from "../../common/within.js"

/** The header that carries the session key (`number-api.md`, section "REST"). */
const sessionKeyHeader = "SessKey"

/** Whether an answer's type may hold a refusal. Such answers are read, and all others are passed on as they come. */
const mayHoldRefusal = (headers: Headers.Headers): boolean =>
  /json|text|^$/i.test(headers["content-type"] ?? "")

/** A quick check before parsing: an answer whose text has neither 5030 nor 5050 is no refusal. */
const mentionsRefusal = /50[35]0/

const refusalOf = (response: ReadResponse): Option.Option<RefusalCode> => {
  try {
    if (!mentionsRefusal.test(response.unsafeText())) return Option.none()
    return refusalIn(response.unsafeJson())
  } catch {
    return Option.none()
  }
}

/** The result of one sending of a request. */
export interface Sent {
  readonly response: HttpClientResponse.HttpClientResponse
  readonly refusal: Option.Option<RefusalCode>
}

/** Replaces the request as it was sent, which the client's errors hold, with the request as the caller gave it. */
const withoutKey =
  (given: HttpClientRequest.HttpClientRequest, key: Redacted.Redacted) =>
  (error: HttpClientError.HttpClientError): HttpClientError.HttpClientError =>
    error._tag === "ResponseError"
      ? readWithoutKey(given, key)(error)
      : new HttpClientError.RequestError({ ...detailsOf(error), request: given, reason: error.reason })

const readWithoutKey =
  (given: HttpClientRequest.HttpClientRequest, key: Redacted.Redacted) =>
  (error: HttpClientError.ResponseError): HttpClientError.ResponseError =>
    new HttpClientError.ResponseError({
      ...detailsOf(error),
      request: given,
      response: new ReadResponse(given, error.response, new ArrayBuffer(0), key),
      reason: error.reason
    })

const detailsOf = ({ cause, description }: HttpClientError.HttpClientError) => ({
  cause,
  ...(description === undefined ? {} : { description })
})

/** Gives up on a sending after a while. It is then not known whether the request arrived. */
export const sentWithin = (given: HttpClientRequest.HttpClientRequest, timeout: Duration.Duration) =>
  within(timeout, () => {
    const cause = new SendTimedOut(timeout)
    return new HttpClientError.RequestError({
      request: given,
      reason: "Transport",
      cause,
      description: cause.message
    })
  })

/**
 * Sends a request once, with the session key or its `signed` form in a header. Spans and logs redact that header.
 */
export const sendWithKey = (
  client: HttpClient.HttpClient,
  given: HttpClientRequest.HttpClientRequest,
  key: SessionKey,
  init: globalThis.RequestInit,
  signed: Redacted.Redacted = key
): Effect.Effect<Sent, HttpClientError.HttpClientError> =>
  Effect.suspend(() =>
    sendOnce(
      client,
      inScopeOf(given, HttpClientRequest.setHeader(given, sessionKeyHeader, Redacted.value(signed)))
    )
  ).pipe(
    Effect.flatMap((response) =>
      mayHoldRefusal(response.headers)
        ? Effect.map(response.arrayBuffer, (bytes): Sent => {
            const read = new ReadResponse(given, response, bytes, key)
            return { response: read, refusal: refusalOf(read) }
          })
        : Effect.succeed<Sent>({
            response: new PassedResponse(given, response, readWithoutKey(given, key), key),
            refusal: Option.none()
          })
    ),
    Effect.mapError(withoutKey(given, key)),
    withoutRedirects(init),
    withRedactedSpans(
      (text) => withoutSecrets(text, signed, key),
      (error) => (HttpClientError.isHttpClientError(error) ? withoutKey(given, key)(error) : error)
    ),
    Effect.locallyWith(Headers.currentRedactedNames, (names) => [...names, sessionKeyHeader.toLowerCase()])
  )

/** Whether the body of a request can be sent a second time. */
export const canBeReplayed = (request: HttpClientRequest.HttpClientRequest): boolean => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
    case "Uint8Array":
    case "FormData":
      return true
    case "Raw":
      return (
        typeof body.body === "string" ||
        body.body instanceof ArrayBuffer ||
        ArrayBuffer.isView(body.body) ||
        body.body instanceof URLSearchParams ||
        body.body instanceof Blob
      )
    case "Stream":
      return false
  }
}

/**
 * Puts the base URL before a relative URL, and refuses a URL that must not get the session key.
 */
export const resolveUrl = (
  baseUrl: string,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientRequest.HttpClientRequest, HttpClientError.RequestError> => {
  const isAbsolute = /^[a-z][a-z0-9+.-]*:|^\/\//i.test(request.url)
  const resolved = isAbsolute
    ? request
    : inScopeOf(
        request,
        HttpClientRequest.prependUrl(request, request.url.startsWith("/") ? baseUrl : `${baseUrl}/`)
      )
  return isCallUrl(baseUrl, resolved.url)
    ? Effect.succeed(resolved)
    : Effect.fail(
        new HttpClientError.RequestError({
          request,
          reason: "InvalidUrl",
          description:
            "the session key is sent to methods below the base URL only, and never to Authenticate, which would be an attempt that the ledger does not know of; give a path relative to the base URL"
        })
      )
}
