/**
 * A setting that is missing or malformed.
 */
import * as Schema from "effect/Schema"

/**
 * Names the setting and the form it should have. Never holds the value, which may be a secret.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>("effect-number-auth/InvalidSetting")(
  "InvalidSetting",
  {
    /** As the user knows it, such as `NUMBER_TOKEN`. */
    setting: Schema.String,
    /** Where it came from, or could have come from, such as `--account`. */
    flag: Schema.NullOr(Schema.String),
    problem: Schema.Literal("missing", "malformed"),
    /** The form it should have, as a sentence fragment. */
    expected: Schema.String
  }
) {
  override get message(): string {
    const name = this.flag === null ? this.setting : `${this.setting} (or ${this.flag})`
    const what = this.problem === "missing" ? "is not set" : "does not have the form it should have"
    return `${name} ${what}: expected ${this.expected}. Nothing was sent, and the location's count is unchanged. Correct it and try again.`
  }
}
