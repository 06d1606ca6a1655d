/**
 * The errors of a session. Each message says what happened, what it means for the location's count, and what to do now.
 * No message holds a secret, a request or a cause.
 */
import * as Schema from "effect/Schema"
import { AccountCode, Location } from "../../schemas/Credentials.js"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import { Abort } from "../../schemas/StoredRecord.js"
import type { CredentialError } from "./CredentialProvider.js"
import type { AuthStoreError } from "../store/AuthStoreError.js"

/**
 * How the location stands: the account, the count and the limit.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Standing = Schema.Struct({
  account: AccountCode,
  location: Location,
  /** Unsuccessful attempts in a row: the greater of the location's count and the account's own. */
  failures: Schema.Int,
  /** The most unsuccessful attempts in a row that the library makes: 5 or less. Number locks at 6. */
  limit: Schema.Int
})

/**
 * @since 0.1.0
 * @category models
 */
export type Standing = typeof Standing.Type

const count = (standing: Standing): string =>
  `Location ${standing.location} stands at ${standing.failures} of ${standing.limit} unsuccessful attempts in a row (Number locks the IP at 6)`

const happened = (abort: Abort): string => {
  switch (abort.reason) {
    case "refused":
      return `Number refused the token: ${abort.detail}`
    case "barred":
      return `Number refused this token before, so it was not sent again`
    case "expired":
      return `The token ended at the time that Number gave for it, so it was not sent`
    case "faulted":
      return `The attempt to authenticate failed: ${abort.detail}`
    case "lost":
      return `It is not known how the attempt to authenticate ended: ${abort.detail}. It counts as unsuccessful until its answer comes`
    case "addressFlapping":
      return `${abort.detail}: calls of this location leave from more than one IP address`
  }
}

const advice = (abort: Abort): string => {
  switch (abort.reason) {
    case "refused":
    case "barred":
      return "Do not restart and do not try again: create a new token in the Client Admin Portal and supply it"
    case "expired":
      return "Create a new token in the Client Admin Portal and supply it; if Number has renewed this one, resume"
    case "faulted":
    case "lost":
      return "Do not restart: find out what is wrong (Number's status, the network), then resume, which allows one more attempt"
    case "addressFlapping":
      return "Give each egress address a location of its own, or route all calls through one address, then resume"
  }
}

/**
 * The message about an abort, for people.
 *
 * @since 0.1.0
 * @category messages
 */
export const abortedMessage = (standing: Standing, abort: Abort): string =>
  `Account ${standing.account} was aborted. ${happened(abort)}. ${count(standing)}. ${advice(abort)}.`

/**
 * The message about a lock, for people.
 *
 * @since 0.1.0
 * @category messages
 */
export const lockedMessage = (standing: Standing, reported: boolean): string =>
  reported
    ? `Number reports that the IP of location ${standing.location} is locked out. ${count(standing)}. No attempt is made for any account of this location. Session keys that are held still work. This says nothing of the token: a token that Number has not refused goes on after the lock. Wait some minutes after the last attempt, then ask Number's support to audit and lift the lock. When support has lifted the lock, confirm it.`
    : `Location ${standing.location} has reached the limit, and the library stopped itself before Number locks the IP. ${count(standing)}. No attempt is made. Session keys that are held still work. Find out why attempts fail. Wait some minutes after the last attempt, then ask Number's support to reset the count of the IP. Only when support has reset the count, confirm that the lock was lifted.`

/**
 * The account was aborted: a person is needed.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthAborted extends Schema.TaggedError<AuthAborted>("effect-number-auth/AuthAborted")(
  "AuthAborted",
  {
    standing: Standing,
    abort: Abort
  }
) {
  override get message(): string {
    return abortedMessage(this.standing, this.abort)
  }
}

/**
 * The location is locked, by Number or by the library's own limit: a person is needed.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthLocked extends Schema.TaggedError<AuthLocked>("effect-number-auth/AuthLocked")(
  "AuthLocked",
  {
    standing: Standing,
    reported: Schema.Boolean
  }
) {
  override get message(): string {
    return lockedMessage(this.standing, this.reported)
  }
}

/**
 * The attempt is unsent: provably no byte of it was written. Nothing was counted.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthUnreachable extends Schema.TaggedError<AuthUnreachable>(
  "effect-number-auth/AuthUnreachable"
)("AuthUnreachable", { standing: Standing, detail: Schema.String }) {
  override get message(): string {
    return `No attempt reached Number: ${this.detail}. ${count(this.standing)}; this did not count. Check the network and the base URL, and try again later.`
  }
}

/**
 * The attempt is lost and the policy allows another one (`lostAttempts: "continue"`), or its answer came too late to be
 * used. It counts as unsuccessful until a success proves otherwise.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthLost extends Schema.TaggedError<AuthLost>("effect-number-auth/AuthLost")("AuthLost", {
  standing: Standing,
  detail: Schema.String
}) {
  override get message(): string {
    return `The attempt brought no session: ${this.detail}. ${count(this.standing)}. Find out why answers do not come before you try again: each such attempt counts.`
  }
}

/** The outcomes of an attempt, as they are shown. */
const Outcome = Schema.Literal("accepted", "refused", "lockedOut", "faulted", "lost", "unsent")

