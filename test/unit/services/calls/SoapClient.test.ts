import { FetchHttpClient, HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  ConfigProvider,
  Context,
  Effect,
  Either,
  Exit,
  FastCheck,
  Fiber,
  Layer,
  Option,
  Redacted,
  Ref,
  Schedule,
  Schema,
  TestClock
} from "effect"
import { SoapBoolean } from "../../../../src/schemas/Answers.js"
import * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import { SentTwice } from "../../../../src/services/wire/http/SentTwice.js"
import * as SoapClient from "../../../../src/services/calls/SoapClient.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { logged } from "../../../support/logged.js"
import { observed } from "../../../support/observed.js"
import { account, badToken, goodToken, ip, makeWorld, start, type World } from "../../../support/stack.js"
import { enveloped, soap, soapFault, soapResult } from "../../../support/wires.js"

/** A client of a NumberAuth whose attempts go over SOAP too. */
const startSoap = (
  world: World,
  http: HttpClient.HttpClient = Emulator.httpClient(world.emulator, ip),
  options: SoapClient.Options = {}
) =>
  Effect.gen(function* () {
    const auth = yield* start(world, {}, http, soap)
    const client = yield* SoapClient.make({ endpoint: soap.url("https://number.test"), ...options }).pipe(
      Effect.provideService(NumberAuth.NumberAuth, auth),
      Effect.provideService(HttpClient.HttpClient, http)
    )
    return { auth, client }
  })

const Anything = Schema.Unknown
const Echoed = Schema.Struct({ AcctCode: Schema.String, Echo: Anything })

/** Notes the calls that are sent, as they are on the wire. */
const noting = (client: HttpClient.HttpClient) => {
  const sent: Array<{ readonly url: string; readonly action: string | undefined; readonly text: string }> = []
  const noted = HttpClient.tapRequest(client, (request) =>
    Effect.sync(() => {
      assert(request.body._tag === "Uint8Array")
      sent.push({
        url: request.url,
        action: request.headers["soapaction"],
        text: new TextDecoder().decode(request.body.body)
      })
    })
  )
  return { noted, sent }
}

/** One call that gets this answer. */
const answered = (body: string, status = 200, parameters: SoapClient.SoapParameters = {}) =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    const { client } = yield* startSoap(world)
    yield* world.emulator.injectMethod(Fault.Status(status, body))
    const result = yield* Effect.either(client.method("Transaction_Void", parameters, Anything))
    assert.strictEqual(yield* world.emulator.pendingFaults, 0)
    assert.lengthOf(yield* world.emulator.log, 1)
    assert.strictEqual(yield* world.emulator.requestsSeen, 2)
    return result
  })

const failed = (body: string, status = 200, parameters: SoapClient.SoapParameters = {}) =>
  Effect.flatMap(answered(body, status, parameters), Effect.flip)

