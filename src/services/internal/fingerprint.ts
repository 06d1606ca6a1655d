/**
 * Names a token without being one.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type AccountCode, Fingerprint, type Token } from "../../schemas/Credentials.js"

/**
 * SHA-256 over account code and token: 128 random bits cannot be found from it, and two accounts with one token differ.
 */
export const fingerprintOf = (account: AccountCode, token: Token): Effect.Effect<Fingerprint> =>
  Effect.map(
    Effect.promise(() =>
      globalThis.crypto.subtle.digest(
        "SHA-256",
        new TextEncoder().encode(`effect-number-auth/fingerprint/1:${account}:${Redacted.value(token)}`)
      )
    ),
    (digest) =>
      Fingerprint.make(
        Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
      )
  )
