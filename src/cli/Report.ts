/**
 * The reports of the command: a status or an error as text for people, and as JSON for programs.
 */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as ValidationError from "@effect/cli/ValidationError"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { abortedMessage, lockedMessage, type Standing } from "../services/session/AuthError.js"
import type { AuthStatus } from "../services/session/NumberAuth.js"
import { type CommandError, exitCodeOf } from "./ExitCode.js"
import { shownStore, type StoreTarget } from "../services/store/storeTarget.js"

/**
 * A status, the store that holds it, and the time at which it was read.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatusReport {
  readonly status: AuthStatus
  readonly store: StoreTarget
  readonly now: DateTime.Utc
}

/** One of the six states of the design. Whether an attempt is in flight is reported separately. */
const stateOf = ({ state }: AuthStatus): string => state.split(".")[0]!

const isoOf = (moment: Option.Option<DateTime.Utc>): string | null =>
  Option.getOrNull(Option.map(moment, DateTime.formatIso))

const standingOf = ({ account, failures, limit, location }: AuthStatus): Standing => ({
  account,
  failures,
  limit,
  location
})

/**
 * A status as JSON. `state` is one of `unauthenticated`, `authenticated`, `expired`, `unauthorized`, `aborted` and
 * `locked`. Moments are ISO 8601; null if there is none.
 *
 * @since 0.1.0
 * @category json
 */
export const statusJson = ({ status, store }: StatusReport): Readonly<Record<string, unknown>> => ({
  state: stateOf(status),
  attempting: status.state.endsWith(".attempting"),
  account: status.account,
  location: status.location,
  failures: status.failures,
  inFlight: status.inFlight,
  limit: status.limit,
  expiresAt: isoOf(status.expiresAt),
  tokenEndsAt: isoOf(status.tokenEndsAt),
  lock: Option.getOrNull(status.lock),
  abort: Option.getOrNull(
    Option.map(status.abort, ({ atMillis, detail, reason }) => ({
      reason,
      detail,
      at: DateTime.formatIso(DateTime.unsafeMake(atMillis))
    }))
  ),
  store: shownStore(store)
})

/** A span in its greatest units: days from 48 hours on, else hours and minutes, or minutes and seconds. */
const spanText = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} days`
  if (hours >= 1) return `${hours} h ${minutes % 60} min`
  return minutes >= 1 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`
}

const momentText = (moment: DateTime.Utc, now: DateTime.Utc): string => {
  const seconds = Math.round((DateTime.toEpochMillis(moment) - DateTime.toEpochMillis(now)) / 1000)
  const text = DateTime.formatIso(moment)
  return seconds > 0 ? `${text} (in ${spanText(seconds)})` : `${text} (past)`
}

/**
 * A status as text for people. If a person has to act, the text says how.
 *
 * @since 0.1.0
 * @category text
 */
export const statusText = ({ now, status, store }: StatusReport): string => {
  const standing = standingOf(status)
  const state = stateOf(status)
  const orNone = (moment: Option.Option<DateTime.Utc>, none: string): string =>
    Option.match(moment, { onNone: () => none, onSome: (some) => `ends ${momentText(some, now)}` })
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["state", status.state.endsWith(".attempting") ? `${state}, an attempt is under way` : state],
    ["session", orNone(status.expiresAt, "none")],
    ["token", orNone(status.tokenEndsAt, "its end is not known")],
    [
      "count",
      `${status.failures} of ${status.limit} unsuccessful attempts in a row (Number locks the IP at 6)` +
        (status.inFlight > 0 ? `, ${status.inFlight} under way` : "")
    ],
    ["store", store._tag === "sqlite" ? store.filename : shownStore(store)]
  ]
  const notes = [
    ...Option.toArray(
      Option.map(
        Option.filter(status.abort, () => state === "aborted"),
        (abort) => abortedMessage(standing, abort)
      )
    ),
    ...Option.toArray(Option.map(status.lock, (lock) => lockedMessage(standing, lock === "reported")))
  ]
  return [
    `Account ${status.account} at location ${status.location}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}`),
    ...notes.map((note) => `\n${note}`)
  ].join("\n")
}

const ansi = /\u001b\[[0-9;]*m/g
/** Tokens and keys. A user may type one in the wrong place, and it must not end up in a log. */
const secretLike = /[0-9A-Fa-f]{32,}/g

/**
 * The message of an error, for people.
 *
 * @since 0.1.0
 * @category text
 */
export const messageOf = (error: CommandError): string =>
  ValidationError.isValidationError(error)
    ? `${HelpDoc.toAnsiText(error.error).replace(ansi, "").replace(secretLike, "<redacted>").trim()}. Nothing was sent. See number-auth --help.`.replace(
        /\.+ Nothing/,
        ". Nothing"
      )
    : error.message

/**
 * An error as JSON: `error` (its tag), `message`, `exitCode`, and its other fields. `report` is the status after the
 * error, if it is known; its fields are added.
 *
 * @since 0.1.0
 * @category json
 */
export const errorJson = (
  error: CommandError,
  report: Option.Option<StatusReport>
): Readonly<Record<string, unknown>> => ({
  ...("standing" in error ? error.standing : {}),
  ...("setting" in error ? { setting: error.setting } : {}),
  ...("answer" in error ? { answer: error.answer } : {}),
  ...("checks" in error ? { checks: error.checks } : {}),
  ...("promise" in error
    ? {
        promise: error.promise,
        seed: error.seed,
        life: error.life,
        atMillis: error.atMillis,
        trace: error.trace
      }
    : {}),
  ...Option.match(report, { onNone: () => ({}), onSome: statusJson }),
  error: error._tag,
  message: messageOf(error),
  exitCode: exitCodeOf(error)
})
