import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Either, FastCheck, Schema } from "effect"
import { encodeRecord, fromTrace, toTrace, TransitionRecord } from "../../../src/schemas/TransitionRecord.js"
import { record } from "../../support/records.js"

describe("a record that is written", () => {
  it("is as the schema encodes it", () => {
    const encode = Schema.encodeSync(TransitionRecord)
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(TransitionRecord), (given) => {
        assert.deepStrictEqual(JSON.parse(encodeRecord(given)), JSON.parse(JSON.stringify(encode(given))))
      }),
      { numRuns: 100, seed: 1 }
    )
  })

  it("holds nothing that the schema does not name, wherever it stands", () => {
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

  it("holds what was written", () => {
    const text = toTrace(records)
    assert.deepStrictEqual(fromTrace(text), Either.right(records))
    assert.strictEqual(text.split("\n").length, 4)
    assert.deepStrictEqual(fromTrace(toTrace([])), Either.right([]))
  })

  it("of a process that died while it wrote is read without the line that it did not end", () => {
    assert.deepStrictEqual(fromTrace(toTrace(records).slice(0, -20)), Either.right([records[0]!]))
  })

  it("that is damaged is refused by the number of the line, and what is none by its first", () => {
    const lines = toTrace(records).split("\n")
    lines[1] = lines[1]!.replace('"limit":5', '"limit":6')
    assert.deepStrictEqual(fromTrace(lines.join("\n")), Either.left("its line 2 is no record"))
    for (const text of ["", "{}\n", '{"version":2,"trace":"number-auth"}\n', lines.slice(1).join("\n")]) {
      assert.deepStrictEqual(fromTrace(text), Either.left("its first line is not that of a trace"))
    }
  })
})
