/**
 * Neither the token nor the session key gets into an error, a notice, a span or the log.
 */
import { HttpClient, HttpClientError, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Data, Effect, Layer, Redacted, Ref, Schema, TestClock } from "effect"
import { AttemptOutcome } from "../../../../src/schemas/AttemptOutcome.js"
import { type AccountCode, Location } from "../../../../src/schemas/Credentials.js"
import { layerLog } from "../../../../src/services/session/AuthNotifier.js"
import { CredentialProvider } from "../../../../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import * as NumberClient from "../../../../src/services/calls/NumberClient.js"
import { NumberTransport } from "../../../../src/services/wire/NumberTransport.js"
import * as SoapClient from "../../../../src/services/calls/SoapClient.js"
import { SessionRefused } from "../../../../src/services/session/SessionRefusal.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { observed } from "../../../support/observed.js"
import {
  account,
  badToken,
  baseUrl,
  environment,
  goodToken,
  ip,
  makeWorld,
  start
} from "../../../support/stack.js"
import { wires } from "../../../support/wires.js"

/** Every answer echoes the token that was sent, as a careless backend might. */
const echoing = (token: string): ReadonlyArray<Emulator.Fault> => [
  Fault.Status(500, `<html>${token}</html>`),
  Fault.Status(400, token.toLowerCase()),
  Fault.Body(token),
  Fault.FunctionNotOk(1, `token ${token} ${token.toLowerCase()}`),
  Fault.Body(
    JSON.stringify({ AuthenticateResult: { FunctionOk: true, AuthSuccess: false, RespMsg: `no ${token}` } })
  ),
  Fault.DropRequest,
  Fault.DropAnswer,
  Fault.CutBody,
  Fault.Refuse,
  Fault.HugeBody(1_048_577),
  Fault.ReportLock
]

