/**
 * The status of an account and its location.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { CoreState } from "../../../machine/AuthCore.js"
import * as Ledger from "../../../machine/Ledger.js"
import type { AccountCode, Location } from "../../../schemas/Credentials.js"
import type { Abort, AttemptId, StateName } from "../../../schemas/StoredRecord.js"
import { standingOf } from "./accountLedger.js"
import type { Settings } from "./settings.js"

/**
 * How an account and its location stand.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthStatus {
  readonly state: StateName
  readonly account: AccountCode
  readonly location: Location
  /** Unsuccessful attempts in a row: the greater of the location's count and the account's own. */
  readonly failures: number
  /** Attempts of the location that are under way: each may become a failure. */
  readonly inFlight: number
  /** The most failures that the library allows itself. */
  readonly limit: number
  /** When the lifetime of the session ends. */
  readonly expiresAt: Option.Option<DateTime.Utc>
  /** The generation of the session. */
  readonly generation: Option.Option<AttemptId>
  /** When the token ends, as far as Number has said. */
  readonly tokenEndsAt: Option.Option<DateTime.Utc>
  readonly abort: Option.Option<Abort>
  /**
   * Whether the location is locked for this account: reported by Number, or at the library's limit. A held session goes
   * on serving.
   */
  readonly lock: Option.Option<"reported" | "limit">
}

const utc = (millis: number): DateTime.Utc => DateTime.unsafeMake(millis)

/** The status for a state of the core. */
export const statusOf = (settings: Settings, { context, ledger, state }: CoreState): AuthStatus => {
  const { account, location, policy } = settings
  const isLocked = Ledger.room(ledger, account, policy) === "locked"
  return {
    state,
    account,
    location,
    failures: standingOf(settings, ledger).failures,
    inFlight: Ledger.counts(ledger, account).location.inFlight,
    limit: policy.limit,
    expiresAt: Option.map(Option.fromNullable(context.session), ({ expiresAtMillis }) =>
      utc(expiresAtMillis)
    ),
    generation: Option.map(Option.fromNullable(context.session), ({ generation }) => generation),
    tokenEndsAt: Option.map(Option.fromNullable(context.tokenEnd), ({ atMillis }) => utc(atMillis)),
    abort: Option.fromNullable(context.abort),
    lock: isLocked ? Option.some(ledger.lockReportedAt === null ? "limit" : "reported") : Option.none()
  }
}