const unstoredOutcome = (outcome: typeof Outcome.Type, detail: string): string => {
  switch (outcome) {
    case "accepted":
      return "Number accepted the token. The session serves until this process ends, and is lost then"
    case "refused":
      return `Number refused the token: ${detail}. The store does not know that, so it does not keep the token from being sent again`
    case "lockedOut":
      return `${detail}. The store does not know that`
    case "faulted":
      return `The attempt to authenticate failed: ${detail}`
    case "lost":
      return `It is not known how the attempt to authenticate ended: ${detail}`
    case "unsent":
      return `The attempt was not sent: ${detail}. Number counts nothing`
  }
}

const unstoredAdvice = (outcome: typeof Outcome.Type): string => {
  switch (outcome) {
    case "refused":
      return "Do not start again with this token: create a new token in the Client Admin Portal and supply it"
    case "lockedOut":
      return "Do not start again: ask Number's support to audit and lift the lock"
    default:
      return "Make the store available, then resume, which allows one more attempt"
  }
}

/**
 * The outcome of an attempt could not be stored while its lease ran. In the store the attempt is lost from the end of
 * the lease on: it counts, and the account is aborted unless the policy goes on after lost attempts.
 *
 * @since 0.2.0
 * @category errors
 */
export class AuthUnstored extends Schema.TaggedError<AuthUnstored>("effect-number-auth/AuthUnstored")(
  "AuthUnstored",
  {
    /** How the location would stand if the outcome were stored. */
    standing: Standing,
    outcome: Outcome,
    /** Text for people about the outcome; empty for `accepted`. */
    detail: Schema.String,
    /** Why the store did not take it. */
    why: Schema.String
  }
) {
  override get message(): string {
    const { detail, outcome, standing, why } = this
    return `The outcome of an attempt for account ${standing.account} could not be stored: ${why}. ${unstoredOutcome(outcome, detail)}. ${count(standing)}; ${outcome === "unsent" ? "if the store has its mark, it" : "the store"} counts this attempt as lost. ${unstoredAdvice(outcome)}.`
  }
}

/**
 * No room or no answer in time: other attempts of the location are under way.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthBusy extends Schema.TaggedError<AuthBusy>("effect-number-auth/AuthBusy")("AuthBusy", {
  standing: Standing,
  /** `turn`: other accounts of the same `NumberAccounts` asked first. */
  on: Schema.Literal("attempt", "room", "turn")
}) {
  override get message(): string {
    const what = {
      attempt: `Another caller's attempt for account ${this.standing.account} has not ended yet`,
      room: `Attempts under way at location ${this.standing.location} leave no room for another`,
      turn: `Other accounts of location ${this.standing.location} asked before account ${this.standing.account} and wait for room, too`
    }[this.on]
    return `${what}. ${count(this.standing)}; nothing was sent. Try again later.`
  }
}

/**
 * The errors of a call that needs a session and gets none.
 *
 * @since 0.1.0
 * @category errors
 */
export type AuthError =
  | AuthAborted
  | AuthLocked
  | AuthUnreachable
  | AuthLost
  | AuthBusy
  | AuthStoreError
  | CredentialError
  | InvalidInput

/**
 * An operator's request that was not carried out.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthRejected extends Schema.TaggedError<AuthRejected>("effect-number-auth/AuthRejected")(
  "AuthRejected",
  {
    standing: Standing,
    why: Schema.Literal(
      "refusedCredentials",
      "abortedCredentials",
      "addressFlapping",
      "notAborted",
      "notLocked"
    )
  }
) {
  override get message(): string {
    const what = {
      refusedCredentials: `Number refused this token of account ${this.standing.account}, and it is never sent again: create a new token in the Client Admin Portal and supply it`,
      abortedCredentials: `Account ${this.standing.account} was aborted with these credentials, so they replace nothing: resume to try them once more, or supply other credentials`,
      addressFlapping: `Account ${this.standing.account} was aborted because calls of location ${this.standing.location} leave from more than one IP address. Other credentials do not change that: give each egress address a location of its own, or route all calls through one, then resume`,
      notAborted: `Account ${this.standing.account} is not aborted, so there is nothing to resume`,
      notLocked: `Account ${this.standing.account} is not locked at location ${this.standing.location}, so there is no lifted lock to confirm, and the count stays as it is`
    }[this.why]
    return `${what}. ${count(this.standing)}. Nothing was changed.`
  }
}
