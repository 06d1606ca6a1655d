import { assert, describe, it } from "vitest"
import * as Schema from "effect/Schema"
import { defaultPolicy, Policy } from "../../../src/machine/Policy.js"

const isPolicy = Schema.is(Policy)

describe("Policy", () => {
  it("has the defaults that its fields name, in milliseconds", () => {
    assert.deepStrictEqual(Schema.decodeUnknownSync(Policy)(defaultPolicy), {
      limit: 5,
      leaseMillis: 45_000,
      drainMillis: 300_000,
      lostAttempts: "abort",
      successClears: "location",
      sessionLifetimeMillis: 90_000_000,
      tokenWarningMillis: 2_592_000_000,
      flapWindowMillis: 600_000,
      flapLimit: 3
    })
  })

  it("takes a limit from 1 to 5, and never 6: Number locks at the sixth", () => {
    const taken = [0, 1, 2.5, 5, 6].filter((limit) => isPolicy({ ...defaultPolicy, limit }))
    assert.deepStrictEqual(taken, [1, 5])
  })

  it("refuses a time or a flap limit of zero, but accepts a token warning of zero", () => {
    for (const field of [
      "leaseMillis",
      "drainMillis",
      "sessionLifetimeMillis",
      "flapWindowMillis",
      "flapLimit"
    ]) {
      assert.isFalse(isPolicy({ ...defaultPolicy, [field]: 0 }), field)
      assert.isTrue(isPolicy({ ...defaultPolicy, [field]: 1 }), field)
    }
    assert.isTrue(isPolicy({ ...defaultPolicy, tokenWarningMillis: 0 }))
    assert.isFalse(isPolicy({ ...defaultPolicy, tokenWarningMillis: -1 }))
  })

  it("accepts two values for lostAttempts and two for successClears", () => {
    for (const [field, values] of [
      ["lostAttempts", ["abort", "continue"]],
      ["successClears", ["location", "account"]]
    ] as const) {
      for (const value of values) assert.isTrue(isPolicy({ ...defaultPolicy, [field]: value }), value)
      assert.isFalse(isPolicy({ ...defaultPolicy, [field]: "" }), field)
    }
  })
})