describe("a method over SOAP", () => {
  it.scoped("is called with SessKey first and the parameters after it, in their order", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { noted, sent } = noting(Emulator.httpClient(world.emulator, ip))
      const { auth, client } = yield* startSoap(world, noted)
      const result = yield* client.method(
        "CreditSale_Manual",
        {
          Zip: "04101",
          Amount: 1.5,
          Recurring: false,
          Card: { Number: Redacted.make("4111"), Cvv: null },
          Id: [1, 2]
        },
        Echoed
      )
      assert.deepStrictEqual(result, {
        AcctCode: account,
        Echo: { Zip: "04101", Amount: "1.5", Recurring: "false", Card: { Number: "4111" }, Id: ["1", "2"] }
      })
      const key = Redacted.value(yield* auth.sessionKey)
      assert.deepStrictEqual(sent[1], {
        url: "https://number.test/CardProcAPI.svc",
        action: '"http://tempuri.org/ICardProcess/CreditSale_Manual"',
        text: `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><CreditSale_Manual xmlns="http://tempuri.org/"><SessKey>${key}</SessKey><Zip>04101</Zip><Amount>1.5</Amount><Recurring>false</Recurring><Card><Number>4111</Number></Card><Id>1</Id><Id>2</Id></CreditSale_Manual></s:Body></s:Envelope>`
      })
    })
  )

  it.scoped("takes any text that XML can hold, unchanged", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { client } = yield* startSoap(world)
      for (const text of [
        "<b>&amp;]]>\"'</b>",
        "</Echo><SessKey>x</SessKey>",
        " two\r\nlines\tand a tab ",
        "\u00e9\u4e16\u{1f4b3}",
        "<![CDATA[x]]>",
        ""
      ]) {
        const result = yield* client.method("Echo", { Text: text }, Echoed)
        assert.deepStrictEqual(result.Echo, { Text: text })
      }
    })
  )

  it.scoped("omits undefined and null, and takes records without a prototype, at most 32 deep", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { client } = yield* startSoap(world)
      const bare = Object.assign(Object.create(null), { Amount: -10.25, None: undefined, Nil: null })
      const result = yield* client.method("Echo", { Bare: bare, Bares: [bare], None: undefined }, Echoed)
      assert.deepStrictEqual(result.Echo, { Bare: { Amount: "-10.25" }, Bares: { Amount: "-10.25" } })
      const nested = (depth: number): SoapClient.SoapParameters =>
        Array.from({ length: depth }).reduce<SoapClient.SoapParameters>((inner) => ({ In: inner }), { n: 1 })
      yield* client.method("Echo", nested(32), Anything)
      const error = yield* Effect.flip(client.method("Echo", nested(33), Anything))
      assert(error._tag === "InvalidInput")
      assert.deepInclude(error, {
        field: `parameter ${Array.from({ length: 33 }, () => "In").join(".")}`,
        expected: "records at most 32 deep"
      })
    })
  )

  it.effect("answers with a record of texts by local names, and with arrays for repeated elements", () =>
    Effect.gen(function* () {
      const body = enveloped(
        `<p:Transaction_VoidResponse xmlns:p="urn:p"><p:Transaction_VoidResult xmlns:q="urn:q"><q:FunctionOk>true</q:FunctionOk><q:Empty/><q:Nothing xsi:nil="true"/><q:Row a="b">1</q:Row><q:Row>2</q:Row><q:Deep><q:In> x </q:In></q:Deep></p:Transaction_VoidResult></p:Transaction_VoidResponse>`
      )
      const result = yield* Effect.flatten(answered(body))
      assert.deepStrictEqual(result, {
        FunctionOk: "true",
        Empty: "",
        Nothing: null,
        Row: ["1", "2"],
        Deep: { In: " x " }
      })
    }).pipe(Effect.scoped)
  )

  it.scoped("may answer without a Result element, as Authenticate does in the documentation", () =>
    Effect.gen(function* () {
      for (const name of ["api_VoidResponse", "Transaction_VoidResponse"]) {
        const body = enveloped(`<${name}><FunctionOk>true</FunctionOk><TxID>7</TxID></${name}>`)
        assert.deepStrictEqual(yield* Effect.flatten(answered(body)), { FunctionOk: "true", TxID: "7" })
      }
    })
  )

  it.scoped("decodes its result with the given schema, lists included", () =>
    Effect.gen(function* () {
      const Result = Schema.Struct({
        TxApproved: SoapBoolean,
        TxID: Schema.NumberFromString,
        Rows: SoapClient.listOf("Row", Schema.Struct({ Amount: Schema.NumberFromString }))
      })
      const world = yield* makeWorld()
      const { client } = yield* startSoap(world)
      const call = (rows: unknown) =>
        Effect.gen(function* () {
          const result = { FunctionOk: true, TxApproved: 1, TxID: 12, Rows: rows }
          yield* world.emulator.injectMethod(Fault.Body(soapResult("Query", result)))
          return yield* client.method("Query", {}, Result)
        })
      for (const [rows, amounts] of [
        ["", []],
        [null, []],
        [" \n ", []],
        [{ Row: { Amount: "1.5" } }, [1.5]],
        [{ Row: [{ Amount: "1.5" }, { Amount: 2 }] }, [1.5, 2]]
      ] as const) {
        assert.deepStrictEqual(yield* call(rows), {
          TxApproved: true,
          TxID: 12,
          Rows: amounts.map((Amount) => ({ Amount }))
        })
      }
      for (const rows of [
        "text",
        { Other: "x" },
        { Row: { Amount: "1" }, Other: "x" },
        { Row: { Amount: "x" } }
      ]) {
        assert.strictEqual((yield* Effect.flip(call(rows)))._tag, "AnswerUndecodable")
      }
      assert.deepStrictEqual(Schema.encodeSync(SoapClient.listOf("Row", Schema.NumberFromString))([1, 2]), {
        Row: ["1", "2"]
      })
    })
  )

  it.scoped("counts as carried out if its result does not decode: the error names fields and no values", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { client } = yield* startSoap(world)
      const Result = Schema.Struct({
        Echo: Schema.Struct({ Pan: Schema.NumberFromString, Zip: Schema.String })
      })
      const error = yield* Effect.flip(client.method("Echo", { Pan: "4111-1111-1111-1111" }, Result))
      assert(error._tag === "AnswerUndecodable")
      assert.strictEqual(error.detail, "see Echo.Pan, Echo.Zip")
      assert.match(error.message, /carried out Echo.*Echo\.Pan.*Do not send.*count is unchanged/)
      assertShowsNone(error, "4111-1111")
      assert.strictEqual(yield* world.emulator.executionsOf({ Pan: "4111-1111-1111-1111" }), 1)
    })
  )
})

