import { HttpClientRequest, HttpClientResponse, HttpIncomingMessage } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Option, Redacted } from "effect"
import { KeylessResponse } from "../../../../src/services/wire/http/KeylessResponse.js"
import { assertShowsNone } from "../../../support/leaks.js"

const key = "B9F24903C3BA4770AE303032303541303032353437"

class Answer extends KeylessResponse {
  toJSON(): unknown {
    return this.printed({ status: this.status, headers: this.headers, parts: [`key ${key}!`, 7, null] })
  }
}

describe("an answer that stands in for the original", () => {
  const sent = HttpClientRequest.post("https://number.test/Echo").pipe(
    HttpClientRequest.setHeader("sesskey", key)
  )
  const given = HttpClientRequest.post("https://number.test/Echo")
  const original = HttpClientResponse.fromWeb(
    sent,
    new Response("{}", { status: 201, headers: { "x-echo": `<${key}>`, "set-cookie": "a=1" } })
  )
  const answer = new Answer(given, original, Redacted.make(key))

  it("has the original's status, headers and cookies, and the request that was given", () => {
    assert.strictEqual(answer.status, 201)
    assert.deepStrictEqual(answer.headers, original.headers)
    assert.deepStrictEqual(answer.cookies, original.cookies)
    assert.strictEqual(answer.cookies.cookies["a"]?.value, "1")
    assert.strictEqual(answer.request, given)
    const from = Object.create(original, { remoteAddress: { value: Option.some("192.0.2.1") } })
    assert.strictEqual(
      Option.getOrNull(new Answer(given, from, Redacted.make(key)).remoteAddress),
      "192.0.2.1"
    )
  })

  it("counts as an answer for @effect/platform", () => {
    assert.strictEqual(answer[HttpClientResponse.TypeId], HttpClientResponse.TypeId)
    assert.strictEqual(answer[HttpIncomingMessage.TypeId], HttpIncomingMessage.TypeId)
  })

  it("is printed without its session key, and with all its other parts", () => {
    assert.deepStrictEqual(answer.toJSON(), {
      status: 201,
      headers: { ...original.headers, "x-echo": "<<redacted>>" },
      parts: ["key <redacted>!", 7, null]
    })
    assert.strictEqual(answer.scrub(`key ${key}\n!`), "key <redacted> !")
    assertShowsNone(answer, key)
  })
})
