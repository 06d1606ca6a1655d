import { assert, describe, it } from "vitest"
import { chart } from "../../../src/inspect/Chart.js"
import { walk } from "../../../src/inspect/internal/walk.js"

const arrows = (from: string, to: string, ...events: ReadonlyArray<string>) =>
  walk(chart, from, to, events).map((step) => `${step.from} ${step.to} ${step.event}`)

describe("the path of a record", () => {
  it("has a step for each event that changes the state, even if one transaction takes several", () => {
    assert.deepStrictEqual(
      arrows("authenticated", "expired.attempting", "session.expired", "attempt.reserved"),
      ["authenticated expired.idle session.expired", "expired.idle expired.attempting attempt.reserved"]
    )
  })

  it("takes that transition of an event which reaches the state of the record", () => {
    assert.deepStrictEqual(arrows("authenticated", "aborted", "session.unauthorized"), [
      "authenticated aborted session.unauthorized"
    ])
    assert.deepStrictEqual(arrows("authenticated", "unauthorized.idle", "session.unauthorized"), [
      "authenticated unauthorized.idle session.unauthorized"
    ])
    assert.deepStrictEqual(arrows("locked", "aborted", "lock.lifted"), ["locked aborted lock.lifted"])
  })

  it("leaves out events that change no state, and has no step if no path reaches the state of the record", () => {
    assert.deepStrictEqual(arrows("authenticated", "authenticated", "session.expired"), [])
    assert.deepStrictEqual(
      arrows("authenticated", "expired.idle", "session.unauthorized", "session.expired"),
      ["authenticated expired.idle session.expired"]
    )
    assert.deepStrictEqual(arrows("authenticated", "locked"), [])
    assert.deepStrictEqual(arrows("aborted", "aborted", "attempt.refused"), [
      "aborted aborted attempt.refused"
    ])
  })
})
