/** Small stand-ins for the neighbours of each organ of `NumberAuth`. */
import { Effect, Either, Redacted } from "effect"
import type { SessionKey, Token } from "../../../../../src/schemas/Credentials.js"
import type { LocationOptions, Settings } from "../../../../../src/services/session/internal/settings.js"
import { decodeSettings } from "../../../../../src/services/session/internal/settings.js"
import type { SharedByAccounts } from "../../../../../src/services/session/internal/SharedByAccounts.js"
import { noTurns } from "../../../../../src/services/common/turns.js"
import { makeAuthCore } from "../../../../../src/machine/AuthCore.js"
import { Duration } from "effect"

export const settingsOf = (options: LocationOptions = {}): Settings =>
  Either.getOrThrow(decodeSettings({ account: "EP0000001", ...options }))

export const sessionKey = (text = "KEY"): SessionKey => Redacted.make(text) as SessionKey
export const token = (digit = "1"): Token => Redacted.make(digit.repeat(32)) as Token

/** An account that is alone. */
export const alone: SharedByAccounts["Type"] = {
  coreOf: makeAuthCore,
  turns: noTurns,
  queueTimeout: Duration.infinity,
  announcesLock: () => true,
  lockNoticeInstead: () => null,
  keep: (effect) => effect
}

/** Lets fibers that are ready run. */
export const settle = Effect.repeatN(Effect.yieldNow(), 50)
