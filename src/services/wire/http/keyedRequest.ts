/**
 * An `HttpClient` that sends the session key, and finds its refusal in the answer.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type RefusalCode, refusalIn } from "../../../schemas/Answers.js"
import type { SessionKey } from "../../../schemas/Credentials.js"
import { PassedResponse } from "./PassedResponse.js"
import { withQuietSpans } from "../../common/redactedSpans.js"
import { ReadResponse } from "./ReadResponse.js"
import { withoutRedirects } from "./redirects.js"
import { withoutSecrets } from "../../common/scrub.js"
import { SendTimedOut } from "./SendTimedOut.js"
import { SentTwice } from "./SentTwice.js"
import { within } from "../../common/within.js"

/** The header that carries the session key (`number-api.md`, section "REST"). */
const sessionKeyHeader = "SessKey"

/** Answers of these types are read to look for a refusal; all others are passed on as they come. */
const mayHoldRefusal = (headers: Headers.Headers): boolean =>
  /json|text|^$/i.test(headers["content-type"] ?? "")

/** Whether the answer in the text could be a refusal at all, before anything is parsed. */
const mentionsRefusal = /50[35]0/

const refusalOf = (response: ReadResponse): Option.Option<RefusalCode> => {
  try {
    if (!mentionsRefusal.test(response.unsafeText())) return Option.none()
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
  (given: HttpClientRequest.HttpClientRequest, key: Redacted.Redacted) =>
  (error: HttpClientError.HttpClientError): HttpClientError.HttpClientError =>
    error._tag === "ResponseError"
      ? readWithoutKey(given, key)(error)
      : new HttpClientError.RequestError({ ...saidBy(error), request: given, reason: error.reason })

const readWithoutKey =
  (given: HttpClientRequest.HttpClientRequest, key: Redacted.Redacted) =>
  (error: HttpClientError.ResponseError): HttpClientError.ResponseError =>
    new HttpClientError.ResponseError({
      ...saidBy(error),
      request: given,
      response: new ReadResponse(given, error.response, new ArrayBuffer(0), key),
      reason: error.reason
    })

const saidBy = ({ cause, description }: HttpClientError.HttpClientError) => ({
  cause,
  ...(description === undefined ? {} : { description })
})

/** Gives up on a sending after a while: whether it arrived is not known then. */
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

/** The client at hand tried to send a request again that had been sent. */
class AlreadySent {
  readonly _tag = "AlreadySent"
}

/**
 * Lets one sending through: a client that repeats within itself what failed would have a payment carried out twice.
 * What it fails with is no error of HTTP, so that it is not repeated either.
 */
const sentOnce = (
  client: HttpClient.HttpClient
): HttpClient.HttpClient.With<HttpClientError.HttpClientError | AlreadySent> => {
  let isSent = false
  return HttpClient.tapRequest(client, () =>
    Effect.suspend(() => {
      if (isSent) return Effect.fail(new AlreadySent())
      isSent = true
      return Effect.void
    })
  )
}

const sentTwice = (given: HttpClientRequest.HttpClientRequest): HttpClientError.RequestError => {
  const cause = new SentTwice()
  return new HttpClientError.RequestError({
    request: given,
    reason: "Transport",
    cause,
    description: cause.message
  })
}

/** Where @effect/platform keeps who closes the connection of a request: by the request, of which there are copies here. */
const scopedRequests = globalValue(
  "@effect/platform/HttpClient/scopedRequests",
  () => new WeakMap<HttpClientRequest.HttpClientRequest, AbortController>()
)

/** The copy of a request belongs to the scope that the request belongs to (`HttpClient.withScope`). */
const inScopeOf = (
  given: HttpClientRequest.HttpClientRequest,
  copy: HttpClientRequest.HttpClientRequest
): HttpClientRequest.HttpClientRequest => {
  const controller = scopedRequests.get(given)
  if (controller !== undefined) scopedRequests.set(copy, controller)
  return copy
}

/**
 * Sends a request with a session key, bare or as `signed`, once. It is in a header that spans and logs redact.
 */
export const sendWithKey = (
  client: HttpClient.HttpClient,
  given: HttpClientRequest.HttpClientRequest,
  key: SessionKey,
  init: globalThis.RequestInit,
  signed: Redacted.Redacted = key
): Effect.Effect<Sent, HttpClientError.HttpClientError> =>
  Effect.suspend(() =>
    sentOnce(client).execute(
      inScopeOf(given, HttpClientRequest.setHeader(given, sessionKeyHeader, Redacted.value(signed)))
    )
  ).pipe(
    Effect.catchIf(
      (error) => error._tag === "AlreadySent",
      () => sentTwice(given)
    ),
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
    withQuietSpans(
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
 * Puts the base URL before a relative one, and refuses what the session key must not go with.
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

/**
 * Whether a URL is that of a method that takes the session key: below the base URL, and not `Authenticate`, however it
 * is written.
 */
export const isCallUrl = (baseUrl: string, url: string): boolean => {
  if (!URL.canParse(url)) return false
  const base = new URL(`${baseUrl}/`)
  const { href, origin, pathname } = new URL(url)
  if (origin !== base.origin || !href.startsWith(base.href)) return false
  try {
    // Decoded once as a server does; a server that decodes twice gets no second chance.
    const path = decodeURIComponent(decodeURIComponent(pathname))
    const segments = path.slice(base.pathname.length).split(/[/\\]+/)
    const method = segments.find((segment) => segment !== "" && segment !== "." && segment !== "..")
    return method !== undefined && !segments.some((segment) => /^authenticate\b/i.test(segment))
  } catch {
    return false
  }
}
