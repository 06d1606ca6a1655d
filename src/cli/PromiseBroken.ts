/**
 * The error of `number-auth simulate`.
 */
import * as Schema from "effect/Schema"

/**
 * A promise was broken in a simulated life.
 *
 * @since 0.1.0
 * @category errors
 */
export class PromiseBroken extends Schema.TaggedError<PromiseBroken>("effect-number-auth/PromiseBroken")(
  "PromiseBroken",
  {
    promise: Schema.String,
    seed: Schema.Int,
    /** The number of the life. */
    life: Schema.Int,
    /** Milliseconds since the life began. */
    atMillis: Schema.Number,
    /** The path of its trace; null if it could not be written. */
    trace: Schema.NullOr(Schema.String),
    isNaive: Schema.Boolean
  }
) {
  override get message(): string {
    const day = Math.floor(this.atMillis / 86_400_000)
    const where = `in life ${this.life} of seed ${this.seed}, on day ${day}`
    const replay =
      this.trace === null
        ? "The trace could not be written."
        : `Replay it with number-auth simulate --replay ${this.trace}.${this.isNaive ? "" : ` See it with number-auth inspect --trace ${this.trace}.`}`
    return this.isNaive
      ? `The naive client has locked its location, as expected, ${where}. The broken promise: ${this.promise}. Nothing real was sent. ${replay}`
      : `A promise was broken: ${this.promise}, ${where}. Nothing real was sent. Please report it with the trace. ${replay}`
  }
}
