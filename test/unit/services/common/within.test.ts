import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import { seconds } from "effect/Duration"
import { within } from "../../../../src/services/common/within.js"
import { observed } from "../../../support/observed.js"

const bounded = within(seconds(5), () => "too late")

describe("a time-out", () => {
  it.effect("passes on a result or a failure that comes in time", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* bounded(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(bounded(Effect.fail("no"))), "no")
    })
  )

  it.effect("holds in an uninterruptible region, and does not wait for an effect that is slow to end", () =>
    Effect.gen(function* () {
      const slow = Effect.uninterruptible(Effect.never)
      const fiber = yield* Effect.fork(Effect.uninterruptible(Effect.flip(bounded(slow))))
      yield* TestClock.adjust("4999 millis")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "too late")
    })
  )

  it.effect("logs nothing of how the effect ends: an HTTP client's error may hold the session key", () =>
    Effect.gen(function* () {
      const [exit, output] = yield* observed(bounded(Effect.fail("a secret")))
      assert.deepStrictEqual(exit, Exit.fail("a secret"))
      assert.deepStrictEqual(output.logs, [])
    })
  )

  it.effect("interrupts the effect that it gives up", () =>
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

  it.effect("interrupts the effect, too, if its caller is interrupted", () =>
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
