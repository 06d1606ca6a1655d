import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream, TestClock } from "effect"
import * as Recorder from "../../../src/inspect/Recorder.js"
import type { AccountCode, Location } from "../../../src/schemas/Credentials.js"
import * as NumberAuth from "../../../src/services/session/NumberAuth.js"
import * as NumberAuthTest from "../../../src/testing/NumberAuthTest.js"
import { record } from "../../support/records.js"

const location = "default" as Location
const a = "EP0000001" as AccountCode
const b = "EP0000002" as AccountCode
const key = { location, account: a }

describe("Recorder", () => {
  it.effect("keeps an account's records in the order of the transactions, each once", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make()
      for (const sequence of [2, 5, 3, 5, 2, 1, 4]) recorder.record(record({ sequence }))
      recorder.record(record({ account: b, sequence: 6 }))
      assert.deepStrictEqual(
        (yield* recorder.records(key)).map(({ sequence }) => sequence),
        [1, 2, 3, 4, 5]
      )
      assert.deepStrictEqual(
        (yield* recorder.accounts).map(({ account, sequence }) => [account, sequence]).sort(),
        [
          [a, 5],
          [b, 6]
        ]
      )
      assert.deepStrictEqual(
        (yield* recorder.all).map(({ sequence }) => sequence),
        [1, 2, 3, 4, 5, 6]
      )
      assert.deepStrictEqual(yield* recorder.records({ ...key, location: "other" as Location }), [])
    })
  )

  it.effect("drops the oldest records, but keeps the newest of each account", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make({ capacity: 3 })
      recorder.record(record({ account: b, sequence: 1 }))
      for (let sequence = 2; sequence <= 10; sequence++) recorder.record(record({ sequence }))
      assert.deepStrictEqual(
        (yield* recorder.records(key)).map(({ sequence }) => sequence),
        [7, 8, 9, 10]
      )
      assert.strictEqual((yield* recorder.records({ location, account: b })).length, 1)
      recorder.record(record({ account: b, sequence: 11 }))
      assert.deepStrictEqual(
        (yield* recorder.all).map(({ sequence }) => sequence),
        [1, 8, 9, 10, 11]
      )
    })
  )

  it.scoped("publishes the records that come after the subscription", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make()
      recorder.record(record({ sequence: 1 }))
      const changes = yield* recorder.changes
      recorder.record(record({ sequence: 2 }))
      recorder.record(record({ sequence: 2 }))
      recorder.record(record({ sequence: 3 }))
      const seen = yield* Stream.runCollect(Stream.take(changes, 2))
      assert.deepStrictEqual(
        Array.from(seen, ({ sequence }) => sequence),
        [2, 3]
      )
    })
  )

  it.effect("has the time of the clock, or for a trace the time of its last record", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(5000)
      assert.strictEqual(yield* (yield* Recorder.make()).nowMillis, 5000)
      const trace = yield* Recorder.ofTrace(
        [record({ sequence: 2, atMillis: 70 }), record({ atMillis: 60 })],
        "a trace"
      )
      assert.deepInclude(trace, { source: "trace", title: "a trace" })
      assert.strictEqual(yield* trace.nowMillis, 70)
      assert.strictEqual((yield* trace.records(key)).length, 2)
    })
  )

  it.effect(
    "takes the time of an attempt from its reservation, or else from the first record that has its mark",
    () =>
      Effect.gen(function* () {
        const recorder = yield* Recorder.make()
        const mark = (attempt: number) =>
          ({ status: "inFlight", attempt, account: b, leaseEndsAtMillis: 9000 }) as const
        const marks = [mark(3), mark(5)]
        const later = record({ sequence: 7, atMillis: 700, marks })
        recorder.record(later)
        recorder.record(record({ account: b, sequence: 8, atMillis: 800, marks }))
        recorder.record(record({ account: b, sequence: 5, atMillis: 500, marks }))
        recorder.record(record({ account: b, sequence: 6, atMillis: 600, marks }))
        assert.deepStrictEqual(recorder.attemptsOf([later]), [
          { location, attempt: 3, atMillis: 500, isReservation: false },
          { location, attempt: 5, atMillis: 500, isReservation: true }
        ])
        assert.deepStrictEqual(recorder.attemptsOf([record({ ...later, location: "other" as Location })]), [])
      })
  )

  it.effect("keeps the last hundred notices, the newest first, with account and time of each", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make()
      for (let sequence = 1; sequence <= 60; sequence++) {
        const notices = [
          { kind: "aborted", message: `first of ${sequence}` },
          { kind: "locked", message: `second of ${sequence}` }
        ] as const
        recorder.record(record({ sequence, atMillis: sequence * 10, notices }))
      }
      const notices = yield* recorder.notices
      assert.strictEqual(notices.length, 100)
      assert.deepStrictEqual(notices[0], {
        location,
        account: a,
        sequence: 60,
        atMillis: 600,
        kind: "locked",
        message: "second of 60"
      })
      assert.strictEqual(notices[1]!.message, "first of 60")
      assert.strictEqual(notices.at(-1)!.message, "first of 11")
    })
  )

  it.effect("records the NumberAuth that is built below its layer", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.Recorder
      yield* (yield* NumberAuth.NumberAuth).sessionKey
      const [only] = yield* recorder.accounts
      assert.deepInclude(only, { to: "authenticated", location: "shop" as Location })
    }).pipe(Effect.provide(Layer.provideMerge(NumberAuthTest.layer({ location: "shop" }), Recorder.layer())))
  )
})
