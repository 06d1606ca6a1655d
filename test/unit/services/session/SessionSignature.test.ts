import { createHmac } from "node:crypto"
import { inspect } from "node:util"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Fiber, Layer, Redacted, TestClock, TestServices } from "effect"
import type { SessionKey } from "../../../../src/schemas/Credentials.js"
import * as SessionSignature from "../../../../src/services/session/SessionSignature.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { accountOf, makeCrowd, startCrowd } from "../../../support/accounts.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { observed } from "../../../support/observed.js"
import { account, goodToken, ip, makeWorld, start } from "../../../support/stack.js"

/** The documented sample. */
const secret = "7D55DBB3D691C9E0FDF341E4AB38C3C9"
const deviceId = "123"
const epoch = 1702565789
const sampleKey = Redacted.make("9B9175EF556E4DDA93303132323141303035383339") as SessionKey
const sample =
  "9B9175EF556E4DDA93303132323141303035383339_1702565789_123_1BD0C45A1DCBC7F9D0730FDD6222A45E10FCC7D9E84557499B812B138D0B7149"

const options = { secret: Redacted.make(secret), deviceId }

/** The header that Number would compute. */
const expected = (key: string, at: number): string => {
  const text = `${key}_${at}_${deviceId}`
  return `${text}_${createHmac("sha256", secret).update(text, "ascii").digest("hex").toUpperCase()}`
}

const echo = (n: unknown) => HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ n }))

/** Notes the session key header of every call that carries one. */
const noting = (client: HttpClient.HttpClient) => {
  const headers: Array<string> = []
  const noted = HttpClient.tapRequest(client, (request) =>
    Effect.sync(() => {
      if (!request.url.endsWith("/Authenticate")) headers.push(request.headers["sesskey"] ?? "none")
    })
  )
  return { noted, headers }
}

describe("SessionSignature", () => {
  it.effect("signs the documented sample as documented", () =>
    Effect.gen(function* () {
      const { sign } = yield* SessionSignature.make(options)
      yield* TestClock.setTime(epoch * 1000 + 999)
      assert.strictEqual(Redacted.value(yield* sign(sampleKey)), sample)
    })
  )

  it.effect("signs each time under the clock's second", () =>
    Effect.gen(function* () {
      const { sign } = yield* SessionSignature.make(options)
      yield* TestClock.setTime(epoch * 1000)
      yield* TestClock.adjust("90 seconds")
      const signed = Redacted.value(yield* sign(sampleKey))
      assert.strictEqual(signed, expected(Redacted.value(sampleKey), epoch + 90))
    })
  )

  it.effect("refuses values that do not fit into the header, and does not show them", () =>
    Effect.gen(function* () {
      for (const wrong of ["", " ", "a_b", "a b", "a\r\nX-Evil: 1", "a\u0000", "\u00e9", "x".repeat(129)]) {
        const error = yield* Effect.flip(SessionSignature.make({ ...options, deviceId: wrong }))
        assert.strictEqual(error._tag, "InvalidInput")
        assert.strictEqual(error.field, "device id")
      }
      for (const wrong of ["", "  ", "s\u00e9cret-secret", "two secrets"]) {
        const error = yield* Effect.flip(SessionSignature.make({ ...options, secret: Redacted.make(wrong) }))
        assert.strictEqual(error.field, "HMAC secret")
        if (wrong.trim() !== "") assertShowsNone(error, wrong)
      }
      yield* SessionSignature.make({ ...options, deviceId: "till-7@shop.example" })
    })
  )

  it.effect("reads NUMBER_HMAC_SECRET and NUMBER_DEVICE_ID", () =>
    Effect.gen(function* () {
      const build = (values: ReadonlyArray<readonly [string, string]>) =>
        Effect.provide(SessionSignature.SessionSignature, SessionSignature.layerConfig()).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(values)))
        )
      const both = [
        ["NUMBER_HMAC_SECRET", `${secret}\n`],
        ["NUMBER_DEVICE_ID", deviceId]
      ] as const
      yield* TestClock.setTime(epoch * 1000)
      const { sign } = yield* build(both)
      assert.strictEqual(Redacted.value(yield* sign(sampleKey)), sample)
      for (const left of both) {
        const error = yield* Effect.flip(build([left]))
        assert.include(inspect(error), left === both[0] ? "NUMBER_DEVICE_ID" : "NUMBER_HMAC_SECRET")
        assertShowsNone(error, secret)
      }
    })
  )
})

