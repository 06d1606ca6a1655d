import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Either, Option, Redacted, Schema } from "effect"
import {
  AuthenticateAnswer,
  functionOkOf,
  refusalIn,
  SoapAuthenticateResult,
  SoapBoolean
} from "../../../src/schemas/Answers.js"
import { assertShowsNone } from "../../support/leaks.js"

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8")
const accepted = fixture("authenticate-accepted.json")
const decode = Schema.decodeUnknownEither(AuthenticateAnswer)
const withResult = (fields: Record<string, unknown>) =>
  JSON.stringify({ AuthenticateResult: { ...JSON.parse(accepted).AuthenticateResult, ...fields } })
const resultOf = (text: string) => Either.getOrThrow(decode(text)).AuthenticateResult

describe("AuthenticateAnswer", () => {
  it("reads the documented sample", () => {
    const result = resultOf(accepted)
    assert.strictEqual(result.FunctionOk, true)
    assert.strictEqual(result.AuthSuccess, true)
    assert.strictEqual(result.ErrCode, 0)
    assert.strictEqual(result.ErrMsg, "")
    assert.strictEqual(result.RespMsg, "SessKey Expires|4/18/2019 7:29:47 AM")
    assert.strictEqual(Redacted.value(result.SessKey!), "B9F24903C3BA4770AE303032303541303032353437")
    assert.deepStrictEqual(result.ThisUser, {
      ExpirationDate: Date.parse("2024-12-01T11:19:01.000Z"),
      IsLockedOut: false
    })
    assertShowsNone(result, "B9F24903C3BA4770AE303032303541303032353437")
  })

  it("accepts the spelling FunctionOK of the documentation's prose", () => {
    const result = resultOf(withResult({ FunctionOk: undefined, FunctionOK: true }))
    assert.strictEqual(result.FunctionOk ?? result.FunctionOK, true)
  })

  it("reads a quoted error code as a number, and anything but an integer as null", () => {
    assert.strictEqual(resultOf(withResult({ ErrCode: "5030" })).ErrCode, 5030)
    assert.strictEqual(resultOf(withResult({ ErrCode: "many" })).ErrCode, null)
    assert.strictEqual(resultOf(withResult({ ErrCode: 1.5 })).ErrCode, null)
  })

  it("stays decodable if an informative field is malformed or absent", () => {
    const odd: ReadonlyArray<unknown> = [null, undefined, 7, {}, [], true, "0001-01-01", "not a date"]
    for (const value of odd) {
      for (const field of ["ErrMsg", "RespMsg", "ErrCode", "ThisUser", "MerchantList"]) {
        const result = resultOf(withResult({ [field]: value }))
        assert.strictEqual(result.AuthSuccess, true, `${field}: ${JSON.stringify(value)}`)
        assert.isNotNull(result.SessKey)
      }
      const user = resultOf(withResult({ ThisUser: { ExpirationDate: value, IsLockedOut: true } })).ThisUser
      assert.deepStrictEqual(user, { ExpirationDate: null, IsLockedOut: true })
    }
  })

  it("has no session key if the field is empty, malformed or absent", () => {
    for (const value of ["", null, undefined, 42, {}, "two words"]) {
      assert.isNull(resultOf(withResult({ SessKey: value })).SessKey)
    }
  })

  it("is not decodable if it is not JSON, lacks its envelope, or has a FunctionOk that is not a boolean", () => {
    for (const text of [
      "null",
      "{}",
      "[]",
      "Bad Request",
      "",
      accepted.slice(0, -10),
      JSON.stringify({ AuthenticateResult: null }),
      JSON.stringify(JSON.parse(accepted).AuthenticateResult),
      withResult({ FunctionOk: "true" }),
      withResult({ FunctionOk: 1 })
    ]) {
      assert.isTrue(Either.isLeft(decode(text)), text.slice(0, 60))
    }
  })
})

