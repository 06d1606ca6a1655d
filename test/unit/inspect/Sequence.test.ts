import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { authMachine } from "../../../src/machine/AuthMachine.js"
import * as Recorder from "../../../src/inspect/Recorder.js"
import { toSequenceDiagram } from "../../../src/inspect/Sequence.js"
import { AttemptOutcome } from "../../../src/schemas/AttemptOutcome.js"
import * as NumberAuth from "../../../src/services/session/NumberAuth.js"
import * as NumberAuthTest from "../../../src/testing/NumberAuthTest.js"
import { record } from "../../support/records.js"

describe("the sequence diagram of records", () => {
  it.effect("shows each step of a refused attempt, line by line", () =>
    Effect.gen(function* () {
      const auth = yield* NumberAuth.NumberAuth
      yield* Effect.flip(auth.sessionKey)
      const recorder = yield* Recorder.Recorder
      const lines = toSequenceDiagram(yield* recorder.all).split("\n")
      assert.deepStrictEqual(lines.slice(0, 12), [
        "sequenceDiagram",
        "  participant EP0000001",
        "  participant Store",
        "  participant Number",
        "  actor Person",
        "  Note left of EP0000001: 1970-01-01 00:00:00",
        "  EP0000001->>Store: attempt 1 is marked",
        "  EP0000001->>Number: Authenticate, attempt 1",
        "  Note over EP0000001: unauthenticated.idle to unauthenticated.attempting, 1 of 5 places taken",
        "  Number-->>EP0000001: attempt 1 refused: no#59; such #35;1 token",
        "  EP0000001->>Store: attempt 1 is settled",
        "  Note over EP0000001: unauthenticated.attempting to aborted, 1 of 5 places taken"
      ])
      assert.match(lines[12]!, /^ {2}EP0000001->>Person: aborted: /)
      assert.strictEqual(lines.length, 14)
    }).pipe(
      Effect.provide(
        NumberAuthTest.layer({
          state: "unauthenticated",
          outcomes: [AttemptOutcome.refused({ detail: "no;\nsuch #1 token" })]
        }).pipe(Layer.provideMerge(Recorder.layer()))
      )
    )
  )

  it("has a line for every event of the machine, without an undefined value", () => {
    for (const type of authMachine.events) {
      if (type.startsWith("xstate.") || type === "*") continue
      const before = toSequenceDiagram([record({ events: [] })]).split("\n").length
      const lines = toSequenceDiagram([
        record({ events: [{ type, attempt: 7, generation: 7, detail: "a\nb" }] })
      ])
      assert.isAbove(lines.split("\n").length, before, type)
      assert.notMatch(lines, /undefined/)
    }
  })

  it("shows an attempt that met a lock, with Number's text", () => {
    const event = { type: "attempt.lockedOut", attempt: 3, detail: "please wait" } as const
    const text = toSequenceDiagram([record({ events: [event] })])
    assert.include(text, `Number-->>${record().account}: attempt 3 met a lock of the IP: please wait`)
    assert.include(text, `${record().account}->>Store: attempt 3 is settled`)
  })

  it("shows a lock that Number reported, and counts only marks that no success has cleared", () => {
    const settled = { status: "settled", account: record().account, reason: "refused", settledAt: 2 } as const
    const text = toSequenceDiagram([
      record({
        lockReported: true,
        to: "locked",
        marks: [
          { ...settled, attempt: 1, clearedForLocation: true },
          { ...settled, attempt: 2, clearedForLocation: false }
        ]
      })
    ])
    assert.include(text, "unauthenticated.idle to locked, 1 of 5 places taken, Number reports a lock")
  })
})
