import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import { seconds } from "effect/Duration"
import { within } from "../../../../src/services/common/within.js"
import { observed } from "../../../support/observed.js"

const bounded = within(seconds(5), () => "too late")

describe("a time-out", () => {
  it.effect("lets what is in time through, its result or its failure", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* bounded(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(bounded(Effect.fail("no"))), "no")
    })
  )

  it.effect("holds in a region that cannot be interrupted, and waits for nobody who is slow to let go", () =>
    Effect.gen(function* () {
      const slow = Effect.uninterruptible(Effect.never)
      const fiber = yield* Effect.fork(Effect.uninterruptible(Effect.flip(bounded(slow))))
      yield* TestClock.adjust("4999 millis")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "too late")
    })
  )

  it.effect("tells the log nothing of how it ends: what an HTTP client throws may hold the session key", () =>
    Effect.gen(function* () {
      const [exit, told] = yield* observed(bounded(Effect.fail("a secret")))
      assert.deepStrictEqual(exit, Exit.fail("a secret"))
      assert.deepStrictEqual(told.logs, [])
    })
  )

  it.effect("interrupts what it gave up", () =>
    Effect.gen(function* () {
      let interrupted = false
      const hanging = Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const fiber = yield* Effect.fork(Effect.flip(bounded(hanging)))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(fiber)
      yield* Effect.yieldNow()
      assert.isTrue(interrupted)
    })
  )

  it.effect("interrupts it too where whoever waits is interrupted", () =>
    Effect.gen(function* () {
      let interrupted = false
      const hanging = Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const fiber = yield* Effect.fork(bounded(hanging))
      yield* TestClock.adjust("1 seconds")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      yield* TestClock.adjust("1 seconds")
      assert.isTrue(interrupted)
    })
  )
})
