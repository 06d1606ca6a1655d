import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import * as fc from "effect/FastCheck"
import * as AuthStore from "../../src/services/AuthStore.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as LockoutProperty from "../../src/testing/LockoutProperty.js"
import { fromTrace } from "../../src/schemas/TransitionRecord.js"
import { naive, Profile, proper, resuming } from "./programs.js"

const { neverLocksOut } = LockoutProperty
// One seed, so that what is found is found everywhere.
const seed = 7

describe("neverLocksOut", { timeout: 600_000 }, () => {
  it.live("finds nothing in a service of one's own on top, with three processes and another limit", () =>
    Effect.gen(function* () {
      const program = Effect.flatMap(Profile, ({ read }) => read).pipe(Effect.provide(Profile.layer))
      const verdict = yield* neverLocksOut(program, {
        seed,
        runs: 20,
        processes: 3,
        auth: { limit: 2 },
        backend: { counting: "ipAndAccount", successClears: "own" }
      })
      assert.isAtMost(verdict.peak, 2)
    })
  )

  it.live("finds a program that authenticates by itself, and tries again: it locks the location", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(neverLocksOut(naive, { seed, runs: 30 }))
      console.log(error.message)
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

  it.live("finds a program that resumes in a loop, though the ledger keeps it from locking", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(neverLocksOut(resuming, { seed, runs: 30 }))
      console.log(error.message)
      assert.strictEqual(error.violation, "retried")
      assert.isAtMost(error.count, 5)
      assert.isAtMost(error.steps.length, 3)
      const records = Either.getOrThrow(fromTrace(error.trace))
      assert.deepStrictEqual(records, error.records)
      // What it did is seen: it was aborted, and resumed by nobody but itself.
      const events = records.flatMap(({ events }) => events.map(({ type }) => type))
      assert.include(events, "attempt.resumed")
      assert.notInclude(error.trace, "7E57")
    })
  )

  it.live("finds a store that forgets, which no other process shares", () =>
    Effect.gen(function* () {
      const forgetful = proper.pipe(
        Effect.provide(Layer.fresh(NumberAuth.layer({ account: "EP0000001" }))),
        Effect.provide(Layer.fresh(AuthStore.layerMemory))
      )
      const error = yield* Effect.flip(neverLocksOut(forgetful, { seed, runs: 20 }))
      assert.include(["unmarked", "retried", "limitPassed"], error.violation)
      console.log(`a store that forgets: ${error.violation}, ${error.steps.join("; ")}`)
    })
  )

  it.live("repeats what was found by its seed and path", () =>
    Effect.gen(function* () {
      const first = yield* Effect.flip(neverLocksOut(naive, { seed, runs: 30 }))
      const again = yield* Effect.flip(neverLocksOut(naive, { seed, path: first.path! }))
      assert.deepStrictEqual([...again.steps], [...first.steps])
      assert.strictEqual(again.trace, first.trace)
      assert.strictEqual(again.diagram, first.diagram)
    })
  )

  it.live("is a property for fc.check, too", () =>
    Effect.gen(function* () {
      const found = yield* Effect.promise(() =>
        fc.check(LockoutProperty.asProperty(naive), { seed, numRuns: 20 })
      )
      assert.isTrue(found.failed)
      assert.instanceOf(found.errorInstance, LockoutProperty.LockoutFound)
      const passed = yield* Effect.promise(() =>
        fc.check(LockoutProperty.asProperty(proper), { seed, numRuns: 5 })
      )
      assert.isFalse(passed.failed)
    })
  )
})
