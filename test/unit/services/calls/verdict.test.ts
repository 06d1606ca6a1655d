import { assert, describe, it } from "@effect/vitest"
import { identity } from "effect"
import { readJsonAnswer } from "../../../../src/services/calls/internal/jsonAnswer.js"
import { verdictOf } from "../../../../src/services/calls/internal/verdict.js"
import { emptyHead } from "../../../../src/services/wire/answerHead.js"

const statuses = [200, 204, 300, 302, 400, 401, 404, 499, 500, 503]

describe("the verdict of an answer", () => {
  it("is notCarriedOut if the answer says so, under any status", () => {
    for (const status of statuses) {
      const head = { ...emptyHead, FunctionOk: false, ErrCode: 7, ErrMsg: "No.", RespMsg: "r" }
      assert.deepStrictEqual(verdictOf(status, head, ""), { _tag: "notCarriedOut", code: 7, detail: "No" })
    }
    const { detail } = verdictOf(200, { ...emptyHead, FunctionOk: false, RespMsg: "r" }, "") as {
      detail: string
    }
    assert.strictEqual(detail, "r")
  })

  it("is carriedOut if the answer says so, but only under a status of success", () => {
    for (const status of statuses) {
      const { _tag } = verdictOf(status, { ...emptyHead, FunctionOk: true }, "")
      assert.strictEqual(_tag, status < 300 ? "carriedOut" : "unknown", String(status))
    }
  })

  it("is unknown if the answer lacks FunctionOk, under any status", () => {
    for (const status of statuses) {
      const verdict = verdictOf(status, emptyHead, "it says nothing")
      assert.deepStrictEqual(verdict, {
        _tag: "unknown",
        detail: status < 300 ? "it says nothing" : `Number answered with HTTP status ${status}`
      })
    }
  })
})

describe("an answer in JSON", () => {
  const read = (text: string, expected: string | null = "EchoResult", status = 200) =>
    readJsonAnswer({ status, text }, expected, identity)
  const tagOf = (...given: Parameters<typeof read>) => read(...given).verdict._tag

  it("is read by the expected name, or else by its only result", () => {
    assert.strictEqual(tagOf('{"EchoResult":{"FunctionOk":true}}'), "carriedOut")
    assert.strictEqual(tagOf('{"OtherResult":{"FunctionOk":false}}'), "notCarriedOut")
    assert.strictEqual(tagOf('{"OtherResult":{"FunctionOk":true}}', null), "carriedOut")
    assert.strictEqual(read('{"OtherResult":{"FunctionOk":true}}').found?.[0], "OtherResult")
  })

  it("gives the verdict unknown if its results contradict each other", () => {
    const both = '{"EchoResult":{"FunctionOk":false},"OtherResult":{"FunctionOk":true}}'
    assert.strictEqual(tagOf(both), "unknown")
    assert.strictEqual(tagOf(both, null), "unknown")
    const itself = '"EchoResult":{"FunctionOk":false,"FunctionOK":true}'
    assert.strictEqual(tagOf(`{${itself}}`), "unknown")
    for (const other of ['{"FunctionOk":true}', '{"FunctionOk":"true"}', "{}"]) {
      assert.strictEqual(tagOf(`{${itself},"OtherResult":${other}}`), "unknown", other)
      assert.strictEqual(tagOf(`{${itself},"OtherResult":${other}}`, null), "unknown", other)
    }
  })

  it("takes its verdict from the results that have FunctionOk, and ignores the others", () => {
    for (const [says, tag] of [
      [true, "carriedOut"],
      [false, "notCarriedOut"]
    ] as const) {
      const result = `"EchoResult":{"FunctionOk":${says}}`
      for (const text of [`{${result},"FraudResult":{"Score":1}}`, `{"FraudResult":{"Score":1},${result}}`]) {
        assert.strictEqual(tagOf(text), tag)
        assert.strictEqual(tagOf(text, null), tag)
        assert.strictEqual(read(text, null).found?.[0], "EchoResult")
      }
      const agreeing = `{${result},"OtherResult":{"FunctionOk":${says}}}`
      assert.strictEqual(tagOf(agreeing), tag)
      assert.strictEqual(tagOf(agreeing, null), tag)
    }
  })

  it.each(["", "null", "[]", "{}", "<html>", '{"EchoResult":null}', '{"EchoResult":{"FunctionOk":"true"}}'])(
    "gives the verdict unknown if it is %s",
    (text) => {
      assert.strictEqual(tagOf(text), "unknown")
      assert.strictEqual(tagOf(text, null), "unknown")
    }
  )
})
