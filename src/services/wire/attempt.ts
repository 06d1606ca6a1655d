/**
 * The input of a transport: one attempt.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AccountCode, Token } from "../../schemas/Credentials.js"

/**
 * One attempt, as the transport gets it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  readonly account: AccountCode
  readonly token: Token
  /**
   * Run it right before each write of the request. It fails if the request must not be written: the lease has run out,
   * or the mark's one write was already made.
   */
  readonly permit: Effect.Effect<void, AttemptNotPermitted>
}

/**
 * The attempt must not be written (again).
 *
 * @since 0.1.0
 * @category errors
 */
export class AttemptNotPermitted extends Schema.TaggedError<AttemptNotPermitted>(
  "effect-number-auth/AttemptNotPermitted"
)("AttemptNotPermitted", { why: Schema.Literal("leaseEnded", "alreadyWritten") }) {
  override get message(): string {
    return this.why === "leaseEnded"
      ? "The attempt's lease ran out before it was sent, so it was not sent."
      : "The attempt was sent once already. The HTTP client tried to send it again, which would be another attempt."
  }
}
