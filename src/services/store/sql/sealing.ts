/**
 * The sealing of secrets for the store: AES-256-GCM under the current key of a ring. The identity of the secret is the
 * associated data, so that it opens in no other record.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import type { AccountCode, Location } from "../../../schemas/Credentials.js"
import type { Sealed } from "../../../schemas/StoredRecord.js"
import type { KeyRing, StoreKey } from "../StoreKey.js"

/** The identity of a secret: the account that it belongs to, its kind, and its generation. */
export interface Identity {
  readonly location: Location
  readonly account: AccountCode
  readonly what: "sessionKey" | "token"
  /** The generation of the session; null for a token, since an account has only one. */
  readonly generation: number | null
}

/**
 * The error of a secret that does not open. `unknownKey`: the ring does not have its key. `broken`: it was changed, or
 * it belongs to another record.
 */
export class NotOpened extends Data.TaggedError("NotOpened")<{
  readonly why: "unknownKey" | "broken"
  readonly keyId: string
}> {}

/** The identity as JSON, so that two identities never have the same bytes. */
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
 * Seals under the current key, with a fresh nonce of 96 random bits. That is safe for 2^32 sealings under one key, and
 * a transaction of an account seals at most once.
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

/** Opens with the key of the ring that sealed the secret. Without a ring no key is known. */
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
    // The platform's error is not kept: by design it gives no reason.
    catch: () => new NotOpened({ why: "broken", keyId })
  })
}
