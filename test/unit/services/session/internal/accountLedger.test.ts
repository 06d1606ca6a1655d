import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeAuthCore } from "../../../../../src/machine/AuthCore.js"
import { Claim, emptyAccountRecord } from "../../../../../src/schemas/StoredRecord.js"
import {
  makeAccountLedger,
  standingOf,
  type Stepped,
  stepThrough
} from "../../../../../src/services/session/internal/accountLedger.js"
import { makeMemory } from "../../../../../src/services/store/AuthStore.js"
import { at, inFlight, ledger, one, print, settled, two } from "../../../../support/core.js"
import { sessionKey, settingsOf } from "./organs.js"

const settings = settingsOf({ successClears: "account" })
const request = { type: "request", fingerprint: print(1), claim: Claim.make("0".repeat(24)) } as const
const accepted = (attempt: number) =>
  ({
    type: "attemptEnded",
    attempt,
    fingerprint: print(1),
    outcome: { _tag: "accepted", tokenEndsAtMillis: null, lockReported: false }
  }) as const

const setUp = Effect.gen(function* () {
  const stored: Array<Stepped> = []
  const store = yield* makeMemory
  const account = makeAccountLedger({
    settings,
    core: makeAuthCore(settings.policy),
    store,
    onStored: (stepped) => Effect.sync(() => void stored.push(stepped))
  })
  return { account, store, stored }
})

describe("the ledger of an account", () => {
  it.effect("stores the decisions of the core, and gives the key of the held session", () =>
    Effect.gen(function* () {
      const { account, store, stored } = yield* setUp
      const reserved = yield* account.transact([request])
      assert.deepStrictEqual(reserved.decision, { _tag: "send", attempt: 1 })
      assert.strictEqual(reserved.from, "unauthenticated.idle")
      const held = yield* account.transact([accepted(1)], {
        accepted: { attempt: 1, sessionKey: sessionKey() }
      })
      assert.isNotNull(held.sessionKey)
      const { account: record } = yield* store.read({ location: settings.location, account: one })
      assert.strictEqual(record.state, "authenticated")
      assert.strictEqual(record.sessionKey, held.sessionKey)
      assert.lengthOf(stored, 2)
    })
  )

  it.effect("draws no number if nothing changes", () =>
    Effect.gen(function* () {
      const { account } = yield* setUp
      const { from, sequence } = yield* account.transact([{ type: "observe" }])
      assert.deepStrictEqual({ from, sequence }, { from: null, sequence: 0 })
      assert.strictEqual((yield* account.transact([request])).sequence, 1)
    })
  )

  it.effect("foresees a decision without writing", () =>
    Effect.gen(function* () {
      const { account, stored } = yield* setUp
      assert.strictEqual((yield* account.foresee([request])).decision._tag, "send")
      assert.strictEqual((yield* account.foresee([request])).decision._tag, "send")
      assert.lengthOf(stored, 0)
    })
  )

  it.effect("drops the key with its session", () =>
    Effect.gen(function* () {
      const { account } = yield* setUp
      yield* account.transact([request])
      yield* account.transact([accepted(1)], { accepted: { attempt: 1, sessionKey: sessionKey() } })
      const { sessionKey: key, state } = yield* account.transact([
        { type: "sessionRefused", generation: 1, code: 5030 }
      ])
      assert.deepStrictEqual({ key, state }, { key: null, state: "expired.idle" })
    })
  )

  it.effect("reports each step that will be written before the store has confirmed it", () =>
    Effect.gen(function* () {
      const { account } = yield* setUp
      const seen: Array<string> = []
      yield* account.transact([request], { onDecided: ({ decision }) => void seen.push(decision._tag) })
      assert.deepStrictEqual(seen, ["send"])
    })
  )
})

describe("a request of a process without the key of the session", () => {
  it("makes an attempt for a session of its own", () => {
    const core = makeAuthCore(settings.policy)
    const session = { generation: 3, fingerprint: print(1), obtainedAtMillis: 0, expiresAtMillis: 1000 }
    const context = { ...emptyAccountRecord.context, session }
    const decide = (hasKey: boolean) =>
      stepThrough(
        core,
        one,
        { moment: at(9), ledger: ledger(), account: { state: "authenticated", context, hasKey } },
        [request]
      ).decision._tag
    assert.strictEqual(decide(true), "held")
    assert.strictEqual(decide(false), "send")
  })
})

describe("the standing of an account", () => {
  it("has the greater of the location's count and the account's own", () => {
    const marks = [settled(1, 2, one, { clearedForLocation: true }), settled(3, 4, one), settled(5, 6, two)]
    assert.strictEqual(standingOf(settings, ledger(...marks)).failures, 2)
    assert.strictEqual(standingOf(settings, ledger(settled(1, 2, two), settled(3, 4, two))).failures, 2)
    assert.strictEqual(standingOf(settings, ledger(inFlight(1))).failures, 0)
  })
})
