/**
 * The errors of a call of a method, apart from the errors of the session. Each message says what happened, whether the
 * call was carried out, and what to do now. No message holds a secret, a request or a cause. None of these errors
 * counts towards a lockout.
 */
import * as Schema from "effect/Schema"

/**
 * Number answered that it did not carry the call out: `FunctionOk` is false.
 *
 * @since 0.1.0
 * @category errors
 */
export class MethodFailed extends Schema.TaggedError<MethodFailed>("effect-number-auth/MethodFailed")(
  "MethodFailed",
  {
    /** The method as it was called, such as `CardSale/Void`. */
    method: Schema.String,
    /** `ErrCode`; null if the answer has none. */
    code: Schema.NullOr(Schema.Int),
    /** `ErrMsg`, or else `RespMsg`: shortened, and free of secrets. */
    detail: Schema.String
  }
) {
  override get message(): string {
    const advice =
      this.code === 5030 || this.code === 5050
        ? "Number refused the session key once more right after it was renewed: find out whether calls leave from more than one IP address before you send the call again"
        : "The session is good: correct the call as the answer says"
    return `Number did not carry out ${this.method}: ${this.detail} (ErrCode ${this.code ?? "none"}). This is no attempt to authenticate, and the location's count is unchanged. ${advice}.`
  }
}

/**
 * It is not known whether Number carried the call out. The call was sent, but no whole answer came, or the answer does
 * not say whether it was carried out.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallUncertain extends Schema.TaggedError<CallUncertain>("effect-number-auth/CallUncertain")(
  "CallUncertain",
  { method: Schema.String, detail: Schema.String }
) {
  override get message(): string {
    return `It is not known whether Number carried out ${this.method}: ${this.detail}. It may have happened: query before you try again (Number says to assume that a payment went through). The location's count is unchanged.`
  }
}

/**
 * The call provably never left.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallUnsent extends Schema.TaggedError<CallUnsent>("effect-number-auth/CallUnsent")(
  "CallUnsent",
  {
    method: Schema.String,
    detail: Schema.String
  }
) {
  override get message(): string {
    return `${this.method} did not reach Number: ${this.detail}. Nothing was sent, so it was not carried out, and the location's count is unchanged. Check the network and the base URL, and try again later.`
  }
}

/**
 * Number carried the call out, but its answer does not have the form that the caller expects.
 *
 * @since 0.1.0
 * @category errors
 */
export class AnswerUndecodable extends Schema.TaggedError<AnswerUndecodable>(
  "effect-number-auth/AnswerUndecodable"
)("AnswerUndecodable", {
  method: Schema.String,
  /** Names the fields, and never their values. */
  detail: Schema.String
}) {
  override get message(): string {
    return `Number carried out ${this.method} (FunctionOk is true), but its answer does not have the expected form: ${this.detail}. Do not send the call again: query what it did, and correct the schema of its result. The location's count is unchanged.`
  }
}

/**
 * @since 0.1.0
 * @category errors
 */
export type CallError = MethodFailed | CallUncertain | CallUnsent | AnswerUndecodable
