/**
 * The refusal of a session key, in the result of a call.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { RefusalCode, refusalIn } from "../../schemas/Answers.js"

/**
 * Number refused the session key with 5030 (expired) or 5050 (the IP changed), so it did not carry out the call. Inside
 * `withSession`, a failure with this error causes a renewal and one replay.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionRefused extends Schema.TaggedError<SessionRefused>("effect-number-auth/SessionRefused")(
  "SessionRefused",
  { code: RefusalCode }
) {
  override get message(): string {
    return this.code === 5030
      ? "Number refused the session key with 5030 (it expired). The call was not carried out; refused keys do not count towards a lockout. Renew the session and send the call again."
      : "Number refused the session key with 5050 (the caller's IP address is not the one that authenticated). The call was not carried out; refused keys do not count towards a lockout. Renew the session and send the call again."
  }
}

/**
 * Finds a refusal in the result of a call: a failure that is a {@link SessionRefused}, or a decoded REST answer that
 * holds `FunctionOk` false with `ErrCode` 5030 or 5050.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromResult = (result: Either.Either<unknown, unknown>): Option.Option<RefusalCode> =>
  Either.match(result, {
    onLeft: (error) => (error instanceof SessionRefused ? Option.some(error.code) : Option.none()),
    onRight: refusalIn
  })
