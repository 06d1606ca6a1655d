import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope, TestClock } from "effect"
import { AuthUnstored } from "../../../../../src/services/session/AuthError.js"
import { instant } from "../../../../../src/services/session/internal/clocks.js"
import { makeOutbox } from "../../../../../src/services/session/internal/outbox.js"
import { alone, settle, settingsOf } from "./organs.js"
import { standingOf } from "../../../../../src/services/session/internal/accountLedger.js"
import { emptyLedgerRecord } from "../../../../../src/schemas/StoredRecord.js"

const leaseMillis = 45_000
const lost = new AuthUnstored({
  standing: standingOf(settingsOf(), emptyLedgerRecord),
  outcome: "refused",
  detail: "Invalid Token",
  why: "the store is unavailable"
})

/** An outbox, and a store that takes nothing until it is told to. */
const setUp = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const seen = { tries: 0, stored: 0, lost: 0, isAway: true, tryTakes: 0 }
  const outbox = yield* makeOutbox({
    leaseMillis,
    shared: alone,
    scope,
    onLost: () => Effect.sync(() => void seen.lost++)
  })
  const store = Effect.suspend(() => {
    seen.tries++
    return Effect.delay(
      seen.isAway ? Effect.fail("away") : Effect.sync(() => void seen.stored++),
      seen.tryTakes
    )
  })
  const post = Effect.flatMap(instant, (began) => outbox.post({ store, began, unstored: () => lost }))
  return { outbox, post, scope, seen }
})

const isOver = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => fiber.unsafePoll() !== null

describe("the outbox", () => {
  it.effect("has nothing to wait for if it is empty", () =>
    Effect.gen(function* () {
      const { outbox, scope, seen } = yield* setUp
      yield* outbox.settled
      yield* Scope.close(scope, Exit.void)
      assert.deepInclude(seen, { tries: 0, lost: 0 })
    })
  )

  it.effect("is settled once the store takes a letter", () =>
    Effect.gen(function* () {
      const { outbox, post, seen } = yield* setUp
      yield* post
      const waiting = yield* Effect.fork(outbox.settled)
      yield* TestClock.adjust("20 seconds")
      assert.isFalse(isOver(waiting))
      assert.isAbove(seen.tries, 5)
      seen.isAway = false
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(waiting)
      assert.strictEqual(seen.stored, 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(seen.stored, 1)
    })
  )

  it.effect("is not settled once the lease ends, and goes on", () =>
    Effect.gen(function* () {
      const { outbox, post, scope, seen } = yield* setUp
      yield* post
      const waiting = yield* Effect.fork(Effect.flip(outbox.settled))
      yield* TestClock.adjust("40 seconds")
      assert.isFalse(isOver(waiting))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(waiting), lost)
      seen.isAway = false
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(seen.stored, 1)
      yield* outbox.settled
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(seen.lost, 0)
    })
  )

  it.effect("makes closing wait while the lease runs, and says then that a letter is lost", () =>
    Effect.gen(function* () {
      const { post, scope, seen } = yield* setUp
      yield* TestClock.adjust("1 second")
      yield* post
      yield* TestClock.adjust("10 seconds")
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("30 seconds")
      assert.isFalse(isOver(closing))
      assert.strictEqual(seen.lost, 0)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      const { tries } = seen
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(seen, { tries, stored: 0, lost: 1 })
    })
  )

  it.effect("makes closing wait no longer than until the store takes the letter", () =>
    Effect.gen(function* () {
      const { post, scope, seen } = yield* setUp
      yield* post
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("10 seconds")
      seen.isAway = false
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      assert.deepInclude(seen, { stored: 1, lost: 0 })
    })
  )

  it.effect("tries no more after the lease, however long a try takes", () =>
    Effect.gen(function* () {
      const { post, scope, seen } = yield* setUp
      seen.tryTakes = 20_000
      yield* post
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("62 seconds")
      yield* Fiber.join(closing)
      assert.deepInclude(seen, { tries: 3, lost: 1 })
    })
  )

  it.effect("closes at once after the lease, and says that the letter is lost", () =>
    Effect.gen(function* () {
      const { post, scope, seen } = yield* setUp
      yield* post
      yield* TestClock.adjust("1 minute")
      yield* Scope.close(scope, Exit.void)
      yield* settle
      assert.deepInclude(seen, { stored: 0, lost: 1 })
    })
  )
})