describe("the log of a method over SOAP", () => {
  it.scoped(
    "has the fields that Number recommends, at debug level if the call succeeded, and as a warning if not",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { client } = yield* startSoap(world)
        const card = "4111-1111-1111-1111"
        const call = (answer: Record<string, unknown>) =>
          Effect.gen(function* () {
            yield* world.emulator.injectMethod(Fault.Status(200, soapResult("Transaction_Void", answer)))
            const { entries } = yield* logged(client.method("Transaction_Void", {}, Anything))
            assert.lengthOf(entries, 1)
            return entries[0]!
          })
        assert.deepStrictEqual(
          yield* call({ FunctionOk: true, TxApproved: 1, RespMsg: `Voided ${card}`, ErrCode: 0, ErrMsg: "" }),
          {
            level: "DEBUG",
            message: "Number carried out Transaction_Void.",
            fields: {
              call: "Transaction_Void",
              FunctionOk: true,
              success: true,
              RespMsg: "Voided <redacted>",
              ErrCode: 0
            }
          }
        )
        assert.deepInclude(yield* call({ FunctionOk: true, TxApproved: false, RespMsg: "DECLINED" }), {
          level: "WARN"
        })
        const failed = yield* call({ FunctionOk: false, ErrCode: 6724, ErrMsg: "no such transaction" })
        assert.strictEqual(failed.level, "WARN")
        assert.deepStrictEqual(failed.fields, {
          call: "Transaction_Void",
          FunctionOk: false,
          ErrCode: 6724,
          ErrMsg: "no such transaction"
        })
        // A renewed and replayed call logs once. A second refusal and an uncertain call log a warning.
        yield* world.emulator.expireSessions()
        const renewed = yield* logged(client.method("Echo", {}, Anything))
        assert.deepStrictEqual(
          renewed.entries.map(({ level }) => level),
          ["DEBUG"]
        )
        for (const faults of [
          [Fault.DropAnswer],
          [Fault.FunctionNotOk(5050, "no"), Fault.FunctionNotOk(5050, "no")]
        ]) {
          yield* world.emulator.injectMethod(...faults)
          const { entries, result } = yield* logged(client.method("Echo", {}, Anything))
          assert(Either.isLeft(result))
          assert.deepStrictEqual(
            entries.map(({ level, message }) => [level, message]),
            [["WARN", result.left.message]]
          )
          const code = faults.length === 2 ? { FunctionOk: false, ErrCode: 5050 } : {}
          assert.deepInclude(entries[0]!.fields, { call: "Echo", ...code })
        }
        const [, output] = yield* observed(client.method("Echo", {}, Anything))
        assert.include(output.names, "SoapClient.method")
        for (const text of ["number.call Echo", "number.FunctionOk true", "number.ErrCode 0"]) {
          assert.isTrue(
            output.spans.some((span) => span === `SoapClient.method ${text}`),
            text
          )
        }
      })
  )
})

