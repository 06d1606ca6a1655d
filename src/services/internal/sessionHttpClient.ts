/**
 * An `HttpClient` that sends the session key, and finds its refusal in the answer.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type RefusalCode, refusalIn } from "../../schemas/Answers.js"
import type { SessionKey } from "../../schemas/Credentials.js"
import { ReadResponse } from "./ReadResponse.js"

/** The header that carries the session key (`number-api.md`, section "REST"). */
const sessionKeyHeader = "SessKey"

/** Answers of these types are read to look for a refusal; all others are passed on as they come. */
const mayHoldRefusal = (headers: Headers.Headers): boolean =>
  /json|text|^$/i.test(headers["content-type"] ?? "")

/** Whether the answer in the text could be a refusal at all, before anything is parsed. */
const mentionsRefusal = /50[35]0/

const refusalOf = (response: ReadResponse): Option.Option<RefusalCode> => {
  if (!mentionsRefusal.test(response.unsafeText())) return Option.none()
  try {
    return refusalIn(response.unsafeJson())
  } catch {
    return Option.none()
  }
}

/** What one sending of a request came to. */
export interface Sent {
  readonly response: HttpClientResponse.HttpClientResponse
  readonly refusal: Option.Option<RefusalCode>
}

/** The errors of the client hold the request as it was sent; what the caller gets holds the request as it was given. */
const withoutKey =
  (given: HttpClientRequest.HttpClientRequest) =>
  (error: HttpClientError.HttpClientError): HttpClientError.HttpClientError => {
    const { cause, description, reason } = error
    const rest = { cause, ...(description === undefined ? {} : { description }) }
    return error._tag === "RequestError"
      ? new HttpClientError.RequestError({ ...rest, request: given, reason: error.reason })
      : new HttpClientError.ResponseError({
          ...rest,
          request: given,
          response: new ReadResponse(given, error.response, new ArrayBuffer(0)),
          reason: reason as HttpClientError.ResponseError["reason"]
        })
  }

/** The same answer, still unread, as the answer to another request. */
const withRequest = (
  response: HttpClientResponse.HttpClientResponse,
  request: HttpClientRequest.HttpClientRequest
): HttpClientResponse.HttpClientResponse =>
  Object.create(response, { request: { value: request } }) as HttpClientResponse.HttpClientResponse

/** Sends a request with a session key. The key is in a header that spans and logs redact. */
export const sendWithKey = (
  client: HttpClient.HttpClient,
  given: HttpClientRequest.HttpClientRequest,
  key: SessionKey
): Effect.Effect<Sent, HttpClientError.HttpClientError> =>
  client.execute(HttpClientRequest.setHeader(given, sessionKeyHeader, Redacted.value(key))).pipe(
    Effect.flatMap((response) =>
      mayHoldRefusal(response.headers)
        ? Effect.map(response.arrayBuffer, (bytes): Sent => {
            const read = new ReadResponse(given, response, bytes)
            return { response: read, refusal: refusalOf(read) }
          })
        : Effect.succeed<Sent>({ response: withRequest(response, given), refusal: Option.none() })
    ),
    Effect.mapError(withoutKey(given)),
    // fetch would follow a redirect, to whatever host, with the key.
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
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
 * Puts the base URL before a relative one. An absolute URL is taken only below the base URL, since the session key
 * goes with it.
 */
export const resolveUrl = (
  baseUrl: string,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientRequest.HttpClientRequest, HttpClientError.RequestError> => {
  if (!/^[a-z][a-z0-9+.-]*:|^\/\//i.test(request.url)) {
    const resolved = HttpClientRequest.prependUrl(
      request,
      request.url.startsWith("/") ? baseUrl : `${baseUrl}/`
    )
    return isBelow(baseUrl, resolved.url) ? Effect.succeed(resolved) : refuseUrl(request)
  }
  return isBelow(baseUrl, request.url) ? Effect.succeed(request) : refuseUrl(request)
}

const isBelow = (baseUrl: string, url: string): boolean =>
  URL.canParse(url) && new URL(url).href.startsWith(`${new URL(baseUrl).href.replace(/\/$/, "")}/`)

const refuseUrl = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.fail(
    new HttpClientError.RequestError({
      request,
      reason: "InvalidUrl",
      description: "the session key is sent to URLs below the base URL only; give a path relative to it"
    })
  )
