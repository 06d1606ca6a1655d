/**
 * One stored change of an account, for people who look: what the live page shows, and what a trace file is made of. A list
 * of what may be told, not of what may not: it has no place for a token, a session key, a fingerprint or a claim.
 */
import * as Schema from "effect/Schema"
import { AccountCode, Location } from "./Credentials.js"
import { AbortReason, AttemptId, Mark, StateName } from "./StoredRecord.js"

/** Epoch milliseconds, by the store's clock. */
const Millis = Schema.Int

/**
 * An event that the statechart took, without what is secret or only for the machine.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RecordedEvent = Schema.Struct({
  type: Schema.String.pipe(Schema.pattern(/^[a-z]+\.[a-z]+$/)),
  /** The attempt that it tells of, or the session by its generation. */
  attempt: Schema.optionalWith(AttemptId, { exact: true }),
  generation: Schema.optionalWith(AttemptId, { exact: true }),
  /** Text for people, free of secrets. */
  detail: Schema.optionalWith(Schema.String, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type RecordedEvent = typeof RecordedEvent.Type

/**
 * What people were told.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RecordedNotice = Schema.Struct({
  kind: Schema.Literal("aborted", "locked", "tokenExpiring"),
  message: Schema.String
})

/**
 * @since 0.1.0
 * @category models
 */
export type RecordedNotice = typeof RecordedNotice.Type

/**
 * How an account and the ledger of its location stood after a transaction, and what brought them there.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TransitionRecord = Schema.Struct({
  version: Schema.Literal(1),
  location: Location,
  account: AccountCode,
  /** The number of the transaction. Unlike the time it orders all changes of a location. */
  sequence: Schema.NonNegativeInt,
  atMillis: Millis,
  from: StateName,
  to: StateName,
  /** In their order. Empty where only the result was seen, in the store, or only the ledger changed. */
  events: Schema.Array(RecordedEvent),
  /** How many unsuccessful attempts in a row the library allows itself: `Policy.limit`. */
  limit: Schema.Int.pipe(Schema.between(1, 5)),
  marks: Schema.Array(Mark),
  /** Whether Number reported the location as locked. */
  lockReported: Schema.Boolean,
  /** The attempt that is under way. */
  attempt: Schema.NullOr(AttemptId),
  session: Schema.NullOr(
    Schema.Struct({ generation: AttemptId, obtainedAtMillis: Millis, expiresAtMillis: Millis })
  ),
  abort: Schema.NullOr(
    Schema.Struct({
      reason: AbortReason,
      attempt: Schema.NullOr(AttemptId),
      detail: Schema.String,
      atMillis: Millis
    })
  ),
  /** The end of the token that last authenticated, as Number gave it. */
  tokenEndsAtMillis: Schema.NullOr(Millis),
  notices: Schema.Array(RecordedNotice)
})

/**
 * @since 0.1.0
 * @category models
 */
export type TransitionRecord = typeof TransitionRecord.Type
