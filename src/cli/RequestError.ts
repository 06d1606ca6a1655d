/**
 * The errors of a call of `number-auth request`, except those of the session. None of them counts towards a lockout.
 */
import * as Schema from "effect/Schema"

/**
 * Number answered that it did not carry the call out.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallRefused extends Schema.TaggedError<CallRefused>("effect-number-auth/CallRefused")(
  "CallRefused",
  { detail: Schema.String, answer: Schema.Unknown }
) {
  override get message(): string {
    return `Number refused the call itself: ${this.detail}. Authentication is fine, and nothing was counted. Correct the call as the answer says.`
  }
}

/**
 * The call provably never left.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallUnreachable extends Schema.TaggedError<CallUnreachable>(
  "effect-number-auth/CallUnreachable"
)("CallUnreachable", { detail: Schema.String }) {
  override get message(): string {
    return `The call was not sent: ${this.detail}. It was not carried out, and the location's count is unchanged. Check the network and NUMBER_BASE_URL, and try again later.`
  }
}

/**
 * It is not known whether Number carried the call out.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallUnknown extends Schema.TaggedError<CallUnknown>("effect-number-auth/CallUnknown")(
  "CallUnknown",
  { detail: Schema.String, answer: Schema.Unknown }
) {
  override get message(): string {
    return `It is not known whether Number carried the call out: ${this.detail}. The location's count is unchanged. Do not send it again before you have queried it: Number says to assume that a payment went through.`
  }
}
