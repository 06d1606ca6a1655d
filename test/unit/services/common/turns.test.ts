import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { makeQueue } from "../../../../src/services/store/sql/queue.js"
import { inTurn, makeTurns, noTurns } from "../../../../src/services/common/turns.js"

/** Lets every fiber go as far as it can. */
const settled = Effect.repeatN(Effect.yieldNow(), 20)

describe("turns", () => {
  it.effect("come in the order of asking, one at a time", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const seen: Array<string> = []
      yield* Effect.forEach(
        [1, 2, 3],
        (n) =>
          inTurn(
            turns,
            Effect.gen(function* () {
              seen.push(`${n} begins`)
              yield* settled
              seen.push(`${n} ends`)
            })
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        seen,
        [1, 2, 3].flatMap((n) => [`${n} begins`, `${n} ends`])
      )
    })
  )

  it("are taken at once only if no seat has one", () => {
    const turns = makeTurns()
    const [first, second] = [turns.seat(), turns.seat()]
    assert.isFalse(first.isPending())
    assert.isTrue(first.takeIfFree())
    assert.isTrue(first.takeIfFree(), "it has it already")
    assert.isTrue(first.isPending())
    assert.isFalse(second.takeIfFree())
    assert.isFalse(second.isPending())
    second.leave()
    assert.isFalse(second.takeIfFree(), "a seat without a turn ends no turn")
    first.leave()
    assert.isFalse(first.isPending())
    assert.isTrue(second.takeIfFree())
  })

  it.effect("pass to the seat that waits, before any other seat can take one", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const [first, second, third] = [turns.seat(), turns.seat(), turns.seat()]
      yield* first.enter
      const waiting = yield* Effect.fork(second.enter)
      yield* settled
      assert.isTrue(second.isPending())
      first.leave()
      assert.isFalse(third.takeIfFree())
      yield* Fiber.join(waiting)
      assert.isTrue(second.takeIfFree())
      second.leave()
      assert.isTrue(third.takeIfFree())
    })
  )

  it.effect("skip a seat that was interrupted, or gave up, while waiting", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const [first, second, third] = [turns.seat(), turns.seat(), turns.seat()]
      yield* first.enter
      const interrupted = yield* Effect.fork(second.enter)
      yield* Effect.fork(third.enter)
      yield* settled
      yield* Fiber.interrupt(interrupted)
      assert.isFalse(second.isPending())
      third.leave()
      assert.isFalse(third.isPending())
      first.leave()
      assert.isTrue(turns.seat().takeIfFree())
    })
  )

  it.effect("come to no seat after they have been closed, and a waiting seat is interrupted", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const [first, second, third] = [turns.seat(), turns.seat(), turns.seat()]
      yield* first.enter
      const waiting = yield* Effect.fork(second.enter)
      yield* settled
      turns.close()
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(waiting)))
      assert.isFalse(second.isPending())
      assert.isFalse(first.takeIfFree())
      first.leave()
      assert.isFalse(third.takeIfFree())
      assert.isFalse(third.isPending())
      const late = yield* Effect.fork(third.enter)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(late)))
    })
  )

  it.effect("end with the effect, however it ends", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      yield* Effect.exit(inTurn(turns, Effect.fail("no")))
      const hanging = yield* Effect.fork(inTurn(turns, Effect.never))
      yield* settled
      assert.isFalse(turns.seat().takeIfFree())
      yield* Fiber.interrupt(hanging)
      assert.strictEqual(yield* inTurn(turns, Effect.succeed(7)), 7)
    })
  )

  it.effect("never make a seat wait if they are noTurns", () =>
    Effect.gen(function* () {
      const [first, second] = [noTurns.seat(), noTurns.seat()]
      yield* first.enter
      yield* second.enter
      assert.isTrue(first.takeIfFree() && second.takeIfFree())
      assert.isFalse(first.isPending())
      first.leave()
      noTurns.close()
      assert.isTrue(noTurns.seat().takeIfFree())
    })
  )
})

describe("a queue of uses of the store", () => {
  const isAway = (error: string): boolean => error.startsWith("away")

  it.effect("fails all waiting uses if one finds the store away, without asking it again", () =>
    Effect.gen(function* () {
      const queue = makeQueue(isAway)
      const answer = yield* Deferred.make<never, string>()
      let asked = 0
      const first = yield* Effect.fork(queue(Deferred.await(answer)))
      const others = yield* Effect.fork(
        Effect.forEach(
          [1, 2],
          () => Effect.flip(queue(Effect.sync(() => asked++).pipe(Effect.as("found")))),
          {
            concurrency: "unbounded"
          }
        ).pipe(Effect.catchAll(() => Effect.succeed([] as Array<string>)))
      )
      yield* settled
      yield* Deferred.fail(answer, "away 1")
      assert.strictEqual(yield* Effect.flip(Fiber.join(first)), "away 1")
      assert.deepStrictEqual(yield* Fiber.join(others), ["away 1", "away 1"])
      assert.strictEqual(asked, 0)
      assert.strictEqual(yield* queue(Effect.succeed("back")), "back", "a later use asks")
    })
  )

  it.effect("lets the next use ask if one failed for another reason", () =>
    Effect.gen(function* () {
      const queue = makeQueue(isAway)
      const answer = yield* Deferred.make<never, string>()
      const first = yield* Effect.fork(queue(Deferred.await(answer)))
      const second = yield* Effect.fork(queue(Effect.succeed("asked")))
      yield* settled
      yield* Deferred.fail(answer, "damaged")
      assert.strictEqual(yield* Effect.flip(Fiber.join(first)), "damaged")
      assert.strictEqual(yield* Fiber.join(second), "asked")
    })
  )
})