describe("the session of a method over SOAP", () => {
  it.scoped("is renewed on 5030, whatever the status, and the call replayed once", () =>
    Effect.gen(function* () {
      for (const status of [200, 401, 500]) {
        const world = yield* makeWorld()
        const { noted, sent } = noting(Emulator.httpClient(world.emulator, ip))
        const { auth, client } = yield* startSoap(world, noted)
        const before = Redacted.value(yield* auth.sessionKey)
        yield* world.emulator.setRefusalStatus(status)
        yield* world.emulator.expireSessions()
        const result = yield* client.method("Echo", { n: 1 }, Echoed)
        assert.deepStrictEqual(result.Echo, { n: "1" })
        assert.strictEqual(yield* world.emulator.executionsOf({ n: "1" }), 1)
        assert.lengthOf(yield* world.emulator.log, 2)
        const after = Redacted.value(yield* auth.sessionKey)
        assert.notStrictEqual(after, before)
        const calls = sent.filter(({ action }) => action?.endsWith('/Echo"'))
        assert.lengthOf(calls, 2)
        assert.include(calls[0]!.text, before)
        assert.include(calls[1]!.text, after)
      }
    })
  )

  it.scoped("is renewed on 5050", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth, client } = yield* startSoap(world, Emulator.httpClient(world.emulator))
      yield* world.emulator.setIp("203.0.113.7")
      yield* auth.sessionKey
      yield* TestClock.adjust("1 hour")
      yield* world.emulator.setIp("203.0.113.8")
      yield* client.method("Echo", { n: 1 }, Echoed)
      assert.strictEqual(yield* world.emulator.executionsOf({ n: "1" }), 1)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("is not renewed again after a second refusal: the call fails as not carried out", () =>
    Effect.gen(function* () {
      for (const code of [5030, 5050] as const) {
        const world = yield* makeWorld()
        const { client } = yield* startSoap(world)
        const fault = Fault.FunctionNotOk(code, "no")
        yield* world.emulator.injectMethod(fault, fault, Fault.Pass)
        const error = yield* Effect.flip(client.method("Echo", {}, Anything))
        assert(error._tag === "MethodFailed")
        assert.strictEqual(error.code, code)
        assert.strictEqual(error.detail, "no")
        assert.lengthOf(yield* world.emulator.log, 2)
        assert.strictEqual(yield* world.emulator.pendingFaults, 1)
      }
    })
  )

  it.scoped("gives the reason of a second refusal: ErrMsg, else RespMsg, else that none was given", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { client } = yield* startSoap(world)
      for (const [fields, detail] of [
        [{ ErrMsg: "expired", RespMsg: "sorry" }, "expired"],
        [{ RespMsg: "sorry" }, "sorry"],
        [{}, "no reason given"]
      ] as const) {
        const body = soapResult("Echo", { FunctionOk: false, ErrCode: 5030, ...fields })
        yield* world.emulator.injectMethod(Fault.Body(body), Fault.Body(body))
        const error = yield* Effect.flip(client.method("Echo", {}, Anything))
        assert(error._tag === "MethodFailed")
        assert.strictEqual(error.detail, detail)
      }
    })
  )

  it.scoped("is renewed once for a hundred calls that are refused together", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth, client } = yield* startSoap(world)
      yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      yield* Effect.forEach(Array.from({ length: 100 }), (_, n) => client.method("Echo", { n }, Echoed), {
        concurrency: "unbounded"
      })
      assert.lengthOf(yield* world.emulator.executions, 100)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("is not renewed, nor the call replayed, unless FunctionOk is false with a refusal code", () =>
    Effect.gen(function* () {
      const not = { FunctionOk: false, ErrCode: 5030 }
      const answers: ReadonlyArray<readonly [string, string]> = [
        [soapResult("Transaction_Void", { ...not, ErrCode: 5040, ErrMsg: "5030" }), "MethodFailed"],
        [soapResult("Transaction_Void", { ...not, ErrCode: [5030, 5030] }), "CallUncertain"],
        [soapResult("Transaction_Void", { ...not, FunctionOk: [false, false] }), "CallUncertain"],
        [soapResult("Transaction_Void", { ...not, FunctionOK: true }), "CallUncertain"],
        [soapResult("Transaction_Void", { ErrCode: 5030 }), "CallUncertain"],
        [soapResult("Another", not), "CallUncertain"],
        [soapResult("Transaction_Void", not).slice(0, -1), "CallUncertain"],
        [soapResult("Transaction_Void", not).replace("?>", "?><!DOCTYPE x>"), "CallUncertain"],
        [soapFault("ERROR:5030:HIGH:Expired Session Key"), "CallUncertain"],
        [
          enveloped(
            `<s:Fault><detail><FunctionOk>false</FunctionOk><ErrCode>5030</ErrCode></detail></s:Fault>`
          ),
          "CallUncertain"
        ],
        ['{"Transaction_VoidResult":{"FunctionOk":false,"ErrCode":5030}}', "CallUncertain"],
        ["5030", "CallUncertain"],
        ["", "CallUncertain"]
      ]
      for (const [body, tag] of answers) {
        for (const status of [200, 500]) assert.strictEqual((yield* failed(body, status))._tag, tag, body)
      }
      const fine = soapResult("Transaction_Void", { FunctionOk: true, ErrCode: 5030 })
      assert.deepStrictEqual(yield* Effect.flatten(answered(fine)), { FunctionOk: "true", ErrCode: "5030" })
    })
  )

  it.scoped("is not renewed if only the schema turns a result into the form of a refusal", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { client } = yield* startSoap(world)
      const refusal = { EchoResult: { FunctionOk: false, ErrCode: 5030 } }
      const Result = Schema.transform(Anything, Anything, { decode: () => refusal, encode: (a) => a })
      assert.deepStrictEqual(yield* client.method("Echo", { n: 1 }, Result), refusal)
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.strictEqual(yield* world.emulator.executionsOf({ n: "1" }), 1)
    })
  )

  it.scoped("fails the call with NumberAuth's error if it cannot be obtained; the call is not sent", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      const { client } = yield* startSoap(world)
      for (let n = 0; n < 10; n++) {
        const error = yield* Effect.flip(client.method("Echo", {}, Anything))
        assert.strictEqual(error._tag, "AuthAborted")
      }
      assert.strictEqual(yield* world.emulator.requestsSeen, 1)
      assert.strictEqual(yield* world.emulator.countOf(ip), 1)
    })
  )
})

