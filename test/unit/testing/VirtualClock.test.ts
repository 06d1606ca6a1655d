import { Clock, Deferred, Duration, Effect, Exit, Fiber, Random } from "effect"
import { assert, describe, it } from "vitest"
import * as VirtualClock from "../../../src/testing/VirtualClock.js"
import { standing } from "../../support/standing.js"

const day = 86_400_000

describe("virtual time", () => {
  it("stands still until it is advanced, and wakes sleepers in order, each at its time", () => {
    const clock = VirtualClock.make({ startMillis: 1000 })
    const woken: Array<readonly [string, number]> = []
    for (const [name, millis] of [
      ["c", 3 * day],
      ["a", 5],
      ["b", day],
      ["also b", day]
    ] as const) {
      clock.fork(
        Effect.sleep(millis).pipe(
          Effect.zipRight(Clock.currentTimeMillis),
          Effect.map((now) => woken.push([name, now]))
        )
      )
    }
    clock.settle()
    assert.isEmpty(woken)
    assert.strictEqual(clock.nextMillis(), 5)
    clock.advance(4)
    assert.isEmpty(woken)
    clock.advance(day)
    assert.deepStrictEqual(woken, [
      ["a", 1005],
      ["b", 1000 + day],
      ["also b", 1000 + day]
    ])
    clock.advance(2 * day)
    assert.deepStrictEqual(woken.at(-1), ["c", 1000 + 3 * day])
    assert.isNull(clock.nextMillis())
  })

  it("steps wall time, and monotonic time and sleepers do not notice", () => {
    const clock = VirtualClock.make({ startMillis: 10_000_000 })
    const sleeping = clock.fork(Effect.sleep("1 minute"))
    clock.advance(10_000)
    clock.step(-3_600_000)
    assert.strictEqual(clock.run(Clock.currentTimeMillis), 10_000_000 + 10_000 - 3_600_000)
    assert.strictEqual(clock.run(Clock.currentTimeNanos), 10_000_000_000n)
    clock.advance(49_999)
    assert.isNull(sleeping.unsafePoll())
    clock.advance(1)
    assert.isNotNull(sleeping.unsafePoll())
  })

  it("measures a century to the millisecond", () => {
    const clock = VirtualClock.make()
    clock.advance(36_525 * day + 1)
    assert.strictEqual(clock.run(Clock.currentTimeNanos), BigInt(36_525 * day + 1) * 1_000_000n)
  })

  it("forgets a sleeper that was interrupted, and one that would sleep for ever", () => {
    const clock = VirtualClock.make()
    const sleeping = clock.fork(Effect.sleep("1 minute"))
    clock.fork(Effect.sleep(Duration.infinity))
    clock.run(Fiber.interrupt(sleeping))
    assert.isNull(clock.nextMillis())
  })

  it("runs an effect that needs no time, and throws the effect's error, or an error if it needs time", () => {
    const clock = VirtualClock.make()
    const handOver = Effect.gen(function* () {
      const deferred = yield* Deferred.make<number>()
      yield* Effect.fork(Effect.zipRight(Effect.yieldNow(), Deferred.succeed(deferred, 42)))
      return yield* Deferred.await(deferred)
    })
    assert.strictEqual(clock.run(handOver), 42)
    assert.throws(() => clock.run(Effect.fail(new Error("of its own"))), "of its own")
    assert.throws(() => clock.run(Effect.sleep(1)), "needs time")
  })

  it("settles the promise of an effect once enough time has passed", async () => {
    const clock = VirtualClock.make()
    const promise = clock.runPromise(Effect.as(Effect.sleep("1 day"), "done"))
    clock.advance(day)
    assert.strictEqual(await promise, "done")
    const failing = clock.runPromise(Effect.zipRight(Effect.sleep("1 day"), Effect.fail(new Error("no"))))
    clock.advance(day)
    assert.strictEqual((await failing.catch((error: unknown) => error)) instanceof Error, true)
  })

  it("lets promises go on between two steps of advanceAsync", async () => {
    const read = Effect.promise(() => new Response("text").text())
    const slow = Effect.zipRight(read, Effect.zipRight(Effect.sleep("1 day"), read))
    const clock = VirtualClock.make()
    const fiber = clock.fork(slow)
    await clock.advanceAsync(day)
    assert.isTrue(Exit.isSuccess(fiber.unsafePoll()!))
  })

  it("ends all fibers when it ends, also those that cannot be interrupted or that a finalizer begins", () => {
    const before = standing()
    const clock = VirtualClock.make()
    const seen: Array<string> = []
    const atEnd = (name: string) => Effect.onInterrupt(() => Effect.sync(() => seen.push(name)))
    clock.fork(Effect.sleep("1 day").pipe(atEnd("sleeps")))
    clock.fork(Effect.sleep("1 day").pipe(Effect.uninterruptible, atEnd("cannot be interrupted")))
    clock.fork(Effect.sleep(Duration.infinity).pipe(Effect.uninterruptible, atEnd("sleeps for ever")))
    clock.fork(Effect.forkDaemon(Effect.sleep("2 days").pipe(atEnd("is nobody's child"))))
    clock.fork(
      Effect.flatMap(Deferred.make<void>(), (deferred) =>
        Effect.ensuring(Deferred.await(deferred), Effect.sleep("1 hour").pipe(atEnd("sleeps in a finalizer")))
      )
    )
    clock.fork(Effect.ensuring(Effect.never, Effect.forkDaemon(Effect.sleep("1 minute"))))
    assert.isAbove(standing(), before)
    assert.strictEqual(clock.end(), 0)
    assert.sameMembers(seen, [
      "sleeps",
      "cannot be interrupted",
      "sleeps for ever",
      "is nobody's child",
      "sleeps in a finalizer"
    ])
    assert.isNull(clock.nextMillis())
    assert.strictEqual(standing(), before)
  })

  it("returns the number of fibers that do not end with it", () => {
    const clock = VirtualClock.make()
    const stubborn = Effect.uninterruptible(Effect.forever(Effect.exit(Effect.sleep("1 second"))))
    const forSomethingElse = Effect.uninterruptible(Effect.async<void>(() => {}))
    clock.fork(stubborn)
    clock.fork(forSomethingElse)
    clock.fork(Effect.sleep("1 second"))
    assert.strictEqual(clock.end(), 2)
  })

  const interleaving = (seed: number | undefined): string => {
    const clock = VirtualClock.make(seed === undefined ? {} : { seed })
    const seen: Array<string> = []
    const racer = (name: string) =>
      Effect.forEach([1, 2, 3], (turn) =>
        Effect.zipRight(
          Effect.yieldNow(),
          Effect.map(Random.nextIntBetween(0, 1000), (luck) => {
            seen.push(seed === undefined ? `${name}${turn}` : `${name}${turn}:${luck}`)
          })
        )
      )
    clock.run(Effect.all(["a", "b", "c"].map(racer), { concurrency: "unbounded" }))
    return seen.join(" ")
  }

  it("runs fibers in the order of waking if there is no seed", () => {
    assert.strictEqual(interleaving(undefined), "a1 b1 c1 a2 b2 c2 a3 b3 c3")
  })

  it("decides the order of fibers and Random by the seed, the same each time", () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed)
    const first = seeds.map(interleaving)
    assert.deepStrictEqual(seeds.map(interleaving), first)
    // Each fiber keeps the order of its steps. The order among the fibers varies.
    for (const seen of first) {
      for (const name of ["a", "b", "c"]) {
        assert.strictEqual(
          seen
            .replace(/:\d+/g, "")
            .match(new RegExp(`${name}\\d`, "g"))
            ?.join(),
          `${name}1,${name}2,${name}3`
        )
      }
    }
    assert.isAbove(new Set(first.map((seen) => seen.replace(/:\d+/g, ""))).size, 10)
  })
})
