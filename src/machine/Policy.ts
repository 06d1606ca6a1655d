/**
 * The settings of the pure core.
 */
import * as Schema from "effect/Schema"

const PositiveMillis = Schema.Int.pipe(Schema.positive())

/**
 * The settings of machine and ledger. All processes of one location must use the same settings.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Policy = Schema.Struct({
  /**
   * How many unsuccessful attempts in a row the location may make: 1 to 5, default 5. Number locks the IP at the sixth
   * (seed, "Lockouts"), so 6 is refused. A location that shares its IP with other software needs a lower limit.
   */
  limit: Schema.Int.pipe(Schema.between(1, 5)),
  /** How long an attempt holds its lease, in milliseconds: default 45,000. It must exceed the attempt's time-out. */
  leaseMillis: PositiveMillis,
  /** How long the backend may go on working on an attempt that got no answer, in milliseconds: default 300,000. */
  drainMillis: PositiveMillis,
  /**
   * The reaction to an attempt whose outcome is not known. `abort` (default): a person decides. `continue`: the next
   * caller makes another attempt while the ledger has room. The mark counts either way.
   */
  lostAttempts: Schema.Literal("abort", "continue"),
  /**
   * Which marks a success clears from the location's count. `location` (default): those of every account, since six in
   * a row means that no attempt succeeded in between. `account`: only those of its own account, for the reading in
   * which the success of one account does not interrupt the row of another. `account` is safe under every reading, but
   * five accounts with bad tokens then stop all others of the location.
   */
  successClears: Schema.Literal("location", "account"),
  /** How long a session lives, in milliseconds: default 25 hours (seed). */
  sessionLifetimeMillis: PositiveMillis,
  /** How long before a token's known end the notice `tokenExpiring` is given, in milliseconds: default 30 days. */
  tokenWarningMillis: Schema.NonNegativeInt,
  /** A 5050 within this time of authenticating is a sign of two egress addresses, in milliseconds: default 600,000. */
  flapWindowMillis: PositiveMillis,
  /** How many such 5050s in a row abort: default 3. */
  flapLimit: Schema.Int.pipe(Schema.positive())
})

/**
 * @since 0.1.0
 * @category models
 */
export type Policy = typeof Policy.Type

const minute = 60_000
const hour = 60 * minute

/**
 * The defaults. Each stands beside its field in {@link Policy}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const defaultPolicy: Policy = {
  limit: 5,
  leaseMillis: 45_000,
  drainMillis: 5 * minute,
  lostAttempts: "abort",
  successClears: "location",
  sessionLifetimeMillis: 25 * hour,
  tokenWarningMillis: 30 * 24 * hour,
  flapWindowMillis: 10 * minute,
  flapLimit: 3
}