describe("the SOAP client", () => {
  it.scoped(
    "refuses to call Authenticate, however it is spelled, and names that are not identifiers, and sends nothing",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { client } = yield* startSoap(world)
        for (const name of [
          "Authenticate",
          "authenticate",
          "AUTHENTICATE",
          "aUtHenticate",
          "_Authenticate",
          "__Authenticate_"
        ]) {
          const error = yield* Effect.flip(
            client.method(name, { AcctCode: account, Token: goodToken }, Anything)
          )
          assert(error._tag === "InvalidInput")
          assert.match(
            error.message,
            /Authenticate.*attempt that the ledger does not know of.*Nothing was sent/
          )
          assertShowsNone(error, goodToken)
        }
        for (const name of [
          "",
          " Authenticate",
          "Authenticate\n",
          "ns:Authenticate",
          "Authenticate x",
          "Authenticate/",
          "Authenticate><x",
          '"',
          "\u0410uthenticate",
          "1st"
        ]) {
          const error = yield* Effect.flip(client.method(name, {}, Anything))
          assert(error._tag === "InvalidInput", name)
          assert.strictEqual(error.field, "method's name")
          assert.match(error.expected, /letters, digits and underscores, such as Transaction_Void/)
        }
        assert.strictEqual(yield* world.emulator.requestsSeen, 0)
        // Number would answer that it does not have these methods.
        for (const name of ["ReAuthenticate", "AuthenticateCard"]) yield* client.method(name, {}, Anything)
      })
  )

  it.scoped("refuses parameters that XML cannot hold or would change, sends nothing and shows no value", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { client } = yield* startSoap(world)
      const pan = "4111111111111111"
      const circular: { [name: string]: unknown } = { pan }
      circular["again"] = circular
      const expected: Readonly<Record<string, RegExp>> = {
        "parameter Pan": /text without control characters|text, number, boolean, record or array of these/,
        "parameter Card.Pan": /text without control characters/,
        "parameter Amount": /finite number that is written without an exponent/,
        "parameter When": /text, number, boolean, record or array of these/,
        "name of a parameter": /letters, digits and underscores, beginning with a letter/,
        "record of parameters": /record of parameters by their names|parameters without SessKey/
      }
      for (const [parameters, field] of [
        [{ Pan: `${pan}\u0000` }, "parameter Pan"],
        [{ Card: { Pan: `${pan}\ud800` } }, "parameter Card.Pan"],
        [{ Pan: Redacted.make(`${pan}\u0001`) }, "parameter Pan"],
        [{ Pan: [pan, `${pan}\uffff`] }, "parameter Pan"],
        [{ Amount: NaN }, "parameter Amount"],
        [{ Amount: Infinity }, "parameter Amount"],
        [{ Amount: 1e21 }, "parameter Amount"],
        [{ Amount: 1e-7 }, "parameter Amount"],
        [{ When: new Date(0) }, "parameter When"],
        [{ Pan: new Map([[pan, pan]]) }, "parameter Pan"],
        [{ Pan: () => pan }, "parameter Pan"],
        [{ Pan: 4111n }, "parameter Pan"],
        [{ Pan: Redacted.make(4111) }, "parameter Pan"],
        [{ Pan: [[pan]] }, "parameter Pan"],
        [{ [`<${pan}>`]: "x" }, "name of a parameter"],
        [{ "a:b": "x" }, "name of a parameter"],
        [{ Card: { [`${pan} `]: "x" } }, "name of a parameter"],
        [{ SessKey: pan }, "record of parameters"],
        [{ sesskey: pan }, "record of parameters"],
        [[pan], "record of parameters"],
        [pan, "record of parameters"],
        [null, "record of parameters"]
      ] as ReadonlyArray<readonly [SoapClient.SoapParameters, string]>) {
        const error = yield* Effect.flip(client.method("Echo", parameters, Anything))
        assert(error._tag === "InvalidInput")
        assert.strictEqual(error.field, field)
        assert.match(error.expected, expected[field]!)
        assertShowsNone(error, pan)
      }
      const error = yield* Effect.flip(client.method("Echo", circular as SoapClient.SoapParameters, Anything))
      assert(error._tag === "InvalidInput")
      assert.match(error.expected, /32 deep/)
      assert.strictEqual(yield* world.emulator.requestsSeen, 0)
    })
  )
})

