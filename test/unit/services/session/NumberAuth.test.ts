import { assert, describe, it } from "@effect/vitest"
import { HttpClientRequest } from "@effect/platform"
import { Duration, Effect, Exit, Fiber, Redacted, Ref, Scope, TestClock } from "effect"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { account, badToken, goodToken, ip, makeWorld, start } from "../../../support/stack.js"

describe("NumberAuth", () => {
  it.scoped("authenticates once for all callers and then serves the held key", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const keys = yield* Effect.all(
        Array.from({ length: 1000 }, () => auth.sessionKey),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(keys.map(Redacted.value)).size, 1)
      yield* auth.sessionKey
      assert.strictEqual((yield* world.emulator.log).length, 1)
      const status = yield* auth.status
      assert.deepStrictEqual(
        [status.state, status.account as string, status.failures, status.limit],
        ["authenticated", account, 0, 5]
      )
    })
  )

  it.scoped("holds a key until the very end of its session, and no longer", () =>
    Effect.gen(function* () {
      for (const use of ["sessionKey", "withSession"] as const) {
        const world = yield* makeWorld()
        const auth = yield* start(world)
        const key = use === "sessionKey" ? auth.sessionKey : auth.withSession(Effect.succeed)
        const first = Redacted.value(yield* key)
        yield* TestClock.adjust(Duration.subtract(Duration.hours(25), 1))
        assert.strictEqual(Redacted.value(yield* key), first)
        yield* TestClock.adjust(1)
        assert.notStrictEqual(Redacted.value(yield* key), first)
        assert.lengthOf(yield* world.emulator.log, 2)
      }
    })
  )

  it.scoped("uses the stored session after a restart", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const scope = yield* Scope.make()
      const before = yield* start(world).pipe(
        Scope.extend(scope),
        Effect.flatMap((auth) => auth.sessionKey)
      )
      yield* Scope.close(scope, Exit.void)
      const after = yield* (yield* start(world)).sessionKey
      assert.strictEqual(Redacted.value(before), Redacted.value(after))
      assert.strictEqual((yield* world.emulator.log).length, 1)
    })
  )

  it.scoped("gives up an attempt without an answer as lost, aborts, and notifies a person", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.StallAnswer)
      const auth = yield* start(world)
      const asking = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("29 seconds")
      assert.isNull(yield* Fiber.poll(asking).pipe(Effect.map((o) => (o._tag === "None" ? null : o))))
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(asking)
      assert(error._tag === "AuthAborted")
      assert.strictEqual(error.abort.reason, "lost")
      assert.strictEqual(error.abort.detail, "no answer came within 30s")
      assert.strictEqual((yield* Ref.get(world.notices)).length, 1)
    })
  )

  it.scoped("aborts a refused token and never sends it again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      const auth = yield* start(world)
      const error = yield* Effect.flip(auth.sessionKey)
      assert.strictEqual(error._tag, "AuthAborted")
      yield* Effect.flip(auth.sessionKey)
      yield* Effect.flip((yield* start(world)).sessionKey)
      assert.strictEqual((yield* world.emulator.log).length, 1)
      yield* Ref.set(world.token, goodToken)
      yield* auth.sessionKey
      assert.strictEqual(yield* world.emulator.countOf(ip), 0)
    })
  )

  it.scoped("stops itself at the limit of 5", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      for (let n = 1; n <= 10; n++) {
        yield* Ref.set(world.token, badToken(n))
        yield* Effect.flip(auth.sessionKey)
      }
      assert.strictEqual(yield* world.emulator.peakOf(ip), 5)
      const locked = yield* Effect.flip(auth.sessionKey)
      assert(locked._tag === "AuthLocked")
      assert.isFalse(locked.reported)
      yield* world.emulator.liftLock(ip)
      yield* auth.confirmLockLifted
      yield* Ref.set(world.token, goodToken)
      yield* auth.sessionKey
    })
  )

  it.scoped("renews once for a thousand requests refused together, and replays each once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      const call = (n: number) =>
        auth.httpClient
          .execute(HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ n })))
          .pipe(Effect.flatMap((response) => response.json))
      const answers = yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, n) => n),
        call,
        {
          concurrency: "unbounded"
        }
      )
      assert.strictEqual(answers.length, 1000)
      assert.strictEqual((yield* world.emulator.log).length, 2)
      assert.strictEqual((yield* world.emulator.executions).length, 1000)
    })
  )

  it.scoped("settles an attempt whose callers have all gone", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const auth = yield* start(world)
      const asking = yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(asking)
      assert.strictEqual((yield* auth.status).state, "unauthenticated.attempting")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* auth.status).state, "authenticated")
    })
  )
})
