import { createHash, scryptSync } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, TestClock } from "effect"
import type { AccountCode, Token } from "../../../../src/schemas/Credentials.js"
import {
  FingerprintCost,
  fingerprintInTurn,
  fingerprintOf
} from "../../../../src/services/session/internal/fingerprint.js"
import { makeTurns } from "../../../../src/services/common/turns.js"
import { one, two } from "../../../support/core.js"
import { badToken } from "../../../support/stack.js"
import { cpuMillis } from "../../../support/cpu.js"

const token = (n: number): Token => Redacted.make(badToken(n)) as Token

describe("a fingerprint", () => {
  it("is scrypt over the token, salted with the account, as another implementation computes it", () => {
    const salt = (account: AccountCode) => `effect-number-auth/fingerprint/2:${account}`
    for (const [account, n] of [
      [one, 1],
      [two, 1],
      [one, 2]
    ] as const) {
      const expected = scryptSync(badToken(n), salt(account), 32, { N: 4096, r: 8, p: 1 }).toString("hex")
      assert.strictEqual(fingerprintOf(account, token(n)), expected)
    }
  })

  it("distinguishes accounts and tokens", () => {
    const all = [fingerprintOf(one, token(1)), fingerprintOf(two, token(1)), fingerprintOf(one, token(2))]
    assert.strictEqual(new Set(all).size, 3)
  })

  it("is slow to guess, and fast for a token that is known already", () => {
    const slow = Math.min(...[10, 11, 12, 13].map((n) => cpuMillis(() => fingerprintOf(one, token(n)))))
    const again = Math.min(...[10, 11, 12, 13].map((n) => cpuMillis(() => fingerprintOf(one, token(n)))))
    const plain = cpuMillis(() => createHash("sha256").update(badToken(1)).digest())
    assert.isAbove(slow, 2)
    assert.isBelow(again, slow / 4, `a plain hash took ${plain} ms`)
  })

  it.effect("depends on the given cost, which is 12 by default", () =>
    Effect.gen(function* () {
      const salt = `effect-number-auth/fingerprint/2:${one}`
      const expected = (N: number) => scryptSync(badToken(50), salt, 32, { N, r: 8, p: 1 }).toString("hex")
      assert.strictEqual(fingerprintOf(one, token(50), 1), expected(2))
      assert.strictEqual(fingerprintOf(one, token(50), 4), expected(16))
      assert.strictEqual(yield* FingerprintCost, 12)
    })
  )

  it.effect("waits for its turn if there are turns, unless it is known already", () =>
    Effect.gen(function* () {
      const turns = makeTurns()
      const others = turns.seat()
      assert.isTrue(others.takeIfFree())
      const known = fingerprintOf(one, token(60), 1)
      assert.strictEqual(yield* fingerprintInTurn(one, token(60), 1, turns), known)
      const waiting = yield* Effect.fork(fingerprintInTurn(one, token(61), 1, turns))
      yield* TestClock.adjust("1 second")
      assert.isNull(waiting.unsafePoll())
      others.leave()
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(waiting), fingerprintOf(one, token(61), 1))
      // Without turns it waits for nothing and takes no time.
      const alone = yield* fingerprintInTurn(one, token(62), 1, undefined)
      assert.strictEqual(alone, fingerprintOf(one, token(62), 1))
    })
  )

  it.live("does not block the event loop while many are computed", () =>
    Effect.gen(function* () {
      let turns = 0
      const counting = setInterval(() => (turns += 1), 0)
      const queue = makeTurns()
      const all = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) => fingerprintInTurn(one, token(100 + n), 12, queue),
        { concurrency: "unbounded" }
      ).pipe(Effect.ensuring(Effect.sync(() => clearInterval(counting))))
      assert.strictEqual(new Set(all).size, 20)
      assert.isAbove(turns, 10)
    })
  )
})
