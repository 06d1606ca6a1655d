import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigError, ConfigProvider, Effect, Either, Exit, Option, Redacted } from "effect"
import * as SqlStore from "../../../../src/services/store/SqlStore.js"
import * as StoreKey from "../../../../src/services/store/StoreKey.js"
import { assertShowsNone } from "../../../support/leaks.js"

const keyText = (n: number): string => Buffer.alloc(32, n).toString("base64")
const read = (variables: Readonly<Record<string, string>>) =>
  Effect.exit(
    Effect.withConfigProvider(
      SqlStore.configuredKeyRing,
      ConfigProvider.fromMap(new Map(Object.entries(variables)))
    )
  )

describe("StoreKey", () => {
  it("takes the base64 of 32 bytes, and nothing else, without showing it", () => {
    const key = Either.getOrThrow(StoreKey.decodeStoreKey(`  ${keyText(1)}\n`))
    assert.deepStrictEqual([...Redacted.value(key.bytes)], Array<number>(32).fill(1))
    const secret = keyText(1).slice(0, 43)
    for (const wrong of [
      "",
      secret,
      Buffer.alloc(31, 1).toString("base64"),
      Buffer.alloc(33, 1).toString("base64"),
      `${keyText(1)}${keyText(1)}`,
      Buffer.alloc(32, 1).toString("hex"),
      keyText(1).replace("A", "%")
    ]) {
      const error = Either.getOrThrow(Either.flip(StoreKey.decodeStoreKey(wrong)))
      assert.strictEqual(error.field, "store key")
      if (wrong !== "") assertShowsNone(error, wrong)
    }
    assertShowsNone(key, secret)
  })

  it("names a key by 16 characters: the same each time, and others for another key", () => {
    const ids = [1, 1, 2].map((n) => Either.getOrThrow(StoreKey.decodeStoreKey(keyText(n))).id)
    assert.match(ids[0]!, /^[0-9a-f]{16}$/)
    assert.strictEqual(ids[0], ids[1])
    assert.notStrictEqual(ids[0], ids[2])
  })

  it("names a key by the same characters for ever, since stored secrets refer to them", () => {
    const expected = createHash("sha256")
      .update("effect-number-auth/store-key-id/1:")
      .update(Buffer.alloc(32, 1))
      .digest("hex")
    assert.strictEqual(Either.getOrThrow(StoreKey.decodeStoreKey(keyText(1))).id, expected.slice(0, 16))
  })

  it("takes a ring, and says which of its keys is malformed and which form it needs", () => {
    const decode = (current: string, older?: ReadonlyArray<string>) =>
      StoreKey.decodeKeyRing({
        current: Redacted.make(current),
        older: older?.map((text) => Redacted.make(text))
      }).pipe(
        Either.map((ring) => [ring.current, ...ring.older].map((key) => Redacted.value(key.bytes)[0])),
        Either.mapLeft(({ expected, field }) => [field, expected])
      )
    const expected = "the base64 of 32 random bytes, as openssl rand -base64 32 prints them"
    assert.deepStrictEqual(decode(keyText(1)), Either.right([1]))
    assert.deepStrictEqual(decode(keyText(1), [keyText(2), keyText(3)]), Either.right([1, 2, 3]))
    assert.deepStrictEqual(decode("no key"), Either.left(["store key", expected]))
    assert.deepStrictEqual(decode(keyText(1), ["no key"]), Either.left(["older store key", expected]))
  })

  it.effect("names the variable of a wrong configuration, and the expected form", () =>
    Effect.gen(function* () {
      const expected = "Expected the base64 of 32 random bytes, as openssl rand -base64 32 prints them"
      for (const [values, path, message] of [
        [{ NUMBER_STORE_KEY: "no key" }, "NUMBER_STORE_KEY", expected],
        [{ NUMBER_STORE_KEY_OLD: "no key" }, "NUMBER_STORE_KEY_OLD", expected],
        [
          { NUMBER_STORE_KEY: `${keyText(1)},${keyText(2)}` },
          "NUMBER_STORE_KEY",
          "Expected one key; older ones go to NUMBER_STORE_KEY_OLD"
        ]
      ] as const) {
        const error = yield* StoreKey.config.pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values)))),
          Effect.flip
        )
        assert(ConfigError.isConfigError(error) && ConfigError.isInvalidData(error))
        assert.deepStrictEqual([error.path, error.message], [[path], message])
      }
    })
  )

  it.effect("makes valid keys, and never the same one twice", () =>
    Effect.gen(function* () {
      const texts = yield* Effect.replicateEffect(StoreKey.generate, 20)
      assert.strictEqual(new Set(texts.map(Redacted.value)).size, 20)
      for (const text of texts) {
        assert.isTrue(Either.isRight(StoreKey.decodeStoreKey(Redacted.value(text))))
      }
    })
  )

  it.effect("reads no key, one key, and older keys that are separated by commas", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), Exit.succeed(undefined))
      assert.deepStrictEqual(
        yield* read({ NUMBER_STORE_KEY: " ", NUMBER_STORE_KEY_OLD: "" }),
        Exit.succeed(undefined)
      )
      const exit = yield* read({
        NUMBER_STORE_KEY: keyText(1),
        NUMBER_STORE_KEY_OLD: `${keyText(2)}, ${keyText(3)},`
      })
      assert(Exit.isSuccess(exit) && exit.value !== undefined)
      const bytes = [exit.value.current, ...exit.value.older].map((key) => Redacted.value(key.bytes)[0])
      assert.deepStrictEqual(bytes, [1, 2, 3])
    })
  )

  it.effect("is misconfigured by a wrong configuration, which is named and not shown", () =>
    Effect.gen(function* () {
      for (const [name, variables] of [
        ["NUMBER_STORE_KEY", { NUMBER_STORE_KEY: keyText(7).slice(4) }],
        ["NUMBER_STORE_KEY", { NUMBER_STORE_KEY: `${keyText(7)},${keyText(8)}` }],
        ["NUMBER_STORE_KEY_OLD", { NUMBER_STORE_KEY: keyText(1), NUMBER_STORE_KEY_OLD: "secret1234secret" }],
        ["NUMBER_STORE_KEY_OLD", { NUMBER_STORE_KEY_OLD: keyText(7) }]
      ] as const) {
        const exit = yield* read(variables)
        assert(Exit.isFailure(exit))
        const error = Option.getOrThrow(Cause.failureOption(exit.cause))
        assert.strictEqual(error.reason, "misconfigured")
        assert.include(error.message, `${name} `)
        assertShowsNone(error, keyText(7).slice(4, 40), "secret1234secret")
      }
    })
  )
})
