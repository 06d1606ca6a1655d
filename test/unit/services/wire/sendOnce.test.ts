import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fateOf } from "../../../../src/services/wire/http/fate.js"
import { sendOnce } from "../../../../src/services/wire/http/sendOnce.js"

const request = HttpClientRequest.post("https://number.test/Echo")

/** A client whose first sendings fail. */
const failing = (times: number) => {
  let sent = 0
  const client = HttpClient.make((given) =>
    Effect.suspend(() =>
      sent++ < times
        ? new HttpClientError.RequestError({
            request: given,
            reason: "Transport",
            cause: { code: "ECONNRESET" }
          })
        : Effect.succeed(HttpClientResponse.fromWeb(given, new Response("ok")))
    )
  )
  return { client, sent: () => sent }
}

describe("a request that is sent once", () => {
  it.effect("is sent, and answered", () =>
    Effect.gen(function* () {
      const { client, sent } = failing(0)
      assert.strictEqual((yield* sendOnce(client, request)).status, 200)
      assert.strictEqual(sent(), 1)
    })
  )

  it.effect("is not sent again by a client that retries, and is lost, since it may have arrived", () =>
    Effect.gen(function* () {
      const { client, sent } = failing(1)
      const error = yield* Effect.flip(sendOnce(HttpClient.retry(client, { times: 3 }), request))
      assert.strictEqual(sent(), 1)
      const fate = fateOf(error)
      assert(fate._tag === "lost")
      assert.match(fate.detail, /second time/)
    })
  )

  it.effect("may be sent anew by its caller", () =>
    Effect.gen(function* () {
      const { client, sent } = failing(1)
      const once = sendOnce(client, request)
      assert.strictEqual((yield* Effect.retry(once, { times: 1 })).status, 200)
      assert.strictEqual(sent(), 2)
    })
  )
})
