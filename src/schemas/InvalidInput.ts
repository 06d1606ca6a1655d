import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/**
 * The error of malformed input. It names the field and the expected form. It never holds or shows the value, which may
 * be a secret. Nothing was sent, nothing was stored, nothing was counted.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidInput extends Schema.TaggedError<InvalidInput>("effect-number-auth/InvalidInput")(
  "InvalidInput",
  {
    /** The field as the user knows it, such as `account code`. */
    field: Schema.String,
    /** The expected form, as a sentence fragment. */
    expected: Schema.String
  }
) {
  override get message(): string {
    return `The ${this.field} is malformed: expected ${this.expected}. Nothing was sent and the location's count is unchanged. Correct the ${this.field} and try again.`
  }
}

/**
 * Decodes unknown input. A failure becomes an {@link InvalidInput}. The parse error holds the value, so it is dropped.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeInput = <A, I>(
  schema: Schema.Schema<A, I>,
  field: string,
  expected: string
): ((input: unknown) => Either.Either<A, InvalidInput>) => {
  const decode = Schema.decodeUnknownEither(schema)
  return (input) =>
    Either.mapLeft(decode(input), (_: ParseResult.ParseError) => new InvalidInput({ field, expected }))
}
