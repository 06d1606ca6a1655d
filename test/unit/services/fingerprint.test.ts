import { createHash, scryptSync } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { AccountCode, Token } from "../../../src/schemas/Credentials.js"
import { fingerprintInTurn, fingerprintOf } from "../../../src/services/internal/fingerprint.js"
import { makeTurns } from "../../../src/services/internal/turns.js"
import { one, two } from "../../support/core.js"
import { badToken } from "../../support/stack.js"

const token = (n: number): Token => Redacted.make(badToken(n)) as Token

describe("a fingerprint", () => {
  it("is scrypt over the token, salted with the account: the same by another implementation", () => {
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

  it("tells accounts and tokens apart", () => {
    const all = [fingerprintOf(one, token(1)), fingerprintOf(two, token(1)), fingerprintOf(one, token(2))]
    assert.strictEqual(new Set(all).size, 3)
  })

  it("is slow for who guesses, and not for who asks again", () => {
    const timed = (work: () => unknown): number => {
      const began = performance.now()
      work()
      return performance.now() - began
    }
    const slow = Math.min(...[10, 11, 12, 13].map((n) => timed(() => fingerprintOf(one, token(n)))))
    const again = Math.min(...[10, 11, 12, 13].map((n) => timed(() => fingerprintOf(one, token(n)))))
    const plain = timed(() => createHash("sha256").update(badToken(1)).digest())
    assert.isAbove(slow, 2)
    assert.isBelow(again, slow / 4, `a plain hash took ${plain} ms`)
  })

  it.live("lets the event loop turn between those of many accounts", () =>
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