describe("a call over SOAP that has no result", () => {
  it.scoped("fails with MethodFailed, ErrMsg and ErrCode if FunctionOk is false, whatever the status", () =>
    Effect.gen(function* () {
      for (const status of [200, 400, 500]) {
        const fields = { FunctionOk: false, ErrCode: 6724, ErrMsg: "ERROR:6724:HIGH:Could NOT retrieve" }
        const error = yield* failed(soapResult("Transaction_Void", fields), status)
        assert(error._tag === "MethodFailed")
        assert.deepInclude(error, { method: "Transaction_Void", code: 6724, detail: fields.ErrMsg })
        assert.match(
          error.message,
          /did not carry out Transaction_Void: ERROR:6724.*ErrCode 6724.*count is unchanged.*correct the call/
        )
      }
      const noMessage = yield* failed(soapResult("Transaction_Void", { FunctionOk: false, RespMsg: "why" }))
      assert.deepInclude(noMessage, { code: null, detail: "why" })
      const nothing = yield* failed(soapResult("Transaction_Void", { FunctionOk: false }))
      assert.deepInclude(nothing, { code: null, detail: "no reason given" })
      const empty = { FunctionOk: false, ErrMsg: "", RespMsg: "v. 2 is not supported." }
      const sentence = yield* failed(soapResult("Transaction_Void", empty))
      assert.deepInclude(sentence, { detail: "v. 2 is not supported" })
      const secret = { FunctionOk: false, ErrMsg: "Pin blue heron is wrong" }
      const secretEchoed = yield* failed(soapResult("Transaction_Void", secret), 200, {
        Pin: Redacted.make("blue heron")
      })
      assert.deepInclude(secretEchoed, { detail: "Pin <redacted> is wrong" })
    })
  )

  it.scoped("fails with CallUncertain after a SOAP fault, a status from 300 on or a malformed answer", () =>
    Effect.gen(function* () {
      const fine = soapResult("Transaction_Void", { FunctionOk: true })
      for (const [body, status, detail] of [
        [
          soapFault("The creator of this fault"),
          500,
          /SOAP fault and HTTP status 500: The creator of this fault/
        ],
        [soapFault("x"), 200, /SOAP fault: x/],
        [soapFault(""), 200, /SOAP fault: no reason given/],
        [fine, 500, /HTTP status 500/],
        [fine, 300, /HTTP status 300/],
        [fine, 307, /HTTP status 307/],
        ["<html>", 503, /HTTP status 503/],
        ["", 204, /documented form/],
        [fine.slice(0, -1), 200, /documented form/],
        [soapResult("Transaction_Void", {}), 200, /documented form/],
        [soapResult("Transaction_Void", { FunctionOk: [true, true] }), 200, /documented form/],
        [soapResult("Transaction_Void", { FunctionOk: true, FunctionOK: false }), 200, /documented form/],
        [enveloped(fine), 200, /documented form/],
        ["Bad Request", 200, /documented form/],
        [" ".repeat(SoapClient.longestResultBytes + 1), 200, /4 MiB/],
        [`<!DOCTYPE x [<!ENTITY x "y">]>${fine}`, 200, /documented form/]
      ] as const) {
        const error = yield* failed(body, status)
        assert(error._tag === "CallUncertain", body.slice(0, 300))
        assert.match(error.detail, detail)
        assert.match(
          error.message,
          /not known whether Number carried out Transaction_Void.*may have happened: query.*count is unchanged/
        )
      }
    })
  )

  it.scoped(
    "takes statuses up to 299 for success; from 300 on, the status alone decides, even if the body breaks off",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { auth } = yield* startSoap(world)
        yield* auth.sessionKey
        const call = (response: () => Response) =>
          SoapClient.make().pipe(
            Effect.flatMap((client) => client.method("Echo", {}, Anything)),
            Effect.provideService(NumberAuth.NumberAuth, auth),
            Effect.provideService(
              HttpClient.HttpClient,
              HttpClient.make((request) => Effect.sync(() => HttpClientResponse.fromWeb(request, response())))
            ),
            Effect.either
          )
        const broken = () =>
          new ReadableStream({ pull: (controller) => controller.error(new Error("it broke")) })
        const detailOf = (result: Either.Either<unknown, SoapClient.SoapError>) => {
          assert(Either.isLeft(result) && result.left._tag === "CallUncertain")
          return result.left.detail
        }
        for (const status of [200, 299]) {
          const fine = yield* call(() => new Response(soapResult("Echo", { FunctionOk: true }), { status }))
          assert.deepStrictEqual(fine, Either.right({ FunctionOk: "true" }))
          assert.match(
            detailOf(yield* call(() => new Response(broken(), { status }))),
            /^the connection failed before a whole answer came/
          )
          assert.strictEqual(
            detailOf(yield* call(() => new Response(null, { status }))),
            "its answer is not of the documented form"
          )
        }
        for (const status of [300, 503]) {
          assert.strictEqual(
            detailOf(yield* call(() => new Response(broken(), { status }))),
            `Number answered with HTTP status ${status}`
          )
        }
      })
  )

  it.scoped("fails with CallUncertain if the connection breaks, and is not sent again", () =>
    Effect.gen(function* () {
      for (const fault of [Fault.DropRequest, Fault.DropAnswer, Fault.CutBody]) {
        const world = yield* makeWorld()
        const { client } = yield* startSoap(world)
        yield* world.emulator.injectMethod(fault)
        const error = yield* Effect.flip(client.method("Echo", { n: 1 }, Anything))
        assert(error._tag === "CallUncertain")
        assert.match(error.detail, /connection failed before a whole answer/)
        assert.strictEqual(yield* world.emulator.requestsSeen, 2)
        assert.lengthOf(yield* world.emulator.log, 1)
      }
    })
  )

  it.scoped("fails with CallUncertain if no answer comes in time: after 60 seconds by default", () =>
    Effect.gen(function* () {
      for (const [options, seconds] of [
        [{}, 60],
        [{ timeout: "5 seconds" }, 5]
      ] as const) {
        const world = yield* makeWorld()
        const { auth, client } = yield* startSoap(world, undefined, options)
        yield* auth.sessionKey
        yield* world.emulator.injectMethod(Fault.StallAnswer)
        const call = yield* Effect.fork(Effect.flip(client.method("Echo", { n: 1 }, Anything)))
        yield* TestClock.adjust(`${seconds - 1} seconds`)
        assert.isTrue(Option.isNone(yield* Fiber.poll(call)))
        yield* TestClock.adjust("1 second")
        const error = yield* Fiber.join(call)
        assert(error._tag === "CallUncertain")
        assert.match(error.detail, /no answer came within (1m|5s)/)
        assert.strictEqual(yield* world.emulator.executionsOf({ n: "1" }), 1)
        assert.strictEqual((yield* auth.status).failures, 0)
      }
    })
  )

  it.scoped("fails with CallUnsent if it never left, and may be sent again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth, client } = yield* startSoap(world)
      yield* auth.sessionKey
      yield* world.emulator.injectMethod(Fault.Refuse)
      const error = yield* Effect.flip(client.method("Echo", { n: 1 }, Anything))
      assert(error._tag === "CallUnsent")
      assert.match(error.message, /Echo did not reach Number.*ECONNREFUSED.*not carried out.*try again later/)
      yield* client.method("Echo", { n: 1 }, Echoed)
      assert.strictEqual(yield* world.emulator.executionsOf({ n: "1" }), 1)
    })
  )

  const wrappers: ReadonlyArray<(client: HttpClient.HttpClient) => HttpClient.HttpClient> = [
    HttpClient.retry(Schedule.recurs(3)) as never,
    HttpClient.retryTransient({ times: 3, mode: "both" }) as never,
    (client) => HttpClient.retry(HttpClient.filterStatusOk(client), { times: 3 })
  ]
  for (const [index, wrap] of wrappers.entries()) {
    it.scoped(`is written once, even if the HTTP client retries (${index + 1})`, () =>
      Effect.gen(function* () {
        for (const fault of [Fault.DropAnswer, Fault.DropRequest, Fault.Status(503, "")]) {
          const world = yield* makeWorld()
          const { client } = yield* startSoap(world, wrap(Emulator.httpClient(world.emulator, ip)))
          yield* world.emulator.injectMethod(fault, fault, fault, fault)
          const error = yield* Effect.flip(client.method("Echo", { n: 1 }, Anything))
          assert(error._tag === "CallUncertain")
          // The first wrapper does not retry after an error status: a status is an answer.
          const isAnswered = index === 0 && fault._tag === "Status"
          assert.strictEqual(
            error.detail,
            isAnswered ? "Number answered with HTTP status 503" : new SentTwice().message
          )
          assert.strictEqual(yield* world.emulator.pendingFaults, 3)
        }
      })
    )
  }

  it.scoped("reports the status if the HTTP client fails because of that status", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const http = HttpClient.filterStatusOk(Emulator.httpClient(world.emulator, ip))
      const { auth, client } = yield* startSoap(world, http)
      yield* auth.sessionKey
      yield* world.emulator.injectMethod(Fault.Status(503, ""))
      const error = yield* Effect.flip(client.method("Echo", {}, Anything))
      assert(error._tag === "CallUncertain")
      assert.strictEqual(error.detail, "Number answered with HTTP status 503")
    })
  )

  it.scoped("follows no redirect with fetch, since that would take the session key to another place", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth } = yield* startSoap(world)
      const asked: Array<string> = []
      const fetch = ((input: URL, init: RequestInit) => {
        asked.push(`${init.redirect} ${String(input)}`)
        return Promise.resolve(new Response("", { status: 307, headers: { location: "https://evil.test/" } }))
      }) as typeof globalThis.fetch
      const client = yield* SoapClient.make().pipe(
        Effect.provideService(NumberAuth.NumberAuth, auth),
        Effect.provide(FetchHttpClient.layer)
      )
      const error = yield* client
        .method("Echo", {}, Anything)
        .pipe(Effect.flip, Effect.provideService(FetchHttpClient.Fetch, fetch))
      assert.strictEqual(error._tag, "CallUncertain")
      assert.deepStrictEqual(asked, ["manual https://easypay5.com/APIcardProcR119/CardProcAPI.svc"])
    })
  )

  it.scoped("fails with a typed error, whatever the answer is, and shows neither key nor Redacted text", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth, client } = yield* startSoap(world)
      const key = Redacted.value(yield* auth.sessionKey)
      const pan = "4111111111111111"
      const good = soapResult("Echo", {
        FunctionOk: false,
        ErrCode: 1,
        ErrMsg: `${key} ${pan} ${key.toLowerCase()}`
      })
      const piece = FastCheck.oneof(
        FastCheck.constantFrom(key, pan, "<", "</s:Body>", "true", "<!DOCTYPE x>", "]]>", "&x;"),
        FastCheck.fullUnicodeString({ maxLength: 6 })
      )
      const bodies = FastCheck.sample(
        FastCheck.tuple(
          FastCheck.constantFrom(good, soapFault(`${key} ${pan}`), good.replace("false", "true")),
          FastCheck.array(FastCheck.tuple(FastCheck.nat(700), FastCheck.nat(40), piece), { maxLength: 3 })
        ).map(([whole, edits]) =>
          edits.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), whole)
        ),
        { numRuns: 100, seed: 1 }
      )
      for (const body of bodies) {
        yield* world.emulator.injectMethod(Fault.Body(body))
        const exit = yield* Effect.exit(
          client.method("Echo", { Pan: Redacted.make(pan) }, Schema.Struct({ Never: Schema.String }))
        )
        assert(Exit.isFailure(exit))
        assert.isTrue(Cause.isFailType(exit.cause), String(exit.cause))
        const shown = Cause.pretty(exit.cause, { renderErrorCause: true }) + JSON.stringify(exit)
        for (const secret of [key, pan]) assert.notInclude(shown.toLowerCase(), secret.toLowerCase())
      }
    })
  )
})

