import type { HttpClientRequest } from "@effect/platform"
import { HttpClient, HttpClientError, HttpClientResponse, type HttpBody } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, FastCheck, Layer, Redacted, Ref, Schedule } from "effect"
import type { AttemptOutcome } from "../../../../src/schemas/AttemptOutcome.js"
import type { AccountCode, Token } from "../../../../src/schemas/Credentials.js"
import {
  type Attempt,
  AttemptNotPermitted,
  longestAnswerBytes,
  NumberTransport
} from "../../../../src/services/wire/NumberTransport.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { account, badToken, baseUrl, goodToken, ip } from "../../../support/stack.js"
import { fixture, rest, soapResult, wires } from "../../../support/wires.js"

const sampleKey = "B9F24903C3BA4770AE303032303541303032353437"
const token = Redacted.make(goodToken) as Token
/** A token as .NET writes a GUID. */
const guid = (text: string) => text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")

const attemptWith = (options: Partial<Attempt> = {}): Attempt => ({
  account: account as AccountCode,
  token,
  permit: Effect.void,
  ...options
})

/** A permit as NumberAuth gives it: for one writing. */
const once = Effect.map(Ref.make(0), (written) => ({
  written,
  permit: Effect.flatMap(
    Ref.updateAndGet(written, (n) => n + 1),
    (n) => (n === 1 ? Effect.void : new AttemptNotPermitted({ why: "alreadyWritten" }))
  )
}))

/** A client that gives one answer, and notes the requests. */
const answering = (
  body: ConstructorParameters<typeof Response>[0],
  init: ConstructorParameters<typeof Response>[1] = {}
) => {
  const seen: Array<HttpClientRequest.HttpClientRequest> = []
  const client = HttpClient.make((request) =>
    Effect.sync(() => {
      seen.push(request)
      return HttpClientResponse.fromWeb(request, new Response(body, init))
    })
  )
  return { client, seen }
}

const failing = (cause: unknown, reason: HttpClientError.RequestError["reason"] = "Transport") =>
  HttpClient.make((request) =>
    Effect.fail(new HttpClientError.RequestError({ request, reason, cause, description: goodToken }))
  )

const assertOutcome = (
  outcome: AttemptOutcome,
  expected: Partial<Record<string, unknown>>,
  detail?: RegExp
) => {
  assert.deepInclude(outcome, expected as never)
  if (detail !== undefined) assert.match((outcome as { detail: string }).detail, detail)
  assertShowsNone(outcome, goodToken)
}

