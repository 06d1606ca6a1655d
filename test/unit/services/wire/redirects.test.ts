import { FetchHttpClient, HttpBody, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { requestInit, withoutRedirects } from "../../../../src/services/wire/http/redirects.js"
import { hiddenBody } from "../../../../src/services/wire/http/hiddenBody.js"

describe("what fetch is told", () => {
  const told = Effect.map(Effect.serviceOption(FetchHttpClient.RequestInit), Option.getOrNull)

  it.effect("is what is at hand, or else what is given, and always not to follow redirects", () =>
    Effect.gen(function* () {
      const run = withoutRedirects({ keepalive: true, credentials: "omit", redirect: "follow" })(told)
      assert.deepStrictEqual(yield* run, { keepalive: true, credentials: "omit", redirect: "manual" })
      const atHand = Effect.provideService(run, FetchHttpClient.RequestInit, {
        credentials: "include",
        mode: "cors",
        redirect: "follow"
      })
      assert.deepStrictEqual(yield* atHand, {
        keepalive: true,
        credentials: "include",
        mode: "cors",
        redirect: "manual"
      })
    })
  )

  it.effect("is nothing where nothing is at hand", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestInit, {})
      assert.deepStrictEqual(
        yield* Effect.provideService(requestInit, FetchHttpClient.RequestInit, { mode: "cors" }),
        { mode: "cors" }
      )
    })
  )
})

describe("a body with a secret in it", () => {
  it("is sent as it is, and not printed", () => {
    const body = hiddenBody(HttpBody.text("token=2148B239CF6846BDA5D141BF4A4CFBE8"))
    const printed = JSON.parse(
      JSON.stringify(HttpClientRequest.post("/Authenticate").pipe(HttpClientRequest.setBody(body)))
    )
    assert.strictEqual(printed.body, "<redacted>")
    assert(body._tag === "Uint8Array")
    assert.strictEqual(new TextDecoder().decode(body.body), "token=2148B239CF6846BDA5D141BF4A4CFBE8")
  })
})
