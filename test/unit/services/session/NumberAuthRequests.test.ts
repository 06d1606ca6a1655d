import {
  HttpBody,
  HttpClient,
  HttpClientError,
  HttpClientRequest,
  HttpClientResponse
} from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Redacted, Ref, Stream, TestClock } from "effect"
import { SessionRefused } from "../../../../src/services/session/SessionRefusal.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { account, badToken, baseUrl, ip, makeWorld, start } from "../../../support/stack.js"

const echo = (n: unknown = 1) => HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ n }))

const resultOf = (answer: unknown) =>
  (answer as { readonly EchoResult: { readonly FunctionOk: boolean; readonly AcctCode: string } }).EchoResult

const refusal = (code: number | string, extra: object = {}) =>
  JSON.stringify({ EchoResult: { FunctionOk: false, ErrCode: code, ...extra } })

/** A client that notes the URL and the session key of each call. */
const noting = (client: HttpClient.HttpClient) => {
  const sent: Array<{ readonly url: string; readonly key: string | undefined }> = []
  const noted = HttpClient.tapRequest(client, (request) =>
    Effect.sync(() => {
      if (!request.url.endsWith("/Authenticate"))
        sent.push({ url: request.url, key: request.headers["sesskey"] })
    })
  )
  return { noted, sent }
}

