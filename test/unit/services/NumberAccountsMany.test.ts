/**
 * As many accounts at one location as anyone will have. It takes a minute and more, and so is not among the tests that
 * judge mutants.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Fault } from "../../../src/testing/NumberEmulator.js"
import { accountOf, makeCrowd, numbers, startCrowd, tagsOf } from "../../support/accounts.js"
import { ip } from "../../support/stack.js"

describe("ten thousand accounts", () => {
  it.scopedLive(
    "that start together are all served, each by one attempt, five under way at most, three bad tokens among them",
    () =>
      Effect.gen(function* () {
        const size = 10_000
        const crowd = yield* makeCrowd(size)
        const bad = [3, 4_999, 9_998]
        for (const n of bad) crowd.spoil(n)
        // The first rounds take long enough to fill the room, whatever the machine; the rest end as soon as they can.
        yield* crowd.emulator.setDelays({ answer: "1 millis" })
        yield* crowd.emulator.inject(...numbers(20).map(() => Fault.DelayAnswer("3 seconds")))
        const accounts = yield* startCrowd(crowd)
        const exits = yield* Effect.forEach(
          numbers(size),
          (n) => Effect.exit(accounts.sessionKey(accountOf(n))),
          {
            concurrency: "unbounded"
          }
        )
        assert.deepStrictEqual(tagsOf(exits), { ok: size - 3, AuthAborted: 3 })
        assert.deepStrictEqual(
          numbers(size).filter((n) => Exit.isFailure(exits[n]!)),
          bad
        )
        const order = yield* crowd.order
        assert.lengthOf(order, size)
        assert.strictEqual(new Set(order).size, size)
        assert.strictEqual(crowd.seen.most, 5)
        assert.isAtMost(yield* crowd.emulator.peak, 3)
        assert.strictEqual(yield* crowd.emulator.countOf(ip), 0)
      }).pipe(Effect.withTracerEnabled(false)),
    300_000
  )
})
