import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Duration,
  Effect,
  Either,
  Fiber,
  Logger,
  LogLevel,
  Redacted,
  Schedule,
  Schema,
  TestClock
} from "effect"
import { readFileSync } from "node:fs"
import { NumberAuth } from "../../../../src/services/session/NumberAuth.js"
import * as NumberClient from "../../../../src/services/calls/NumberClient.js"
import * as SessionSignature from "../../../../src/services/session/SessionSignature.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { accountOf, makeCrowd, startCrowd } from "../../../support/accounts.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { logged } from "../../../support/logged.js"
import { observed } from "../../../support/observed.js"
import { account, baseUrl, goodToken, ip, makeWorld, start, type World } from "../../../support/stack.js"

const Echoed = Schema.Struct({
  Echo: Schema.Struct({ amount: Schema.NumberFromString }),
  AcctCode: Schema.String
})
const echo = NumberClient.method("Test/Echo", Schema.Struct({ amount: Schema.NumberFromString }), Echoed)

const accountProfile = NumberClient.method(
  "/Query/AccountProfile",
  Schema.Void,
  Schema.Struct({ AccountProfile: Schema.Struct({ AccountCode: Schema.String }) }),
  { name: "AccountProfileQry" }
)

const voidTransaction = NumberClient.method(
  "CardSale/Void",
  Schema.Struct({ TxID: Schema.Int }),
  Schema.Struct({ TxApproved: Schema.Boolean }),
  { name: "Transaction_Void" }
)

const refusedVoid = readFileSync(
  new URL("../../../fixtures/method-refused-void.json", import.meta.url),
  "utf8"
)

const card = "4111 1111 1111 1111"

/** A world with a session, and the calls that the client has sent. */
const ready = (client?: (world: World) => HttpClient.HttpClient, ...faults: ReadonlyArray<Emulator.Fault>) =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    yield* world.emulator.inject(...faults)
    const sent: Array<{
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      body: string
    }> = []
    const noted = HttpClient.tapRequest(
      client?.(world) ?? Emulator.httpClient(world.emulator, ip),
      (request) =>
        Effect.sync(() => {
          if (request.url.endsWith("/Authenticate")) return
          const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
          sent.push({ url: request.url, headers: request.headers, body })
        })
    )
    const auth = yield* start(world, {}, noted)
    yield* auth.sessionKey
    const call = Effect.provideService(NumberAuth, auth)
    return { ...world, auth, sent, call }
  })

