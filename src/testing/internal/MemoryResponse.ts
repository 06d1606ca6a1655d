/**
 * An HTTP response in memory. Reading it takes no time and no turn of the event loop, so virtual time need not wait for
 * it. It can be read any number of times.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** The bytes of a body, and the error that follows them if the body breaks off. */
export interface MemoryBody {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly breaksOffWith?: Error
}

const hasNoBody = (status: number): boolean => status === 204 || status === 205 || status === 304

export class MemoryResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly cookies: Cookies.Cookies = Cookies.empty
  readonly remoteAddress: Option.Option<string> = Option.none()
  readonly #body: MemoryBody | null

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    answer: { readonly status: number; readonly contentType: string },
    body: MemoryBody
  ) {
    super()
    this.request = request
    this.status = answer.status
    this.headers = Headers.fromInput({ "content-type": answer.contentType })
    this.#body = hasNoBody(answer.status) ? null : body
  }

  private failure(reason: "Decode" | "EmptyBody", cause?: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason, cause })
  }

  private get whole(): Effect.Effect<Uint8Array<ArrayBuffer>, HttpClientError.ResponseError> {
    return Effect.suspend(() =>
      this.#body?.breaksOffWith === undefined
        ? Effect.succeed(this.#body?.bytes ?? new Uint8Array())
        : Effect.fail(this.failure("Decode", this.#body.breaksOffWith))
    )
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    if (this.#body === null) return Stream.fail(this.failure("EmptyBody"))
    const { breaksOffWith, bytes } = this.#body
    return breaksOffWith === undefined
      ? Stream.make(bytes)
      : Stream.concat(Stream.make(bytes), Stream.fail(this.failure("Decode", breaksOffWith)))
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.map(this.whole, (bytes) => new TextDecoder().decode(bytes))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => (text === "" ? null : (JSON.parse(text) as unknown)),
        catch: (cause) => this.failure("Decode", cause)
      })
    )
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.flatMap(this.whole, (bytes) =>
      Effect.tryPromise({
        try: () => new Response(bytes, { headers: this.headers }).formData(),
        catch: (cause) => this.failure("Decode", cause)
      })
    )
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.map(this.whole, (bytes) => bytes.slice().buffer)
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }
}
