import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { makeSessionHolder } from "../../../../../src/services/session/internal/heldSession.js"
import { sessionKey, settingsOf } from "./organs.js"

const held = (holder: ReturnType<typeof makeSessionHolder>, nowMillis = 0, newerThan = 0) =>
  holder.current(nowMillis, newerThan)?.generation ?? null

describe("the held session", () => {
  it.effect("serves until its end by this host's clock, and only callers that need no newer one", () =>
    Effect.gen(function* () {
      const holder = makeSessionHolder(settingsOf())
      assert.isNull(held(holder))
      yield* TestClock.adjust(100)
      const session = yield* holder.hold(sessionKey(), 3, 1000)
      assert.strictEqual(session.endsAtMillis, 1100)
      assert.strictEqual(held(holder, 1099), 3)
      assert.isNull(held(holder, 1100))
      assert.strictEqual(held(holder, 0, 2), 3)
      assert.isNull(held(holder, 0, 3))
    })
  )

  it.effect("is not replaced by an older one, unless that one lasts longer", () =>
    Effect.gen(function* () {
      const holder = makeSessionHolder(settingsOf())
      yield* holder.hold(sessionKey(), 7, 1000)
      // A caller that brought it gets it all the same.
      assert.strictEqual((yield* holder.hold(sessionKey(), 5, 900)).generation, 5)
      assert.strictEqual(held(holder), 7)
      yield* holder.hold(sessionKey(), 2, 1001)
      assert.strictEqual(held(holder), 2, "the store went back to a backup")
      yield* holder.hold(sessionKey(), 8, 10)
      assert.strictEqual(held(holder), 8)
    })
  )

  it.effect("is dropped by the refusal of its own generation, and of no other", () =>
    Effect.gen(function* () {
      const holder = makeSessionHolder(settingsOf())
      yield* holder.hold(sessionKey(), 4, 1000)
      holder.refuse({ generation: 3, code: 5030 }, 0)
      assert.strictEqual(held(holder), 4)
      holder.refuse({ generation: 4, code: 5050 }, 0)
      assert.isNull(held(holder))
      holder.refuse({ generation: 4, code: 5050 }, 0)
    })
  )
})
