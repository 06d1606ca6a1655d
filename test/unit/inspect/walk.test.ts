import { assert, describe, it } from "vitest"
import { chart } from "../../../src/inspect/Chart.js"
import { walk } from "../../../src/inspect/internal/walk.js"

const arrows = (from: string, to: string, ...events: ReadonlyArray<string>) =>
  walk(chart, from, to, events).map((step) => `${step.from} ${step.to} ${step.event}`)

describe("the way that a record went", () => {
  it("has a step for each event that led on, also where one transaction took several", () => {
    assert.deepStrictEqual(
      arrows("authenticated", "expired.attempting", "session.expired", "attempt.reserved"),
      ["authenticated expired.idle session.expired", "expired.idle expired.attempting attempt.reserved"]
    )
  })

  it("takes of several ways of one event the one that arrives", () => {
    assert.deepStrictEqual(arrows("authenticated", "aborted", "session.unauthorized"), [
      "authenticated aborted session.unauthorized"
    ])
    assert.deepStrictEqual(arrows("authenticated", "unauthorized.idle", "session.unauthorized"), [
      "authenticated unauthorized.idle session.unauthorized"
    ])
    assert.deepStrictEqual(arrows("locked", "aborted", "lock.lifted"), ["locked aborted lock.lifted"])
  })

  it("leaves out events that change no state, and has no step where no way arrives", () => {
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
