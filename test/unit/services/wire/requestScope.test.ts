import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Scope } from "effect"
import { inScopeOf } from "../../../../src/services/wire/http/requestScope.js"

describe("the copy of a request", () => {
  // If this fails, @effect/platform keeps request scopes elsewhere, and requestScope.ts has to follow.
  it.effect("belongs to the scope that @effect/platform gave to the request", () =>
    Effect.gen(function* () {
      const seen: Array<{ readonly hasEnded: boolean }> = []
      const client = HttpClient.make((request, _, signal) =>
        Effect.sync(() => {
          seen.push({
            get hasEnded() {
              return signal.aborted
            }
          })
          return HttpClientResponse.fromWeb(request, new Response("ok"))
        })
      )
      const scope = yield* Scope.make()
      const copying = HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
        (requests) =>
          Effect.flatMap(requests, (given) =>
            client.execute(inScopeOf(given, HttpClientRequest.setHeader(given, "a", "b")))
          ),
        Effect.succeed
      )
      const sent = HttpClient.withScope(copying)
      yield* Scope.extend(sent.get("https://number.test/"), scope)
      assert.deepStrictEqual(
        seen.map(({ hasEnded }) => hasEnded),
        [false],
        "the connection is open while the scope is"
      )
      yield* Scope.close(scope, yield* Effect.exit(Effect.void))
      assert.deepStrictEqual(
        seen.map(({ hasEnded }) => hasEnded),
        [true]
      )
    })
  )
})