describe("NumberClient.method", () => {
  it.scoped("posts the encoded request below the base URL and decodes the part under the result's name", () =>
    Effect.gen(function* () {
      const { auth, call, sent } = yield* ready()
      const result = yield* call(echo({ amount: 12.5 }))
      assert.deepStrictEqual(result, { Echo: { amount: 12.5 }, AcctCode: account })
      assert.lengthOf(sent, 1)
      assert.strictEqual(sent[0]!.url, `${baseUrl}/Test/Echo`)
      assert.deepStrictEqual(JSON.parse(sent[0]!.body), { amount: "12.5" })
      assert.deepInclude(sent[0]!.headers, {
        sesskey: Redacted.value(yield* auth.sessionKey),
        "content-type": "application/json",
        accept: "application/json"
      })
    })
  )

  it.scoped("sends no body for a method without parameters, and reads the result under a given name", () =>
    Effect.gen(function* () {
      const { call, sent } = yield* ready()
      const { AccountProfile } = yield* call(accountProfile())
      assert.strictEqual(AccountProfile.AccountCode, account)
      assert.strictEqual(sent[0]!.url, `${baseUrl}/Query/AccountProfile`)
      assert.strictEqual(sent[0]!.body, "")
      assert.strictEqual(sent[0]!.headers["content-type"], "application/json")
    })
  )

  it.scoped(
    "fails with MethodFailed if FunctionOk is false, whatever the status is and whatever the result's name is",
    () =>
      Effect.gen(function* () {
        const { auth, call, emulator } = yield* ready()
        for (const body of [
          refusedVoid,
          refusedVoid.replace("FunctionOk", "FunctionOK"),
          refusedVoid.replace("Transaction_", "")
        ]) {
          for (const status of [200, 400, 500]) {
            yield* emulator.injectMethod(Fault.Status(status, body))
            const error = yield* Effect.flip(call(voidTransaction({ TxID: 53000 })))
            assert(error._tag === "MethodFailed")
            assert.deepInclude(error, {
              method: "CardSale/Void",
              code: 6724,
              detail: "ERROR:6724:HIGH:Could NOT retrieve transaction details for TXID 53000"
            })
            assert.include(error.message, "did not carry out CardSale/Void: ERROR:6724")
            assert.include(error.message, "count is unchanged")
          }
        }
        yield* emulator.injectMethod(
          Fault.Body(
            '{"Transaction_VoidResult":{"FunctionOk":false,"ErrMsg":"","RespMsg":"No reason","ErrCode":"12"}}'
          )
        )
        const error = yield* Effect.flip(call(voidTransaction({ TxID: 1 })))
        assert.deepInclude(error, { _tag: "MethodFailed", code: 12, detail: "No reason" })
        assert.strictEqual((yield* auth.status).failures, 0)
        assert.lengthOf(yield* emulator.log, 1)
      })
  )

  it.scoped("renews on 5030 and 5050 and replays once; a second refusal is MethodFailed", () =>
    Effect.gen(function* () {
      const { call, emulator, sent } = yield* ready()
      yield* emulator.expireSessions()
      yield* call(echo({ amount: 1 }))
      assert.strictEqual(yield* emulator.executionsOf({ amount: "1" }), 1)
      assert.lengthOf(sent, 2)
      assert.lengthOf(yield* emulator.log, 2)
      for (const code of [5030, 5050]) {
        yield* emulator.injectMethod(
          Fault.FunctionNotOk(code, `no ${code}`),
          Fault.FunctionNotOk(code, `no ${code}`)
        )
        const error = yield* Effect.flip(call(echo({ amount: 2 })))
        assert.deepInclude(error, { _tag: "MethodFailed", code, detail: `no ${code}` })
        assert.include(error.message, "more than one IP")
        assert.strictEqual(yield* emulator.pendingFaults, 0)
      }
      assert.strictEqual(yield* emulator.executionsOf({ amount: "2" }), 0)
    })
  )

  it.scoped("fails with CallUncertain if the answer does not say the outcome, and sends the call once", () =>
    Effect.gen(function* () {
      const { call, emulator, sent } = yield* ready()
      const faults: ReadonlyArray<readonly [Emulator.MethodFault, string]> = [
        [Fault.Status(500, "<html>"), "HTTP status 500"],
        [Fault.Status(400, "Bad Request"), "HTTP status 400"],
        [Fault.Status(307, ""), "HTTP status 307"],
        [
          Fault.Status(500, '{"EchoResult":{"FunctionOk":true,"Echo":{"amount":"1"},"AcctCode":""}}'),
          "HTTP status 500"
        ],
        [Fault.Body("Bad Request"), "is not JSON"],
        [Fault.Body("null"), "has no EchoResult"],
        [Fault.Body("[]"), "has no EchoResult"],
        [Fault.Body('{"EchoResult":null}'), "has no EchoResult"],
        [
          Fault.Body('{"OneResult":{"FunctionOk":true},"OtherResult":{"FunctionOk":true}}'),
          "has no EchoResult"
        ],
        [Fault.Body('{"EchoResult":{"Echo":{"amount":"1"},"AcctCode":""}}'), "lacks FunctionOk"],
        [Fault.DropAnswer, "(ECONNRESET)"],
        [Fault.DropRequest, "(ECONNRESET)"],
        [Fault.CutBody, "(ECONNRESET)"]
      ]
      for (const [fault, detail] of faults) {
        const before = sent.length
        yield* emulator.injectMethod(fault)
        const error = yield* Effect.flip(call(echo({ amount: 1 })))
        assert.strictEqual(error._tag, "CallUncertain", detail)
        assert.include(error.message, detail)
        assert.include(error.message, "It may have happened: query before you try again")
        assert.strictEqual(sent.length, before + 1)
      }
      assert.lengthOf(yield* emulator.log, 1)
    })
  )

  it.scoped("gives up a call after the call's time-out, else the method's, else 60 seconds", () =>
    Effect.gen(function* () {
      const { call, emulator } = yield* ready()
      const patient = NumberClient.method("Echo", Schema.Void, Schema.Unknown, { timeout: "90 seconds" })
      for (const [calling, seconds] of [
        [call(echo({ amount: 7 })), 60],
        [call(patient()), 90],
        [call(patient(undefined, { timeout: "5 seconds" })), 5]
      ] as const) {
        yield* emulator.injectMethod(Fault.StallAnswer)
        const fiber = yield* Effect.fork(Effect.flip(calling))
        yield* TestClock.adjust(`${seconds - 1} seconds`)
        assert.strictEqual((yield* Fiber.poll(fiber))._tag, "None")
        yield* TestClock.adjust("1 second")
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error._tag, "CallUncertain")
        assert.include(error.message, "no answer came within")
      }
      assert.strictEqual(yield* emulator.executionsOf({ amount: "7" }), 1)
    })
  )

  it.scoped("gives up an answer whose body does not end, whatever its type", () =>
    Effect.gen(function* () {
      const { call } = yield* ready((world) => {
        const client = Emulator.httpClient(world.emulator, ip)
        return HttpClient.transformResponse(client, (responses) =>
          Effect.map(responses, (response) =>
            response.request.url.endsWith("/Authenticate")
              ? response
              : new Proxy(response, {
                  get: (target, name) =>
                    name === "headers"
                      ? { "content-type": "application/octet-stream" }
                      : name === "text"
                        ? Effect.never
                        : (Reflect.get(target, name, target) as unknown)
                })
          )
        )
      })
      const fiber = yield* Effect.fork(Effect.flip(call(echo({ amount: 7 }))))
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "CallUncertain")
    })
  )

  it.scoped("fails with CallUnsent if the call never left, and says that nothing was sent", () =>
    Effect.gen(function* () {
      const { call, emulator, sent } = yield* ready()
      yield* emulator.injectMethod(Fault.Refuse)
      const error = yield* Effect.flip(call(echo({ amount: 1 })))
      assert.strictEqual(error._tag, "CallUnsent")
      assert.include(error.message, "(ECONNREFUSED). Nothing was sent")
      assert.lengthOf(sent, 1)
      assert.strictEqual(yield* emulator.executionsOf({ amount: "1" }), 0)
    })
  )

  it.scoped("fails with NumberAuth's error if there is no session, and sends nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.revokeToken(account, goodToken)
      const auth = yield* start(world)
      const error = yield* Effect.flip(Effect.provideService(echo({ amount: 1 }), NumberAuth, auth))
      assert.strictEqual(error._tag, "AuthAborted")
      assert.lengthOf(yield* world.emulator.executions, 0)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped(
    "distinguishes an answer that does not decode from a call that was not carried out, and names only fields",
    () =>
      Effect.gen(function* () {
        const { call, emulator } = yield* ready()
        yield* emulator.injectMethod(
          Fault.Body(`{"EchoResult":{"FunctionOk":true,"Echo":{"amount":"${card}"},"AcctCode":7}}`)
        )
        const error = yield* Effect.flip(call(echo({ amount: 1 })))
        assert.strictEqual(error._tag, "AnswerUndecodable")
        assert.include(error.message, "see Echo.amount")
        assert.include(error.message, "Do not send the call again")
        assertShowsNone(error, card)
        yield* emulator.injectMethod(Fault.Body('{"Test_EchoResult":{"FunctionOk":true}}'))
        const other = yield* Effect.flip(call(echo({ amount: 1 })))
        assert.strictEqual(other._tag, "AnswerUndecodable")
        assert.include(other.message, "under Test_EchoResult and not under EchoResult; set the option name")
      })
  )

  it.scoped(
    "refuses a request that cannot be encoded, and a path that is not valid, and sends nothing in either case",
    () =>
      Effect.gen(function* () {
        const { call, sent } = yield* ready()
        const sale = NumberClient.method(
          "CardSale/Manual",
          Schema.Struct({ Card: Schema.Struct({ Number: Schema.String.pipe(Schema.maxLength(4)) }) }),
          Schema.Unknown
        )
        const error = yield* Effect.flip(call(sale({ Card: { Number: card } })))
        assert(error._tag === "InvalidInput")
        assert.include(error.message, "The request of CardSale/Manual")
        assert.include(error.message, "see Card.Number")
        assertShowsNone(error, card)
        const endless: Record<string, unknown> = {}
        endless["self"] = endless
        const unwritable = NumberClient.method("Echo", Schema.Unknown, Schema.Unknown)
        assert.include((yield* Effect.flip(call(unwritable(endless)))).message, "a JSON value")
        for (const path of ["Authenticate", "../Echo", "https://evil.test/Echo", ""]) {
          const wrong = yield* Effect.flip(call(NumberClient.method(path, Schema.Void, Schema.Unknown)()))
          assert(wrong._tag === "InvalidInput", path)
          assert.strictEqual(wrong.field, "path of the method")
        }
        assert.lengthOf(sent, 0)
      })
  )

  it.scoped("signs the session key if the method asks for it", () =>
    Effect.gen(function* () {
      const { auth, call, sent } = yield* ready()
      const signature = yield* SessionSignature.make({
        secret: Redacted.make("7D55DBB3"),
        deviceId: "till-7"
      })
      yield* TestClock.setTime(1_702_565_789_000)
      const signed = NumberClient.method("CardSale/Echo", Schema.Void, Schema.Unknown, { signature: true })
      yield* call(Effect.provideService(signed(), SessionSignature.SessionSignature, signature))
      // @ts-expect-error: its type says that it needs a signature
      const _needsOne: Effect.Effect<unknown, unknown, NumberAuth> = signed()
      const key = yield* auth.sessionKey
      assert.strictEqual(sent[0]!.headers["sesskey"], Redacted.value(yield* signature.sign(key)))
      yield* call(echo({ amount: 1 }))
      assert.strictEqual(sent[1]!.headers["sesskey"], Redacted.value(key))
    })
  )

  it.scoped("calls for each account of NumberAccounts with that account's session", () =>
    Effect.gen(function* () {
      const accounts = yield* startCrowd(yield* makeCrowd(2))
      for (const n of [0, 1]) {
        const auth = yield* accounts.get(accountOf(n))
        const { AcctCode } = yield* Effect.provideService(echo({ amount: n }), NumberAuth, auth)
        assert.strictEqual(AcctCode, accountOf(n))
      }
    })
  )
})

