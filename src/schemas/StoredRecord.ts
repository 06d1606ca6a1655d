/**
 * The records of the store: one ledger per location and one record per account. Their versioned form is our own, not
 * XState's persisted snapshot: a crash in the middle of an attempt leaves plain facts, and nothing that could run by
 * itself.
 */
import * as Schema from "effect/Schema"
import { AccountCode, Fingerprint, SessionKey } from "./Credentials.js"

/** The number that a transaction draws: the ledger's clock. It starts at 1 and never repeats within a location. */
const Sequence = Schema.NonNegativeInt
/** Epoch milliseconds, by the store's clock. */
const Millis = Schema.Int

/**
 * The id of an attempt: the sequence number of its reservation.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AttemptId = Sequence

/**
 * @since 0.1.0
 * @category models
 */
export type AttemptId = typeof AttemptId.Type

/**
 * The caller's own random name for a reservation. The caller knows it even if the store never confirmed the attempt's
 * id. Unlike an id, it is not drawn again after a transaction is rolled back.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Claim = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{1,64}$/), Schema.brand("Claim"))

/**
 * @since 0.1.0
 * @category models
 */
export type Claim = typeof Claim.Type

/**
 * The facts about an attempt that its mark does not hold.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Reservation = Schema.Struct({ id: AttemptId, fingerprint: Fingerprint, claim: Claim })

/**
 * A mark in the ledger: an attempt that counts as a failure until proven otherwise.
 *
 * - `inFlight`: the attempt is reserved, and its lease has not run out.
 * - `lost`: no answer of Number's own came. The backend may still work on the attempt until `drainsAtMillis`.
 * - `settled`: the attempt is unsuccessful for certain (or lost and drained) since the transaction `settledAt`. A
 *   success of another account that was reserved later sets `clearedForLocation`, if the policy clears the location. A
 *   success of the same account that was reserved later removes the mark.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Mark = Schema.Union(
  Schema.Struct({
    status: Schema.Literal("inFlight"),
    attempt: AttemptId,
    account: AccountCode,
    leaseEndsAtMillis: Millis
  }),
  Schema.Struct({
    status: Schema.Literal("lost"),
    attempt: AttemptId,
    account: AccountCode,
    drainsAtMillis: Millis
  }),
  Schema.Struct({
    status: Schema.Literal("settled"),
    attempt: AttemptId,
    account: AccountCode,
    reason: Schema.Literal("refused", "faulted", "lost"),
    settledAt: Sequence,
    clearedForLocation: Schema.Boolean
  })
)

/**
 * @since 0.1.0
 * @category models
 */
export type Mark = typeof Mark.Type

/**
 * The ledger of one location. `lockReportedAt` is the transaction in which Number's answer said `IsLockedOut`. A lock
 * of our own making is not stored: it follows from the marks.
 *
 * @since 0.1.0
 * @category schemas
 */
export const LedgerRecord = Schema.Struct({
  version: Schema.Literal(1),
  marks: Schema.Array(Mark),
  lockReportedAt: Schema.NullOr(Sequence)
})

/**
 * @since 0.1.0
 * @category models
 */
export type LedgerRecord = typeof LedgerRecord.Type

/**
 * The reason of an abort. Only `refused`, `barred` and `expired` mean that the credentials are bad:
 *
 * - `refused`: Number answered AuthSuccess false to them.
 * - `barred`: Number refused these credentials earlier, so they were not sent again.
 * - `expired`: their known end has passed, so they were not sent.
 * - `faulted`, `lost`: the attempt failed otherwise, or its outcome is not known.
 * - `addressFlapping`: fresh sessions were refused with 5050 again and again.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AbortReason = Schema.Literal(
  "refused",
  "barred",
  "expired",
  "faulted",
  "lost",
  "addressFlapping"
)

/**
 * @since 0.1.0
 * @category models
 */
export type AbortReason = typeof AbortReason.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const Abort = Schema.Struct({
  reason: AbortReason,
  /** The attempt that failed; null if none was made. */
  attempt: Schema.NullOr(AttemptId),
  /** The credentials in use. */
  fingerprint: Fingerprint,
  /** Text for people, free of secrets. */
  detail: Schema.String,
  atMillis: Millis
})

/**
 * @since 0.1.0
 * @category models
 */
export type Abort = typeof Abort.Type

/**
 * A session, without its key. Its generation is the id of the attempt that obtained it, so a later one is greater.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Session = Schema.Struct({
  generation: AttemptId,
  /** The credentials that obtained it. */
  fingerprint: Fingerprint,
  obtainedAtMillis: Millis,
  expiresAtMillis: Millis
})

