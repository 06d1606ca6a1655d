/**
 * The emulator as an HTTP client.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type MemoryBody, MemoryResponse } from "../internal/MemoryResponse.js"
import { NumberEmulator } from "./service.js"
import type { Answer, Delivery } from "./state.js"

const connectionError = (code: "ECONNREFUSED" | "ECONNRESET", syscall: "connect" | "read"): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall })

const transport = (
  request: HttpClientRequest.HttpClientRequest,
  cause: unknown
): HttpClientError.RequestError => new HttpClientError.RequestError({ request, reason: "Transport", cause })

const encodeError = (
  request: HttpClientRequest.HttpClientRequest,
  cause: unknown
): HttpClientError.RequestError => new HttpClientError.RequestError({ request, reason: "Encode", cause })

interface SentBody {
  readonly text: string
  readonly contentType?: string
}

const readRequestBody = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<SentBody, HttpClientError.RequestError> => {
  const body = request.body
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({ text: "" })
    case "Uint8Array":
      return Effect.succeed({ text: new TextDecoder().decode(body.body) })
    case "Raw":
      return typeof body.body === "string"
        ? Effect.succeed({ text: body.body })
        : body.body instanceof Uint8Array
          ? Effect.succeed({ text: new TextDecoder().decode(body.body) })
          : Effect.fail(encodeError(request, new Error("the emulator reads text and bytes only")))
    case "Stream":
      return body.stream.pipe(
        Stream.decodeText(),
        Stream.mkString,
        Effect.map((text) => ({ text })),
        Effect.mapError((cause) => encodeError(request, cause))
      )
    case "FormData": {
      const web = new Response(body.formData)
      return Effect.tryPromise({
        try: () => web.text(),
        catch: (cause) => encodeError(request, cause)
      }).pipe(Effect.map((text) => ({ text, contentType: web.headers.get("content-type") ?? "" })))
    }
  }
}

const abortOf = (
  request: HttpClientRequest.HttpClientRequest,
  signal: AbortSignal
): Effect.Effect<never, HttpClientError.RequestError> =>
  Effect.async((resume) => {
    const onAbort = (): void => resume(Effect.fail(transport(request, signal.reason)))
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener("abort", onAbort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", onAbort))
  })

/** Half of the bytes, then the reset. */
const cutBody = (bytes: Uint8Array<ArrayBuffer>): MemoryBody => ({
  bytes: bytes.slice(0, Math.floor(bytes.length / 2)),
  breaksOffWith: connectionError("ECONNRESET", "read")
})

const bytesOf = ({ body }: Answer): Uint8Array<ArrayBuffer> => new TextEncoder().encode(body)

const deliver = (
  request: HttpClientRequest.HttpClientRequest,
  delivery: Delivery
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.RequestError> => {
  switch (delivery._tag) {
    case "Answered":
      return Effect.sync(
        () => new MemoryResponse(request, delivery.answer, { bytes: bytesOf(delivery.answer) })
      )
    case "Cut":
      return Effect.sync(
        () => new MemoryResponse(request, delivery.answer, cutBody(bytesOf(delivery.answer)))
      )
    case "Reset":
      return Effect.fail(transport(request, connectionError("ECONNRESET", "read")))
    case "Refused":
      return Effect.fail(transport(request, connectionError("ECONNREFUSED", "connect")))
    case "Stalled":
      return Effect.never
  }
}

/**
 * An HttpClient that reaches the emulator without a network, for any host in the URL. It calls from `ip`; without one,
 * it calls from the IP of `setIp`. A header `X-Emulator-IP` overrides both.
 *
 * A refused or reset connection fails with a `RequestError` of reason `Transport`, whose cause has the `code`
 * `ECONNREFUSED` or `ECONNRESET`. A body that breaks off fails when it is read, with a `ResponseError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const httpClient = (
  emulator: Context.Tag.Service<typeof NumberEmulator>,
  ip?: string
): HttpClient.HttpClient =>
  HttpClient.make((request, url, signal) =>
    Effect.gen(function* () {
      if (signal.aborted) return yield* transport(request, signal.reason)
      const { contentType = request.headers["content-type"], text } = yield* readRequestBody(request)
      const delivery = yield* emulator.receive({
        method: request.method,
        path: url.pathname,
        headers: { ...request.headers, "content-type": contentType },
        body: text,
        ...(ip === undefined ? {} : { ip })
      })
      return yield* deliver(request, delivery)
    }).pipe(Effect.raceFirst(abortOf(request, signal)))
  )

/**
 * The emulator as the HttpClient of all services, calling from the IP of `setIp`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, NumberEmulator> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(NumberEmulator, (emulator) => httpClient(emulator))
)

/**
 * The emulator as the HttpClient of all services, always calling from one IP.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClientFrom = (ip: string): Layer.Layer<HttpClient.HttpClient, never, NumberEmulator> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(NumberEmulator, (emulator) => httpClient(emulator, ip))
  )