describe("secrets of a call over SOAP", () => {
  it.scoped("are in no error, span or log, whatever becomes of the call", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const pan = "4111111111111111"
      const keys: Array<string> = []
      const [exit, output] = yield* observed(
        Effect.gen(function* () {
          const http = Emulator.httpClient(world.emulator, ip).pipe(
            HttpClient.tapRequest((request) => Effect.logDebug("sending", request)),
            HttpClient.tapError((error) => Effect.logError(error))
          )
          const { auth, client } = yield* startSoap(world, http)
          const key = Redacted.value(yield* auth.sessionKey)
          keys.push(key)
          const results: Array<unknown> = [client]
          for (const fault of [
            Fault.DropRequest,
            Fault.DropAnswer,
            Fault.CutBody,
            Fault.Refuse,
            Fault.Status(500, soapFault(`${key} ${pan}`)),
            Fault.Status(500, `<html>${key}`),
            Fault.Body(key),
            Fault.FunctionNotOk(1, `no ${key} ${key.toLowerCase()} ${pan}`),
            Fault.FunctionNotOk(5030, key)
          ]) {
            yield* world.emulator.injectMethod(fault)
            const call = client.method(
              "Echo",
              { Pan: Redacted.make(pan) },
              Schema.Struct({ No: Schema.String })
            )
            results.push(yield* Effect.either(call.pipe(Effect.withSpan("mine"))))
            keys.push(Redacted.value(yield* auth.sessionKey))
          }
          yield* Effect.forEach(results, (result) => Effect.logError(result))
          return results
        })
      )
      assert(exit._tag === "Success")
      assert.strictEqual(new Set(keys).size, 2)
      assert.include(output.names, "SoapClient.method")
      assert.include(output.names, "http.client POST")
      assert.isTrue(output.logs.some((text) => text.includes("soapaction")))
      for (const value of exit.value) assertShowsNone(value, ...keys, pan)
      for (const text of [...output.spans, ...output.logs]) {
        for (const secret of [...keys, pan, goodToken]) {
          assert.isFalse(text.toLowerCase().includes(secret.toLowerCase()), text.slice(0, 2000))
        }
      }
    })
  )

  it.scoped("do not leak through the HTTP client's error, which holds the request", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth } = yield* startSoap(world)
      const key = Redacted.value(yield* auth.sessionKey)
      for (const reason of ["Transport", "Encode", "InvalidUrl"] as const) {
        const http = HttpClient.make((request) =>
          Effect.fail(
            new HttpClientError.RequestError({ request, reason, cause: new Error(key), description: key })
          )
        )
        const client = yield* SoapClient.make().pipe(
          Effect.provideService(NumberAuth.NumberAuth, auth),
          Effect.provideService(HttpClient.HttpClient, http)
        )
        const error = yield* Effect.flip(client.method("Echo", {}, Anything))
        assert(error._tag === "CallUncertain" || error._tag === "CallUnsent")
        assert.strictEqual(error._tag, reason === "Transport" ? "CallUncertain" : "CallUnsent")
        assert.match(
          error.detail,
          reason === "Transport" ? /^the connection failed/ : /^the request could not be built$/
        )
        assertShowsNone(error, key)
      }
    })
  )
})

