/**
 * NumberAuth from end to end with attempts over SOAP: they count, are stored and give notices as over REST.
 */
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Ref, TestClock } from "effect"
import type * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { observed } from "../../../support/observed.js"
import { badToken, baseUrl, goodToken, ip, makeWorld, start, type World } from "../../../support/stack.js"
import { soap, soapFault } from "../../../support/wires.js"

const clientOf = (world: World) => Emulator.httpClient(world.emulator, ip)
const startSoap = (world: World, options: Partial<NumberAuth.Options> = {}) =>
  start(world, options, clientOf(world), soap)

describe("NumberAuth over SOAP", () => {
  it.scoped("logs in with one attempt for all callers, over SOAP alone", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const urls: Array<string> = []
      const client = HttpClient.tapRequest(clientOf(world), (request) =>
        Effect.sync(() => urls.push(request.url))
      )
      const auth = yield* start(world, {}, client, soap)
      const keys = yield* Effect.replicateEffect(auth.sessionKey, 20, { concurrency: "unbounded" })
      assert.strictEqual(new Set(keys.map(Redacted.value)).size, 1)
      assert.deepStrictEqual(urls, [soap.url(baseUrl)])
      assert.deepStrictEqual(
        (yield* world.emulator.log).map(({ outcome }) => outcome),
        ["accepted"]
      )
      const status = yield* auth.status
      assert.strictEqual(status.state, "authenticated")
      assert.strictEqual(status.failures, 0)
    })
  )

  it.scoped("renews after 5030, also for a call that goes over REST", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* startSoap(world)
      const before = Redacted.value(yield* auth.sessionKey)
      yield* world.emulator.expireSessions()
      const response = yield* auth.httpClient.execute(
        HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ n: 1 }))
      )
      const answer = (yield* response.json) as { readonly EchoResult: object }
      assert.deepInclude(answer.EchoResult, { FunctionOk: true, Echo: { n: 1 } })
      assert.strictEqual(yield* world.emulator.executionsOf({ n: 1 }), 1)
      assert.lengthOf(yield* world.emulator.log, 2)
      assert.notStrictEqual(Redacted.value(yield* auth.sessionKey), before)
    })
  )

  it.scoped("aborts on a bad token with one attempt, however often it is asked and started again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      for (let n = 0; n < 10; n++) {
        const auth = yield* startSoap(world)
        const error = yield* Effect.flip(auth.sessionKey)
        assert(error._tag === "AuthAborted")
        assert.strictEqual(error.abort.reason, "refused")
        assert.match(error.message, /Invalid Token/)
      }
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.strictEqual(yield* world.emulator.countOf(ip), 1)
      yield* Ref.set(world.token, goodToken)
      const auth = yield* startSoap(world)
      yield* auth.replaceCredentials(goodToken)
      yield* auth.sessionKey
      assert.strictEqual(yield* world.emulator.countOf(ip), 0)
    })
  )

  it.scoped("aborts after every failure, and stops itself at five, whatever operators do", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const faults = [
        Fault.Status(500, soapFault("The server was unable to process the request")),
        Fault.Body(soapFault("with status 200")),
        Fault.Body("<s:Envelope"),
        Fault.FunctionNotOk(1, "no"),
        Fault.DropAnswer,
        Fault.CutBody,
        Fault.Status(503, "<html>"),
        Fault.Body(`<!DOCTYPE x [<!ENTITY x "y">]>${soap.sample}`)
      ]
      // No attempt succeeds: the token is bad, also if the answer is dropped.
      yield* Ref.set(world.token, badToken(7))
      yield* world.emulator.inject(...faults)
      for (let n = 0; n < 20; n++) {
        const auth = yield* startSoap(world)
        yield* Effect.flip(auth.sessionKey)
        yield* Effect.ignore(auth.resume)
        yield* Effect.ignore(auth.replaceCredentials(badToken(100 + n)))
        yield* TestClock.adjust("10 minutes")
      }
      assert.strictEqual(yield* world.emulator.peak, 5)
      assert.lengthOf(yield* world.emulator.log, 5)
      assert.isFalse(yield* world.emulator.isLocked(ip))
      const auth = yield* startSoap(world)
      assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthLocked")
      assert.strictEqual((yield* auth.status).failures, 5)
    })
  )

  it.scoped("is locked if Number reports the lock", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.ReportLock)
      const auth = yield* startSoap(world)
      yield* Effect.flip(auth.sessionKey)
      assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthLocked")
      assert.strictEqual(yield* world.emulator.requestsSeen, 1)
    })
  )

  it.scoped("gives up an attempt that gets no answer as lost", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.StallAnswer)
      const auth = yield* startSoap(world)
      const waiting = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("31 seconds")
      const error = yield* waiting
      assert(error._tag === "AuthAborted")
      assert.strictEqual(error.abort.reason, "lost")
      assert.strictEqual((yield* auth.status).failures, 1)
    })
  )

  it.scoped("shows neither token nor key in errors, notices, spans or logs, however an attempt ends", () =>
    Effect.gen(function* () {
      const keys: Array<string> = []
      for (const fault of [
        Fault.Pass,
        Fault.Status(500, soapFault(`${goodToken} ${goodToken.toLowerCase()}`)),
        Fault.Body(goodToken),
        Fault.Body(`<Envelope><Body>${goodToken}`),
        Fault.FunctionNotOk(1, `token ${goodToken}`),
        Fault.Body(soap.withResult({ AuthSuccess: false, RespMsg: `no ${goodToken}` })),
        Fault.DropAnswer,
        Fault.CutBody,
        Fault.Refuse
      ]) {
        const world = yield* makeWorld()
        yield* world.emulator.inject(fault)
        const client = clientOf(world).pipe(
          HttpClient.tapRequest((request) => Effect.logDebug("sending", request)),
          HttpClient.tapError((error) => Effect.logError(error))
        )
        const [exit, output] = yield* observed(
          Effect.gen(function* () {
            const auth = yield* start(world, {}, client, soap)
            const result = yield* Effect.either(auth.sessionKey)
            if (result._tag === "Right") keys.push(Redacted.value(result.right))
            yield* Effect.logError("it ended", result)
            return [result, yield* auth.status, yield* Ref.get(world.notices), auth]
          }).pipe(Effect.withSpan("the caller"))
        )
        assert(exit._tag === "Success")
        for (const value of exit.value) assertShowsNone(value, goodToken, ...keys)
        assert.include(output.names, "http.client POST")
        assert.isTrue(output.logs.some((text) => text.includes("soapaction")))
        for (const text of [...output.spans, ...output.logs]) {
          for (const secret of [goodToken, ...keys]) {
            assert.isFalse(text.toLowerCase().includes(secret.toLowerCase()), text.slice(0, 2000))
          }
        }
      }
      assert.lengthOf(keys, 1)
    })
  )
})
