import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Option, Ref, Scope, TestClock } from "effect"
import { AuthNotifier } from "../../../../src/services/session/AuthNotifier.js"
import * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { account, badToken, baseUrl, environment, makeWorld, start } from "../../../support/stack.js"

describe("NumberAuth, when its scope closes", () => {
  it.scoped("awaits and settles the attempt that is under way", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const scope = yield* Scope.make()
      const auth = yield* Scope.extend(start(world), scope)
      const asking = yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(asking)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("8 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(closing)))
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(Option.isSome(yield* Fiber.poll(closing)))
      assert.strictEqual((yield* (yield* start(world)).status).state, "authenticated")
    })
  )

  it.scoped("awaits the attempt no longer than its time-out, and counts it as lost", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.StallAnswer)
      const scope = yield* Scope.make()
      const auth = yield* Scope.extend(start(world), scope)
      yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("1 second")
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("28 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(closing)))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Option.isSome(yield* Fiber.poll(closing)))
      assert.strictEqual((yield* (yield* start(world)).status).state, "aborted")
    })
  )

  it.scoped("waits until the notifier has finished", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      const notified = yield* Ref.make(0)
      const slow = Layer.succeed(AuthNotifier, {
        notify: () =>
          Effect.zipRight(
            Effect.sleep("5 seconds"),
            Ref.update(notified, (n) => n + 1)
          )
      })
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        NumberAuth.layer({ account, baseUrl }).pipe(
          Layer.provide(slow),
          Layer.provide(environment(world)),
          Layer.orDie
        ),
        scope
      )
      yield* Effect.flip(
        Effect.provide(
          Effect.flatMap(NumberAuth.NumberAuth, (auth) => auth.sessionKey),
          context
        )
      )
      yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* Ref.get(notified), 1)
    })
  )
})
