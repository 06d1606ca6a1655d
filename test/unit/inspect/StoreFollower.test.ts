import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Ref, SubscriptionRef, TestClock } from "effect"
import * as Recorder from "../../../src/inspect/Recorder.js"
import { follow } from "../../../src/inspect/StoreFollower.js"
import type { AccountCode, Location } from "../../../src/schemas/Credentials.js"
import {
  emptyAccountRecord,
  type LedgerRecord,
  type Mark,
  type StateName
} from "../../../src/schemas/StoredRecord.js"
import type { LocationInspection } from "../../../src/services/store/sql/readOnly.js"

const location = "shop" as Location
const a = "EP0000001" as AccountCode
const b = "EP0000002" as AccountCode

const document = (state: StateName): string =>
  JSON.stringify({ ...emptyAccountRecord, version: 2, state, sessionKey: null })

const inFlight = (attempt: number, account: AccountCode): Mark => ({
  status: "inFlight",
  attempt,
  account,
  leaseEndsAtMillis: 45_000
})

const looked = (
  sequence: number,
  marks: LedgerRecord["marks"],
  accounts: ReadonlyArray<readonly [AccountCode, string]>
): LocationInspection => ({
  moment: { sequence, nowMillis: sequence * 1000 },
  ledger: { version: 1, marks, lockReportedAt: null },
  accounts: new Map(accounts)
})

const followed = (first: LocationInspection) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder.make({ source: "store" })
    const look = yield* Ref.make<Effect.Effect<LocationInspection, { readonly message: string }>>(
      Effect.succeed(first)
    )
    const fiber = yield* Effect.fork(follow(recorder, Effect.flatten(Ref.get(look)), { location, limit: 3 }))
    const next = (effect: Effect.Effect<LocationInspection, { readonly message: string }>) =>
      Effect.zipRight(Ref.set(look, effect), TestClock.adjust("1 second"))
    yield* TestClock.adjust("1 millis")
    const seen = Effect.map(recorder.all, (records) =>
      records.map(
        ({ account, from, marks, sequence, to }) => [sequence, account, from, to, marks.length] as const
      )
    )
    return { recorder, next, seen, stop: Fiber.interrupt(fiber) }
  })

describe("following a store", () => {
  it.effect("shows the state of each account first, and then its changes", () =>
    Effect.gen(function* () {
      const idle = document("unauthenticated.idle")
      const { next, seen, stop } = yield* followed(
        looked(
          4,
          [],
          [
            [a, idle],
            [b, document("aborted")]
          ]
        )
      )
      assert.deepStrictEqual([...(yield* seen)].sort(), [
        [4, a, "unauthenticated.idle", "unauthenticated.idle", 0],
        [4, b, "aborted", "aborted", 0]
      ])
      yield* next(
        Effect.succeed(
          looked(
            5,
            [inFlight(5, a)],
            [
              [a, document("unauthenticated.attempting")],
              [b, document("aborted")]
            ]
          )
        )
      )
      assert.deepStrictEqual((yield* seen).slice(2), [
        [5, a, "unauthenticated.idle", "unauthenticated.attempting", 1]
      ])
      yield* stop
    })
  )

  it.effect("shows a change of a mark even if its account does not change, and skips an unchanged look", () =>
    Effect.gen(function* () {
      const first = looked(
        4,
        [inFlight(3, b)],
        [
          [a, document("aborted")],
          [b, document("unauthenticated.attempting")]
        ]
      )
      const { next, seen, stop } = yield* followed(first)
      yield* next(Effect.succeed(first))
      assert.strictEqual((yield* seen).length, 2)
      yield* next(
        Effect.succeed({
          ...first,
          ledger: { ...first.ledger, marks: [] },
          moment: { sequence: 5, nowMillis: 1 }
        })
      )
      assert.deepStrictEqual((yield* seen).slice(2), [
        [5, b, "unauthenticated.attempting", "unauthenticated.attempting", 0]
      ])
      yield* stop
    })
  )

  it.effect("reports why it cannot read the store, and continues once it can", () =>
    Effect.gen(function* () {
      const first = looked(4, [], [[a, document("aborted")]])
      const { next, recorder, seen, stop } = yield* followed(first)
      assert.isNull(yield* SubscriptionRef.get(recorder.trouble))
      yield* next(Effect.fail({ message: "the store is away" }))
      assert.strictEqual(yield* SubscriptionRef.get(recorder.trouble), "the store is away")
      yield* next(Effect.succeed(looked(5, [], [[a, "no document"]])))
      assert.match((yield* SubscriptionRef.get(recorder.trouble))!, /record of the account is damaged/)
      yield* next(Effect.succeed(looked(6, [], [[a, document("locked")]])))
      assert.isNull(yield* SubscriptionRef.get(recorder.trouble))
      assert.deepStrictEqual((yield* seen).slice(1), [[6, a, "aborted", "locked", 0]])
      yield* stop
    })
  )
})
