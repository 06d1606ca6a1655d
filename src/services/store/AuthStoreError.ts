/**
 * The error of a store that cannot be used, and how driver errors and time-outs become one.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { storeFailure } from "./storeFailure.js"
import { within } from "../common/within.js"

/**
 * The store cannot be used. Meanwhile no attempt is sent, and held session keys still work.
 *
 * - `unavailable`: it did not answer, is busy, or its disk is full.
 * - `unreadable`: its data is damaged, another version wrote it, or no supplied key opens it. Nothing was changed.
 * - `misconfigured`: its address, its permissions or its settings are wrong.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthStoreError extends Schema.TaggedError<AuthStoreError>("effect-number-auth/AuthStoreError")(
  "AuthStoreError",
  {
    reason: Schema.Literal("unavailable", "unreadable", "misconfigured"),
    /** Text for people, free of secrets. */
    detail: Schema.String,
    /** Advice that is more specific than the general advice for the reason. */
    advice: Schema.optional(Schema.String)
  }
) {
  override get message(): string {
    const general = {
      unavailable: "Make the store reachable and try again",
      unreadable:
        "Use the version of this library that wrote it. Without this store, or with a backup of it, the count is not known: ask Number's support to reset the count of the IP before anything authenticates again",
      misconfigured: "Correct the store's settings and try again"
    }[this.reason]
    return `The store that holds the location's count is ${this.reason}: ${this.detail}. Meanwhile no attempt is sent, and session keys that are held still work. ${this.advice ?? general}.`
  }
}

/** Converts an error or a defect of a database driver. An `AuthStoreError` stays as it is. */
export const storeErrorOf = (error: unknown): AuthStoreError =>
  error instanceof AuthStoreError ? error : new AuthStoreError(storeFailure(error))

/**
 * Bounds a use of the database in time. After the time-out the use is interrupted in the background, and rolls back
 * when it can; the caller does not wait for that.
 */
export const answersWithin = (duration: Duration.DurationInput & string) =>
  within(
    Duration.decode(duration),
    () =>
      new AuthStoreError({
        reason: "unavailable",
        detail: `the database did not answer within ${duration}`
      })
  )