describe("refusalIn", () => {
  const found = (answer: unknown) => Option.getOrNull(refusalIn(answer))
  const result = (fields: Record<string, unknown>) => ({ EchoResult: { FunctionOk: false, ...fields } })

  it("finds 5030 and 5050, as numbers and as text, under either spelling of FunctionOk", () => {
    for (const code of [5030, 5050] as const) {
      assert.strictEqual(found(result({ ErrCode: code })), code)
      assert.strictEqual(found(result({ ErrCode: String(code) })), code)
      assert.strictEqual(found({ Transaction_VoidResult: { FunctionOK: false, ErrCode: code } }), code)
    }
  })

  it("finds the code in the only member that has a name ending in Result", () => {
    assert.strictEqual(found({ d: 1, Other: { ErrCode: 5030 }, ...result({ ErrCode: 5050 }) }), 5050)
  })

  it("finds no refusal in an answer that does not state one", () => {
    const others: ReadonlyArray<unknown> = [
      JSON.parse(fixture("method-refused-void.json")),
      JSON.parse(accepted),
      result({ ErrCode: 5040 }),
      result({ ErrCode: 503 }),
      result({ ErrCode: null }),
      result({}),
      { EchoResult: { FunctionOk: true, ErrCode: 5030 } },
      { EchoResult: { FunctionOk: true, FunctionOK: false, ErrCode: 5030 } },
      { EchoResult: { ErrCode: 5030 } },
      { EchoResult: { FunctionOk: false, ErrCode: [5030] } },
      { SaleResult: { FunctionOk: true }, OtherResult: { FunctionOk: false, ErrCode: 5030 } },
      { SaleResult: null, OtherResult: { FunctionOk: false, ErrCode: 5030 } },
      { EchoResult: { FunctionOk: "false", ErrCode: 5030 } },
      { EchoResult: { FunctionOk: 0, ErrCode: 5030 } },
      { Echo: { FunctionOk: false, ErrCode: 5030 } },
      { FunctionOk: false, ErrCode: 5030 },
      { EchoResult: [{ FunctionOk: false, ErrCode: 5030 }] },
      { EchoResult: { Inner: { FunctionOk: false, ErrCode: 5030 } } },
      { EchoResult: null },
      { EchoResult: 5030 },
      [result({ ErrCode: 5030 })],
      null,
      undefined,
      5030,
      "5030",
      true,
      Symbol("5030"),
      () => 5030
    ]
    for (const answer of others) assert.isNull(found(answer))
  })

  it("never throws, whatever ErrCode is", () => {
    for (const ErrCode of [{}, [], [5030], { valueOf: 1 }, "x".repeat(1e5)]) {
      found(JSON.parse(JSON.stringify(result({ ErrCode }))))
    }
  })
})

describe("functionOkOf", () => {
  it("reads either spelling, and is undefined if the two contradict each other", () => {
    for (const [result, expected] of [
      [{}, undefined],
      [{ FunctionOk: true }, true],
      [{ FunctionOK: true }, true],
      [{ FunctionOk: false }, false],
      [{ FunctionOK: false }, false],
      [{ FunctionOk: true, FunctionOK: true }, true],
      [{ FunctionOk: false, FunctionOK: false }, false],
      [{ FunctionOk: true, FunctionOK: false }, undefined],
      [{ FunctionOk: false, FunctionOK: true }, undefined]
    ] as const) {
      assert.strictEqual(functionOkOf(result), expected, JSON.stringify(result))
    }
  })
})

describe("SoapBoolean", () => {
  it("reads the forms that xs:boolean allows, and no others", () => {
    const decodeBoolean = Schema.decodeUnknownOption(SoapBoolean)
    for (const text of ["true", "1", " true\n", "\t1 "])
      assert.strictEqual(Option.getOrNull(decodeBoolean(text)), true)
    for (const text of ["false", "0", " false "])
      assert.strictEqual(Option.getOrNull(decodeBoolean(text)), false)
    for (const text of ["", "True", "TRUE", "yes", "2", "01", true, 1, null, undefined, ["true"], {}]) {
      assert.isTrue(Option.isNone(decodeBoolean(text)), JSON.stringify(text))
    }
  })
})

describe("SoapAuthenticateResult", () => {
  const key = "B9F24903C3BA4770AE303032303541303032353437"
  const fields = { FunctionOk: "true", AuthSuccess: "true", SessKey: key }
  const read = (more: Record<string, unknown>) =>
    Schema.decodeUnknownEither(SoapAuthenticateResult)({ ...fields, ...more })

  it("decodes texts, and treats a malformed informative field as absent", () => {
    const result = Either.getOrThrow(
      read({
        ErrCode: " 12 ",
        ErrMsg: " a ",
        ThisUser: { ExpirationDate: "2019-09-11T16:12:00-04:00", IsLockedOut: "1" }
      })
    )
    assert.deepInclude(result, { FunctionOk: true, AuthSuccess: true, ErrCode: 12, ErrMsg: "a" })
    assert.deepStrictEqual(result.ThisUser, {
      ExpirationDate: Date.parse("2019-09-11T20:12:00Z"),
      IsLockedOut: true
    })
    assert.strictEqual(Redacted.value(result.SessKey!), key)
    assertShowsNone(result, key)
    for (const odd of ["", "x", null, {}, undefined]) {
      const { ErrCode, ThisUser } = Either.getOrThrow(read({ ErrCode: odd, ThisUser: odd }))
      assert.isNull(ErrCode)
      if (odd === "" || odd === "x" || odd === null) assert.isNull(ThisUser)
    }
  })

  it("is not decodable if any field is repeated", () => {
    assert.isTrue(Either.isRight(read({})))
    for (const name of [
      "FunctionOk",
      "FunctionOK",
      "AuthSuccess",
      "SessKey",
      "ErrCode",
      "ErrMsg",
      "RespMsg",
      "ThisUser"
    ]) {
      for (const twice of [["true", "true"], [key, key], []]) {
        assert.isTrue(Either.isLeft(read({ [name]: twice })), name)
      }
    }
  })
})
