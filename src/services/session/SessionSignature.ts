/**
 * The signature of a session key, for the methods that carry cardholder data (`number-api.md`, section "Signed session
 * key").
 */
import { bytesToHex } from "@noble/hashes/utils.js"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { SessionKey } from "../../schemas/Credentials.js"
import { decodeInput, type InvalidInput } from "../../schemas/InvalidInput.js"

/**
 * Signs session keys, with the HMAC secret that Number gave out and the id of the device or user.
 *
 * @since 0.1.0
 * @category services
 */
export class SessionSignature extends Context.Tag("effect-number-auth/SessionSignature")<
  SessionSignature,
  {
    /**
     * The value of the header `SessKey`: `{SessKey}_{Epoch}_{DeviceID}_{Hash}`. The epoch is in seconds, by Effect's
     * Clock, so sign anew for each request.
     */
    readonly sign: (key: SessionKey) => Effect.Effect<Redacted.Redacted>
  }
>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The HMAC secret: printable ASCII without spaces. Number's support gives it out. */
  readonly secret: Redacted.Redacted
  /** The DeviceID or UserID: 1 to 128 printable ASCII characters, without spaces and underscores. It is no secret. */
  readonly deviceId: string
}

const DeviceId = Schema.Trim.pipe(
  // An underscore ends the id in the header, and a control character would end the header itself.
  Schema.pattern(/^[\x21-\x5e\x60-\x7e]{1,128}$/)
)

const decodeDeviceId = decodeInput(
  DeviceId,
  "device id",
  "1 to 128 printable ASCII characters, without spaces and underscores"
)

const HmacSecret = Schema.Redacted(Schema.Trim.pipe(Schema.pattern(/^[\x21-\x7e]+$/)))

const decodeSecret: (input: unknown) => Either.Either<Redacted.Redacted, InvalidInput> = decodeInput(
  HmacSecret,
  "HMAC secret",
  "printable ASCII characters without spaces, as Number gave them out"
)

const ascii = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/**
 * Signs with WebCrypto (HMAC-SHA-256). The secret is imported once, and cannot be read back.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<SessionSignature["Type"], InvalidInput> =>
  Effect.gen(function* () {
    const deviceId = yield* decodeDeviceId(options.deviceId)
    const secret = yield* decodeSecret(Redacted.value(options.secret))
    const hmacKey = yield* Effect.promise(() =>
      globalThis.crypto.subtle.importKey(
        "raw",
        ascii(Redacted.value(secret)),
        { name: "HMAC", hash: "SHA-256" },
        false,
        ["sign"]
      )
    )
    return {
      sign: (key) =>
        Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
          Effect.promise(async () => {
            const signed = `${Redacted.value(key)}_${Math.floor(nowMillis / 1000)}_${deviceId}`
            const hash = await globalThis.crypto.subtle.sign("HMAC", hmacKey, ascii(signed))
            return Redacted.make(`${signed}_${bytesToHex(new Uint8Array(hash)).toUpperCase()}`)
          })
        )
    }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<SessionSignature, InvalidInput> =>
  Layer.effect(SessionSignature, make(options))

/**
 * `NUMBER_HMAC_SECRET` and `NUMBER_DEVICE_ID`. Neither has a default.
 *
 * @since 0.1.0
 * @category config
 */
export const configOptions: Config.Config<Options> = Config.all({
  secret: Config.redacted("NUMBER_HMAC_SECRET"),
  deviceId: Config.string("NUMBER_DEVICE_ID")
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config<Options> = configOptions
): Layer.Layer<SessionSignature, InvalidInput | ConfigError.ConfigError> =>
  Layer.effect(SessionSignature, Effect.flatMap(options, make))
