import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import * as fc from "effect/FastCheck"
import * as AuthStore from "../../src/services/store/AuthStore.js"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"
import * as LockoutProperty from "../../src/testing/LockoutProperty.js"
import { fromTrace } from "../../src/schemas/TransitionRecord.js"
import { naive, Profile, proper, resuming } from "./programs.js"

const { neverLocksOut } = LockoutProperty
// One seed, so that every machine finds the same violations.
const seed = 8

/** The first violation, without shrinking it, which takes most of the time. */
const firstFound = <A, E, R extends LockoutProperty.Environment>(program: Effect.Effect<A, E, R>) =>
  Effect.promise(async () => {
    const found = await fc.check(LockoutProperty.asProperty(program), {
      seed,
      numRuns: 30,
      endOnFailure: true
    })
    assert.instanceOf(found.errorInstance, LockoutProperty.LockoutFound)
    return found.errorInstance
  })

/** Found once for all tests, and shrunk. */
const foundInNaive = Effect.runSync(Effect.cached(Effect.flip(neverLocksOut(naive, { seed, runs: 30 }))))

describe("neverLocksOut", { timeout: 600_000 }, () => {
  it.live("finds nothing in a service on top of NumberAuth, with three processes and another limit", () =>
    Effect.gen(function* () {
      const program = Effect.flatMap(Profile, ({ read }) => read).pipe(Effect.provide(Profile.layer))
      const verdict = yield* neverLocksOut(program, {
        seed,
        runs: 5,
        processes: 3,
        auth: { limit: 2 },
        backend: { counting: "ipAndAccount", successClears: "own" }
      })
      assert.isAtMost(verdict.peak, 2)
    })
  )

  it.live("finds a program that authenticates by itself and retries, which locks the location", () =>
    Effect.gen(function* () {
      const error = yield* foundInNaive
      assert.strictEqual(error._tag, "LockoutFound")
      assert.strictEqual(error.violation, "limitPassed")
      assert.isAbove(error.count, 5)
      assert.isAtMost(error.steps.length, 3)
      assert.include(error.message, `{ seed: ${seed}, path: "${error.path}" }`)
      assert.match(error.diagram, /^sequenceDiagram\n/)
      assert.include(error.diagram, "count 6 of 5")
      assert.notInclude(error.message + JSON.stringify(error), "7E57")
      assert.notMatch(error.message, /[0-9A-Fa-f]{32}/)
    })
  )

  it.live("finds a program that resumes in a loop, even if the ledger keeps it from locking", () =>
    Effect.gen(function* () {
      const error = yield* firstFound(resuming)
      assert.strictEqual(error.violation, "retried")
      assert.isAtMost(error.count, 5)
      const records = Either.getOrThrow(fromTrace(error.trace))
      assert.deepStrictEqual(records, error.records)
      // The records show that the account was resumed. Only the program itself can have done it.
      const events = records.flatMap(({ events }) => events.map(({ type }) => type))
      assert.include(events, "attempt.resumed")
      assert.notInclude(error.trace, "7E57")
    })
  )

  it.live("finds a store that forgets, and that other processes do not share", () =>
    Effect.gen(function* () {
      const forgetful = proper.pipe(
        Effect.provide(Layer.fresh(NumberAuth.layer({ account: "EP0000001" }))),
        Effect.provide(Layer.fresh(Layer.effect(AuthStore.AuthStore, AuthStore.makeMemory)))
      )
      const error = yield* firstFound(forgetful)
      assert.include(["unmarked", "retried", "limitPassed"], error.violation)
    })
  )

  it.live("repeats a violation by its seed and path", () =>
    Effect.gen(function* () {
      const first = yield* foundInNaive
      const again = yield* Effect.flip(neverLocksOut(naive, { seed, path: first.path! }))
      assert.deepStrictEqual([...again.steps], [...first.steps])
      assert.strictEqual(again.trace, first.trace)
      assert.strictEqual(again.diagram, first.diagram)
    })
  )

  it.live("is a property for fc.check, too", () =>
    Effect.gen(function* () {
      assert.include(["retried", "limitPassed"], (yield* firstFound(naive)).violation)
      const passed = yield* Effect.promise(() =>
        fc.check(LockoutProperty.asProperty(proper), { seed, numRuns: 3 })
      )
      assert.isFalse(passed.failed)
    })
  )
})
