/**
 * The service that gives notices to people.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Notice } from "../../machine/Notice.js"
import { abortedMessage, AuthUnstored, lockedMessage, type Standing } from "./AuthError.js"

/**
 * A notice and its standing. `message` says what happened, what it means for the location's count, and what to do. It
 * holds no secrets.
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
 * Tells people that an account was aborted, that a location is locked, that a token ends soon, or that an outcome is lost.
 *
 * @since 0.1.0
 * @category services
 */
export class AuthNotifier extends Context.Tag("effect-number-auth/AuthNotifier")<
  AuthNotifier,
  {
    /**
     * Gives a notice to people. It runs once per notice, after the state is stored, for at most 10 seconds. A
     * `NumberAccounts` announces a lock once for all accounts of the location; if that fails, by another account. A
     * failure is logged, without its error. If the process dies first, no notice is given, but the next caller still
     * gets the error.
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
    case "unstored":
      return new AuthUnstored({ ...notice, standing }).message
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