describe("NumberAuth.httpClient", () => {
  it.scoped("sends the session key in the header SessKey, and hands on the answer", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { noted, sent } = noting(Emulator.httpClient(world.emulator, ip))
      const auth = yield* start(world, {}, noted)
      const response = yield* auth.httpClient.execute(echo())
      assert.strictEqual(response.status, 200)
      assert.deepInclude(resultOf(yield* response.json), { FunctionOk: true, AcctCode: account })
      const key = Redacted.value(yield* auth.sessionKey)
      assert.deepStrictEqual(sent, [{ url: `${baseUrl}/Echo`, key }])
    })
  )

  it.scoped("renews on 5030 and replays once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const before = yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      const answer = yield* Effect.flatMap(auth.httpClient.execute(echo()), (response) => response.json)
      assert.strictEqual(resultOf(answer).FunctionOk, true)
      assert.strictEqual(yield* world.emulator.executionsOf({ n: 1 }), 1)
      assert.lengthOf(yield* world.emulator.log, 2)
      assert.notStrictEqual(Redacted.value(yield* auth.sessionKey), Redacted.value(before))
    })
  )

  it.scoped("renews on 5050 and replays once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const address = yield* Ref.make("203.0.113.7")
      const client = HttpClient.mapRequestEffect(Emulator.httpClient(world.emulator), (request) =>
        Effect.map(Ref.get(address), (at) => HttpClientRequest.setHeader(request, "x-emulator-ip", at))
      )
      const auth = yield* start(world, {}, client)
      yield* auth.sessionKey
      yield* TestClock.adjust("1 hour")
      yield* Ref.set(address, "203.0.113.8")
      const answer = yield* Effect.flatMap(auth.httpClient.execute(echo()), (response) => response.json)
      assert.strictEqual(resultOf(answer).FunctionOk, true)
      assert.strictEqual(yield* world.emulator.executionsOf({ n: 1 }), 1)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("finds a refusal under any status, also if its code is text", () =>
    Effect.gen(function* () {
      for (const status of [200, 400, 401, 403, 500]) {
        const world = yield* makeWorld()
        const auth = yield* start(world)
        yield* auth.sessionKey
        yield* world.emulator.injectMethod(Fault.Status(status, ` ${refusal("5030")}`))
        const response = yield* auth.httpClient.execute(echo())
        assert.strictEqual(response.status, 200)
        assert.lengthOf(yield* world.emulator.log, 2)
      }
    })
  )

  it.scoped("hands on the answer as it is when the replay is refused again, and tries no third time", () =>
    Effect.gen(function* () {
      for (const code of [5030, 5050]) {
        const world = yield* makeWorld()
        const auth = yield* start(world)
        yield* auth.sessionKey
        const fault = Fault.Body(refusal(code, { ErrMsg: `no ${code}` }))
        yield* world.emulator.injectMethod(fault, fault, Fault.Pass)
        const response = yield* auth.httpClient.execute(echo())
        assert.deepStrictEqual(yield* response.json, JSON.parse(refusal(code, { ErrMsg: `no ${code}` })))
        assert.lengthOf(yield* world.emulator.log, 2)
        assert.strictEqual(yield* world.emulator.pendingFaults, 1)
      }
    })
  )

  it.scoped("does not replay a request unless its answer is a refusal", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      const answers = [
        refusal(5040),
        '{"EchoResult":{"FunctionOk":true,"ErrCode":5030}}',
        '{"EchoResult":{"FunctionOk":false,"ErrCode":6724,"ErrMsg":"ERROR:5030:HIGH"}}',
        '{"Echo":{"FunctionOk":false,"ErrCode":5030}}',
        "5030",
        "<html>5030</html>",
        `${refusal(5030)}}`,
        "null",
        ""
      ]
      for (const body of answers) {
        yield* world.emulator.injectMethod(Fault.Body(body))
        assert.strictEqual(yield* Effect.flatMap(auth.httpClient.execute(echo()), (_) => _.text), body)
      }
      yield* world.emulator.injectMethod(Fault.DropAnswer)
      const error = yield* Effect.flip(auth.httpClient.execute(echo("lost")))
      assert.strictEqual(error._tag, "RequestError")
      assert.strictEqual(yield* world.emulator.executionsOf({ n: "lost" }), 1)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped("does not renew when a newer key is held than the one that was refused", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      // The first call is refused late: by then another call has renewed the session.
      yield* world.emulator.expireSessions()
      const late = yield* Effect.fork(
        auth.withSession((key) =>
          Effect.gen(function* () {
            const isFirst = Redacted.value(key) === firstKey
            if (!isFirst) return Redacted.value(key)
            yield* Effect.sleep("1 minute")
            return yield* new SessionRefused({ code: 5030 })
          })
        )
      )
      const firstKey = Redacted.value(yield* auth.sessionKey)
      yield* TestClock.adjust("30 seconds")
      yield* auth.httpClient.execute(echo())
      assert.lengthOf(yield* world.emulator.log, 2)
      yield* TestClock.adjust("31 seconds")
      assert.notStrictEqual(yield* Fiber.join(late), firstKey)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("does not send a stream twice: the session is renewed, and the caller has to send again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      let read = 0
      const body = Stream.sync(() => {
        read += 1
        return new TextEncoder().encode('{"n":7}')
      })
      const request = HttpClientRequest.post("/Echo").pipe(
        HttpClientRequest.bodyStream(body, { contentType: "application/json" })
      )
      const error = yield* Effect.flip(auth.httpClient.execute(request))
      assert(error._tag === "RequestNotReplayable")
      assert.include(error.message, "POST")
      assert.strictEqual(read, 1)
      assert.strictEqual(yield* world.emulator.executionsOf({ n: 7 }), 0)
      yield* auth.httpClient.execute(request)
      assert.strictEqual(yield* world.emulator.executionsOf({ n: 7 }), 1)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("replays every body that can be read twice", () =>
    Effect.gen(function* () {
      const text = '{"n":8}'
      const form = new FormData()
      form.set("n", "8")
      const type = { contentType: "application/json" }
      for (const body of [
        HttpBody.empty,
        HttpBody.text(text, "application/json"),
        HttpBody.raw(text, type),
        HttpBody.raw(new TextEncoder().encode(text), type)
      ]) {
        const world = yield* makeWorld()
        const auth = yield* start(world)
        yield* auth.sessionKey
        yield* world.emulator.expireSessions()
        yield* auth.httpClient.execute(HttpClientRequest.post("/Echo").pipe(HttpClientRequest.setBody(body)))
        assert.lengthOf(yield* world.emulator.executions, 1)
      }
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      const sent = HttpClientRequest.post("/Echo").pipe(HttpClientRequest.setBody(HttpBody.formData(form)))
      assert.strictEqual((yield* auth.httpClient.execute(sent)).status, 400)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("hands on an answer that is not text unread, even if its bytes look like a refusal", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const bytes = new TextEncoder().encode(refusal(5030))
      let pulled = 0
      const emulated = Emulator.httpClient(world.emulator, ip)
      const client = HttpClient.make((request, url) =>
        url.pathname.endsWith("/Report")
          ? Effect.sync(() =>
              HttpClientResponse.fromWeb(
                request,
                new Response(
                  new ReadableStream<Uint8Array>(
                    {
                      pull: (controller) => {
                        pulled += 1
                        controller.enqueue(bytes)
                        controller.close()
                      }
                    },
                    { highWaterMark: 0 }
                  ),
                  { headers: { "content-type": "application/octet-stream" } }
                )
              )
            )
          : emulated.execute(request)
      )
      const auth = yield* start(world, {}, client)
      const response = yield* auth.httpClient.get("/Report")
      assert.strictEqual(pulled, 0)
      assert.deepStrictEqual(new Uint8Array(yield* response.arrayBuffer), bytes)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped("parses a JSON answer once, and gives it in every form", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* world.emulator.injectMethod(Fault.Body('{"a":[5030]}'))
      const response = yield* auth.httpClient.execute(echo())
      const [one, two] = [yield* response.json, yield* response.json]
      assert.deepStrictEqual(one, { a: [5030] })
      assert.strictEqual(one, two)
      assert.strictEqual(yield* response.text, '{"a":[5030]}')
      assert.strictEqual(new TextDecoder().decode(yield* response.arrayBuffer), '{"a":[5030]}')
      assert.strictEqual(yield* response.stream.pipe(Stream.decodeText(), Stream.mkString), '{"a":[5030]}')
      yield* world.emulator.injectMethod(Fault.Body("{"))
      const broken = yield* auth.httpClient.execute(echo())
      const error = yield* Effect.flip(broken.json)
      assert.strictEqual(error.reason, "Decode")
      assertShowsNone(error, Redacted.value(yield* auth.sessionKey))
    })
  )

  it.scoped("sends the key only below the base URL: to no other host, path, scheme, port or user", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { noted, sent } = noting(Emulator.httpClient(world.emulator, ip))
      const auth = yield* start(world, {}, noted)
      const key = Redacted.value(yield* auth.sessionKey)
      const others = [
        "https://evil.test/v1/Echo",
        "https://number.test.evil.test/v1/Echo",
        "https://number.test/v2/Echo",
        "https://number.test/v10/Echo",
        "https://number.test/v1",
        "https://number.test/v1/../Echo",
        "https://number.test/v1/%2e%2e/Echo",
        "https://number.test/v1/..\\Echo",
        "http://number.test/v1/Echo",
        "https://number.test:444/v1/Echo",
        "https://user@number.test/v1/Echo",
        "https://number.test@evil.test/v1/Echo",
        "HTTPS://EVIL.TEST/v1/Echo",
        "//evil.test/v1/Echo",
        "ftp://number.test/v1/Echo",
        "javascript:alert(1)",
        "/../Echo",
        "../Echo",
        "/..\\Echo",
        "/%2e%2e/Echo"
      ]
      for (const url of others) {
        const error = yield* Effect.flip(auth.httpClient.execute(HttpClientRequest.post(url)))
        assert(error._tag === "RequestError", url)
        assert.strictEqual(error.reason, "InvalidUrl", url)
        assert.strictEqual(
          error.description,
          "the session key is sent to methods below the base URL only, and never to Authenticate, which would be an attempt that the ledger does not know of; give a path relative to the base URL"
        )
        assert.strictEqual(error.request.url, url)
        assertShowsNone(error, key)
      }
      assert.deepStrictEqual(sent, [])
      for (const url of [
        "https://number.test/v1/Echo",
        "HTTPS://NUMBER.TEST/v1/Echo",
        "/Echo",
        "Echo",
        "/a/../Echo"
      ]) {
        assert.strictEqual((yield* auth.httpClient.execute(HttpClientRequest.post(url))).status, 200, url)
      }
      for (const { url } of sent) assert.match(new URL(url).href, /^https:\/\/number\.test\/v1\//)
      const odd = [
        "\t//evil.test/Echo",
        " https://evil.test/Echo",
        "/\\evil.test/Echo",
        "\\\\evil.test\\Echo",
        "@evil.test"
      ]
      for (const url of odd) yield* Effect.exit(auth.httpClient.execute(HttpClientRequest.post(url)))
      for (const { url } of sent) assert.strictEqual(new URL(url).host, "number.test", url)
    })
  )

  it.scoped("does not let a caller make an attempt that the ledger does not know of", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      for (const url of [
        "/Authenticate",
        "Authenticate",
        "/authenticate/",
        "/AUTHENTICATE?x=1",
        "//Authenticate",
        "/Echo/../Authenticate",
        "/%41uthenticate",
        "/%2541uthenticate",
        "/.%2fAuthenticate",
        "/x/Authenticate",
        `${baseUrl}/Authenticate`,
        `${baseUrl.toUpperCase()}/Authenticate`
      ]) {
        const body = HttpBody.unsafeJson({ AcctCode: account, Token: badToken(1) })
        const error = yield* Effect.flip(auth.httpClient.post(url, { body }))
        assert.strictEqual(error._tag, "RequestError", url)
      }
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.strictEqual(yield* world.emulator.countOf(ip), 0)
    })
  )

  it.scoped("sends its own key, and not the one that the caller puts into SessKey", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { noted, sent } = noting(Emulator.httpClient(world.emulator, ip))
      const auth = yield* start(world, {}, noted)
      yield* auth.httpClient.execute(HttpClientRequest.setHeader(echo(), "SessKey", "stale"))
      assert.strictEqual(sent[0]!.key, Redacted.value(yield* auth.sessionKey))
    })
  )

  it.scoped("fails as sessionKey does if there is no session, and sends nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { noted, sent } = noting(Emulator.httpClient(world.emulator, ip))
      yield* Ref.set(world.token, badToken(1))
      const auth = yield* start(world, {}, noted)
      assert.strictEqual((yield* Effect.flip(auth.httpClient.execute(echo())))._tag, "AuthAborted")
      assert.deepStrictEqual(sent, [])
    })
  )

  it.scoped("composes with the combinators of HttpClient", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const client = auth.httpClient.pipe(HttpClient.mapRequest(HttpClientRequest.appendUrl("/Echo")))
      yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      assert.strictEqual((yield* client.execute(HttpClientRequest.post("/sub"))).status, 200)
    })
  )

  it.scoped("passes the failures of the client on without the key, with the request as it was given", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const key = Redacted.value(yield* auth.sessionKey)
      for (const fault of [Fault.DropRequest, Fault.Refuse, Fault.CutBody]) {
        yield* world.emulator.injectMethod(fault)
        const error = yield* Effect.flip(auth.httpClient.execute(echo()))
        assert(
          error instanceof HttpClientError.RequestError || error instanceof HttpClientError.ResponseError
        )
        assert.notProperty(error.request.headers, "sesskey")
        assertShowsNone(error, key)
      }
    })
  )

  it.scoped("passes on the reason and the cause of a client's failure, and its description if any", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const inner = Emulator.httpClient(world.emulator, ip)
      const cause = new Error("no route")
      const given = { cause, reason: "Transport" } as const
      let fail: (request: HttpClientRequest.HttpClientRequest) => HttpClientError.HttpClientError
      const client = HttpClient.make((request) =>
        request.url.endsWith("/Authenticate") ? inner.execute(request) : Effect.fail(fail(request))
      )
      const auth = yield* start(world, {}, client)
      const key = Redacted.value(yield* auth.sessionKey)
      for (const words of [{}, { description: "it has no route" }]) {
        fail = (request) => new HttpClientError.RequestError({ ...given, ...words, request })
        const failed = yield* Effect.flip(auth.httpClient.execute(echo()))
        assert(failed instanceof HttpClientError.RequestError)
        assert.deepInclude(failed, { ...given, ...words })
        assert.strictEqual("description" in failed, "description" in words)
        fail = (request) =>
          new HttpClientError.ResponseError({
            ...words,
            cause,
            reason: "StatusCode",
            request,
            response: HttpClientResponse.fromWeb(request, new Response("gone", { status: 410 }))
          })
        const answered = yield* Effect.flip(auth.httpClient.execute(echo()))
        assert(answered instanceof HttpClientError.ResponseError)
        assert.deepInclude(answered, { ...words, cause, reason: "StatusCode" })
        assert.strictEqual(answered.response.status, 410)
        assert.notProperty(answered.response.request.headers, "sesskey")
        // Its body is the client's, and may hold the request with the key: it is not passed on.
        assert.strictEqual(yield* answered.response.text, "")
        for (const error of [failed, answered]) assertShowsNone(error, key)
      }
    })
  )

  it.scoped("reports an HTTP client that sends twice, in the error's cause and description", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(
        world,
        {},
        HttpClient.retry(Emulator.httpClient(world.emulator, ip), { times: 3 })
      )
      yield* auth.sessionKey
      yield* world.emulator.injectMethod(Fault.DropAnswer)
      const error = yield* Effect.flip(auth.httpClient.execute(echo()))
      assert(error instanceof HttpClientError.RequestError)
      assert.strictEqual(error.reason, "Transport")
      assert.match(String(error.cause), /^SentTwice: /)
      assert.match(error.description!, /^the HTTP client tried to send it a second time/)
      assert.notProperty(error.request.headers, "sesskey")
    })
  )

  it.scoped("looks for a refusal if the content type is text, JSON, empty or missing", () =>
    Effect.gen(function* () {
      const refusal = '{"EchoResult":{"FunctionOk":false,"ErrCode":5030}}'
      for (const [type, isRead] of [
        ["application/json", true],
        ["application/problem+json; charset=utf-8", true],
        ["TEXT/PLAIN", true],
        ["", true],
        [undefined, true],
        ["application/pdf", false],
        ["application/octet-stream", false]
      ] as const) {
        const world = yield* makeWorld()
        const inner = Emulator.httpClient(world.emulator, ip)
        let calls = 0
        const client = HttpClient.make((request) => {
          if (request.url.endsWith("/Authenticate")) return inner.execute(request)
          calls += 1
          const answer = new Response(new TextEncoder().encode(refusal))
          if (type !== undefined) answer.headers.set("content-type", type)
          return Effect.succeed(HttpClientResponse.fromWeb(request, answer))
        })
        const auth = yield* start(world, {}, client)
        yield* auth.httpClient.execute(echo())
        assert.strictEqual(calls, isRead ? 2 : 1, String(type))
      }
    })
  )
})

