import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Redacted, TestClock } from "effect"
import type { InvalidInput } from "../../../src/schemas/InvalidInput.js"
import { AttemptOutcome } from "../../../src/schemas/AttemptOutcome.js"
import { AuthStoreError } from "../../../src/services/store/AuthStore.js"
import * as NumberAuth from "../../../src/services/session/NumberAuth.js"
import * as NumberAuthTest from "../../../src/testing/NumberAuthTest.js"

const withAuth = <A, E>(
  options: NumberAuthTest.Options,
  use: (auth: NumberAuth.NumberAuth["Type"]) => Effect.Effect<A, E>
) => Effect.flatMap(NumberAuth.NumberAuth, use).pipe(Effect.provide(NumberAuthTest.layer(options)))

/** A service of an application. */
class Receipts extends Context.Tag("test/Receipts")<
  Receipts,
  { readonly print: (id: number) => Effect.Effect<string, unknown> }
>() {
  static readonly layer = Layer.effect(
    Receipts,
    Effect.map(NumberAuth.NumberAuth, (auth) => ({
      print: (id) =>
        auth.httpClient
          .execute(HttpClientRequest.post(`/Receipts/${id}`))
          .pipe(Effect.flatMap((response) => response.text))
    }))
  )
}

describe("NumberAuthTest.layer", () => {
  it("has no requirements, and fails only with InvalidInput", () => {
    expectTypeOf(NumberAuthTest.layer()).toEqualTypeOf<Layer.Layer<NumberAuth.NumberAuth, InvalidInput>>()
  })

  it.effect("holds a session from the beginning", () =>
    withAuth({ sessionKey: "KEY" }, (auth) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* auth.status).state, "authenticated")
        assert.strictEqual(Redacted.value(yield* auth.sessionKey), "KEY")
        yield* TestClock.adjust("26 hours")
        assert.strictEqual(Redacted.value(yield* auth.sessionKey), "KEY-2")
      })
    )
  )

  it.effect("tests an application's service in a few lines, with the real renewal and replay", () =>
    Effect.gen(function* () {
      const keys: Array<string | undefined> = []
      const client = HttpClient.make((request) =>
        Effect.sync(() => {
          keys.push(request.headers["sesskey"])
          const body =
            keys.length === 1
              ? '{"PrintResult":{"FunctionOk":false,"ErrCode":5030}}'
              : '{"PrintResult":{"FunctionOk":true}}'
          return HttpClientResponse.fromWeb(
            request,
            new Response(body, { headers: { "content-type": "application/json" } })
          )
        })
      )
      const printed = yield* Effect.flatMap(Receipts, (receipts) => receipts.print(7)).pipe(
        Effect.provide(Receipts.layer),
        Effect.provide(NumberAuthTest.layer({ client, sessionKey: "KEY" }))
      )
      assert.include(printed, "true")
      assert.deepStrictEqual(keys, ["KEY", "KEY-2"])
    })
  )

  for (const [state, tag] of [
    ["aborted", "AuthAborted"],
    ["locked", "AuthLocked"]
  ] as const) {
    it.effect(`begins ${state}, and fails as the real service does`, () =>
      withAuth({ state }, (auth) =>
        Effect.gen(function* () {
          const status = yield* auth.status
          assert.strictEqual(status.state, state)
          const error = yield* Effect.flip(auth.sessionKey)
          assert.strictEqual(error._tag, tag)
          if (error._tag === "AuthAborted")
            assert.strictEqual(error.abort.detail, "the test starts in this state")
          assert.strictEqual(Option.getOrNull(status.lock), state === "locked" ? "reported" : null)
        })
      )
    )
  }

  it.effect("gives attempts the outcomes of its options, in order", () =>
    withAuth(
      {
        state: "unauthenticated",
        outcomes: [
          AttemptOutcome.unsent({ detail: "no route" }),
          AttemptOutcome.faulted({ detail: "out of order", errorCode: 1 })
        ]
      },
      (auth) =>
        Effect.gen(function* () {
          assert.isTrue(Option.isNone((yield* auth.status).generation))
          assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthUnreachable")
          assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthAborted")
          yield* auth.resume
          assert.strictEqual(Redacted.value(yield* auth.sessionKey), "TEST-SESSION-KEY")
        })
    )
  )

  it.effect("begins authenticated, whatever the outcomes of later attempts", () =>
    withAuth({ outcomes: [AttemptOutcome.unsent({ detail: "no route" })] }, (auth) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* auth.status).state, "authenticated")
        yield* TestClock.adjust("25 hours")
        assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthUnreachable")
        assert.strictEqual(Redacted.value(yield* auth.sessionKey), "TEST-SESSION-KEY-2")
      })
    )
  )

  it.effect("takes a new token after a refusal", () =>
    withAuth({ state: "aborted" }, (auth) =>
      Effect.gen(function* () {
        yield* auth.replaceCredentials("7E577E57000000000000000000000001")
        yield* auth.sessionKey
        assert.strictEqual((yield* auth.status).state, "authenticated")
      })
    )
  )

  it.effect("fails every call that needs a session with the given failure", () => {
    const failure = new AuthStoreError({ reason: "unavailable", detail: "away" })
    return withAuth({ failure }, (auth) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Effect.flip(auth.sessionKey), failure)
        assert.strictEqual(yield* Effect.flip(auth.withSession(Effect.succeed)), failure)
        assert.strictEqual(yield* Effect.flip(auth.httpClient.get("/A")), failure)
        assert.strictEqual(yield* Effect.flip(auth.httpClientWith({}).get("/A")), failure)
      })
    )
  })

  it.effect("has no network, and refuses a session key that cannot stand in a header", () =>
    Effect.gen(function* () {
      const error = yield* withAuth({}, (auth) => Effect.flip(auth.httpClient.get("/A")))
      assert(error._tag === "RequestError")
      assert.strictEqual(error.reason, "Transport")
      assert.include(error.message, "no network")
      const invalid = yield* Effect.flip(withAuth({ sessionKey: "a b" }, (auth) => auth.sessionKey))
      assert(invalid._tag === "InvalidInput")
      assert.deepStrictEqual(
        [invalid.field, invalid.expected],
        ["session key", "printable characters without spaces"]
      )
    })
  )
})
