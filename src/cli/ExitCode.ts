/**
 * The exit codes, from `sysexits.h` if it has a fitting one. A supervisor decides by them whether to start
 * the command again. It may after 75. It must not after 77 and 78, since a restart is an attempt.
 */
import type { ValidationError } from "@effect/cli/ValidationError"
import type { AuthRejected, AuthUnstored } from "../services/session/AuthError.js"
import type { AuthError } from "../services/session/NumberAuth.js"
import type { SessionRefused } from "../services/session/SessionRefusal.js"
import type { CallRefused, CallUnknown, CallUnreachable } from "./RequestError.js"
import type { InvalidSetting } from "./InvalidSetting.js"
import type { ProblemsFound } from "./ProblemsFound.js"
import type { PromiseBroken } from "./PromiseBroken.js"

/**
 * @since 0.1.0
 * @category constants
 */
export const ExitCode = {
  /** The command succeeded. */
  done: 0,
  /** Number answered the call with a refusal. Authentication is fine; nothing was counted. */
  callRefused: 1,
  /** A mistake in this program (EX_SOFTWARE). */
  defect: 70,
  /** A failure that needs no person: try again later (EX_TEMPFAIL). */
  tryLater: 75,
  /** Aborted, locked, not known or not allowed. A person is needed: do not restart (EX_NOPERM). */
  personNeeded: 77,
  /** A setting is missing or malformed. A restart does not change that (EX_CONFIG). */
  settings: 78
} as const

/**
 * @since 0.1.0
 * @category models
 */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/**
 * The errors of all commands.
 *
 * @since 0.1.0
 * @category errors
 */
export type CommandError =
  | AuthError
  | AuthRejected
  | AuthUnstored
  | SessionRefused
  | InvalidSetting
  | CallRefused
  | CallUnreachable
  | CallUnknown
  | ProblemsFound
  | PromiseBroken
  | ValidationError

/**
 * The exit code of an error.
 *
 * @since 0.1.0
 * @category mapping
 */
export const exitCodeOf = (error: CommandError): ExitCode => {
  switch (error._tag) {
    // A restart would not help. With another token it could spend one more attempt of the location.
    case "AuthAborted":
    case "AuthLocked":
    case "AuthRejected":
    // In the store the attempt is lost, and the account will be aborted.
    case "AuthUnstored":
    // The call may have been carried out. A second call could carry it out twice.
    case "CallUnknown":
      return ExitCode.personNeeded
    // Nothing was sent, or an attempt was lost and the policy allows another one after it.
    case "AuthUnreachable":
    case "AuthBusy":
    case "AuthLost":
    case "CallUnreachable":
    // Number carried nothing out. If the refusals go on, the library aborts by itself.
    case "SessionRefused":
      return ExitCode.tryLater
    case "AuthStoreError":
      switch (error.reason) {
        case "unavailable":
          return ExitCode.tryLater
        case "unreadable":
          return ExitCode.personNeeded
        case "misconfigured":
          return ExitCode.settings
      }
    case "CallRefused":
      return ExitCode.callRefused
    // A mistake in the library, or in the naive client. The simulated world is correct.
    case "PromiseBroken":
      return ExitCode.defect
    case "ProblemsFound":
      return error.exitCode
    // Bad input, a missing token, and the errors that @effect/cli finds in the command line.
    default:
      return ExitCode.settings
  }
}

/**
 * The exit code of a command that a signal ended: 128 plus the signal's number, as in shells.
 *
 * @since 0.1.0
 * @category mapping
 */
export const exitCodeOfSignal = (signal: "SIGINT" | "SIGTERM"): number => (signal === "SIGINT" ? 130 : 143)
