/**
 * Seals secrets for the store: AES-256-GCM under the current key of a ring, with what the secret belongs to as associated
 * data, so that it opens in no other record.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import type { AccountCode, Location } from "../../../schemas/Credentials.js"
import type { Sealed } from "../../../schemas/StoredRecord.js"
import type { KeyRing, StoreKey } from "../StoreKey.js"

/** What a secret belongs to. */
export interface Identity {
  readonly location: Location
  readonly account: AccountCode
  readonly what: "sessionKey" | "token"
  /** Tells it from the account's others of its kind; null for a token, of which there is one. */
  readonly generation: number | null
}

/** Why a secret does not open. `broken`: it was changed, or it belongs elsewhere. */
export class NotOpened extends Data.TaggedError("NotOpened")<{
  readonly why: "unknownKey" | "broken"
  readonly keyId: string
}> {}

/** JSON, so that no two identities are written alike. */
const associatedData = (identity: Identity, keyId: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(
    JSON.stringify([
      "effect-number-auth/sealed/1",
      identity.location,
      identity.account,
      identity.what,
      identity.generation,
      keyId
    ])
  )

const imported = (key: StoreKey) =>
  globalThis.crypto.subtle.importKey("raw", new Uint8Array(Redacted.value(key.bytes)), "AES-GCM", false, [
    "encrypt",
    "decrypt"
  ])

const algorithm = (iv: Uint8Array<ArrayBuffer>, additionalData: Uint8Array<ArrayBuffer>) => ({
  name: "AES-GCM",
  iv,
  additionalData,
  tagLength: 128
})

/**
 * Seals under the current key, with a fresh nonce of 96 random bits: safe for 2^32 sealings under one key, and there is
 * one per transaction of an account.
 */
export const seal = (ring: KeyRing, identity: Identity, secret: Redacted.Redacted): Effect.Effect<Sealed> =>
  Effect.promise(async () => {
    const { current } = ring
    const nonce = globalThis.crypto.getRandomValues(new Uint8Array(12))
    const box = await globalThis.crypto.subtle.encrypt(
      algorithm(nonce, associatedData(identity, current.id)),
      await imported(current),
      new TextEncoder().encode(Redacted.value(secret))
    )
    return {
      keyId: current.id,
      nonce: Encoding.encodeBase64(nonce),
      box: Encoding.encodeBase64(new Uint8Array(box))
    }
  })

const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Either.getOrElse(Encoding.decodeBase64(text), () => new Uint8Array()))

/** Opens with whichever key of the ring it was sealed under; without a ring no key is known. */
export const open = (
  ring: KeyRing | undefined,
  identity: Identity,
  { box, keyId, nonce }: Sealed
): Effect.Effect<Redacted.Redacted, NotOpened> => {
  const key = ring === undefined ? undefined : [ring.current, ...ring.older].find(({ id }) => id === keyId)
  if (key === undefined) return Effect.fail(new NotOpened({ why: "unknownKey", keyId }))
  return Effect.tryPromise({
    try: async () => {
      const text = await globalThis.crypto.subtle.decrypt(
        algorithm(bytesOf(nonce), associatedData(identity, keyId)),
        await imported(key),
        bytesOf(box)
      )
      return Redacted.make(new TextDecoder("utf-8", { fatal: true }).decode(text))
    },
    // What the platform says is not kept: it tells nothing, by design.
    catch: () => new NotOpened({ why: "broken", keyId })
  })
}
