import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Scope, Stream, TestClock } from "effect"
import type { Decision } from "../../../../../src/machine/AuthCore.js"
import { emptyAccountRecord } from "../../../../../src/schemas/StoredRecord.js"
import { makeTurns } from "../../../../../src/services/common/turns.js"
import type { AuthError } from "../../../../../src/services/session/AuthError.js"
import {
  type AccountLedger,
  standingOf,
  type Stepped
} from "../../../../../src/services/session/internal/accountLedger.js"
import { makeAcquisition } from "../../../../../src/services/session/internal/acquire.js"
import { makeOutbox } from "../../../../../src/services/session/internal/outbox.js"
import { makeSessionHolder } from "../../../../../src/services/session/internal/heldSession.js"
import { AuthStoreError } from "../../../../../src/services/store/AuthStoreError.js"
import { ledger as ledgerOf, print } from "../../../../support/core.js"
import { alone, sessionKey, settingsOf, token } from "./organs.js"

const settings = settingsOf({ waitTimeout: "10 seconds" })
const session = { generation: 6, fingerprint: print(1), obtainedAtMillis: 0, expiresAtMillis: 60_000 }

const held: Decision = { _tag: "held", session }
const send: Decision = { _tag: "send", attempt: 7 }
const waitFor = (on: "attempt" | "room"): Decision => ({ _tag: "wait", on, forMillis: 1000 })

/** An acquisition with a scripted ledger: these are its decisions, foreseen or stored. */
const setUp = (
  decisions: ReadonlyArray<Decision>,
  options: Partial<Parameters<typeof makeAcquisition>[0]> = {}
) =>
  Effect.gen(function* () {
    const calls: Array<string> = []
    const left = [...decisions]
    const step = (name: string): Effect.Effect<Stepped> =>
      Effect.sync(() => {
        const decision = left.shift()!
        calls.push(`${name}: ${decision._tag}`)
        return {
          ledger: ledgerOf(),
          state: "authenticated",
          context: emptyAccountRecord.context,
          events: [],
          notices: [],
          decision,
          sessionKey: sessionKey(),
          sequence: 1,
          nowMillis: 0,
          from: null
        }
      })
    const ledger: AccountLedger = {
      transact: () => step("transact"),
      foresee: () => step("foresee"),
      after: (stepped) => stepped,
      changes: Stream.never,
      standing: (record) => standingOf(settings, record)
    }
    const acquisition = makeAcquisition({
      settings,
      provider: { get: () => Effect.sync(() => (calls.push("token"), token())), put: () => Effect.void },
      fingerprintOf: () => Effect.succeed(print(1)),
      ledger,
      attempts: {
        make: ({ attempt }) =>
          Effect.sync(() => {
            calls.push(`attempt ${attempt}`)
            return { key: sessionKey(), generation: attempt, endsAtMillis: 60_000 }
          })
      },
      holder: makeSessionHolder(settings),
      notices: { ofStep: () => [], add: () => {}, notify: Effect.void },
      outbox: yield* makeOutbox({
        leaseMillis: settings.policy.leaseMillis,
        shared: alone,
        scope: yield* Scope.make(),
        onLost: () => Effect.void
      }),
      shared: alone,
      ...options
    })
    return { acquisition, calls }
  })

const seatIn = (turns = makeTurns()) => ({ turn: turns.seat(), abandonIfAlone: Effect.void })

describe("an acquisition", () => {
  it.effect("takes the session of the store, or makes the attempt that the core calls for", () =>
    Effect.gen(function* () {
      const stored = yield* setUp([held])
      assert.strictEqual((yield* stored.acquisition.obtain(null, seatIn())).generation, 6)
      assert.deepStrictEqual(stored.calls, ["token", "transact: held"])
      const made = yield* setUp([send])
      assert.strictEqual((yield* made.acquisition.obtain(null, seatIn())).generation, 7)
      assert.deepStrictEqual(made.calls, ["token", "transact: send", "attempt 7"])
    })
  )

  it.effect("asks again after another process's attempt, with a token that is fetched again", () =>
    Effect.gen(function* () {
      const { acquisition, calls } = yield* setUp([waitFor("attempt"), held])
      const fiber = yield* Effect.fork(acquisition.obtain(null, seatIn()))
      yield* TestClock.adjust(1000)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(calls, ["token", "transact: wait", "token", "transact: held"])
    })
  )

  it.effect("gives up when its time is over, and names the reason of its wait", () =>
    Effect.gen(function* () {
      const { acquisition } = yield* setUp(Array.from({ length: 20 }, () => waitFor("room")))
      const fiber = yield* Effect.fork(Effect.flip(acquisition.obtain(null, seatIn())))
      yield* TestClock.adjust("10 seconds")
      const error: AuthError = yield* Fiber.join(fiber)
      assert(error._tag === "AuthBusy")
      assert.strictEqual(error.on, "room")
    })
  )

  it.effect(
    "does not wait behind others for an answer that the store has, and runs the core once for it",
    () =>
      Effect.gen(function* () {
        const turns = makeTurns()
        turns.seat().takeIfFree()
        const { acquisition, calls } = yield* setUp([held])
        assert.strictEqual((yield* acquisition.obtain(null, seatIn(turns))).generation, 6)
        assert.deepStrictEqual(calls, ["token", "foresee: held"])
      })
  )

  it.effect("waits for its turn if it needs room, and fetches the token again", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const other = turns.seat()
      other.takeIfFree()
      const { acquisition, calls } = yield* setUp([send, send])
      const fiber = yield* Effect.fork(acquisition.obtain(null, seatIn(turns)))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(calls, ["token", "foresee: send"])
      other.leave()
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(calls.slice(2), ["token", "transact: send", "attempt 7"])
      assert.isTrue(turns.seat().takeIfFree(), "its turn is over")
    })
  )

  it.effect("keeps its turn while it waits for room", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const { acquisition } = yield* setUp([waitFor("room"), held])
      const fiber = yield* Effect.fork(acquisition.obtain(null, seatIn(turns)))
      yield* TestClock.adjust(500)
      assert.isFalse(turns.seat().takeIfFree())
      yield* TestClock.adjust(500)
      yield* Fiber.join(fiber)
      assert.isTrue(turns.seat().takeIfFree())
    })
  )

  it.effect("gives back a possible reservation if the store did not confirm it", () =>
    Effect.gen(function* () {
      const messages: Array<string> = []
      let calls = 0
      const ledger: AccountLedger = {
        transact: ([message], options) =>
          Effect.suspend(() => {
            messages.push(message!.type)
            if (calls++ > 0) return Effect.never
            options?.onDecided?.({
              ledger: ledgerOf(),
              state: "unauthenticated.attempting",
              context: {
                ...emptyAccountRecord.context,
                attempt: {
                  id: 1,
                  fingerprint: print(1),
                  claim: message!.type === "request" ? message!.claim : ("" as never)
                }
              },
              events: [],
              notices: [],
              decision: send
            })
            return new AuthStoreError({ reason: "unavailable", detail: "away" })
          }),
        foresee: () => Effect.never,
        after: (stepped) => stepped,
        changes: Stream.never,
        standing: (record) => standingOf(settings, record)
      }
      const { acquisition } = yield* setUp([], { ledger })
      const error = yield* Effect.flip(acquisition.obtain(null, seatIn()))
      assert.strictEqual(error._tag, "AuthStoreError")
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(messages, ["request", "withdraw"])
    })
  )
})
