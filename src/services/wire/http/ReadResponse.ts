/**
 * A response whose body was read once. Bytes, text, JSON and stream all come from that one reading, and valid JSON is
 * parsed only once.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { KeylessResponse } from "./KeylessResponse.js"

export class ReadResponse extends KeylessResponse implements HttpClientResponse.HttpClientResponse {
  readonly #bytes: ArrayBuffer
  #decoded: string | undefined
  #parsed: { readonly value: unknown } | undefined

  /** `request` replaces the request that was sent, whose headers hold the session key. */
  constructor(
    request: HttpClientRequest.HttpClientRequest,
    original: HttpClientResponse.HttpClientResponse,
    bytes: ArrayBuffer,
    key: Redacted.Redacted
  ) {
    super(request, original, key)
    this.#bytes = bytes
  }

  /** The body as text, decoded at most once. */
  unsafeText(): string {
    return (this.#decoded ??= new TextDecoder().decode(this.#bytes))
  }

  /** The body as JSON. Valid JSON is parsed only once. Throws if the body is not JSON. An empty body is null. */
  unsafeJson(): unknown {
    if (this.#parsed === undefined) {
      const text = this.unsafeText()
      this.#parsed = { value: text === "" ? null : (JSON.parse(text) as unknown) }
    }
    return this.#parsed.value
  }

  private attempt<A>(evaluate: () => A): Effect.Effect<A, HttpClientError.ResponseError> {
    return Effect.try({
      try: evaluate,
      catch: (cause) =>
        new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
    })
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.sync(() => this.unsafeText())
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return this.attempt(() => this.unsafeJson())
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return this.attempt(() => UrlParams.fromInput(new URLSearchParams(this.unsafeText())))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.tryPromise({
      try: () => new Response(this.#bytes, { headers: this.headers }).formData(),
      catch: (cause) =>
        new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
    })
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.sync(() => this.#bytes.slice(0))
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return Stream.sync(() => new Uint8Array(this.#bytes.slice(0)))
  }

  toJSON(): unknown {
    return this.printed(
      HttpIncomingMessage.inspect(this, {
        _id: "@effect/platform/HttpClientResponse",
        request: this.request.toJSON(),
        status: this.status
      })
    )
  }
}
