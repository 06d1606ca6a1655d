/**
 * The keys that secrets in the store are sealed under.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { InvalidInput } from "../../schemas/InvalidInput.js"

/**
 * A key for AES-256-GCM. Its id is stored with each secret that it seals: 16 hexadecimal characters of a hash of the
 * key. The id is no secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoreKey {
  readonly id: string
  /** 32 bytes. */
  readonly bytes: Redacted.Redacted<Uint8Array>
}

/**
 * The current key, which seals and opens, and the older keys, which only open.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyRing {
  readonly current: StoreKey
  readonly older: ReadonlyArray<StoreKey>
}

const expected = "the base64 of 32 random bytes, as openssl rand -base64 32 prints them"

const ofBytes = (bytes: Uint8Array): StoreKey => ({
  // The key is 256 random bits, so a part of its hash reveals nothing about it.
  id: bytesToHex(sha256(concatBytes(utf8ToBytes("effect-number-auth/store-key-id/1:"), bytes))).slice(0, 16),
  bytes: Redacted.make(bytes)
})

const decode =
  (field: string) =>
  (text: string): Either.Either<StoreKey, InvalidInput> =>
    Encoding.decodeBase64(text.trim()).pipe(
      Either.filterOrLeft(
        (bytes) => bytes.length === 32,
        () => undefined
      ),
      Either.map(ofBytes),
      Either.mapLeft(() => new InvalidInput({ field, expected }))
    )

/**
 * Decodes a key: base64 of 32 bytes.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeStoreKey: (text: string) => Either.Either<StoreKey, InvalidInput> = decode("store key")

/**
 * Decodes a key and the older ones.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeKeyRing = (input: {
  readonly current: Redacted.Redacted
  readonly older?: ReadonlyArray<Redacted.Redacted> | undefined
}): Either.Either<KeyRing, InvalidInput> =>
  Either.all({
    current: decodeStoreKey(Redacted.value(input.current)),
    older: Either.all((input.older ?? []).map((key) => decode("older store key")(Redacted.value(key))))
  })

/**
 * A new key, from the platform's cryptographic source of randomness.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generate: Effect.Effect<Redacted.Redacted> = Effect.sync(() =>
  Redacted.make(Encoding.encodeBase64(globalThis.crypto.getRandomValues(new Uint8Array(32))))
)

/**
 * The keys that the configuration gives.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConfiguredKeys {
  readonly current: Option.Option<StoreKey>
  readonly older: ReadonlyArray<StoreKey>
}

/** An empty variable counts as not set, as in a compose file that names a variable without a value. */
const optional = (name: string): Config.Config<string> =>
  Config.redacted(name).pipe(Config.map(Redacted.value), Config.withDefault(""))

const decodeConfigured = (
  name: string,
  text: string
): Either.Either<ReadonlyArray<StoreKey>, ConfigError.ConfigError> =>
  Either.all(
    text
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "")
      .map(decode(name))
  ).pipe(Either.mapLeft(() => ConfigError.InvalidData([name], `Expected ${expected}`)))

/**
 * `NUMBER_STORE_KEY`, and `NUMBER_STORE_KEY_OLD`, which may hold several keys, separated by commas. The error does not
 * show the value.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<ConfiguredKeys> = Config.all({
  current: optional("NUMBER_STORE_KEY"),
  older: optional("NUMBER_STORE_KEY_OLD")
}).pipe(
  Config.mapOrFail((texts) =>
    Either.gen(function* () {
      const current = yield* decodeConfigured("NUMBER_STORE_KEY", texts.current)
      const older = yield* decodeConfigured("NUMBER_STORE_KEY_OLD", texts.older)
      if (current.length > 1) {
        return yield* Either.left(
          ConfigError.InvalidData(
            ["NUMBER_STORE_KEY"],
            "Expected one key; older ones go to NUMBER_STORE_KEY_OLD"
          )
        )
      }
      return { current: Option.fromNullable(current[0]), older }
    })
  )
)
