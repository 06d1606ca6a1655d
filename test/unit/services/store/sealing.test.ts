import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Redacted } from "effect"
import type { AccountCode, Location } from "../../../../src/schemas/Credentials.js"
import { type Identity, open, seal } from "../../../../src/services/store/sql/sealing.js"
import * as StoreKey from "../../../../src/services/store/StoreKey.js"

const key = (n: number) => Either.getOrThrow(StoreKey.decodeStoreKey(Buffer.alloc(32, n).toString("base64")))
const ring = (current: number, ...older: ReadonlyArray<number>): StoreKey.KeyRing => ({
  current: key(current),
  older: older.map(key)
})
const identity: Identity = {
  location: "default" as Location,
  account: "EP0000001" as AccountCode,
  what: "sessionKey",
  generation: 7
}
const secret = Redacted.make("B9F24903C3BA4770AE303032303541303032353437")

describe("sealing", () => {
  it.effect("opens a sealed secret with the same key, current or older", () =>
    Effect.gen(function* () {
      const sealed = yield* seal(ring(1), identity, secret)
      for (const keys of [ring(1), ring(2, 3, 1)]) {
        assert.strictEqual(Redacted.value(yield* open(keys, identity, sealed)), Redacted.value(secret))
      }
    })
  )

  it.effect("seals anew each time, with a nonce of 12 bytes", () =>
    Effect.gen(function* () {
      const boxes = yield* Effect.replicateEffect(seal(ring(1), identity, secret), 50)
      assert.strictEqual(new Set(boxes.map(({ nonce }) => nonce)).size, 50)
      assert.strictEqual(new Set(boxes.map(({ box }) => box)).size, 50)
      for (const { box, nonce } of boxes) {
        assert.lengthOf(Buffer.from(nonce, "base64"), 12)
        assert.lengthOf(Buffer.from(box, "base64"), Redacted.value(secret).length + 16)
      }
    })
  )

  it.effect("names the key that it would need, if that key is missing", () =>
    Effect.gen(function* () {
      const sealed = yield* seal(ring(1), identity, secret)
      for (const keys of [undefined, ring(2), ring(2, 3)]) {
        const error = yield* Effect.flip(open(keys, identity, sealed))
        assert.deepInclude(error, { why: "unknownKey", keyId: key(1).id })
      }
    })
  )

  it.effect("opens for no other identity: each part of the identity counts", () =>
    Effect.gen(function* () {
      const sealed = yield* seal(ring(1), identity, secret)
      for (const other of [
        { location: "elsewhere" as Location },
        { account: "EP0000002" as AccountCode },
        { what: "token" as const },
        { generation: 8 }
      ]) {
        const error = yield* Effect.flip(open(ring(1), { ...identity, ...other }, sealed))
        assert.strictEqual(error.why, "broken", JSON.stringify(other))
      }
    })
  )

  it.effect("opens no box that was changed or cut, and nothing under another key's id", () =>
    Effect.gen(function* () {
      const sealed = yield* seal(ring(1), identity, secret)
      const flipped = (text: string, at: number): string => {
        const bytes = Buffer.from(text, "base64")
        bytes[at]! ^= 1
        return bytes.toString("base64")
      }
      for (const wrong of [
        ...[0, 11].map((at) => ({ ...sealed, nonce: flipped(sealed.nonce, at) })),
        ...[0, 30, 57].map((at) => ({ ...sealed, box: flipped(sealed.box, at) })),
        { ...sealed, box: sealed.box.slice(0, -4) },
        { ...sealed, box: "" },
        { ...sealed, box: "AAAA" },
        { ...sealed, nonce: "" },
        { ...sealed, keyId: key(2).id }
      ]) {
        const error = yield* Effect.flip(open(ring(1, 2), identity, wrong))
        assert.strictEqual(error.why, "broken", JSON.stringify(wrong))
      }
    })
  )
})
