/**
 * The fingerprint of a token: it tells tokens apart, and does not show them.
 */
import { scrypt } from "@noble/hashes/scrypt.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type AccountCode, Fingerprint, type Token } from "../../../schemas/Credentials.js"
import { inTurn, type Turns } from "../../common/turns.js"

/**
 * The cost of a fingerprint, as scrypt's log2(N). Every process that shares a store must use the same cost, or refusals
 * are forgotten. So it is not an option, and only tests with thousands of tokens change it.
 */
export class FingerprintCost extends Context.Reference<FingerprintCost>()(
  "effect-number-auth/internal/FingerprintCost",
  { defaultValue: () => 12 }
) {}

const saltOf = (account: AccountCode): string => `effect-number-auth/fingerprint/2:${account}`

const nameOf = (account: AccountCode, token: Token, cost: number): string =>
  bytesToHex(sha256(utf8ToBytes(`${cost}:${saltOf(account)}:${Redacted.value(token)}`)))

const remembered = new Map<string, Fingerprint>()
const mostRemembered = 16_384

/**
 * The fingerprint is scrypt (N = 2^12, r = 8, p = 1: 4 MiB, 10 to 40 ms) over the token, salted with the account,
 * so that two accounts with one token differ and no table serves two accounts.
 *
 * It is slow, and not keyed, on purpose. A keyed hash would depend on its key. To rotate or lose that key would change
 * every fingerprint, and so forget which tokens Number has refused; the promise depends on that. A store without
 * a key would need another rule. This is one rule for every store, and it needs no secret. The 122 random bits of a
 * real token cannot be guessed anyhow. The cost protects tokens that are less random: otherwise a reader of the store
 * could confirm guesses, billions a second.
 *
 * It is synchronous, and so the same in a simulation. Each token is computed once in a process. The cache is keyed by a
 * hash, so that it keeps no token in memory.
 */
export const fingerprintOf = (
  account: AccountCode,
  token: Token,
  cost: number = FingerprintCost.defaultValue()
): Fingerprint => {
  const name = nameOf(account, token, cost)
  const known = remembered.get(name)
  if (known !== undefined) return known
  const bytes = scrypt(utf8ToBytes(Redacted.value(token)), utf8ToBytes(saltOf(account)), {
    N: 2 ** cost,
    r: 8,
    p: 1,
    dkLen: 32
  })
  const fingerprint = Fingerprint.make(bytesToHex(bytes))
  if (remembered.size >= mostRemembered) remembered.delete(remembered.keys().next().value!)
  remembered.set(name, fingerprint)
  return fingerprint
}

/**
 * Computes the fingerprint of one account among many: one at a time, and the event loop turns in between. Otherwise
 * thousands that start together would block the event loop until attempts in progress time out.
 */
export const fingerprintInTurn = (
  account: AccountCode,
  token: Token,
  cost: number,
  turns: Turns | undefined
): Effect.Effect<Fingerprint> =>
  Effect.suspend(() =>
    turns === undefined || remembered.has(nameOf(account, token, cost))
      ? Effect.succeed(fingerprintOf(account, token, cost))
      : inTurn(
          turns,
          Effect.map(Effect.sleep(0), () => fingerprintOf(account, token, cost))
        )
  )
