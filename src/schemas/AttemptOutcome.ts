/**
 * The outcome of one attempt: accepted, refused, locked out, faulted, lost or unsent.
 */
import * as Data from "effect/Data"
import type { SessionKey } from "./Credentials.js"

/**
 * The outcome of one attempt. Only `accepted` is a success. All others count, except `unsent`.
 *
 * - `accepted`: FunctionOk, AuthSuccess and a session key.
 * - `refused`: AuthSuccess false. The credentials are bad or expired, or the account is inactive.
 * - `lockedOut`: no session, and `IsLockedOut`. The IP is locked, and nothing is known of the credentials
 *   (`number-api.md`, "Lockouts"). `errorCode` is Number's, or null.
 * - `faulted`: FunctionOk false, a non-2xx status, or a body that does not decode. `errorCode` is Number's. If it is
 *   null, the answer may be a gateway's, and Number may still work on the attempt, so the mark drains like a lost one.
 * - `lost`: the attempt may have reached the backend, and no whole answer came.
 * - `unsent`: the attempt provably never left.
 *
 * `detail` is text for people: shortened, and free of secrets. `lockReported` is `IsLockedOut` of an answer that gave a
 * session all the same.
 *
 * @since 0.1.0
 * @category models
 */
export type AttemptOutcome = Data.TaggedEnum<{
  accepted: {
    readonly sessionKey: SessionKey
    /** The token's end in the answer (`ThisUser.ExpirationDate`), in epoch milliseconds; null if it has none. */
    readonly tokenEndsAtMillis: number | null
    readonly lockReported: boolean
  }
  refused: { readonly detail: string }
  lockedOut: { readonly detail: string; readonly errorCode: number | null }
  faulted: { readonly detail: string; readonly errorCode: number | null }
  lost: { readonly detail: string }
  unsent: { readonly detail: string }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const AttemptOutcome: Data.TaggedEnum.Constructor<AttemptOutcome> = Data.taggedEnum<AttemptOutcome>()