describe("the result of a call", () => {
  /** Calls get these answers; attempts go to the emulator. */
  const answering = (answer: (url: string) => Response | HttpClientError.RequestError["reason"] | Error) =>
    ready((world) => {
      const inner = Emulator.httpClient(world.emulator, ip)
      return HttpClient.make((request) => {
        if (request.url.endsWith("/Authenticate")) return inner.execute(request)
        const given = answer(request.url)
        return given instanceof Response
          ? Effect.succeed(HttpClientResponse.fromWeb(request, given))
          : new HttpClientError.RequestError({
              request,
              reason: typeof given === "string" ? given : "Transport",
              cause: typeof given === "string" ? undefined : given
            })
      })
    })
  const failing = (answer: Response | HttpClientError.RequestError["reason"] | Error) =>
    Effect.gen(function* () {
      const { call } = yield* answering(() => answer)
      const error = yield* Effect.flip(call(voidTransaction({ TxID: 1 })))
      return [
        error._tag,
        "detail" in error ? error.detail : error.message,
        "code" in error ? error.code : null
      ]
    })
  const body = (result: unknown, status = 200, name = "Transaction_VoidResult") =>
    new Response(JSON.stringify({ [name]: result }), {
      status,
      headers: { "content-type": "application/json" }
    })
  const failed = (fields: object) => body({ FunctionOk: false, ...fields })

  it.scoped("has ErrMsg as its detail if it is a failure, else RespMsg, else that no reason was given", () =>
    Effect.gen(function* () {
      for (const [fields, detail] of [
        [{ ErrMsg: "out of order", RespMsg: "no" }, "out of order"],
        [{ ErrMsg: "", RespMsg: "no" }, "no"],
        [{ ErrMsg: " \n", RespMsg: "no" }, "no"],
        [{ ErrMsg: 7, RespMsg: "no" }, "no"],
        [{ ErrMsg: null, RespMsg: null }, "no reason given"],
        [{}, "no reason given"]
      ] as const) {
        assert.deepStrictEqual(yield* failing(failed(fields)), ["MethodFailed", detail, null])
      }
    })
  )

  it.scoped("has ErrCode as its code if that is a whole number, as a number or as text, else null", () =>
    Effect.gen(function* () {
      for (const [ErrCode, code] of [
        [12, 12],
        [0, 0],
        [-1, -1],
        ["12", 12],
        [" 12 ", 12],
        ["", null],
        [" ", null],
        ["twelve", null],
        [1.5, null],
        ["1.5", null],
        [2 ** 53, null],
        [null, null],
        [true, null],
        [[12], null]
      ] as const) {
        assert.deepStrictEqual(yield* failing(failed({ ErrCode })), ["MethodFailed", "no reason given", code])
      }
    })
  )

  it.scoped("says why it is uncertain: the missing part, the status from 300 on, or the connection", () =>
    Effect.gen(function* () {
      const ok = { FunctionOk: true, TxApproved: true }
      for (const [answer, detail] of [
        [new Response("no JSON"), "Number's answer is not JSON"],
        [body(null), "Number's answer has no Transaction_VoidResult"],
        [body("text"), "Number's answer has no Transaction_VoidResult"],
        [body(ok, 200, "Transaction_Void"), "Number's answer has no Transaction_VoidResult"],
        [body({ TxApproved: true }), "Number's answer lacks FunctionOk"],
        [body({ FunctionOk: "yes" }), "Number's answer lacks FunctionOk"],
        [body(ok, 300), "Number answered with HTTP status 300"],
        [body({ TxApproved: true }, 404), "Number answered with HTTP status 404"],
        [new Response("no JSON", { status: 500 }), "Number answered with HTTP status 500"],
        [
          Object.assign(new Error(card), { code: "EPIPE" }),
          "the connection failed before a whole answer came (EPIPE)"
        ]
      ] as const) {
        assert.deepStrictEqual(yield* failing(answer), ["CallUncertain", detail, null])
      }
    })
  )

  it.scoped("says why the call was not sent, and names an invalid path or request as the wrong input", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failing(Object.assign(new Error(card), { code: "ENOTFOUND" })), [
        "CallUnsent",
        "Number could not be reached (ENOTFOUND)",
        null
      ])
      assert.deepStrictEqual(yield* failing("Encode"), ["CallUnsent", "the request could not be built", null])
      const { call } = yield* ready()
      const path = yield* Effect.flip(
        call(NumberClient.method("Authenticate", Schema.Void, Schema.Unknown)())
      )
      assert.deepInclude(path, {
        field: "path of the method",
        expected: "one below the base URL, such as Query/AccountProfile, and not Authenticate"
      })
      const amount = yield* Effect.flip(
        call(NumberClient.method("//Test/Echo", Schema.NumberFromString, Schema.Unknown)("x" as never))
      )
      assert.deepInclude(amount, {
        field: "request of Test/Echo",
        expected: "the form of its schema; see the whole value"
      })
    })
  )

  it.scoped(
    "is decoded if the call was carried out, also with status 299, and the error says why it does not decode",
    () =>
      Effect.gen(function* () {
        const { call } = yield* answering(() => body({ FunctionOk: true, TxApproved: true }, 299))
        assert.deepStrictEqual(yield* call(voidTransaction({ TxID: 1 })), { TxApproved: true })
        assert.deepStrictEqual(yield* failing(body({ FunctionOk: true, TxApproved: "yes" })), [
          "AnswerUndecodable",
          "see TxApproved",
          null
        ])
        assert.deepStrictEqual(yield* failing(body({ FunctionOk: true }, 200, "OtherResult")), [
          "AnswerUndecodable",
          "its result is under OtherResult and not under Transaction_VoidResult; set the option name",
          null
        ])
      })
  )

  it("is awaited for 60 seconds by default", () => {
    assert.strictEqual(Duration.toMillis(NumberClient.defaultTimeout), 60_000)
  })
})

