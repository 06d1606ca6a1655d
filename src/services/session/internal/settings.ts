/**
 * The options of an account, checked.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { defaultPolicy, Policy } from "../../../machine/Policy.js"
import {
  type AccountCode,
  decodeAccountCode,
  decodeLocation,
  type Location
} from "../../../schemas/Credentials.js"
import { InvalidInput } from "../../../schemas/InvalidInput.js"
import { decodeBaseUrl, defaultBaseUrl } from "../../wire/NumberTransport.js"

/** The options that all accounts of a location have in common. */
export interface LocationOptions {
  /**
   * The name of the egress IP. All processes that share the IP use one name and one store. An address that comes and
   * goes (a failover line) needs a name of its own. Default `default`.
   */
  readonly location?: string | undefined
  /** The base URL that `httpClient` puts before relative URLs. Default: `NumberTransport.defaultBaseUrl`. */
  readonly baseUrl?: string | undefined
  /** How long an attempt may take before it is given up as lost. Default 30 seconds. */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /** How long an attempt holds its lease; longer than `attemptTimeout`. Default `attemptTimeout` and 15 seconds. */
  readonly leaseDuration?: Duration.DurationInput | undefined
  /** How long a caller waits for another's attempt or for room before `AuthBusy`. Default: the lease and 5 seconds. */
  readonly waitTimeout?: Duration.DurationInput | undefined
  /** `Policy.limit`: 1 to 5, default 5. */
  readonly limit?: number | undefined
  /**
   * `Policy.drainMillis` as a duration: a minute at least, and no shorter than the lease. Default 5 minutes, or the lease
   * if that is longer.
   */
  readonly drainTime?: Duration.DurationInput | undefined
  /** `Policy.lostAttempts`. Default `abort`. */
  readonly lostAttempts?: Policy["lostAttempts"] | undefined
  /** `Policy.successClears`. Default `location`. */
  readonly successClears?: Policy["successClears"] | undefined
  /** `Policy.sessionLifetimeMillis` as a duration. Default 25 hours. */
  readonly sessionLifetime?: Duration.DurationInput | undefined
  /** `Policy.tokenWarningMillis` as a duration. Default 30 days. */
  readonly tokenWarning?: Duration.DurationInput | undefined
}

/** The checked settings of a location. */
export interface LocationSettings {
  readonly location: Location
  readonly baseUrl: string
  readonly attemptTimeout: Duration.Duration
  readonly waitTimeout: Duration.Duration
  readonly policy: Policy
}

/** The checked settings of an account. */
export interface Settings extends LocationSettings {
  readonly account: AccountCode
}

/**
 * Whether a drain time may be shorter than a minute, or than the lease. That is for tests in real time: while Number works
 * on a lost attempt for longer than its mark drains, the location can be locked.
 */
export class AnyDrainTime extends Context.Reference<AnyDrainTime>()(
  "effect-number-auth/internal/AnyDrainTime",
  { defaultValue: () => false }
) {}

const leastDrainMillis = 60_000

const validatePolicy = Schema.validateEither(Policy)

const invalid = (field: string, expected: string) => Either.left(new InvalidInput({ field, expected }))

const millisOf = (input: Duration.DurationInput | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Math.round(Duration.toMillis(input))

const decodePolicy = (
  options: LocationOptions,
  leaseDuration: Duration.Duration
): Either.Either<Policy, InvalidInput> => {
  const leaseMillis = millisOf(leaseDuration, defaultPolicy.leaseMillis)
  return Either.orElse(
    validatePolicy({
      ...defaultPolicy,
      limit: options.limit ?? defaultPolicy.limit,
      leaseMillis,
      drainMillis: millisOf(options.drainTime, Math.max(defaultPolicy.drainMillis, leaseMillis)),
      lostAttempts: options.lostAttempts ?? defaultPolicy.lostAttempts,
      successClears: options.successClears ?? defaultPolicy.successClears,
      sessionLifetimeMillis: millisOf(options.sessionLifetime, defaultPolicy.sessionLifetimeMillis),
      tokenWarningMillis: millisOf(options.tokenWarning, defaultPolicy.tokenWarningMillis)
    }),
    () => invalid("policy", "a limit from 1 to 5 (Number locks the IP at 6), and positive, finite durations")
  )
}

/** Refuses a drain time in which Number may still be working on an attempt that was lost. */
const checkDrainTime = ({ drainMillis, leaseMillis }: Policy): Either.Either<void, InvalidInput> => {
  const least = Math.max(leastDrainMillis, leaseMillis)
  return drainMillis >= least
    ? Either.void
    : invalid(
        "drain time",
        `${Duration.format(Duration.millis(least))} or more (a minute at least, and no shorter than the lease): Number may work on a lost attempt for as long, and count it after its mark was cleared`
      )
}

/** Checks the options of a location. The lease defaults to the attempt's time-out and 15 seconds. */
export const decodeLocationSettings = (
  options: LocationOptions,
  anyDrainTime = AnyDrainTime.defaultValue()
): Either.Either<LocationSettings, InvalidInput> =>
  Either.gen(function* () {
    const location = yield* decodeLocation(options.location ?? "default")
    const baseUrl = yield* decodeBaseUrl(options.baseUrl ?? defaultBaseUrl)
    const attemptTimeout = Duration.decode(options.attemptTimeout ?? "30 seconds")
    const leaseDuration = Duration.decode(options.leaseDuration ?? Duration.sum(attemptTimeout, "15 seconds"))
    if (!Duration.isFinite(leaseDuration) || Duration.toMillis(attemptTimeout) < 1) {
      return yield* invalid("attempt time-out", "a finite duration such as 30 seconds")
    }
    if (Duration.lessThanOrEqualTo(leaseDuration, attemptTimeout)) {
      return yield* invalid("lease duration", "a duration longer than the attempt time-out")
    }
    const policy = yield* decodePolicy(options, leaseDuration)
    if (!anyDrainTime) yield* checkDrainTime(policy)
    const waitTimeout = Duration.decode(options.waitTimeout ?? Duration.sum(leaseDuration, "5 seconds"))
    return { location, baseUrl, attemptTimeout, waitTimeout, policy }
  })

/** Checks the options of an account. */
export const decodeSettings = (
  options: LocationOptions & { readonly account: string },
  anyDrainTime = AnyDrainTime.defaultValue()
): Either.Either<Settings, InvalidInput> =>
  Either.gen(function* () {
    const account = yield* decodeAccountCode(options.account)
    return { account, ...(yield* decodeLocationSettings(options, anyDrainTime)) }
  })
