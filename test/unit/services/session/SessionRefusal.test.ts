import { assert, describe, it } from "@effect/vitest"
import { Either, Option } from "effect"
import { fromResult, SessionRefused } from "../../../../src/services/session/SessionRefusal.js"

describe("the refusal of a session", () => {
  it("is found in a SessionRefused failure, and in no other failure", () => {
    const refusal = fromResult(Either.left(new SessionRefused({ code: 5050 })))
    assert.strictEqual(Option.getOrNull(refusal), 5050)
    for (const error of [new Error("5050"), { code: 5050 }, 5050, null]) {
      assert.isTrue(Option.isNone(fromResult(Either.left(error))))
    }
  })

  it("is found in an answer that refuses the key, and in no other", () => {
    const found = (FunctionOk: boolean, ErrCode: number) =>
      Option.getOrNull(fromResult(Either.right({ EchoResult: { FunctionOk, ErrCode } })))
    assert.strictEqual(found(false, 5030), 5030)
    assert.strictEqual(found(false, 5050), 5050)
    assert.isNull(found(false, 5040))
    assert.isNull(found(true, 5030))
    const bare = fromResult(Either.right({ FunctionOk: false, ErrCode: 5030 }))
    assert.isTrue(Option.isNone(bare))
  })
})
