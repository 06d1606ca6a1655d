/**
 * The Effect metrics of `NumberAuth`. Each is tagged with the location and none with an account, so that their number
 * stays small. Each process counts only its own work. Serving a held session updates no metric.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type { RefusalCode } from "../../schemas/Answers.js"
import type { AttemptOutcome } from "../../schemas/AttemptOutcome.js"
import type { Location } from "../../schemas/Credentials.js"

/**
 * Attempts that this process made, tagged `location` and `outcome` (`accepted`, `refused`, `lockedOut`,
 * `faulted`, `lost`, `unsent`).
 *
 * @since 0.1.0
 * @category metrics
 */
export const attempts: Metric.Metric.Counter<number> = Metric.counter("number_auth_attempts_total", {
  description: "Attempts to authenticate, by location and outcome",
  incremental: true
})

/**
 * Why a replaced session ended: Number refused its key, or its 25 hours were over.
 *
 * @since 0.1.0
 * @category models
 */
export type RenewalReason = `${RefusalCode}` | "expired"

/**
 * Sessions of this process that replaced another, tagged `location` and `reason`, see {@link RenewalReason}.
 *
 * @since 0.1.0
 * @category metrics
 */
export const renewals: Metric.Metric.Counter<number> = Metric.counter("number_auth_renewals_total", {
  description: "Sessions that replaced another, by location and by the reason why the other one ended",
  incremental: true
})

/**
 * How many more attempts the location's count allows: the limit less failures and attempts under way; 0 while the
 * location is locked. Updated by each transaction of this process. Tagged `location`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const room: Metric.Metric.Gauge<number> = Metric.gauge("number_auth_room", {
  description: "Attempts that the location's count still allows, by location"
})

/**
 * The age of a session when it ended, in seconds. It is recorded when another session replaces it. Tagged `location`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const sessionAge: Metric.Metric.Histogram<number> = Metric.histogram(
  "number_auth_session_age_seconds",
  MetricBoundaries.fromIterable([60, 600, 3600, 21_600, 43_200, 86_400, 90_000, 93_600]),
  "Age of sessions when another replaced them, in seconds, by location"
)

/**
 * How long callers waited for a session that was not held, in seconds, whether they got one or not. Tagged `location`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const wait: Metric.Metric.Histogram<number> = Metric.histogram(
  "number_auth_wait_seconds",
  MetricBoundaries.fromIterable([0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]),
  "Time that callers waited for a session that was not held, in seconds, by location"
)

const at = <Type, In, Out>(
  metric: Metric.Metric<Type, In, Out>,
  location: Location
): Metric.Metric<Type, In, Out> => Metric.tagged(metric, "location", location)

/**
 * @since 0.1.0
 * @category updates
 */
export const attemptEnded = (location: Location, outcome: AttemptOutcome["_tag"]): Effect.Effect<void> =>
  Metric.update(Metric.tagged(at(attempts, location), "outcome", outcome), 1)

/**
 * @since 0.1.0
 * @category updates
 */
export const sessionRenewed = (
  location: Location,
  ended: { readonly reason: RenewalReason; readonly ageMillis: number }
): Effect.Effect<void> =>
  Effect.zipRight(
    Metric.update(Metric.tagged(at(renewals, location), "reason", ended.reason), 1),
    Metric.update(at(sessionAge, location), ended.ageMillis / 1000)
  )

/**
 * @since 0.1.0
 * @category updates
 */
export const roomLeft = (location: Location, left: number): Effect.Effect<void> =>
  Metric.update(at(room, location), left)

/**
 * @since 0.1.0
 * @category updates
 */
export const waited = (location: Location, millis: number): Effect.Effect<void> =>
  Metric.update(at(wait, location), millis / 1000)
