import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Context, Effect, Layer, Option, Redacted } from "effect"
import type { AccountCode, Location, Token } from "../../../../src/schemas/Credentials.js"
import { AuthStore, AuthStoreError, makeMemory } from "../../../../src/services/store/AuthStore.js"
import * as CredentialProvider from "../../../../src/services/session/CredentialProvider.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { account, badToken, goodToken } from "../../../support/stack.js"

const code = account as AccountCode
const other = "EP0000002" as AccountCode
const tokenOf = (text: string): Token => Redacted.make(text) as Token

const build = <E>(layer: Layer.Layer<CredentialProvider.CredentialProvider, E>) =>
  Effect.map(Layer.build(layer), Context.get(CredentialProvider.CredentialProvider))

const configured = (values: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))

describe("CredentialProvider", () => {
  it("has a key that is this library's own", () => {
    assert.strictEqual(CredentialProvider.CredentialProvider.key, "effect-number-auth/CredentialProvider")
  })
})

describe("CredentialProvider.layerConfig", () => {
  it.scoped("reads the configuration each time, until a token is put for the account", () =>
    Effect.gen(function* () {
      const provider = yield* build(CredentialProvider.layerConfig())
      const read = provider.get(code).pipe(Effect.map(Redacted.value))
      assert.strictEqual(yield* read.pipe(configured({ NUMBER_TOKEN: goodToken })), goodToken)
      assert.strictEqual(yield* read.pipe(configured({ NUMBER_TOKEN: badToken(1) })), badToken(1))
      yield* provider.put(code, tokenOf(badToken(2)))
      assert.strictEqual(yield* read.pipe(configured({ NUMBER_TOKEN: goodToken })), badToken(2))
      const others = provider.get(other).pipe(configured({ NUMBER_TOKEN: goodToken }))
      assert.strictEqual(Redacted.value(yield* others), goodToken)
    })
  )

  it.scoped("says that a token is missing or malformed, without showing it", () =>
    Effect.gen(function* () {
      const provider = yield* build(CredentialProvider.layerConfig())
      const missing = yield* Effect.flip(provider.get(code).pipe(configured({})))
      assert(missing._tag === "CredentialError")
      assert.strictEqual(missing.detail, "it is not in the configuration (NUMBER_TOKEN)")
      const text = `${goodToken}0`
      const malformed = yield* Effect.flip(provider.get(code).pipe(configured({ NUMBER_TOKEN: text })))
      assert.strictEqual(malformed._tag, "InvalidInput")
      assertShowsNone(malformed, text)
    })
  )
})

describe("CredentialProvider.layerStore", () => {
  it.scoped("asks for the initial token until one is put, and then the store", () =>
    Effect.gen(function* () {
      const store = Layer.succeed(AuthStore, yield* makeMemory)
      const initial = Config.redacted("NUMBER_TOKEN")
      const start = build(CredentialProvider.layerStore({ initial }).pipe(Layer.provide(store)))
      const configuration = configured({ NUMBER_TOKEN: badToken(1) })
      const provider = yield* start
      assert.strictEqual(Redacted.value(yield* configuration(provider.get(code))), badToken(1))
      yield* provider.put(code, tokenOf(goodToken))
      // Another start on the same store.
      const later = yield* start
      assert.strictEqual(Redacted.value(yield* configuration(later.get(code))), goodToken)
      assert.strictEqual(Redacted.value(yield* configuration(later.get(other))), badToken(1))
    })
  )

  it.scoped("keeps a token under its location, or under `default` if no location is given", () =>
    Effect.gen(function* () {
      const made = yield* makeMemory
      const store = Layer.succeed(AuthStore, made)
      for (const [options, location, token] of [
        [undefined, "default", badToken(1)],
        [{}, "default", badToken(2)],
        [{ location: "shop" }, "shop", badToken(3)]
      ] as const) {
        const provider = yield* build(CredentialProvider.layerStore(options).pipe(Layer.provide(store)))
        yield* provider.put(code, tokenOf(token))
        const kept = yield* made.readToken({ location: location as Location, account: code })
        assert.strictEqual(Redacted.value(Option.getOrThrow(kept)), token)
      }
    })
  )

  it.scoped("fails if there is no token, if the location is malformed, and if the store is away", () =>
    Effect.gen(function* () {
      const provider = yield* build(
        CredentialProvider.layerStore().pipe(Layer.provide(Layer.effect(AuthStore, makeMemory)))
      )
      const none = yield* Effect.flip(provider.get(code))
      assert(none._tag === "CredentialError")
      assert.strictEqual(none.detail, "the store keeps no token for this account")
      const malformed = CredentialProvider.layerStore({ location: "" }).pipe(
        Layer.provide(Layer.effect(AuthStore, makeMemory))
      )
      assert.strictEqual((yield* Effect.flip(build(malformed)))._tag, "InvalidInput")
      const error = new AuthStoreError({ reason: "unavailable", detail: "the test took it away" })
      const store = { ...(yield* makeMemory), readToken: () => error, writeToken: () => error }
      const away = yield* build(
        CredentialProvider.layerStore().pipe(Layer.provide(Layer.succeed(AuthStore, store)))
      )
      assert.strictEqual(yield* Effect.flip(away.get(code)), error)
      assert.strictEqual(yield* Effect.flip(away.put(code, tokenOf(goodToken))), error)
    })
  )
})
