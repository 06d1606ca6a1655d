import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { makeTurns, noTurns, type Turns } from "../../../../../src/services/common/turns.js"
import type { AuthError } from "../../../../../src/services/session/AuthError.js"
import { AuthLost } from "../../../../../src/services/session/AuthError.js"
import type { Acquisition, Seat } from "../../../../../src/services/session/internal/acquire.js"
import { makeFlights } from "../../../../../src/services/session/internal/flight.js"
import {
  type HeldSession,
  makeSessionHolder,
  type Refusal
} from "../../../../../src/services/session/internal/heldSession.js"
import { alone, sessionKey, settingsOf, settle } from "./organs.js"

const settings = settingsOf()
const session = (generation: number): HeldSession => ({ key: sessionKey(), generation, endsAtMillis: 1e9 })

/** Flights whose acquisitions end when the test says so. */
const setUp = (turns: Turns = noTurns) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const holder = makeSessionHolder(settings)
    const begun: Array<{
      readonly refusal: Refusal | null
      readonly seat: Seat
      readonly end: Deferred.Deferred<HeldSession, AuthError>
    }> = []
    let notified = 0
    const acquisition: Acquisition = {
      obtain: (refusal, seat) =>
        Effect.flatMap(Deferred.make<HeldSession, AuthError>(), (end) => {
          begun.push({ refusal, seat, end })
          return Deferred.await(end)
        })
    }
    const flights = makeFlights({
      settings,
      acquisition,
      holder,
      notices: { ofStep: () => [], add: () => {}, notify: Effect.sync(() => void notified++) },
      shared: { ...alone, turns },
      scope,
      context: Context.empty()
    })
    return { ...flights, begun, holder, scope, notified: () => notified }
  })

describe("a flight", () => {
  it.effect("is shared by all callers, and gives its session to each", () =>
    Effect.gen(function* () {
      const { begun, notified, sessionAfter } = yield* setUp()
      const callers = yield* Effect.forkAll(Array.from({ length: 3 }, () => sessionAfter(null)))
      yield* settle
      assert.lengthOf(begun, 1)
      yield* Deferred.succeed(begun[0]!.end, session(1))
      assert.deepStrictEqual(
        (yield* Fiber.join(callers)).map(({ generation }) => generation),
        [1, 1, 1]
      )
      yield* settle
      assert.strictEqual(notified(), 1)
    })
  )

  it.effect("does not start if a session is held", () =>
    Effect.gen(function* () {
      const { begun, holder, sessionAfter } = yield* setUp()
      yield* holder.hold(sessionKey(), 4, 1000)
      assert.strictEqual((yield* sessionAfter(null)).generation, 4)
      assert.lengthOf(begun, 0)
    })
  )

  it.effect("does not answer a refusal that came after its start: another flight follows", () =>
    Effect.gen(function* () {
      const { begun, sessionAfter } = yield* setUp()
      const first = yield* Effect.fork(sessionAfter(null))
      yield* settle
      const refusing = yield* Effect.fork(sessionAfter({ generation: 1, code: 5030 }))
      yield* settle
      yield* Deferred.succeed(begun[0]!.end, session(1))
      assert.strictEqual((yield* Fiber.join(first)).generation, 1)
      yield* settle
      assert.deepStrictEqual(
        begun.map(({ refusal }) => refusal?.generation ?? null),
        [null, 1]
      )
      yield* Deferred.succeed(begun[1]!.end, session(2))
      assert.strictEqual((yield* Fiber.join(refusing)).generation, 2)
    })
  )

  it.effect("can be abandoned when its callers have gone, so that the next call starts another", () =>
    Effect.gen(function* () {
      const { begun, sessionAfter } = yield* setUp()
      const caller = yield* Effect.fork(sessionAfter(null))
      yield* settle
      yield* Fiber.interrupt(caller)
      yield* begun[0]!.seat.abandonIfAlone.pipe(Effect.exit)
      const next = yield* Effect.fork(sessionAfter(null))
      yield* settle
      assert.lengthOf(begun, 2, "an abandoned seat leaves room for the next flight")
      yield* Fiber.interrupt(next)
    })
  )

  it.effect("ends with its last caller if it needs a turn, and gives that turn up", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const { begun, sessionAfter } = yield* setUp(turns)
      const caller = yield* Effect.fork(sessionAfter(null))
      yield* settle
      assert.isTrue(begun[0]!.seat.turn.takeIfFree())
      yield* Fiber.interrupt(caller)
      yield* settle
      assert.isTrue(turns.seat().takeIfFree(), "its turn is over")
    })
  )

  it.effect("passes its error on to its caller, and the next call starts another", () =>
    Effect.gen(function* () {
      const { begun, sessionAfter } = yield* setUp()
      const caller = yield* Effect.fork(sessionAfter(null))
      yield* settle
      const standing = { account: settings.account, location: settings.location, failures: 1, limit: 5 }
      yield* Deferred.fail(begun[0]!.end, new AuthLost({ standing, detail: "silence" }))
      assert.isTrue(Exit.isFailure(yield* Fiber.await(caller)))
      yield* Effect.fork(sessionAfter(null))
      yield* settle
      assert.lengthOf(begun, 2)
    })
  )
})