/**
 * @since 0.1.0
 * @category models
 */
export type Session = typeof Session.Type

/**
 * The states of the chart. A compound state stands with its child.
 *
 * @since 0.1.0
 * @category schemas
 */
export const StateName = Schema.Literal(
  "unauthenticated.idle",
  "unauthenticated.attempting",
  "authenticated",
  "expired.idle",
  "expired.attempting",
  "unauthorized.idle",
  "unauthorized.attempting",
  "aborted",
  "locked"
)

/**
 * @since 0.1.0
 * @category models
 */
export type StateName = typeof StateName.Type

/**
 * The part of an account's record that the statechart keeps as its context. It holds ids and fingerprints, no secrets.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AuthContext = Schema.Struct({
  session: Schema.NullOr(Session),
  /** The attempt that is under way. */
  attempt: Schema.NullOr(Reservation),
  /** The last attempt that was given up. A late answer to it is still taken. */
  lostAttempt: Schema.NullOr(Reservation),
  abort: Schema.NullOr(Abort),
  /**
   * The credentials that were aborted since the last success, or since an operator last resumed the account or
   * confirmed a lift. To bring them again does not end an abort, unless it is for other credentials that were refused.
   */
  abortedFingerprints: Schema.Array(Fingerprint),
  /** Every fingerprint that Number refused for this account. Credentials with one of them are never sent again. */
  refusedFingerprints: Schema.Array(Fingerprint),
  /** The end of the token that last authenticated, as Number's answer gave it. */
  tokenEnd: Schema.NullOr(Schema.Struct({ fingerprint: Fingerprint, atMillis: Millis })),
  /** How many times in a row sessions were refused with 5050 soon after they were obtained. */
  flaps: Schema.NonNegativeInt,
  /**
   * The newest generation at the last change of address, an attempt under way included. Refusals of generations up to
   * this one belong to the change already counted.
   */
  addressChangedAt: Schema.optionalWith(AttemptId, { default: () => 0 }),
  /** The newest of the sessions that this account left to other processes, which may still use them with their keys. */
  sessionsElsewhere: Schema.optionalWith(Schema.Array(Session), { default: () => [] })
})

/**
 * @since 0.1.0
 * @category models
 */
export type AuthContext = typeof AuthContext.Type

/**
 * The record of one account at one location.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccountRecord = Schema.Struct({
  version: Schema.Literal(1),
  state: StateName,
  context: AuthContext,
  /** The key of `context.session`; null if there is no session. */
  sessionKey: Schema.NullOr(SessionKey)
})

/**
 * @since 0.1.0
 * @category models
 */
export type AccountRecord = typeof AccountRecord.Type

const Base64 = (pattern: RegExp) => Schema.String.pipe(Schema.pattern(pattern))

/**
 * A secret, sealed with AES-256-GCM: the id of the store key, the nonce (96 bits), and the sealed bytes with their tag.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Sealed = Schema.Struct({
  keyId: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{16}$/)),
  nonce: Base64(/^[A-Za-z0-9+/]{16}$/),
  box: Base64(/^[A-Za-z0-9+/]{22,}={0,2}$/)
})

/**
 * @since 0.1.0
 * @category models
 */
export type Sealed = typeof Sealed.Type

/**
 * The record of an account as a store on disk keeps it, with the session key sealed. The session key is null if there
 * is no session, or if the store has no store key. Then each process keeps its own session key in memory.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SealedAccountRecord = Schema.Struct({
  version: Schema.Literal(2),
  state: StateName,
  context: AuthContext,
  sessionKey: Schema.NullOr(Sealed)
})

/**
 * @since 0.1.0
 * @category models
 */
export type SealedAccountRecord = typeof SealedAccountRecord.Type

/**
 * A token as a store on disk keeps it (`CredentialProvider.layerStore`).
 *
 * @since 0.1.0
 * @category schemas
 */
export const SealedToken = Schema.Struct({ version: Schema.Literal(1), token: Sealed })

/**
 * The ledger of a location before its first attempt.
 *
 * @since 0.1.0
 * @category constructors
 */
export const emptyLedgerRecord: LedgerRecord = { version: 1, marks: [], lockReportedAt: null }

/**
 * @since 0.1.0
 * @category constructors
 */
export const emptyAccountRecord: AccountRecord = {
  version: 1,
  state: "unauthenticated.idle",
  context: {
    session: null,
    attempt: null,
    lostAttempt: null,
    abort: null,
    abortedFingerprints: [],
    refusedFingerprints: [],
    tokenEnd: null,
    flaps: 0,
    addressChangedAt: 0,
    sessionsElsewhere: []
  },
  sessionKey: null
}