describe("NumberAuth.httpClientWith a signature", () => {
  it.scoped("sends the signed key, and leaves httpClient unsigned", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(epoch * 1000)
      const world = yield* makeWorld()
      const { headers, noted } = noting(Emulator.httpClient(world.emulator, ip))
      const auth = yield* start(world, {}, noted)
      const signature = yield* SessionSignature.make(options)
      const response = yield* auth.httpClientWith({ signature }).execute(echo(1))
      assert.deepInclude(yield* response.json, {
        EchoResult: {
          FunctionOk: true,
          ErrCode: 0,
          ErrMsg: "",
          RespMsg: "",
          Echo: { n: 1 },
          AcctCode: account
        }
      })
      yield* auth.httpClient.execute(echo(2))
      const key = Redacted.value(yield* auth.sessionKey)
      assert.deepStrictEqual(headers, [expected(key, epoch), key])
    })
  )

  it.scoped("signs each request anew, and after a renewal the replay too, under the new key and epoch", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(epoch * 1000)
      const world = yield* makeWorld()
      const { headers, noted } = noting(Emulator.httpClient(world.emulator, ip))
      const auth = yield* start(world, {}, noted)
      const client = auth.httpClientWith({ signature: yield* SessionSignature.make(options) })
      const first = Redacted.value(yield* auth.sessionKey)
      yield* client.execute(echo(1))
      yield* TestClock.adjust("5 seconds")
      yield* client.execute(echo(2))
      yield* world.emulator.expireSessions()
      // The renewal takes 7 seconds, and the replay is as late.
      yield* world.emulator.inject(Fault.DelayAnswer("7 seconds"))
      const calling = yield* Effect.fork(client.execute(echo(3)))
      // Signing takes real time, which the test clock does not count: wait until the renewal has begun.
      yield* TestServices.provideLive(Effect.sleep("5 millis")).pipe(
        Effect.zipRight(world.emulator.pendingFaults),
        Effect.repeat({ until: (pending) => pending === 0 })
      )
      yield* TestClock.adjust("7 seconds")
      yield* Fiber.join(calling)
      const second = Redacted.value(yield* auth.sessionKey)
      assert.notStrictEqual(second, first)
      assert.deepStrictEqual(headers, [
        expected(first, epoch),
        expected(first, epoch + 5),
        expected(first, epoch + 5),
        expected(second, epoch + 12)
      ])
      assert.strictEqual(yield* world.emulator.executionsOf({ n: 3 }), 1)
    })
  )

  it.scoped("works with each account of NumberAccounts", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(epoch * 1000)
      const crowd = yield* makeCrowd(2)
      const { headers, noted } = noting(crowd.client)
      const accounts = yield* startCrowd({ ...crowd, client: noted })
      const signature = yield* SessionSignature.make(options)
      for (const n of [0, 1]) {
        const auth = yield* accounts.get(accountOf(n))
        yield* auth.httpClientWith({ signature }).execute(echo(n))
        const key = Redacted.value(yield* accounts.sessionKey(accountOf(n)))
        assert.strictEqual(headers[n], expected(key, epoch))
      }
    })
  )

  it.scoped("shows neither the key, nor the hash, nor the secret", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { headers, noted } = noting(Emulator.httpClient(world.emulator, ip))
      const client = noted.pipe(
        HttpClient.tapRequest((request) => Effect.logDebug("sending", request)),
        HttpClient.tapError((error) => Effect.logError(error))
      )
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          const auth = yield* start(world, {}, client)
          const context = yield* Layer.build(SessionSignature.layer(options))
          const signature = Context.get(context, SessionSignature.SessionSignature)
          const signed = auth.httpClientWith({ signature })
          const results: Array<unknown> = [signature, auth, yield* signed.execute(echo(1))]
          for (const fault of [
            Fault.DropRequest,
            Fault.Refuse,
            Fault.CutBody,
            Fault.Body('{"EchoResult":{"FunctionOk":false,"ErrCode":5030}}'),
            Fault.Status(500, "<html>")
          ]) {
            yield* world.emulator.injectMethod(fault)
            results.push(yield* Effect.either(signed.execute(echo(2))))
          }
          results.push(yield* signature.sign(sampleKey))
          yield* Effect.forEach(results, (result) => Effect.logError(result))
          return results
        })
      )
      assert(exit._tag === "Success")
      assert.isAtLeast(headers.length, 7)
      const secrets = [secret, goodToken, Redacted.value(sampleKey)].concat(
        headers.flatMap((header) => [header.split("_")[0]!, header.split("_")[3]!])
      )
      for (const value of exit.value) assertShowsNone(value, ...secrets)
      assert.isTrue(output.spans.some((text) => text.includes("sesskey")))
      for (const text of [...output.spans, ...output.logs]) {
        for (const each of secrets) assert.notInclude(text.toLowerCase(), each.toLowerCase())
      }
    })
  )
})

describe("NumberAuth.httpClientWith a time-out", () => {
  it.scoped("gives up a sending that takes longer, and does not repeat it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const client = auth.httpClientWith({ timeout: "10 seconds" })
      yield* auth.sessionKey
      yield* world.emulator.injectMethod(Fault.StallAnswer)
      const calling = yield* Effect.fork(Effect.flip(client.execute(echo(1))))
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual((yield* Fiber.poll(calling))._tag, "None")
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(calling)
      assert(error._tag === "RequestError")
      assert.strictEqual(error.reason, "Transport")
      assert.include(error.message, "no answer came within 10s")
      assert.strictEqual(yield* world.emulator.executionsOf({ n: 1 }), 1)
      // httpClient has no time-out of its own.
      yield* world.emulator.injectMethod(Fault.DelayAnswer("1 day"))
      const patient = yield* Effect.fork(auth.httpClient.execute(echo(2)))
      yield* TestClock.adjust("1 day")
      assert.strictEqual((yield* Fiber.join(patient)).status, 200)
    })
  )

  it.scoped("does not count the wait for a session", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* world.emulator.inject(Fault.DelayAnswer("20 seconds"))
      const calling = yield* Effect.fork(auth.httpClientWith({ timeout: "10 seconds" }).execute(echo(1)))
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(calling)).status, 200)
    })
  )
})
