import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import type { Step } from "../../../../../src/machine/AuthCore.js"
import { emptyAccountRecord } from "../../../../../src/schemas/StoredRecord.js"
import type { AuthNotice } from "../../../../../src/services/session/AuthNotifier.js"
import { makeNotices } from "../../../../../src/services/session/internal/notices.js"
import { ledger, one, settled } from "../../../../support/core.js"
import { alone, settingsOf } from "./organs.js"

const settings = settingsOf()

/** A step whose location is full, with its notice. */
const locked: Step = {
  ledger: ledger(...[1, 2, 3, 4, 5].map((n) => settled(n, n + 10, one))),
  state: "locked",
  context: emptyAccountRecord.context,
  events: [],
  notices: [{ kind: "locked", reported: false }],
  decision: { _tag: "locked", reported: false }
}

const setUp = (notify: (notice: AuthNotice) => Effect.Effect<void, unknown>, shared = alone) =>
  makeNotices({ settings, notifier: { notify }, shared })

describe("the notices of an account", () => {
  it.effect("reach the notifier once each, with the standing of the location", () =>
    Effect.gen(function* () {
      const given: Array<AuthNotice> = []
      const notices = setUp((notice) => Effect.sync(() => void given.push(notice)))
      yield* notices.notify
      assert.lengthOf(given, 0)
      notices.add(notices.ofStep(locked))
      yield* notices.notify
      yield* notices.notify
      assert.lengthOf(given, 1)
      assert.deepInclude(given[0]!.standing, { failures: 5, limit: 5 })
    })
  )

  it.effect("are handed over even if the fiber that does so is interrupted", () =>
    Effect.gen(function* () {
      const given: Array<string> = []
      const notices = setUp(({ notice }) => Effect.as(Effect.sleep(10), void given.push(notice.kind)))
      notices.add(notices.ofStep(locked))
      const fiber = yield* Effect.fork(notices.notify)
      yield* Effect.yieldNow()
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust(20)
      assert.deepStrictEqual(given, ["locked"])
    })
  )

  it.effect("do not hold up the others for longer than ten seconds", () =>
    Effect.gen(function* () {
      let calls = 0
      const notices = setUp(() =>
        Effect.zipRight(
          Effect.sync(() => calls++),
          Effect.never
        )
      )
      notices.add([...notices.ofStep(locked), ...notices.ofStep(locked)])
      const fiber = yield* Effect.fork(notices.notify)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(calls, 2)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
    })
  )

  it.effect(
    "of a lock are announced by one account, and by another account if the first announcement failed",
    () =>
      Effect.gen(function* () {
        const kept: Array<AuthNotice> = []
        const announced: Array<number> = []
        const shared = {
          ...alone,
          announcesLock: (lock: number, notice: AuthNotice) => {
            announced.push(lock)
            if (announced.length === 1) return true
            kept.push(notice)
            return false
          },
          lockNoticeInstead: () => kept.shift() ?? null
        }
        let calls = 0
        const notices = setUp(
          () => Effect.suspend(() => (calls++ === 0 ? Effect.fail("away") : Effect.void)),
          shared
        )
        const first = notices.ofStep(locked)
        assert.lengthOf(notices.ofStep(locked), 0)
        notices.add(first)
        yield* notices.notify
        assert.strictEqual(calls, 2, "the other account's notice went out instead")
        assert.deepStrictEqual(announced, [5, 5])
      })
  )
})
