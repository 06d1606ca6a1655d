import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Either, FastCheck, Schema } from "effect"
import { encodeRecord, fromTrace, toTrace, TransitionRecord } from "../../../src/schemas/TransitionRecord.js"
import { record } from "../../support/records.js"

describe("encodeRecord", () => {
  it("encodes a record as the schema does", () => {
    const encode = Schema.encodeSync(TransitionRecord)
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(TransitionRecord), (given) => {
        assert.deepStrictEqual(JSON.parse(encodeRecord(given)), JSON.parse(JSON.stringify(encode(given))))
      }),
      { numRuns: 100, seed: 1 }
    )
  })

  it("encodes only fields that the schema names, at every level", () => {
    const secret = { token: "CANARY", fingerprint: "CANARY", claim: { sessionKey: "CANARY" } }
    const given = {
      ...record(),
      ...secret,
      events: [{ type: "attempt.reserved", attempt: 1, ...secret }],
      abort: { reason: "refused", attempt: 1, detail: "no", atMillis: 0, ...secret },
      session: { generation: 1, obtainedAtMillis: 0, expiresAtMillis: 1, ...secret }
    } as const
    assert.notInclude(encodeRecord(given), "CANARY")
    assert.include(encodeRecord(given), "obtainedAtMillis")
  })
})

describe("a trace file", () => {
  const records = [
    record(),
    record({ sequence: 2, events: [{ type: "attempt.lost", detail: "none\ncame" }] })
  ]

  it("decodes to the records that were written", () => {
    const text = toTrace(records)
    assert.deepStrictEqual(fromTrace(text), Either.right(records))
    assert.strictEqual(text.split("\n").length, 4)
    assert.deepStrictEqual(fromTrace(toTrace([])), Either.right([]))
  })

  it("is read without its last line if that line is incomplete, as when the process died while writing", () => {
    assert.deepStrictEqual(fromTrace(toTrace(records).slice(0, -20)), Either.right([records[0]!]))
  })

  it("is refused with the number of the damaged line, or for its first line if it is not a trace", () => {
    const lines = toTrace(records).split("\n")
    lines[1] = lines[1]!.replace('"limit":5', '"limit":6')
    assert.deepStrictEqual(fromTrace(lines.join("\n")), Either.left("its line 2 is no record"))
    for (const text of ["", "{}\n", '{"version":2,"trace":"number-auth"}\n', lines.slice(1).join("\n")]) {
      assert.deepStrictEqual(fromTrace(text), Either.left("its first line is not that of a trace"))
    }
  })
})
