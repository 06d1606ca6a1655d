/**
 * The reading of a body as text, with a limit on its length.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Reads a body as text; null if it is longer than `longestBytes`. */
export const readText = (
  response: HttpClientResponse.HttpClientResponse,
  longestBytes: number
): Effect.Effect<string | null, HttpClientError.ResponseError> =>
  response.stream.pipe(
    Stream.mapAccum(0, (size, chunk) => [size + chunk.byteLength, [size + chunk.byteLength, chunk] as const]),
    Stream.takeUntil(([size]) => size > longestBytes),
    Stream.runCollect,
    Effect.map((chunks) => {
      const parts = Array.from(chunks)
      const size = parts.at(-1)?.[0] ?? 0
      if (size > longestBytes) return null
      const bytes = new Uint8Array(size)
      for (const [end, part] of parts) bytes.set(part, end - part.byteLength)
      return new TextDecoder().decode(bytes)
    })
  )
