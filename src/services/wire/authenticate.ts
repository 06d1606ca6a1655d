/**
 * The request of an attempt over REST, and the meaning of its answer.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { AuthenticateAnswer, type AuthenticateResult, functionOkOf } from "../../schemas/Answers.js"
import { AttemptOutcome } from "../../schemas/AttemptOutcome.js"
import type { Token } from "../../schemas/Credentials.js"
import { scrub } from "../common/scrub.js"
import type { Attempt } from "./attempt.js"
import { hiddenBody } from "./http/hiddenBody.js"
import { isSuccessful, type TextAnswer } from "./http/readAnswer.js"

/**
 * The longest answer that is read, in bytes: 1 MiB. The rest is cut off, and the attempt counts as faulted.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestAnswerBytes = 1_048_576

/**
 * An answer to an attempt, as it came. `body` is null if it was longer than {@link longestAnswerBytes}.
 *
 * @since 0.1.0
 * @category models
 */
export type Answer = TextAnswer

/**
 * Builds the request of an attempt (`number-api.md`, section "REST"). The token is in the body only.
 *
 * @since 0.1.0
 * @category wire
 */
export const restRequest = (baseUrl: string, attempt: Attempt): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.post(`${baseUrl}/Authenticate`).pipe(
    HttpClientRequest.acceptJson,
    HttpClientRequest.setBody(
      hiddenBody(HttpBody.unsafeJson({ AcctCode: attempt.account, Token: Redacted.value(attempt.token) }))
    )
  )

/** The reason in Number's answer, scrubbed. */
export const reasonIn = (text: string | null, token: Token): string => {
  const shown = scrub(text ?? "", token)
  return shown === "" ? "no reason given" : shown
}

const isLockReported = (result: AuthenticateResult | undefined): boolean =>
  result?.ThisUser?.IsLockedOut === true

/** The outcome of an answer without a session that reports the lock: it is no verdict on the token. */
const lockedOut = (result: AuthenticateResult, token: Token): AttemptOutcome =>
  AttemptOutcome.lockedOut({
    detail: `Number reports that the IP is locked out: ${reasonIn(result.RespMsg || result.ErrMsg, token)}`,
    errorCode: result.ErrCode === 0 ? null : result.ErrCode
  })

const ofResult = (result: AuthenticateResult, token: Token): AttemptOutcome => {
  const functionOk = functionOkOf(result)
  if (functionOk === true && result.AuthSuccess === true && result.SessKey !== null) {
    return AttemptOutcome.accepted({
      sessionKey: result.SessKey,
      tokenEndsAtMillis: result.ThisUser?.ExpirationDate ?? null,
      lockReported: isLockReported(result)
    })
  }
  if (isLockReported(result)) return lockedOut(result, token)
  if (functionOk === false) {
    return AttemptOutcome.faulted({
      detail: `Number could not carry out the call: ${reasonIn(result.ErrMsg, token)} (ErrCode ${result.ErrCode ?? "none"})`,
      errorCode: result.ErrCode
    })
  }
  if (functionOk === true && result.AuthSuccess === false) {
    return AttemptOutcome.refused({ detail: reasonIn(result.RespMsg, token) })
  }
  return AttemptOutcome.faulted({
    detail: "Number's answer lacks FunctionOk, AuthSuccess or SessKey",
    errorCode: result.ErrCode
  })
}

/** Classifies an answer by its decoded result, which is undefined if the body holds none. Pure. */
export const classifyResult = (
  answer: Answer,
  result: AuthenticateResult | undefined,
  token: Token
): AttemptOutcome => {
  if (!isSuccessful(answer.status)) {
    if (result !== undefined && isLockReported(result)) return lockedOut(result, token)
    return AttemptOutcome.faulted({
      detail: `Number answered with HTTP status ${answer.status}`,
      errorCode: result?.ErrCode ?? null
    })
  }
  if (result !== undefined) return ofResult(result, token)
  return AttemptOutcome.faulted({
    detail:
      answer.body === null
        ? "Number's answer was longer than 1 MiB and was cut off"
        : "Number's answer is not of the documented form",
    errorCode: null
  })
}

const decodeAnswer = Schema.decodeUnknownEither(AuthenticateAnswer)

/**
 * Classifies an answer in the seed's order: status, body, FunctionOk, AuthSuccess. It is pure, and takes any text.
 *
 * @since 0.1.0
 * @category wire
 */
export const classifyRestAnswer = (answer: Answer, token: Token): AttemptOutcome => {
  const read = decodeAnswer(answer.body)
  return classifyResult(answer, Either.getOrUndefined(read)?.AuthenticateResult, token)
}
