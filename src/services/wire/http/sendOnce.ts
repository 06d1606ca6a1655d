/**
 * The guard that sends a request once, whatever the client does. A client that repeats a failed request could have a
 * payment carried out twice.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import { SentTwice } from "./SentTwice.js"

/** The client tried to send a request a second time. This is no HTTP error, so that the client does not repeat it. */
class AlreadySent {
  readonly _tag = "AlreadySent"
}

const throughOnce = (
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

/** The error of a second sending, whose cause is `SentTwice`. */
const sentTwice = (request: HttpClientRequest.HttpClientRequest): HttpClientError.RequestError => {
  const cause = new SentTwice()
  return new HttpClientError.RequestError({ request, reason: "Transport", cause, description: cause.message })
}

/** Sends a request, and fails if the client tries to send it a second time. */
export const sendOnce = (
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
  Effect.suspend(() => throughOnce(client).execute(request)).pipe(
    Effect.catchIf(
      (error) => error._tag === "AlreadySent",
      () => sentTwice(request)
    )
  )
