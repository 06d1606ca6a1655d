/**
 * The head of an answer, and its place in logs and spans, as Number recommends ("API Best Practices", "Logging"). An
 * attempt to authenticate is logged like any other call.
 */
import * as Effect from "effect/Effect"
import type { AttemptOutcome } from "../../schemas/AttemptOutcome.js"

/** The fields that every answer may have, fit to be shown. A field is null if the answer lacks it, or if none came. */
export interface AnswerHead {
  readonly FunctionOk: boolean | null
  /** `TxApproved`, `AuthSuccess` or the like, if the answer has one. */
  readonly success: boolean | null
  readonly RespMsg: string | null
  readonly ErrCode: number | null
  readonly ErrMsg: string | null
}

export const emptyHead: AnswerHead = {
  FunctionOk: null,
  success: null,
  RespMsg: null,
  ErrCode: null,
  ErrMsg: null
}

/** The head of the answer to an attempt. The texts of an outcome are scrubbed already. */
export const headOf = (outcome: AttemptOutcome): AnswerHead => {
  switch (outcome._tag) {
    case "accepted":
      return { ...emptyHead, FunctionOk: true, success: true }
    case "refused":
      return { ...emptyHead, FunctionOk: true, success: false, RespMsg: outcome.detail }
    case "lockedOut":
      return outcome.errorCode === null
        ? { ...emptyHead, success: false, RespMsg: outcome.detail }
        : { ...emptyHead, FunctionOk: false, ErrCode: outcome.errorCode, ErrMsg: outcome.detail }
    case "faulted":
      // Without a code, the answer is not known to be Number's own: a gateway's status, say, or a malformed body.
      return outcome.errorCode === null
        ? emptyHead
        : { ...emptyHead, FunctionOk: false, ErrCode: outcome.errorCode, ErrMsg: outcome.detail }
    case "lost":
    case "unsent":
      return emptyHead
  }
}

const known = (head: AnswerHead): ReadonlyArray<readonly [string, string | number | boolean]> =>
  Object.entries(head).filter((entry): entry is [string, string | number | boolean] => entry[1] !== null)

/** The head's fields under their names on a span. */
const spanAttributesOf = (head: AnswerHead): Readonly<Record<string, unknown>> =>
  Object.fromEntries(known(head).map(([name, value]) => [`number.${name}`, value]))

/** Runs a logging or tracing effect. A defect in it does not change the result of the call. */
const harmlessly = (effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchAllDefect(effect, () => Effect.void)

export const annotateSpan = (head: AnswerHead): Effect.Effect<void> =>
  harmlessly(Effect.annotateCurrentSpan(spanAttributesOf(head)))

/** Logs a call: at debug level if `isGood`, else as a warning. */
export const logAnswer = (
  message: string,
  { head, call, isGood }: { readonly head: AnswerHead; readonly call: string; readonly isGood: boolean }
): Effect.Effect<void> =>
  harmlessly(
    Effect.annotateLogs(isGood ? Effect.logDebug(message) : Effect.logWarning(message), {
      call,
      ...Object.fromEntries(known(head))
    })
  )