for (const wire of wires) {
  const { sample, withResult } = wire

  const authenticateOn = (client: HttpClient.HttpClient, attempt: Attempt = attemptWith()) =>
    Effect.flatMap(NumberTransport, (transport) => transport.authenticate(attempt)).pipe(
      Effect.provide(
        wire.layer(baseUrl).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)), Layer.orDie)
      )
    )

  /** One attempt on the emulator with that fault. */
  const onEmulator = (fault: Fault, attempt?: Attempt) =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.make()
      yield* emulator.addToken(account, goodToken)
      yield* emulator.inject(fault)
      return {
        emulator,
        outcome: yield* authenticateOn(Emulator.httpClient(emulator, ip), attempt)
      }
    })

  describe(`an attempt over ${wire.name}`, () => {
    it.scoped("is accepted with FunctionOk, AuthSuccess and a session key", () =>
      Effect.gen(function* () {
        const { emulator, outcome } = yield* onEmulator(Fault.Pass)
        assertOutcome(outcome, { _tag: "accepted", lockReported: false })
        assert.strictEqual(yield* emulator.countOf(ip), 0)
        assert(outcome._tag === "accepted")
        assert.match(Redacted.value(outcome.sessionKey), /^[0-9A-F]{42}$/)
        assertShowsNone(outcome, Redacted.value(outcome.sessionKey))
      })
    )

    it.effect("is accepted with the documented sample, and has the token's end from the answer", () =>
      Effect.gen(function* () {
        const outcome = yield* authenticateOn(answering(sample).client)
        assertOutcome(outcome, {
          _tag: "accepted",
          tokenEndsAtMillis: Date.parse(wire.tokenEnds),
          lockReported: false
        })
        assert(outcome._tag === "accepted")
        assert.strictEqual(Redacted.value(outcome.sessionKey), sampleKey)
      })
    )

    it.effect("is accepted with the spelling FunctionOK, any 2xx and any content type", () =>
      Effect.gen(function* () {
        for (const [body, init] of [
          [withResult({ FunctionOk: undefined, FunctionOK: true }), {}],
          [sample, { status: 201 }],
          [sample, { headers: { "content-type": "text/html" } }],
          [`\ufeff${sample}`, {}]
        ] as const) {
          assertOutcome(yield* authenticateOn(answering(body, init).client), { _tag: "accepted" })
        }
      })
    )

    it.scoped("is refused if AuthSuccess is false, with RespMsg for people", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.make()
        yield* emulator.addToken(account, goodToken)
        const bad = Redacted.make(badToken(1)) as Token
        const outcome = yield* authenticateOn(Emulator.httpClient(emulator, ip), attemptWith({ token: bad }))
        assertOutcome(outcome, { _tag: "refused" }, /Invalid Token/)
        assert.strictEqual(yield* emulator.countOf(ip), 1)
      })
    )

    it.scoped("is faulted if FunctionOk is false, with ErrMsg and ErrCode for people", () =>
      Effect.gen(function* () {
        const { outcome } = yield* onEmulator(Fault.FunctionNotOk(1234, "ERROR:1234:HIGH:Oops"))
        assertOutcome(outcome, { _tag: "faulted", errorCode: 1234 }, /ERROR:1234:HIGH:Oops.*1234/)
      })
    )

    it.effect("is faulted if FunctionOk is false, even if AuthSuccess is true", () =>
      Effect.gen(function* () {
        for (const body of [
          withResult({ FunctionOk: false }),
          withResult({ FunctionOk: undefined, FunctionOK: false })
        ]) {
          assertOutcome(yield* authenticateOn(answering(body).client), { _tag: "faulted", errorCode: 0 })
        }
      })
    )

    it.effect("is faulted by a status that is no success, whatever the body says", () =>
      Effect.gen(function* () {
        for (const status of [300, 302, 307, 400, 401, 403, 404, 429, 500, 502, 503, 504]) {
          for (const body of [sample, "", "null", "<html>", withResult({ AuthSuccess: false })]) {
            const headers = { location: "https://elsewhere.test/" }
            const outcome = yield* authenticateOn(answering(body, { status, headers }).client)
            assertOutcome(outcome, { _tag: "faulted" }, new RegExp(String(status)))
          }
        }
        assertOutcome(yield* authenticateOn(answering(null, { status: 304 }).client), { _tag: "faulted" })
      })
    )

    it.scoped("is faulted by a status, and keeps the ErrCode of a documented body", () =>
      Effect.gen(function* () {
        const { outcome } = yield* onEmulator(Fault.Status(500, withResult({ ErrCode: 77 })))
        assertOutcome(outcome, { _tag: "faulted", errorCode: 77 }, /500/)
      })
    )

    it.effect("is faulted by a body that is not of the documented form", () =>
      Effect.gen(function* () {
        const bodies = [
          "null",
          "",
          "Bad Request",
          '"Bad Request"',
          "<!doctype html><html><body>Sign in to the hotel's Wi-Fi</body></html>",
          sample.slice(0, -20),
          ...wire.malformed,
          "\u0000\u0001",
          "9".repeat(1000)
        ]
        for (const body of bodies) {
          const outcome = yield* authenticateOn(answering(body).client)
          assertOutcome(outcome, { _tag: "faulted", errorCode: null }, /documented form/)
        }
        assertOutcome(yield* authenticateOn(answering(null, { status: 204 }).client), { _tag: "faulted" })
      })
    )

    it.effect("is faulted by an answer that lacks FunctionOk, AuthSuccess or SessKey", () =>
      Effect.gen(function* () {
        for (const fields of [
          { SessKey: undefined },
          { SessKey: "" },
          { SessKey: null },
          { SessKey: "two words" },
          { FunctionOk: undefined },
          { FunctionOk: true, FunctionOK: false },
          { FunctionOk: false, FunctionOK: true },
          { AuthSuccess: undefined },
          { AuthSuccess: null },
          { AuthSuccess: wire.notBoolean }
        ]) {
          const outcome = yield* authenticateOn(answering(withResult(fields)).client)
          assertOutcome(outcome, { _tag: "faulted" }, /lacks/)
        }
      })
    )

    it.scoped("is faulted by an answer longer than 1 MiB, which is cut off, even if it says success", () =>
      Effect.gen(function* () {
        assertOutcome(
          (yield* onEmulator(Fault.HugeBody(longestAnswerBytes + 1))).outcome,
          {
            _tag: "faulted",
            errorCode: null
          },
          /1 MiB/
        )
        assertOutcome((yield* onEmulator(Fault.HugeBody(longestAnswerBytes))).outcome, {
          _tag: "faulted",
          errorCode: 9999
        })
        const fits = sample.padEnd(longestAnswerBytes, " ")
        assertOutcome(yield* authenticateOn(answering(fits).client), { _tag: "accepted" })
        assertOutcome(yield* authenticateOn(answering(`${fits} `).client), { _tag: "faulted" }, /1 MiB/)
      })
    )

    it.effect("is faulted by an answer without end, which is read no further than 1 MiB", () =>
      Effect.gen(function* () {
        let pulled = 0
        const endless = new ReadableStream<Uint8Array>({
          pull: (controller) => {
            pulled += 65_536
            controller.enqueue(new Uint8Array(65_536).fill(32))
          }
        })
        const outcome = yield* authenticateOn(answering(endless).client)
        assertOutcome(outcome, { _tag: "faulted" }, /1 MiB/)
        assert.isBelow(pulled, 2 * longestAnswerBytes)
      })
    )

    it.effect(
      "is locked out if IsLockedOut says so and there is no session, whatever else the answer says",
      () =>
        Effect.gen(function* () {
          const locked = { ThisUser: { IsLockedOut: true } }
          for (const [fields, status] of [
            [{ AuthSuccess: false }, 200],
            [{ FunctionOk: false }, 200],
            [{ SessKey: "" }, 200],
            [{}, 403],
            [{ AuthSuccess: false }, 500]
          ] as const) {
            const answer = answering(withResult({ ...locked, ...fields }), { status })
            assertOutcome(yield* authenticateOn(answer.client), { _tag: "lockedOut" }, /the IP is locked out/)
          }
          const accepted = answering(withResult(locked))
          assertOutcome(yield* authenticateOn(accepted.client), { _tag: "accepted", lockReported: true })
        })
    )

    it.effect("reads IsLockedOut as text and as a number, too", () =>
      Effect.gen(function* () {
        for (const IsLockedOut of [true, "true", "True", " TRUE ", "yes", "Y", "1", 1]) {
          const answer = answering(withResult({ AuthSuccess: false, ThisUser: { IsLockedOut } }))
          assertOutcome(yield* authenticateOn(answer.client), { _tag: "lockedOut" })
        }
        const others = [false, "false", "no", "0", 0, "", "perhaps", null, [], {}]
        for (const ThisUser of [...others.map((IsLockedOut) => ({ IsLockedOut })), null, [], {}]) {
          const answer = answering(withResult({ AuthSuccess: false, ThisUser }))
          assertOutcome(yield* authenticateOn(answer.client), { _tag: "refused" })
        }
      })
    )

    it.scoped("reports IsLockedOut from the backend's own answer to a locked IP", () =>
      Effect.gen(function* () {
        assertOutcome(
          (yield* onEmulator(Fault.ReportLock)).outcome,
          { _tag: "lockedOut" },
          /please contact support/
        )
      })
    )

    it.scoped("is lost if the connection broke before a whole answer came", () =>
      Effect.gen(function* () {
        for (const fault of [Fault.DropRequest, Fault.DropAnswer, Fault.CutBody]) {
          assertOutcome((yield* onEmulator(fault)).outcome, { _tag: "lost" }, /ECONNRESET|unknown/)
        }
      })
    )

    it.effect("is lost if its failure has no code, or none that proves that nothing was written", () =>
      Effect.gen(function* () {
        const code = (code: unknown, more: object = {}) =>
          Object.assign(new Error(goodToken), { code, ...more })
        const causes: ReadonlyArray<unknown> = [
          code("ECONNRESET"),
          code("EPIPE"),
          code("ETIMEDOUT"),
          code("ETIMEDOUT", { syscall: "read" }),
          code("EHOSTUNREACH", { syscall: "write" }),
          code("UND_ERR_SOCKET"),
          code("UND_ERR_HEADERS_TIMEOUT"),
          code("UND_ERR_BODY_TIMEOUT"),
          code("ERR_SSL_WRONG_VERSION_NUMBER"),
          code("EPROTO"),
          code("ERR_TLS_HANDSHAKE_TIMEOUT"),
          code("HPE_INVALID_CONSTANT"),
          code(7),
          code("ECONNRESET", { cause: code("ECONNREFUSED") }),
          code("ECONNREFUSED", { errors: [code("ECONNREFUSED"), code("ECONNRESET")] }),
          code("ECONNREFUSED", { errors: [code("ECONNREFUSED"), new Error("?")] }),
          Object.assign(new Error("AggregateError"), { errors: [] }),
          new TypeError("fetch failed"),
          undefined,
          null,
          goodToken,
          { cause: { cause: {} } }
        ]
        for (const cause of causes) {
          assertOutcome(yield* authenticateOn(failing(cause)), { _tag: "lost" })
        }
        const circular: { cause?: unknown } = {}
        circular.cause = circular
        assertOutcome(yield* authenticateOn(failing(circular)), { _tag: "lost" })
      })
    )

    it.effect("is lost if the connection breaks within an answer, even with the code ECONNREFUSED", () =>
      Effect.gen(function* () {
        const broken = new ReadableStream<Uint8Array>({
          pull: (controller) => controller.error(Object.assign(new Error(), { code: "ECONNREFUSED" }))
        })
        assertOutcome(yield* authenticateOn(answering(broken).client), { _tag: "lost" })
      })
    )

    it.scoped("is unsent if name look-up, connecting or TLS fails, or no request can be built", () =>
      Effect.gen(function* () {
        const code = (code: string, more: object = {}) =>
          Object.assign(new Error(goodToken), { code, ...more })
        const causes: ReadonlyArray<unknown> = [
          code("ENOTFOUND", { syscall: "getaddrinfo" }),
          code("EAI_AGAIN"),
          code("ECONNREFUSED", { syscall: "connect" }),
          code("ETIMEDOUT", { syscall: "connect" }),
          code("EHOSTUNREACH", { syscall: "connect" }),
          code("UND_ERR_CONNECT_TIMEOUT"),
          code("DEPTH_ZERO_SELF_SIGNED_CERT"),
          code("CERT_HAS_EXPIRED"),
          code("ERR_TLS_CERT_ALTNAME_INVALID"),
          Object.assign(new TypeError("fetch failed"), { cause: code("ECONNREFUSED") }),
          code("ECONNREFUSED", { errors: [code("ECONNREFUSED"), code("ETIMEDOUT", { syscall: "connect" })] })
        ]
        for (const cause of causes) {
          assertOutcome(yield* authenticateOn(failing(cause)), { _tag: "unsent" }, /could not be reached/)
        }
        for (const reason of ["Encode", "InvalidUrl"] as const) {
          assertOutcome(yield* authenticateOn(failing(undefined, reason)), { _tag: "unsent" })
        }
        const { emulator, outcome } = yield* onEmulator(Fault.Refuse)
        assertOutcome(outcome, { _tag: "unsent" }, /ECONNREFUSED/)
        assert.strictEqual(yield* emulator.requestsSeen, 0)
      })
    )

    it.effect("is faulted by a non-2xx status even if the body breaks off, and lost by a 2xx status", () =>
      Effect.gen(function* () {
        const broken = () =>
          new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("cut")) })
        assertOutcome(yield* authenticateOn(answering(broken(), { status: 500 }).client), { _tag: "faulted" })
        assertOutcome(yield* authenticateOn(answering(broken(), { status: 200 }).client), { _tag: "lost" })
      })
    )
  })

  describe(`the request of an attempt over ${wire.name}`, () => {
    const textOf = (body: HttpBody.HttpBody): string => {
      assert(body._tag === "Uint8Array")
      return new TextDecoder().decode(body.body)
    }

    it.effect("is the documented one, with account code and token in its body only", () =>
      Effect.gen(function* () {
        const { client, seen } = answering(sample)
        yield* authenticateOn(client)
        assert.lengthOf(seen, 1)
        const [request] = seen
        assert.strictEqual(request!.method, "POST")
        assert.strictEqual(request!.url, wire.url(baseUrl))
        assert.deepStrictEqual(Array.from(request!.urlParams), [])
        assert.deepInclude({ ...request!.headers }, wire.headers)
        assert.strictEqual(request!.body.contentType, wire.contentType)
        assert.strictEqual(textOf(request!.body), wire.body(account, goodToken))
        assert.notProperty(request!.headers, "sesskey")
        assert.notInclude(JSON.stringify([request!.url, request!.headers]), goodToken)
      })
    )

    it("shows no token when it is printed, as it is in the failure of a span", () => {
      const request = wire.request(baseUrl, attemptWith())
      assertShowsNone(request, goodToken)
      assertShowsNone(new HttpClientError.RequestError({ request, reason: "Transport" }), goodToken)
    })

    it("sends the token as it was given, in its own case", () => {
      const lower = Redacted.make(goodToken.toLowerCase()) as Token
      const request = wire.request(baseUrl, attemptWith({ token: lower }))
      assert.include(textOf(request.body), goodToken.toLowerCase())
    })

    it.effect("goes to the documented base URL by default", () =>
      Effect.gen(function* () {
        const { client, seen } = answering(sample)
        const context = yield* Layer.build(
          wire.layerDefault.pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
        )
        yield* Context.get(context, NumberTransport).authenticate(attemptWith())
        assert.strictEqual(seen[0]!.url, wire.defaultUrl)
      }).pipe(Effect.scoped)
    )

    it.effect("is not made for a malformed base URL, which is refused without being shown", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Layer.build(
            wire
              .layer(`https://user:${goodToken}@easypay5.com`)
              .pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, answering(sample).client)))
          )
        )
        assert.strictEqual(error._tag, "InvalidInput")
        assertShowsNone(error, goodToken)
      }).pipe(Effect.scoped)
    )
  })

  describe(`the permit of an attempt over ${wire.name}`, () => {
    it.scoped("is asked once, right before the request is written", () =>
      Effect.gen(function* () {
        const { permit, written } = yield* once
        const order: Array<string> = []
        const client = HttpClient.make((request) =>
          Effect.sync(() => {
            order.push("written")
            return HttpClientResponse.fromWeb(request, new Response(sample))
          })
        ).pipe(
          HttpClient.mapRequestEffect((request) =>
            Effect.as(
              Effect.sync(() => order.push("slow")),
              request
            )
          )
        )
        yield* authenticateOn(
          client,
          attemptWith({
            permit: Effect.zipRight(
              Effect.sync(() => order.push("permit")),
              permit
            )
          })
        )
        assert.deepStrictEqual(order, ["slow", "permit", "written"])
        assert.strictEqual(yield* Ref.get(written), 1)
      })
    )

    it.scoped(
      "prevents the write if it is denied: the attempt is unsent after its lease, and lost if written already",
      () =>
        Effect.gen(function* () {
          for (const [why, tag] of [
            ["leaseEnded", "unsent"],
            ["alreadyWritten", "lost"]
          ] as const) {
            const { emulator, outcome } = yield* onEmulator(
              Fault.Pass,
              attemptWith({ permit: new AttemptNotPermitted({ why }) })
            )
            assertOutcome(outcome, { _tag: tag })
            if ("detail" in outcome) assert.notMatch(outcome.detail, /\.$/)
            assert.strictEqual(yield* emulator.requestsSeen, 0)
          }
        })
    )

    const clients: ReadonlyArray<
      readonly [string, (client: HttpClient.HttpClient) => HttpClient.HttpClient]
    > = [
      ["HttpClient.retry", HttpClient.retry(Schedule.recurs(3)) as never],
      ["HttpClient.retryTransient", HttpClient.retryTransient({ times: 3, mode: "both" }) as never],
      [
        "filterStatusOk and retry",
        (client) => HttpClient.retry(HttpClient.filterStatusOk(client), { times: 3 })
      ]
    ]
    for (const [name, wrap] of clients) {
      it.scoped(`lets a client that retries write the request once (${name})`, () =>
        Effect.gen(function* () {
          for (const [fault, tags] of [
            [Fault.DropRequest, ["lost"]],
            [Fault.DropAnswer, ["lost"]],
            [Fault.Refuse, ["lost", "unsent"]],
            [Fault.CutBody, ["lost"]],
            [Fault.Status(503, ""), ["lost", "faulted"]],
            [Fault.Status(500, sample), ["lost", "faulted"]]
          ] as const) {
            const emulator = yield* Emulator.make()
            yield* emulator.addToken(account, badToken(9))
            yield* emulator.inject(fault, fault, fault, fault)
            const { permit } = yield* once
            const outcome = yield* authenticateOn(
              wrap(Emulator.httpClient(emulator, ip)),
              attemptWith({ permit })
            )
            assert.include(tags, outcome._tag, fault._tag)
            assert.strictEqual(yield* emulator.pendingFaults, 3, fault._tag)
            assert.isAtMost(yield* emulator.requestsSeen, 1, fault._tag)
          }
        })
      )
    }

    it.scoped("covers no redirect: the attempt is faulted, and no second request is sent", () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const client = HttpClient.make((request) =>
          Effect.sync(() => {
            seen.push(request.url)
            return HttpClientResponse.fromWeb(
              request,
              new Response("", { status: 307, headers: { location: "https://number.test/v2/Authenticate" } })
            )
          })
        )
        assertOutcome(yield* authenticateOn(client), { _tag: "faulted" }, /307/)
        assert.deepStrictEqual(seen, [wire.url(baseUrl)])
      })
    )
  })

  describe(`the detail of an outcome over ${wire.name}`, () => {
    it.effect(
      "never holds the token, even if the answer echoes it in any case, nor another token or a key",
      () =>
        Effect.gen(function* () {
          const echoes = [
            goodToken,
            goodToken.toLowerCase(),
            `x${goodToken}y`,
            `${goodToken}${goodToken}`,
            `Token=${goodToken}&key=${sampleKey}`,
            JSON.stringify({ Token: goodToken }),
            `${sampleKey.toLowerCase()}`,
            `${"long ".repeat(38)}${goodToken}`,
            guid(goodToken),
            guid(badToken(0xfedcba9876543)),
            `{${guid(goodToken).toLowerCase()}}`,
            `${goodToken.slice(0, 16)}\r\n${goodToken.slice(16)}`,
            Array.from(goodToken).join("\u200b")
          ]
          for (const echo of echoes) {
            for (const fields of [
              { FunctionOk: false, ErrMsg: echo },
              { AuthSuccess: false, RespMsg: echo }
            ]) {
              const outcome = yield* authenticateOn(answering(withResult(fields)).client)
              assertShowsNone(outcome, goodToken, sampleKey, goodToken.slice(4, 30), sampleKey.slice(4, 30))
              assertShowsNone(outcome, goodToken.slice(0, 8), goodToken.slice(-12), "EDCBA9876543")
            }
            for (const status of [200, 400, 500]) {
              const outcome = yield* authenticateOn(answering(echo, { status }).client)
              assertShowsNone(outcome, goodToken, sampleKey)
            }
          }
        })
    )

    it.effect("holds nothing that could forge a line of a log, and is short", () =>
      Effect.gen(function* () {
        const RespMsg = `bad\r\n2026-01-01 INFO all is well\u001b[2K\u202e${"x".repeat(5000)}`
        const outcome = yield* authenticateOn(answering(withResult({ AuthSuccess: false, RespMsg })).client)
        assert(outcome._tag === "refused")
        assert.notMatch(outcome.detail, /[\p{C}]/u)
        assert.isBelow(outcome.detail.length, 250)
      })
    )

    it.effect("says that no reason was given if the answer gives no text", () =>
      Effect.gen(function* () {
        for (const RespMsg of ["", null, undefined, wire.notText]) {
          const outcome = yield* authenticateOn(answering(withResult({ AuthSuccess: false, RespMsg })).client)
          assertOutcome(outcome, { _tag: "refused" }, /no reason given/)
        }
      })
    )
  })

  describe(`the classification of an answer over ${wire.name}`, () => {
    const tags = ["accepted", "refused", "faulted"]
    const check = (status: number, body: string | null) => {
      const outcome = wire.classify({ status, body }, token)
      assert.include(tags, outcome._tag)
      if (outcome._tag === "accepted") {
        assert.isTrue(status >= 200 && status < 300)
        assert.isNotEmpty(Redacted.value(outcome.sessionKey))
      }
      assert.notInclude(JSON.stringify(outcome).toLowerCase(), goodToken.toLowerCase())
      return outcome
    }
    const status = FastCheck.oneof(FastCheck.constant(200), FastCheck.integer({ min: 100, max: 599 }))

    it("takes any status and any text, and never throws", () => {
      FastCheck.assert(
        FastCheck.property(
          status,
          FastCheck.oneof(
            FastCheck.fullUnicodeString(),
            FastCheck.json(),
            FastCheck.constant(null),
            FastCheck.constantFrom("", "null", "Bad Request", sample)
          ),
          (code, body) => void check(code, body)
        ),
        { numRuns: 100, seed: 1 }
      )
    })

    it("takes the documented sample with any of its fields changed, and never throws", () => {
      const fields = Object.keys(JSON.parse(rest.sample).AuthenticateResult)
      const value = FastCheck.oneof(
        FastCheck.jsonValue(),
        FastCheck.constantFrom<unknown>(true, false, null, undefined, "", 5030, goodToken, {
          IsLockedOut: true
        })
      )
      FastCheck.assert(
        FastCheck.property(
          status,
          FastCheck.dictionary(FastCheck.constantFrom(...fields, "FunctionOK"), value),
          (code, changed) => {
            const outcome = check(code, withResult(changed))
            if (outcome._tag === "accepted") assert.isTrue(wire.saysAccepted(withResult(changed)))
          }
        ),
        { numRuns: 100, seed: 1 }
      )
    })

    it("takes the documented sample with any of its characters changed, and never throws", () => {
      FastCheck.assert(
        FastCheck.property(
          FastCheck.nat(sample.length),
          FastCheck.nat(20),
          FastCheck.string(),
          (from, length, text) => void check(200, sample.slice(0, from) + text + sample.slice(from + length))
        ),
        { numRuns: 100, seed: 1 }
      )
    })

    it("does not take another method's answer for a success", () => {
      const others = [
        fixture("method-refused-void.json"),
        soapResult("Transaction_Void", JSON.parse(rest.sample).AuthenticateResult),
        ...wires.filter((other) => other !== wire).map((other) => other.sample)
      ]
      for (const other of others) assert.strictEqual(check(200, other)._tag, "faulted")
    })
  })
}
