import { FetchHttpClient, HttpBody, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { requestInit, withoutRedirects } from "../../../../src/services/wire/http/redirects.js"
import { hiddenBody } from "../../../../src/services/wire/http/hiddenBody.js"

describe("the options of fetch", () => {
  const init = Effect.map(Effect.serviceOption(FetchHttpClient.RequestInit), Option.getOrNull)

  it.effect("come from the context, else from the given ones, and never follow redirects", () =>
    Effect.gen(function* () {
      const run = withoutRedirects({ keepalive: true, credentials: "omit", redirect: "follow" })(init)
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

  it.effect("are empty if the context has none", () =>
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
