/**
 * The events of the statechart.
 */
import type { Fingerprint } from "../schemas/Credentials.js"
import type { AttemptId, Claim } from "../schemas/StoredRecord.js"

/**
 * The facts that move the chart. Each event carries its times and ids.
 *
 * @since 0.1.0
 * @category models
 */
export type AuthEvent =
  /** A caller needs a session, and the ledger had room: the mark is in the same transaction. */
  | {
      readonly type: "attempt.reserved"
      readonly attempt: AttemptId
      readonly fingerprint: Fingerprint
      readonly claim: Claim
    }
  /** Number accepted the credentials. */
  | {
      readonly type: "attempt.accepted"
      readonly attempt: AttemptId
      readonly fingerprint: Fingerprint
      readonly nowMillis: number
      /** The token's end as the answer gave it; null if the answer gave none, or one in the past. */
      readonly tokenEndsAtMillis: number | null
    }
  /** Number refused the credentials. */
  | AttemptFailed<"attempt.refused">
  /** Number reported the IP as locked, and gave no session. This is no verdict on the credentials. */
  | AttemptFailed<"attempt.lockedOut">
  /** The attempt failed, and the credentials may be good. */
  | AttemptFailed<"attempt.faulted">
  /** The attempt may have reached Number, and no answer came. */
  | AttemptFailed<"attempt.lost">
  /** The attempt provably never left. */
  | { readonly type: "attempt.unsent"; readonly attempt: AttemptId }
  /** The session is over: Number answered 5030, or the session's lifetime has passed. */
  | { readonly type: "session.expired"; readonly generation: AttemptId }
  /** The process that needs the session has no key for it: another process obtained it, and the store keeps no key. */
  | { readonly type: "session.unavailable"; readonly generation: AttemptId }
  /** Number refused the session key with 5050. */
  | { readonly type: "session.unauthorized"; readonly generation: AttemptId; readonly nowMillis: number }
  /** Credentials came, with a request or from a person. The chart's guard decides whether they may end an abort. */
  | { readonly type: "credentials.replaced"; readonly fingerprint: Fingerprint }
  /** The credentials at hand are known not to work: refused earlier, or past their known end. Nothing was sent. */
  | {
      readonly type: "credentials.barred"
      readonly reason: "barred" | "expired"
      readonly fingerprint: Fingerprint
      readonly detail: string
      readonly nowMillis: number
    }
  /** An operator allowed the next attempt. */
  | { readonly type: "attempt.resumed" }
  /** Number reported the IP as locked. */
  | { readonly type: "lock.reported" }
  /** The ledger holds as many failures as the limit. */
  | { readonly type: "ledger.full" }
  /**
   * The lock is over. `operator`: an operator of this account confirmed that Number's support lifted it. `other`:
   * another account's operator confirmed it, or a late acceptance ended a lock of our own making.
   */
  | { readonly type: "lock.lifted"; readonly by: "operator" | "other" }

interface AttemptFailed<Type extends string> {
  readonly type: Type
  readonly attempt: AttemptId
  readonly fingerprint: Fingerprint
  /** Text for people, free of secrets. */
  readonly detail: string
  readonly nowMillis: number
}

/** Every event that ends an attempt in an abort. */
export type Failed =
  AttemptFailed<"attempt.refused"> | AttemptFailed<"attempt.faulted"> | AttemptFailed<"attempt.lost">

/** The event of one type. */
export type EventOf<Type extends AuthEvent["type"]> = Extract<AuthEvent, { readonly type: Type }>
