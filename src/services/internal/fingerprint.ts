/**
 * Names a token without being one.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Redacted from "effect/Redacted"
import { type AccountCode, Fingerprint, type Token } from "../../schemas/Credentials.js"

/**
 * SHA-256 over account code and token: 128 random bits cannot be found from it, and two accounts with one token differ.
 */
export const fingerprintOf = (account: AccountCode, token: Token): Fingerprint =>
  Fingerprint.make(
    bytesToHex(sha256(utf8ToBytes(`effect-number-auth/fingerprint/1:${account}:${Redacted.value(token)}`)))
  )
