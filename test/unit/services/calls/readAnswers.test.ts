import { HttpClientError, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Redacted, Stream } from "effect"
import { PassedResponse } from "../../../../src/services/wire/http/PassedResponse.js"
import { ReadResponse } from "../../../../src/services/wire/http/ReadResponse.js"

const key = "B9F24903C3BA4770AE303032303541303032353437"
const given = HttpClientRequest.post("https://number.test/v1/Echo")
const sent = HttpClientRequest.setHeader(given, "X-SessionKey", key)

const form = "application/x-www-form-urlencoded"

const originalOf = (body: string, headers: Record<string, string> = {}) =>
  HttpClientResponse.fromWeb(sent, new Response(body, { status: 202, headers }))

const readOf = (body: string, headers: Record<string, string> = {}) =>
  new ReadResponse(
    given,
    originalOf(body, headers),
    new TextEncoder().encode(body).buffer,
    Redacted.make(key)
  )

const passedOf = (body: string, headers: Record<string, string> = {}) =>
  new PassedResponse(
    given,
    originalOf(body, headers),
    ({ cause, reason, response }) =>
      new HttpClientError.ResponseError({ request: given, response, reason, cause, description: "mapped" }),
    Redacted.make(key)
  )

const bytesOf = (stream: Stream.Stream<Uint8Array, HttpClientError.ResponseError>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)).toString())

const kinds = { "was read": readOf, "is passed on": passedOf }

for (const [kind, answerOf] of Object.entries(kinds)) {
  describe(`an answer that ${kind}`, () => {
    it.effect("has the status, headers and cookies that came, and the request that was given", () =>
      Effect.sync(() => {
        const answer = answerOf("{}", { "x-trace": "7", "set-cookie": "a=b" })
        assert.strictEqual(answer.request, given)
        assert.strictEqual(answer.status, 202)
        assert.strictEqual(answer.headers["x-trace"], "7")
        assert.deepStrictEqual(Object.keys(answer.cookies.cookies), ["a"])
      })
    )

    it.effect("gives its body in every form", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* answerOf('{"a":1}').text, '{"a":1}')
        assert.deepStrictEqual(yield* answerOf('{"a":1}').json, { a: 1 })
        assert.isNull(yield* answerOf("").json)
        assert.deepStrictEqual(yield* answerOf("a=1&b=2").urlParamsBody, [
          ["a", "1"],
          ["b", "2"]
        ])
        const data = yield* answerOf("a=1", { "content-type": form }).formData
        assert.strictEqual(data.get("a"), "1")
        assert.strictEqual(Buffer.from(yield* answerOf("bytes").arrayBuffer).toString(), "bytes")
        assert.strictEqual(yield* bytesOf(answerOf("stream").stream), "stream")
      })
    )

    it.effect("fails with the given request if its body does not decode", () =>
      Effect.gen(function* () {
        for (const answer of [answerOf("{").json, answerOf("no form").formData]) {
          const error = yield* Effect.flip(answer)
          assert.strictEqual(error.request, given)
          assert.strictEqual(error.reason, "Decode")
          assert.isDefined(error.cause)
        }
      })
    )

    it.effect("is printed as an answer, without the session key that a backend echoes", () =>
      Effect.sync(() => {
        const printed = answerOf(`{"echo":"${key}"}`, { "x-echo": key }).toJSON() as Record<string, unknown>
        assert.strictEqual(printed["_id"], "@effect/platform/HttpClientResponse")
        assert.strictEqual(printed["status"], 202)
        assert.deepInclude(printed["request"], { method: "POST", url: "https://number.test/v1/Echo" })
        assert.notInclude(JSON.stringify(printed), key)
        assert.notStrictEqual((printed["headers"] as Record<string, string>)["x-echo"], "")
      })
    )

    it.effect("scrubs its session key from a text", () =>
      Effect.sync(() => {
        assert.notInclude(answerOf("{}").scrub(`got ${key}`), key)
        assert.include(answerOf("{}").scrub(`got ${key}`), "got ")
      })
    )
  })
}

describe("an answer that was read", () => {
  it.effect("gives each reader bytes of its own", () =>
    Effect.gen(function* () {
      const answer = readOf("bytes")
      new Uint8Array(yield* answer.arrayBuffer).fill(0)
      yield* Stream.runForEach(answer.stream, (chunk) => Effect.sync(() => chunk.fill(0)))
      assert.strictEqual(Buffer.from(yield* answer.arrayBuffer).toString(), "bytes")
      assert.strictEqual(yield* answer.text, "bytes")
    })
  )

  it.effect("parses its JSON once, for both ways of reading it", () =>
    Effect.gen(function* () {
      const answer = readOf('{"a":1}')
      assert.strictEqual(yield* answer.json, answer.unsafeJson())
    })
  )

  it.effect("is printed with its body", () =>
    Effect.sync(() => {
      const printed = readOf('{"a":[1,2]}', { "content-type": "application/json" }).toJSON()
      assert.deepInclude(printed, { body: { a: [1, 2] } })
    })
  )
})

describe("an answer that is passed on", () => {
  it.effect("maps every error of reading it, so that no error holds the request that was sent", () =>
    Effect.gen(function* () {
      const failing = () =>
        new PassedResponse(
          given,
          HttpClientResponse.fromWeb(
            sent,
            new Response(new ReadableStream({ start: (controller) => controller.error(new Error("cut")) }))
          ),
          ({ cause, reason, response }) =>
            new HttpClientError.ResponseError({
              request: given,
              response,
              reason,
              cause,
              description: "mapped"
            }),
          Redacted.make(key)
        )
      const readings = [
        failing().text,
        failing().json,
        failing().urlParamsBody,
        failing().formData,
        failing().arrayBuffer,
        Stream.runDrain(failing().stream)
      ]
      for (const reading of readings) {
        assert.strictEqual(
          (yield* Effect.flip<unknown, HttpClientError.ResponseError, never>(reading)).description,
          "mapped"
        )
      }
    })
  )
})