describe("NumberAuth.withSession", () => {
  it.scoped("runs once with the key if nothing is refused, and hands on results and errors", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      let runs = 0
      const result = yield* auth.withSession((key) => {
        runs += 1
        return Effect.succeed(Redacted.value(key).length)
      })
      assert.deepStrictEqual([result, runs], [42, 1])
      const error = yield* Effect.flip(auth.withSession(() => Effect.fail("mine" as const)))
      assert.strictEqual(error, "mine")
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped("renews and runs once more for a SessionRefused, and for a decoded answer that refuses", () =>
    Effect.gen(function* () {
      for (const code of [5030, 5050] as const) {
        for (const refuse of [
          Effect.fail(new SessionRefused({ code })),
          Effect.succeed<unknown>(JSON.parse(refusal(code)))
        ]) {
          const world = yield* makeWorld()
          const auth = yield* start(world)
          const keys: Array<string> = []
          const result = yield* auth.withSession((key) => {
            keys.push(Redacted.value(key))
            return keys.length === 1 ? refuse : Effect.succeed("done")
          })
          assert.strictEqual(result, "done")
          assert.strictEqual(new Set(keys).size, 2)
          assert.lengthOf(yield* world.emulator.log, 2)
        }
      }
    })
  )

  it.scoped("gives the second refusal as it is, and runs no third time", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      let runs = 0
      const error = yield* Effect.flip(
        auth.withSession(() => {
          runs += 1
          return Effect.fail(new SessionRefused({ code: 5030 }))
        })
      )
      assert(error._tag === "SessionRefused")
      assert.strictEqual(runs, 2)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("fails with the renewal's error if there is no new session, and does not run again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      yield* Ref.set(world.token, badToken(1))
      let runs = 0
      const error = yield* Effect.flip(
        auth.withSession(() => {
          runs += 1
          return Effect.fail(new SessionRefused({ code: 5030 }))
        })
      )
      assert.strictEqual(error._tag, "AuthAborted")
      assert.strictEqual(runs, 1)
    })
  )

  it.scoped("passes on a defect and an interruption of the caller's effect", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const died = yield* Effect.exit(auth.withSession(() => Effect.die("mine")))
      assert.strictEqual(died._tag, "Failure")
      const fiber = yield* Effect.fork(auth.withSession(() => Effect.never))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Option.isSome((yield* auth.status).generation))
    })
  )
})