describe("NumberAuth", () => {
  it.scoped("shows the token in no error, notice, status, span or log, however an attempt ends", () =>
    Effect.gen(function* () {
      for (const fault of echoing(goodToken)) {
        const world = yield* makeWorld()
        yield* world.emulator.inject(fault)
        const [exit, output] = yield* observed(
          Effect.gen(function* () {
            const auth = yield* start(world)
            const error = yield* Effect.flip(auth.sessionKey)
            yield* Effect.logError("it failed", error)
            yield* Effect.logTrace(yield* auth.status, yield* Ref.get(world.notices))
            yield* Effect.ignoreLogged(auth.resume)
            yield* Effect.ignoreLogged(auth.confirmLockLifted)
            yield* Effect.ignoreLogged(auth.replaceCredentials(goodToken))
            yield* Effect.ignoreLogged(auth.replaceCredentials(`${goodToken}00`))
            return [error, yield* auth.status, yield* Ref.get(world.notices), auth]
          }).pipe(Effect.withSpan("the caller"))
        )
        assert.strictEqual(exit._tag, "Success")
        assertShowsNone(exit, goodToken)
        if (exit._tag === "Success") for (const value of exit.value) assertShowsNone(value, goodToken)
        assert.include(output.names, "http.client POST")
        assert.isAbove(output.logs.length, 0)
        for (const text of [...output.spans, ...output.logs]) {
          assert.notInclude(text.toLowerCase(), goodToken.toLowerCase())
        }
      }
    })
  )

  it.scoped(
    "shows the token nowhere, even if a transport of the user's puts it into its outcome or throws it",
    () =>
      Effect.gen(function* () {
        const forms = [goodToken, goodToken.toLowerCase(), goodToken.replace(/(.{8})/g, "$1-")]
        const details = forms.map((form) => `POST {"Token":"${form}"} failed`)
        const outcomes = details.flatMap((detail): ReadonlyArray<Effect.Effect<AttemptOutcome>> => [
          Effect.succeed(AttemptOutcome.refused({ detail })),
          Effect.succeed(AttemptOutcome.faulted({ detail, errorCode: null })),
          Effect.succeed(AttemptOutcome.lost({ detail })),
          Effect.succeed(AttemptOutcome.unsent({ detail })),
          Effect.die(new Error(detail)),
          Effect.fail(new Error(detail)) as never,
          Effect.suspend(() => {
            throw new Error(detail)
          })
        ])
        for (const outcome of outcomes) {
          const world = yield* makeWorld()
          const authenticate: NumberTransport["Type"]["authenticate"] = ({ permit }) =>
            Effect.zipRight(Effect.ignore(permit), outcome)
          const wire = { layer: () => Layer.succeed(NumberTransport, { authenticate }) }
          const [exit, output] = yield* observed(
            Effect.gen(function* () {
              const auth = yield* start(world, {}, undefined, wire)
              const error = yield* Effect.flip(auth.sessionKey)
              yield* Effect.logError("it failed", error)
              const key = { location: Location.make("default"), account: account as AccountCode }
              return [error, yield* auth.status, yield* Ref.get(world.notices), yield* world.store.read(key)]
            })
          )
          assert(exit._tag === "Success")
          assert.include(output.names, "NumberAuth.attempt")
          for (const form of forms) {
            for (const value of exit.value) assertShowsNone(value, form)
            for (const text of [...output.spans, ...output.logs]) {
              assert.notInclude(text.toLowerCase(), form.toLowerCase())
            }
          }
        }
      })
  )

  it.scoped("shows the session key in no error, status, span or log, whatever becomes of a request", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const keys: Array<string> = []
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          const auth = yield* start(world)
          const note = Effect.map(auth.sessionKey, (key) => keys.push(Redacted.value(key)))
          yield* note
          const results: Array<unknown> = [auth, yield* auth.sessionKey, yield* auth.status]
          const execute = auth.httpClient.execute(
            HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ n: 1 }))
          )
          results.push(yield* execute)
          for (const fault of [
            Fault.DropRequest,
            Fault.DropAnswer,
            Fault.CutBody,
            Fault.Refuse,
            Fault.Status(500, "<html>"),
            Fault.Body("{"),
            Fault.Body('{"EchoResult":{"FunctionOk":false,"ErrCode":5030}}')
          ]) {
            yield* world.emulator.injectMethod(fault)
            results.push(yield* Effect.either(execute.pipe(Effect.flatMap((response) => response.json))))
            yield* note
          }
          results.push(yield* Effect.either(auth.httpClient.get("https://evil.test/")))
          results.push(
            yield* Effect.either(
              auth
                .withSession(() => Effect.fail(new SessionRefused({ code: 5030 })))
                .pipe(Effect.withSpan("mine"))
            )
          )
          yield* note
          yield* Effect.logTrace("results", results)
          yield* Effect.forEach(results, (result) => Effect.logError(result))
          return results
        })
      )
      assert(exit._tag === "Success")
      assert.isAtLeast(new Set(keys).size, 3)
      for (const value of exit.value) assertShowsNone(value, ...keys, goodToken)
      assert.include(output.names, "http.client POST")
      assert.include(output.names, "NumberAuth.withSession")
      assert.include(output.spans, `NumberAuth.withSession account ${account}`)
      assert.include(output.spans, "NumberAuth.withSession location default")
      assert.isTrue(
        output.spans.some((text) => text.includes("sesskey")),
        "the header is there, redacted"
      )
      for (const text of [...output.spans, ...output.logs]) {
        for (const secret of [...keys, goodToken]) assert.notInclude(text.toLowerCase(), secret.toLowerCase())
      }
    })
  )

  it.scoped("shows neither secret, even if a client of the user's logs each request", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const client = Emulator.httpClient(world.emulator, ip).pipe(
        HttpClient.tapRequest((request) => Effect.logDebug("sending", request)),
        HttpClient.tapError((error) => Effect.logError(error))
      )
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          yield* world.emulator.injectMethod(Fault.DropRequest)
          const auth = yield* start(world, {}, client)
          yield* Effect.ignore(auth.httpClient.get("/Echo"))
          return Redacted.value(yield* auth.sessionKey)
        })
      )
      assert(exit._tag === "Success")
      assert.isTrue(output.logs.some((text) => text.includes("/Authenticate")))
      for (const text of output.logs) {
        for (const secret of [exit.value, goodToken])
          assert.notInclude(text.toLowerCase(), secret.toLowerCase())
      }
    })
  )

  for (const wire of wires) {
    it.scoped(
      `shows no secret in the client's spans: neither in their ends nor in headers that echo it (${wire.name})`,
      () =>
        Effect.gen(function* () {
          const world = yield* makeWorld()
          let key = ""
          const inner = Emulator.httpClient(world.emulator, ip)
          /** The answer to an attempt echoes the token that was sent, and every answer the key. */
          const client = HttpClient.make((request) =>
            Effect.gen(function* () {
              const answer = yield* inner.execute(request)
              const text = yield* answer.text
              const token = key === "" ? goodToken : ""
              key ||= /[0-9A-F]{42}/.exec(text)?.[0] ?? ""
              return HttpClientResponse.fromWeb(
                request,
                new Response(text, {
                  status: answer.status,
                  headers: {
                    "content-type": answer.headers["content-type"]!,
                    "x-echo": `${token} ${key.toLowerCase()}`
                  }
                })
              )
            }).pipe(Effect.withTracerEnabled(false))
          )
          const [exit, output] = yield* observed(
            Effect.gen(function* () {
              const auth = yield* start(world, {}, client, wire)
              yield* auth.sessionKey
              const soap = yield* SoapClient.make({ endpoint: wires[1]!.url("https://number.test") }).pipe(
                Effect.provideService(NumberAuth.NumberAuth, auth),
                Effect.provideService(HttpClient.HttpClient, client)
              )
              const calls = Effect.zip(
                Effect.either(auth.httpClient.execute(HttpClientRequest.post("/Echo"))),
                Effect.either(soap.method("Echo", {}, Schema.Unknown))
              )
              const results = [yield* calls]
              for (const fault of [Fault.DropRequest, Fault.DropAnswer, Fault.CutBody, Fault.Refuse]) {
                yield* world.emulator.injectMethod(fault, fault)
                results.push(yield* calls)
              }
              return results
            })
          )
          assert(exit._tag === "Success")
          assert.lengthOf(key, 42)
          const ends = output.exits.get("http.client POST")!
          assert.lengthOf(ends, 11)
          assert.deepStrictEqual(
            ends.map(({ _tag }) => _tag),
            [...Array<"Success">(3).fill("Success"), ...Array<"Failure">(8).fill("Failure")]
          )
          for (const end of ends) assertShowsNone(end, key, goodToken)
          assert.isTrue(output.spans.some((text) => text.includes("x-echo <redacted>")))
          for (const text of output.spans) {
            for (const secret of [key, goodToken]) assert.notInclude(text.toLowerCase(), secret.toLowerCase())
          }
          // The headers are unchanged; printed, they show no key.
          const [response] = exit.value[0]!
          assert(response._tag === "Right")
          assert.include(response.right.headers["x-echo"], key.toLowerCase())
          assertShowsNone(response, key)
        })
    )
  }

  it.scoped("logs notices with layerLog, and no secret", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [, output] = yield* observed(
        Effect.gen(function* () {
          yield* world.emulator.inject(...echoing(goodToken).slice(0, 5), Fault.ReportLock)
          const context = yield* Layer.build(
            NumberAuth.layer({ account, baseUrl }).pipe(
              Layer.provide(layerLog),
              Layer.provide(environment(world)),
              Layer.orDie
            )
          )
          const auth = context.unsafeMap.get(NumberAuth.NumberAuth.key) as NumberAuth.NumberAuth["Type"]
          for (let n = 0; n < 8; n++) {
            yield* Effect.ignore(auth.sessionKey)
            yield* Effect.ignore(auth.resume)
          }
          yield* TestClock.adjust("1 second")
        })
      )
      assert.isTrue(output.logs.some((text) => text.includes("was aborted")))
      assert.isTrue(output.logs.some((text) => text.includes("has reached the limit")))
      for (const text of output.logs) assert.notInclude(text.toLowerCase(), goodToken.toLowerCase())
    })
  )

  it.scoped("keeps the token off every span if a transport throws it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          const context = yield* Layer.build(
            NumberAuth.layer({ account, baseUrl }).pipe(
              Layer.provide(
                Layer.succeed(NumberTransport, {
                  authenticate: ({ token }) => Effect.die(new Error(`no ${Redacted.value(token)}`))
                })
              ),
              Layer.provide(environment(world)),
              Layer.orDie
            )
          )
          return yield* Effect.flip(Context.get(context, NumberAuth.NumberAuth).sessionKey)
        })
      )
      assert(exit._tag === "Success" && exit.value._tag === "AuthAborted")
      assert.strictEqual(exit.value.abort.detail, "the transport failed")
      assert.include(output.names, "NumberAuth.attempt")
      for (const attribute of [`account ${account}`, "location default"]) {
        assert.include(output.spans, `NumberAuth.attempt ${attribute}`)
      }
      assertShowsNone(exit.value, goodToken)
      for (const text of [...output.spans, ...output.logs]) assert.notInclude(text, goodToken)
    })
  )

  it.scoped(
    "passes a provider's error that holds the token on to the caller, and shows it on no span and in no log",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const oops = Effect.die(new RangeError(`no ${goodToken}`))
        const [exit, output] = yield* observed(
          Effect.gen(function* () {
            const context = yield* Layer.build(
              NumberAuth.layer({ account, baseUrl }).pipe(
                Layer.provide(Layer.succeed(CredentialProvider, { get: () => oops, put: () => oops })),
                Layer.provide(environment(world)),
                Layer.orDie
              )
            )
            const auth = Context.get(context, NumberAuth.NumberAuth)
            return [
              yield* Effect.exit(auth.sessionKey),
              yield* Effect.exit(auth.replaceCredentials(badToken(1)))
            ]
          })
        )
        assert(exit._tag === "Success")
        for (const end of exit.value) {
          const cause: Cause.Cause<unknown> = end._tag === "Failure" ? end.cause : Cause.empty
          assert.include(Cause.pretty(cause), goodToken)
        }
        assert.isTrue(
          output.spans.some((text) => text.includes("An error from code outside this library (RangeError)"))
        )
        for (const text of [...output.spans, ...output.logs]) assert.notInclude(text, goodToken)
        for (const ends of output.exits.values()) for (const end of ends) assertShowsNone(end, goodToken)
      })
  )

  it.scoped("passes an error of a caller's code on to the caller, and puts only its kind on our span", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      class Mine extends Data.TaggedError("Mine")<{ readonly header: string }> {}
      let key = ""
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          const throwing = HttpClient.make((request) =>
            request.url.endsWith("/Authenticate")
              ? Emulator.httpClient(world.emulator, ip).execute(request)
              : Effect.die(new Error(JSON.stringify(request)))
          )
          const auth = yield* start(world, {}, throwing)
          key = Redacted.value(yield* auth.sessionKey)
          const failed = yield* Effect.flip(auth.withSession(() => new Mine({ header: key })))
          assert(failed._tag === "Mine")
          assert.strictEqual(failed.header, key)
          const died = yield* Effect.exit(auth.withSession(() => Effect.die(new Error(key))))
          assert.include(Cause.pretty(died._tag === "Failure" ? died.cause : Cause.empty), key)
          const echo = NumberClient.method("Echo", Schema.Struct({}), Schema.Struct({}))
          const thrown = yield* Effect.exit(Effect.provideService(echo({}), NumberAuth.NumberAuth, auth))
          assert.include(Cause.pretty(thrown._tag === "Failure" ? thrown.cause : Cause.empty), key)
          // Errors of ours are shown as they are.
          yield* Effect.exit(auth.withSession(() => new SessionRefused({ code: 5030 })))
        })
      )
      if (exit._tag === "Failure") throw Cause.squash(exit.cause)
      const spans = output.spans.join("\n")
      for (const shown of ["outside this library (Mine)", "outside this library (Error)", "5030"])
        assert.include(spans, shown)
      for (const text of [...output.spans, ...output.logs]) assert.notInclude(text, key)
      assert.lengthOf(output.exits.get("NumberAuth.withSession")!, 3)
      assert.lengthOf(output.exits.get("NumberClient.Echo")!, 1)
      for (const ends of output.exits.values()) for (const end of ends) assertShowsNone(end, key)
    })
  )

  it.scoped("keeps the token out of the log if a notifier throws it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(10))
      const [, output] = yield* observed(
        Effect.gen(function* () {
          const auth = yield* start({
            ...world,
            notices: new Proxy(world.notices, {
              get: () => {
                throw new Error(badToken(10))
              }
            })
          })
          yield* Effect.ignore(auth.sessionKey)
          yield* TestClock.adjust("1 second")
        })
      )
      assert.isTrue(output.logs.some((text) => text.includes("The notifier failed")))
      for (const text of output.logs) assert.notInclude(text, badToken(10))
    })
  )

  it("cannot keep a RequestError of @effect/platform, which shows the headers of its request", () => {
    const request = HttpClientRequest.setHeader(HttpClientRequest.get("/"), "sesskey", goodToken)
    // The platform does this by itself, so no error of ours keeps such an error as its cause.
    assert.include(
      JSON.stringify(new HttpClientError.RequestError({ request, reason: "Transport" })),
      goodToken
    )
  })
})
