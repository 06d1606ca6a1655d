/**
 * What the property finds: a way in which a program breaks it.
 */
import * as Schema from "effect/Schema"
import { toTrace, TransitionRecord } from "../../schemas/TransitionRecord.js"

/**
 * A way in which a program breaks the property.
 *
 * - `limitPassed`: the backend counted more unsuccessful attempts in a row than the limit. At six the location is
 *   locked.
 * - `retried`: after an unsuccessful attempt the same token was sent again, although no person had acted. It is checked
 *   only if `lostAttempts` is `abort`. The ledger stops such a program at the limit, and with it all other programs of
 *   the location.
 * - `unmarked`: an attempt was sent without a mark in the store. Other processes do not know of it, and neither does
 *   this one after a crash. The program called `Authenticate` past the library, or has a store of its own.
 *
 * @since 0.1.0
 * @category models
 */
export type Violation = "limitPassed" | "retried" | "unmarked"

const explained: { readonly [K in Violation]: string } = {
  limitPassed:
    "The backend counted more unsuccessful attempts in a row than the limit allows; at six Number locks the location. Let the library make all attempts. Only people may resume, supply tokens, and confirm that a lock was lifted.",
  retried:
    "After an unsuccessful attempt the same token was sent again, and no person had allowed it. Do not call resume from a program, and do not authenticate in a loop: notify a person, and end the program.",
  unmarked:
    "An attempt was sent without a mark in the store. No other process knows of it, and neither does this process after a crash. Do not call Authenticate yourself, and let all processes of the location share one durable store."
}

/**
 * The program can lock its location, or makes attempts that it must not make. The message lists the steps. It holds no
 * token and no session key. Of the program's errors it holds only the tags.
 *
 * @since 0.1.0
 * @category errors
 */
export class LockoutFound extends Schema.TaggedError<LockoutFound>("effect-number-auth/testing/LockoutFound")(
  "LockoutFound",
  {
    violation: Schema.Literal("limitPassed", "retried", "unmarked"),
    /** The greatest count that the backend reached in the counterexample. */
    count: Schema.Int,
    limit: Schema.Int,
    /** The shortest schedule that was found, in words. */
    steps: Schema.Array(Schema.String),
    /** All events of that schedule, as a Mermaid sequence diagram. */
    diagram: Schema.String,
    /** The changes that the library stored in it, account by account. Empty if the program went past the library. */
    records: Schema.Array(TransitionRecord),
    /** With `path`, repeats this run: `neverLocksOut(program, { seed, path })`. Null before fast-check has reported. */
    seed: Schema.NullOr(Schema.Int),
    path: Schema.NullOr(Schema.String),
    /** How many schedules were tried until it was found. */
    runs: Schema.Int
  }
) {
  /** {@link records} as a trace file: `number-auth inspect --trace FILE` shows it. */
  get trace(): string {
    return toTrace(this.records)
  }

  override get message(): string {
    const repeat =
      this.seed === null || this.path === null
        ? ""
        : `\n\nFound in run ${this.runs}. Repeat it with { seed: ${this.seed}, path: "${this.path}" }.`
    const picture =
      this.records.length === 0
        ? ""
        : "\n\nTo see it on the statechart, write this error's `trace` to a file, and run number-auth inspect --trace FILE"
    return [
      `${explained[this.violation]} (${this.violation}; count ${this.count} of ${this.limit})`,
      "",
      "The shortest steps that lead to it:",
      ...this.steps.map((step, index) => `  ${index + 1}. ${step}`),
      "",
      this.diagram + repeat + picture
    ].join("\n")
  }
}