describe("a call", () => {
  const wrappers: ReadonlyArray<(client: HttpClient.HttpClient) => HttpClient.HttpClient> = [
    HttpClient.retry(Schedule.recurs(3)) as never,
    HttpClient.retryTransient({ times: 3, mode: "both" }) as never,
    (client) => HttpClient.retry(HttpClient.filterStatusOk(client), { times: 3 })
  ]
  for (const [index, wrap] of wrappers.entries()) {
    it.scoped(`is sent once, even if the HTTP client retries (${index + 1}), and is uncertain then`, () =>
      Effect.gen(function* () {
        for (const fault of [Fault.DropAnswer, Fault.DropRequest, Fault.Status(503, "")]) {
          const { call, emulator } = yield* ready((world) => wrap(Emulator.httpClient(world.emulator, ip)))
          yield* emulator.injectMethod(fault, fault, fault, fault)
          const error = yield* Effect.flip(call(echo({ amount: 1 })))
          assert.strictEqual(error._tag, "CallUncertain")
          assert.strictEqual(yield* emulator.pendingFaults, 3)
          assert.isAtMost(yield* emulator.executionsOf({ amount: "1" }), 1)
        }
      })
    )
  }

  it.scoped("is given up in time, even in an uninterruptible region", () =>
    Effect.gen(function* () {
      for (const run of [
        <A, E, R>(effect: Effect.Effect<A, E, R>) => effect,
        Effect.uninterruptible,
        <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          Effect.scoped(Effect.acquireRelease(effect, () => Effect.void))
      ]) {
        const { call, emulator } = yield* ready()
        yield* emulator.injectMethod(Fault.StallAnswer)
        const fiber = yield* Effect.fork(Effect.flip(run(call(echo({ amount: 1 })))))
        yield* TestClock.adjust("61 seconds")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "CallUncertain")
      }
    })
  )

  it.scoped("is uncertain if its answer's results or flags contradict each other, and is not replayed", () =>
    Effect.gen(function* () {
      for (const body of [
        '{"Test_EchoResult":{"FunctionOk":true},"OtherResult":{"FunctionOk":false,"ErrCode":5030}}',
        '{"EchoResult":{"FunctionOk":false,"FunctionOK":true,"ErrCode":5030}}',
        '{"EchoResult":{"FunctionOk":true,"FunctionOK":false,"ErrCode":77}}'
      ]) {
        const { call, emulator } = yield* ready()
        yield* emulator.injectMethod(Fault.Body(body), Fault.Pass)
        const error = yield* Effect.flip(call(echo({ amount: 1 })))
        assert.strictEqual(error._tag, "CallUncertain", body)
        assert.strictEqual(yield* emulator.pendingFaults, 1)
        assert.lengthOf(yield* emulator.log, 1)
      }
    })
  )
})

