/**
 * The error of `number-auth doctor`.
 */
import * as Schema from "effect/Schema"

/**
 * The result of one check. `todo` is advice for a person; null if nothing is to be done.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Check = Schema.Struct({
  check: Schema.Literal(
    "settings",
    "token",
    "store",
    "files",
    "key",
    "clock",
    "network",
    "ledger",
    "account"
  ),
  result: Schema.Literal("ok", "warn", "bad"),
  /** A sentence for people. */
  detail: Schema.String,
  todo: Schema.NullOr(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type Check = typeof Check.Type

/**
 * At least one check is bad. The exit code says how to go on: 75 try again later, 77 a person is needed, 78 correct the
 * settings.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProblemsFound extends Schema.TaggedError<ProblemsFound>("effect-number-auth/ProblemsFound")(
  "ProblemsFound",
  {
    checks: Schema.Array(Check),
    exitCode: Schema.Literal(75, 77, 78)
  }
) {
  override get message(): string {
    const bad = this.checks.filter(({ result }) => result === "bad").map(({ check }) => check)
    const next = {
      75: "Try again later",
      77: "A person is needed: do not restart",
      78: "Correct the settings"
    }[this.exitCode]
    return `Problems found: ${bad.join(", ")}. Nothing was sent, and nothing was changed. ${next}. Each check says what to do.`
  }
}
