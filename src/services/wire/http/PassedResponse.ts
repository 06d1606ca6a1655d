/**
 * A response that is passed on unread, without the session key. Its `request` is the caller's own. The original
 * response and its read errors hold the request that was sent, with the session key among its headers.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { KeylessResponse } from "./KeylessResponse.js"

export class PassedResponse extends KeylessResponse implements HttpClientResponse.HttpClientResponse {
  readonly #original: HttpClientResponse.HttpClientResponse
  readonly #withoutKey: (error: HttpClientError.ResponseError) => HttpClientError.ResponseError

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    original: HttpClientResponse.HttpClientResponse,
    withoutKey: (error: HttpClientError.ResponseError) => HttpClientError.ResponseError,
    key: Redacted.Redacted
  ) {
    super(request, original, key)
    this.#original = original
    this.#withoutKey = withoutKey
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.mapError(this.#original.text, this.#withoutKey)
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.mapError(this.#original.json, this.#withoutKey)
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.mapError(this.#original.urlParamsBody, this.#withoutKey)
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.mapError(this.#original.formData, this.#withoutKey)
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.mapError(this.#original.arrayBuffer, this.#withoutKey)
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return Stream.mapError(this.#original.stream, this.#withoutKey)
  }

  toJSON(): unknown {
    return this.printed({
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status,
      headers: Inspectable.redact(this.headers)
    })
  }
}
