/**
 * The error of a store that cannot be used, and what becomes one.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { storeFailure } from "./storeFailure.js"
import { within } from "../common/within.js"

/**
 * The store cannot be used. Nothing is sent while that is so; session keys that are held go on serving.
 *
 * - `unavailable`: it did not answer, is busy, or its disk is full.
 * - `unreadable`: what it holds was not written by this version, or is damaged. Nothing was changed.
 * - `misconfigured`: its address or its permissions do not allow to use it.
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
    /** What to do now, where there is more to say than for the reason in general. */
    advice: Schema.optional(Schema.String)
  }
) {
  override get message(): string {
    const general = {
      unavailable: "Make the store reachable and try again",
      unreadable:
        "Use the version that wrote it. Without it, or with a backup, the count is not known: have Number's support reset that of the IP before anything authenticates again",
      misconfigured: "Correct the store's settings and try again"
    }[this.reason]
    return `The store that holds the location's count is ${this.reason}: ${this.detail}. While that is so no attempt is sent, and session keys that are held go on serving. ${this.advice ?? general}.`
  }
}

/** The error of what a database driver failed with, or threw. One of our own stays as it is. */
export const storeErrorOf = (error: unknown): AuthStoreError =>
  error instanceof AuthStoreError ? error : new AuthStoreError(storeFailure(error))

/** Bounds a use of the database. What hangs goes on in the background until it is interrupted, and rolls back when it can. */
export const answersWithin = (duration: Duration.DurationInput & string) =>
  within(
    Duration.decode(duration),
    () =>
      new AuthStoreError({
        reason: "unavailable",
        detail: `the database did not answer within ${duration}`
      })
  )
