/**
 * Tells people.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Notice } from "../../machine/Notice.js"
import { abortedMessage, lockedMessage, type Standing } from "./AuthError.js"

/**
 * A notice and where it belongs. `message` says what happened, what it means for the location's count, and what to do.
 * No secrets.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthNotice {
  readonly notice: Notice
  readonly standing: Standing
  readonly message: string
}

/**
 * Tells people that an account was aborted, that a location is locked, or that a token ends soon.
 *
 * @since 0.1.0
 * @category services
 */
export class AuthNotifier extends Context.Tag("effect-number-auth/AuthNotifier")<
  AuthNotifier,
  {
    /**
     * Runs after the state is stored, once per notice, for 10 seconds at most. Of a lock, which concerns all accounts of
     * the location, a `NumberAccounts` tells once, or by another account where that failed. That it failed is logged, and
     * nothing of what it threw. A process that dies in between tells nobody; the next caller gets the error all the same.
     */
    readonly notify: (notice: AuthNotice) => Effect.Effect<void, unknown>
  }
>() {}

/**
 * Puts a notice into words.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeNotice = (notice: Notice, standing: Standing): AuthNotice => ({
  notice,
  standing,
  message: messageOf(notice, standing)
})

const messageOf = (notice: Notice, standing: Standing): string => {
  switch (notice.kind) {
    case "aborted":
      return abortedMessage(standing, notice.abort)
    case "locked":
      return lockedMessage(standing, notice.reported)
    case "tokenExpiring":
      return `The token of account ${standing.account} ends at ${DateTime.formatIso(DateTime.unsafeMake(notice.endsAtMillis))}. It works until then, and the location's count is unchanged. Create a new token in the Client Admin Portal before that and supply it.`
  }
}

/**
 * Writes notices to the log: a token that ends soon as a warning, all else as an error.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerLog: Layer.Layer<AuthNotifier> = Layer.succeed(AuthNotifier, {
  notify: ({ message, notice, standing }) =>
    (notice.kind === "tokenExpiring" ? Effect.logWarning(message) : Effect.logError(message)).pipe(
      Effect.annotateLogs({ account: standing.account, location: standing.location, notice: notice.kind })
    )
})
