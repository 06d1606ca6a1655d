import { HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readText } from "../../../../src/services/wire/http/readText.js"

/** An answer in these parts, and the number of parts that were read. */
const answer = (...parts: ReadonlyArray<string | Uint8Array>) => {
  let asked = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const part = parts[asked]
        if (part === undefined) return controller.close()
        asked += 1
        controller.enqueue(typeof part === "string" ? new TextEncoder().encode(part) : part)
      }
    },
    { highWaterMark: 0 }
  )
  return {
    asked: () => asked,
    response: HttpClientResponse.fromWeb(HttpClientRequest.get("https://number.test/"), new Response(body))
  }
}

describe("the text of an answer", () => {
  it.effect("is joined from its parts, even if a character is cut in two", () =>
    Effect.gen(function* () {
      const euro = new TextEncoder().encode("€")
      const { response } = answer("one, ", euro.slice(0, 1), euro.slice(1), " two")
      assert.strictEqual(yield* readText(response, 100), "one, € two")
    })
  )

  it.effect("may be empty", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readText(answer().response, 100), "")
      assert.strictEqual(yield* readText(answer().response, 0), "")
    })
  )

  it.effect("may be as long as is allowed, in bytes, and not longer", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readText(answer("12345", "67890").response, 10), "1234567890")
      assert.isNull(yield* readText(answer("12345", "678901").response, 10))
      assert.isNull(yield* readText(answer("12345", "67890", "1").response, 10))
      assert.isNull(yield* readText(answer("€€€€").response, 10))
    })
  )

  it.effect("is not read on once it is too long", () =>
    Effect.gen(function* () {
      const { asked, response } = answer(...Array.from({ length: 1000 }, () => "12345"))
      assert.isNull(yield* readText(response, 10))
      assert.isBelow(asked(), 10)
    })
  )
})
