/**
 * The tokens of the accounts of a simulated location: those that Number knows, and those that people have supplied.
 */
import type * as NumberEmulator from "../NumberEmulator.js"
import type * as VirtualClock from "../VirtualClock.js"

/** Accounts are given by their index, from 0. */
export interface TokenBook {
  /** Makes a token that Number does not know. */
  readonly makeUnknown: () => string
  /** The number of a token, in the order in which they were made, from 1; 0 for any other text. */
  readonly numberOf: (token: string) => number
  /** The last token that Number has issued. It may have been revoked since. */
  readonly good: (account: number) => string
  /** The token that the account's processes are given. */
  readonly supplied: (account: number) => string
  readonly supply: (account: number, token: string) => void
  /** Number issues a new token, which ends after `lifeMillis` milliseconds. It is not supplied yet. */
  readonly issue: (account: number, lifeMillis?: number) => void
}

/** Each account has one good token, which is supplied. */
export const make = (
  accounts: ReadonlyArray<string>,
  emulator: NumberEmulator.NumberEmulator["Type"],
  clock: VirtualClock.VirtualClock,
  lifeMillis?: number
): TokenBook => {
  const made: Array<string> = []
  const good: Array<string> = []
  const supplied: Array<string> = []
  const makeText = (): string => {
    // The same texts in every location, so that each fingerprint is computed once.
    const text = `7E577E57${made.length.toString(16).toUpperCase().padStart(24, "0")}`
    made.push(text)
    return text
  }
  const issue: TokenBook["issue"] = (account, lifeMillis) => {
    const token = makeText()
    good[account] = token
    const end =
      lifeMillis === undefined ? undefined : { expiresAtMillis: clock.unsafeCurrentTimeMillis() + lifeMillis }
    clock.run(emulator.addToken(accounts[account]!, token, end))
  }
  for (const account of accounts.keys()) {
    issue(account, lifeMillis)
    supplied[account] = good[account]!
  }
  return {
    makeUnknown: makeText,
    numberOf: (token) => made.indexOf(token) + 1,
    good: (account) => good[account]!,
    supplied: (account) => supplied[account]!,
    supply: (account, token) => {
      supplied[account] = token
    },
    issue
  }
}
