/**
 * The reading of an answer: its status, and its body as text, with a limit on its length.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import { readText } from "./readText.js"

/** The body is null if it is longer than the limit. */
export interface TextAnswer {
  readonly status: number
  readonly body: string | null
}

/** Whether a status is one of success. */
export const isSuccessful = (status: number): boolean => status >= 200 && status <= 299

/**
 * Reads an answer. A status outside 2xx decides even if its body cannot be read: the body is empty then. An answer
 * without a body is whole.
 */
export const readAnswer = (
  response: HttpClientResponse.HttpClientResponse,
  longestBytes: number
): Effect.Effect<TextAnswer, HttpClientError.ResponseError> =>
  readText(response, longestBytes).pipe(
    Effect.catchIf(
      (error) => !isSuccessful(response.status) || error.reason === "EmptyBody",
      () => Effect.succeed("")
    ),
    Effect.map((body) => ({ status: response.status, body }))
  )
