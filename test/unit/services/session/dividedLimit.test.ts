/**
 * Two hosts behind one IP that do not share a store: the limit has to be divided between them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, Ref } from "effect"
import { makeMemory } from "../../../../src/services/store/AuthStore.js"
import { account, badToken, goodToken, ip, makeWorld, start } from "../../../support/stack.js"

/** Two hosts that do not know of each other meet good and bad tokens, concurrently and in random order. */
const twoHosts = (limits: readonly [number, number], seed: number) =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    const hosts = yield* Effect.forEach(limits, (limit) =>
      Effect.gen(function* () {
        const own = { ...world, store: yield* makeMemory, token: yield* Ref.make(goodToken) }
        return { own, auth: yield* start(own, { account, limit }) }
      })
    )
    let tokens = 0
    yield* Effect.forEach(
      hosts,
      ({ auth, own }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 12; n++) {
            const isGood = (yield* Random.nextIntBetween(0, 4)) === 0
            yield* Ref.set(own.token, isGood ? goodToken : badToken((tokens += 1)))
            yield* Effect.ignore(
              auth.withSession(() =>
                Effect.as(world.emulator.expireSessions(), {
                  EchoResult: { ErrCode: 5030, FunctionOk: false }
                })
              )
            )
            yield* Effect.yieldNow()
          }
        }),
      { concurrency: "unbounded", discard: true }
    )
    return { peak: yield* world.emulator.peak, isLocked: yield* world.emulator.isLocked(ip) }
  }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)))

describe("two hosts of one IP that do not share a store", () => {
  it.effect("with limits 2 and 3 never take Number's count past 5", () =>
    Effect.gen(function* () {
      const peaks = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, seed) => seed),
        (seed) => twoHosts([2, 3], seed)
      )
      assert.isFalse(peaks.some(({ isLocked }) => isLocked))
      // The bound is reached, so it is no accident that it holds.
      assert.strictEqual(Math.max(...peaks.map(({ peak }) => peak)), 5)
    })
  )

  it.effect("lock the location if each takes the whole limit: the promise is void", () =>
    Effect.gen(function* () {
      const runs = yield* Effect.forEach(
        Array.from({ length: 3 }, (_, seed) => seed),
        (seed) => twoHosts([5, 5], seed)
      )
      assert.isTrue(runs.some(({ isLocked }) => isLocked))
    })
  )
})
