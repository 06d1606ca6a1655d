import { assert, describe, it } from "@effect/vitest"
import { AttemptOutcome } from "../../../../../src/schemas/AttemptOutcome.js"
import { denialOf, outcomeAfter } from "../../../../../src/services/session/internal/attempt.js"

const fresh = { isWritten: false, isOver: false }
const began = { millis: 1000, nanos: 5_000_000n }
/** A later time: by these milliseconds on the wall clock, and on the monotonic clock. */
const later = (millis: number, steady = millis) => ({
  millis: began.millis + millis,
  nanos: began.nanos + BigInt(steady) * 1_000_000n
})

describe("the permit of an attempt", () => {
  it("is given while the lease runs by both clocks", () => {
    assert.isNull(denialOf(fresh, began, later(0), 1000))
    assert.isNull(denialOf(fresh, began, later(999), 1000))
    assert.strictEqual(denialOf(fresh, began, later(1000, 0), 1000), "leaseEnded", "the clock was set")
    assert.strictEqual(denialOf(fresh, began, later(0, 1000), 1000), "leaseEnded", "the clock was set back")
  })

  it("is denied once the outcome is known, and for a second write", () => {
    assert.strictEqual(denialOf({ ...fresh, isOver: true }, began, later(0), 1000), "leaseEnded")
    assert.strictEqual(denialOf({ ...fresh, isWritten: true }, began, later(0), 1000), "alreadyWritten")
    assert.strictEqual(
      denialOf({ isWritten: true, isOver: true }, began, later(2000), 1000),
      "alreadyWritten"
    )
  })
})

describe("the outcome of an attempt whose permit was denied", () => {
  const lost = AttemptOutcome.lost({ detail: "silence" })
  const unsent = AttemptOutcome.unsent({ detail: "refused" })
  const written = { ...fresh, isWritten: true }

  it("is unsent in place of lost if nothing was written", () => {
    assert.strictEqual(outcomeAfter(lost, "leaseEnded", fresh)._tag, "unsent")
    assert.strictEqual(outcomeAfter(lost, "leaseEnded", written)._tag, "lost")
    assert.strictEqual(outcomeAfter(lost, null, fresh), lost, "a transport that never asked is believed")
  })

  it("is lost in place of unsent if a second write was denied", () => {
    assert.strictEqual(outcomeAfter(unsent, "alreadyWritten", written)._tag, "lost")
    assert.strictEqual(outcomeAfter(unsent, "leaseEnded", fresh), unsent)
    assert.strictEqual(outcomeAfter(unsent, null, written), unsent)
  })

  it("follows the answer if one came", () => {
    const refused = AttemptOutcome.refused({ detail: "no" })
    for (const denied of ["leaseEnded", "alreadyWritten", null] as const) {
      assert.strictEqual(outcomeAfter(refused, denied, written), refused)
    }
  })
})
