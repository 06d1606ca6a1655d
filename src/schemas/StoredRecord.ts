/**
 * What the store keeps: one ledger per location and one record per account. Our own versioned form, not XState's
 * persisted snapshot: a crash in the middle of an attempt leaves plain facts, and nothing that could run by itself.
 */
import * as Schema from "effect/Schema"
import { AccountCode, Fingerprint, SessionKey } from "./Credentials.js"

/** The number that a transaction draws: the ledger's clock. Starts at 1 and never repeats within a location. */
const Sequence = Schema.NonNegativeInt
/** Epoch milliseconds, by the store's clock. */
const Millis = Schema.Int

/**
 * One attempt, named by the sequence number of its reservation.
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
 * What the caller that reserved an attempt knows it by, even if the store never told it the attempt's id: random, and
 * unlike an id not drawn again when a transaction is rolled back.
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
 * What is known of an attempt besides its mark.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Reservation = Schema.Struct({ id: AttemptId, fingerprint: Fingerprint, claim: Claim })

/**
 * A mark in the ledger: an attempt that counts as a failure until proven otherwise.
 *
 * - `inFlight`: reserved, and its lease has not run out.
 * - `lost`: no answer of Number's own came, and the backend may still be working on it, until `drainsAtMillis`.
 * - `settled`: unsuccessful for certain (or lost and drained) since the transaction `settledAt`. A success of the
 *   location that was reserved later sets `clearedForLocation`; one of the account's own removes the mark.
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
 * The ledger of one location. `lockReportedAt` is the transaction in which Number's answer said `IsLockedOut`; a lock
 * of our own making is not stored, it follows from the marks.
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
 * Why an account was aborted. Only `refused`, `barred` and `expired` speak of the credentials themselves:
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
  /** The attempt that failed; null where none was made. */
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
 * The states of the chart, compound ones with their child.
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
 * The part of an account's record that the statechart keeps as its context. Holds ids and fingerprints, no secrets.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AuthContext = Schema.Struct({
  session: Schema.NullOr(Session),
  /** The attempt that is under way. */
  attempt: Schema.NullOr(Reservation),
  /** The last attempt whose answer did not come: if it does come late, it is still taken. */
  lostAttempt: Schema.NullOr(Reservation),
  abort: Schema.NullOr(Abort),
  /** The credentials that were aborted since the last success or operator's word: to bring one again replaces nothing. */
  abortedFingerprints: Schema.Array(Fingerprint),
  /** Every fingerprint that Number refused for this account: never sent again, whatever became of it later. */
  refusedFingerprints: Schema.Array(Fingerprint),
  /** The end of the token that last authenticated, as Number's answer gave it. */
  tokenEnd: Schema.NullOr(Schema.Struct({ fingerprint: Fingerprint, atMillis: Millis })),
  /** How many times in a row sessions were refused with 5050 soon after they were obtained. */
  flaps: Schema.NonNegativeInt,
  /** The newest generation there was at the last change of address: later refusals of those up to it tell of that change. */
  addressChangedAt: Schema.optionalWith(AttemptId, { default: () => 0 }),
  /** The newest of the sessions that were replaced although another process may go on using them, its key being its own. */
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
  /** The key of `context.session`; null when there is none. */
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
 * The record of an account as a store on disk keeps it: the session key is sealed. It is null where there is no session,
 * and where the store has no key to seal with: then each process keeps its own in memory.
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
 * A token as a store on disk keeps it, where it is given one to keep (`CredentialProvider.layerStore`).
 *
 * @since 0.1.0
 * @category schemas
 */
export const SealedToken = Schema.Struct({ version: Schema.Literal(1), token: Sealed })

/**
 * What a location and an account have before anything happened.
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
