/**
 * The error of a setting that is missing or malformed.
 */
import * as Schema from "effect/Schema"

/**
 * The error names the setting and its expected form. It never holds the value, which may be a secret.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>("effect-number-auth/InvalidSetting")(
  "InvalidSetting",
  {
    /** The name that the user knows, such as `NUMBER_TOKEN`. */
    setting: Schema.String,
    /** The flag that also gives the setting, such as `--account`; null if there is none. */
    flag: Schema.NullOr(Schema.String),
    problem: Schema.Literal("missing", "malformed"),
    /** The expected form, as a sentence fragment. */
    expected: Schema.String
  }
) {
  override get message(): string {
    const name = this.flag === null ? this.setting : `${this.setting} (or ${this.flag})`
    const what = this.problem === "missing" ? "is not set" : "is malformed"
    return `${name} ${what}: expected ${this.expected}. Nothing was sent, and the location's count is unchanged. Correct it and try again.`
  }
}
