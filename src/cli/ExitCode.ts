/**
 * The exit codes, after `sysexits.h` where it has a fitting one. They exist for the supervisor that may start the
 * command again: it may after 75, and it must not after 77 and 78, since a restart is an attempt.
 */
import type { ValidationError } from "@effect/cli/ValidationError"
import type { AuthRejected } from "../services/session/AuthError.js"
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
  /** What was asked for is done. */
  done: 0,
  /** Number answered the call, and its answer is a refusal. No matter of authentication, and it does not count. */
  callRefused: 1,
  /** A mistake of ours (EX_SOFTWARE). */
  defect: 70,
  /** Nothing was done, or nothing that needs a person: try again later (EX_TEMPFAIL). */
  tryLater: 75,
  /** Aborted, locked, not known or not allowed: a person is needed, do not restart (EX_NOPERM). */
  personNeeded: 77,
  /** A setting is missing or malformed: it is the same at every restart (EX_CONFIG). */
  settings: 78
} as const

/**
 * @since 0.1.0
 * @category models
 */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/**
 * What a command can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type CommandError =
  | AuthError
  | AuthRejected
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
    // A restart would not help, and with another token it could spend one more attempt of the location.
    case "AuthAborted":
    case "AuthLocked":
    case "AuthRejected":
    // The call may have been carried out: sent again, it could be carried out twice.
    case "CallUnknown":
      return ExitCode.personNeeded
    // Nothing was sent, or the policy says that a lost attempt may be followed by another.
    case "AuthUnreachable":
    case "AuthBusy":
    case "AuthLost":
    case "CallUnreachable":
    // Number carried nothing out; should it go on, the library aborts by itself.
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
    // A mistake of ours, or of the naive client: the simulated world is as it should be.
    case "PromiseBroken":
      return ExitCode.defect
    case "ProblemsFound":
      return error.exitCode
    // Bad input, a token that is not there, and all that @effect/cli finds wrong with the command line.
    default:
      return ExitCode.settings
  }
}

/**
 * The exit code of a command that a signal ended: 128 and the signal's number, as shells have it.
 *
 * @since 0.1.0
 * @category mapping
 */
export const exitCodeOfSignal = (signal: "SIGINT" | "SIGTERM"): number => (signal === "SIGINT" ? 130 : 143)
