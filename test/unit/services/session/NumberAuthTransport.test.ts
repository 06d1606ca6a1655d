/**
 * A transport of the user's own: whatever it does, an attempt is sent once, and settled.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Ref } from "effect"
import { AttemptOutcome } from "../../../../src/schemas/AttemptOutcome.js"
import type { AccountCode, Location } from "../../../../src/schemas/Credentials.js"
import { NumberTransport } from "../../../../src/services/wire/NumberTransport.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { account, makeWorld, start } from "../../../support/stack.js"
import { settle } from "./internal/organs.js"

type Authenticate = NumberTransport["Type"]["authenticate"]
const wireOf = (authenticate: Authenticate) => ({
  layer: () => Layer.succeed(NumberTransport, { authenticate })
})
const key = { location: "default" as Location, account: account as AccountCode }

describe("a transport of the user's own", () => {
  it.scoped("gets one permit, even if it asks for several at once and the clock is slow", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      let writes = 0
      const wire = wireOf(({ permit }) =>
        Effect.gen(function* () {
          const clock = yield* Effect.clock
          const currentTimeMillis = Effect.zipRight(Effect.yieldNow(), clock.currentTimeMillis)
          const write = Effect.exit(Effect.tap(permit, () => Effect.sync(() => writes++)))
          const writing = Effect.all([write, write, write], { concurrency: "unbounded" })
          yield* Effect.withClock(writing, { ...clock, currentTimeMillis })
          return AttemptOutcome.lost({ detail: "silence" })
        })
      )
      const auth = yield* start(world, {}, undefined, wire)
      yield* Effect.exit(auth.sessionKey)
      assert.strictEqual(writes, 1)
    })
  )

  for (const [how, authenticate] of Object.entries<Authenticate>({
    "throws at once": () => {
      throw new Error("it broke")
    },
    dies: () => Effect.die("it broke"),
    "fails, against its type": () => Effect.fail("it broke") as never,
    "interrupts itself": () => Effect.interrupt
  })) {
    it.scoped(`has its attempt settled as lost, with a notice, if it ${how}`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const auth = yield* start(world, {}, undefined, wireOf(authenticate))
        const exit = yield* Effect.exit(auth.sessionKey)
        assert(Exit.isFailure(exit) && exit.cause._tag === "Fail", String(exit))
        assert.strictEqual(exit.cause.error._tag, "AuthAborted")
        const { ledger } = yield* world.store.read(key)
        assert.deepStrictEqual(
          ledger.marks.map(({ status }) => status),
          ["lost"]
        )
        yield* settle
        assert.lengthOf(yield* Ref.get(world.notices), 1)
      })
    )
  }
})

describe("the detail of a faulted attempt", () => {
  it.scoped("keeps Number's ErrCode after a long text of Number's", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.FunctionNotOk(4711, "it went wrong ".repeat(40)))
      const auth = yield* start(world)
      const error = yield* Effect.flip(auth.sessionKey)
      assert.include(error.message, "(ErrCode 4711)")
      yield* settle
      assert.include((yield* Ref.get(world.notices))[0]!.message, "(ErrCode 4711)")
    })
  )
})