describe("NumberClient's log", () => {
  it.scoped("has the fields that Number recommends, at debug level if the call succeeded", () =>
    Effect.gen(function* () {
      const { call, emulator } = yield* ready()
      const { entries } = yield* logged(call(accountProfile()))
      assert.deepStrictEqual(entries, [
        {
          level: "DEBUG",
          message: "Number carried out Query/AccountProfile.",
          fields: {
            call: "Query/AccountProfile",
            FunctionOk: true,
            RespMsg: "Successfully Returned Account profile for Account ID 205",
            ErrCode: 0
          }
        }
      ])
      yield* emulator.injectMethod(
        Fault.Body(
          '{"Transaction_VoidResult":{"FunctionOk":true,"TxApproved":true,"RespMsg":"Voided","ErrCode":0}}'
        )
      )
      const approved = yield* logged(call(voidTransaction({ TxID: 1 })))
      assert.deepInclude(approved.entries[0]!.fields, { FunctionOk: true, success: true, RespMsg: "Voided" })
      assert.strictEqual(approved.entries[0]!.level, "DEBUG")
    })
  )

  it.scoped("warns of every call that failed or was declined", () =>
    Effect.gen(function* () {
      const { call, emulator } = yield* ready()
      const refused = yield* logged(call(voidTransaction({ TxID: 53000 })))
      assert.lengthOf(refused.entries, 1)
      assert.strictEqual(refused.entries[0]!.level, "WARN")
      assert.deepStrictEqual(refused.entries[0]!.fields, {
        call: "CardSale/Void",
        FunctionOk: false,
        success: false,
        ErrCode: 6724,
        ErrMsg: "ERROR:6724:HIGH:Could NOT retrieve transaction details for TXID 53000"
      })
      yield* emulator.injectMethod(
        Fault.Body(
          '{"Transaction_VoidResult":{"FunctionOk":true,"TxApproved":false,"RespMsg":"DECLINED","ErrCode":0}}'
        )
      )
      const declined = yield* logged(call(voidTransaction({ TxID: 1 })))
      assert.deepStrictEqual(declined.result, Either.right({ TxApproved: false }))
      assert.deepInclude(declined.entries[0], { level: "WARN" })
      for (const fault of [
        Fault.DropAnswer,
        Fault.Refuse,
        Fault.Body("null"),
        Fault.Body('{"EchoResult":{"FunctionOk":true}}')
      ]) {
        yield* emulator.injectMethod(fault)
        const { entries, result } = yield* logged(call(echo({ amount: 1 })))
        assert(Either.isLeft(result))
        assert.deepStrictEqual(
          entries.map(({ level, message }) => [level, message]),
          [["WARN", result.left.message]]
        )
      }
    })
  )

  it.scoped("has its fields on the call's span, too", () =>
    Effect.gen(function* () {
      const { call } = yield* ready()
      const [, output] = yield* observed(call(voidTransaction({ TxID: 53000 })))
      assert.include(output.names, "NumberClient.CardSale/Void")
      for (const text of [
        "number.FunctionOk false",
        "number.ErrCode 6724",
        "number.success false",
        "number.call CardSale/Void"
      ]) {
        assert.isTrue(
          output.spans.some((span) => span === `NumberClient.CardSale/Void ${text}`),
          text
        )
      }
    })
  )

  it.scoped("does not take the result of a call away if the logger throws", () =>
    Effect.gen(function* () {
      const { call } = yield* ready()
      const broken = Logger.replace(
        Logger.defaultLogger,
        Logger.make(() => {
          throw new Error("disk full")
        })
      )
      const result = yield* call(echo({ amount: 1 })).pipe(
        Effect.provide(broken),
        Logger.withMinimumLogLevel(LogLevel.All)
      )
      assert.strictEqual(result.Echo.amount, 1)
    })
  )

  it.scoped("shows no secret, whatever an answer echoes", () =>
    Effect.gen(function* () {
      // A key that does not look like a key: only code that knows it can take it out.
      const odd = "odd!key.of~Number"
      const { call, emulator } = yield* ready(
        (world) =>
          Emulator.httpClient(world.emulator, ip).pipe(
            HttpClient.tapRequest((request) => Effect.logDebug("sending", request)),
            HttpClient.tapError((error) => Effect.logError(error))
          ),
        Fault.Body(`{"AuthenticateResult":{"FunctionOk":true,"AuthSuccess":true,"SessKey":"${odd}"}}`)
      )
      const sale = NumberClient.method(
        "CardSale/Echo",
        Schema.Struct({ Number: Schema.String, Track: Schema.String }),
        Schema.Record({ key: Schema.String, value: Schema.Null })
      )
      const hex = "B9F24903C3BA4770AE303032303541303032353437"
      const echoes = `${odd} ${odd.toUpperCase()} ${hex} ${goodToken} ${card} ${card.replaceAll(" ", "-")} ${card.replaceAll(" ", "")}`
      const bodies = [
        JSON.stringify({ EchoResult: { FunctionOk: false, ErrCode: 1, ErrMsg: echoes, RespMsg: echoes } }),
        JSON.stringify({ EchoResult: { FunctionOk: true, ErrCode: 0, ErrMsg: echoes, RespMsg: echoes } }),
        JSON.stringify({ [`${odd}Result`]: { FunctionOk: true, RespMsg: echoes } }),
        JSON.stringify({ EchoResult: { FunctionOk: true, [echoes]: [] } }),
        echoes
      ]
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          const results: Array<unknown> = []
          for (const body of bodies) {
            for (const fault of [Fault.Body(body), Fault.Status(500, body), Fault.DropRequest]) {
              yield* emulator.injectMethod(fault)
              results.push(yield* Effect.exit(call(sale({ Number: card, Track: card }))))
            }
          }
          yield* Effect.forEach(results, (result) => Effect.logError(result))
          return results
        })
      )
      assert(exit._tag === "Success")
      const secrets = [odd, hex, goodToken, card, card.replaceAll(" ", "-"), card.replaceAll(" ", "")]
      for (const value of exit.value) assertShowsNone(value, ...secrets)
      assert.isTrue(output.logs.some((text) => text.includes("RespMsg")))
      assert.isTrue(output.logs.some((text) => text.includes("sending")))
      for (const text of [...output.spans, ...output.logs]) {
        for (const secret of secrets) assert.notInclude(text.toLowerCase(), secret.toLowerCase())
      }
    })
  )
})