describe("the settings of the SOAP client", () => {
  it.scoped("come from the environment with layerConfig, and reach the wire", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth } = yield* startSoap(world)
      const seen: Array<string> = []
      const http = HttpClient.make((request) =>
        Effect.sync(() => {
          seen.push(request.url, request.headers["soapaction"] ?? "")
          const body = soapResult("Echo", { FunctionOk: true })
          return HttpClientResponse.fromWeb(request, new Response(body))
        })
      )
      const built = (settings: ReadonlyArray<readonly [string, string]>) =>
        Layer.build(
          SoapClient.layerConfig().pipe(
            Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
            Layer.provide(Layer.succeed(NumberAuth.NumberAuth, auth)),
            Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(settings))))
          )
        )
      const context = yield* built([
        ["NUMBER_SOAP_ENDPOINT", "https://number.test/soap"],
        ["NUMBER_SOAP_NAMESPACE", "urn:n"]
      ])
      yield* Context.get(context, SoapClient.SoapClient).method("Echo", {}, Anything)
      assert.deepStrictEqual(seen, ["https://number.test/soap", '"urn:n/ICardProcess/Echo"'])
      const error = yield* Effect.flip(built([["NUMBER_SOAP_NAMESPACE", "a b"]]))
      assert.strictEqual(error._tag, "InvalidInput")
      seen.length = 0
      const given = yield* Layer.build(
        SoapClient.layer({ namespace: "urn:g" }).pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
          Layer.provide(Layer.succeed(NumberAuth.NumberAuth, auth))
        )
      )
      yield* Context.get(given, SoapClient.SoapClient).method("Echo", {}, Anything)
      assert.strictEqual(seen[1], '"urn:g/ICardProcess/Echo"')
    })
  )
})
