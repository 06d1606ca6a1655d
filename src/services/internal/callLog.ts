/**
 * What is logged of each call, an attempt to authenticate included, as Number recommends ("API Best Practices", "Logging").
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { CallError } from "../CallError.js"
import type { AttemptOutcome } from "../../schemas/AttemptOutcome.js"

/** What an answer said, fit to be shown; null where it did not, or where there was none. */
export interface Answered {
  readonly FunctionOk: boolean | null
  /** `TxApproved`, `AuthSuccess` or the like, where the answer has one. */
  readonly success: boolean | null
  readonly RespMsg: string | null
  readonly ErrCode: number | null
  readonly ErrMsg: string | null
}

export const saidNothing: Answered = {
  FunctionOk: null,
  success: null,
  RespMsg: null,
  ErrCode: null,
  ErrMsg: null
}

/** What is known of the answer to an attempt. */
export const answeredBy = (outcome: AttemptOutcome, show: (text: string) => string): Answered => {
  switch (outcome._tag) {
    case "accepted":
      return { ...saidNothing, FunctionOk: true, success: true }
    case "refused":
      return { ...saidNothing, FunctionOk: true, success: false, RespMsg: show(outcome.detail) }
    case "faulted":
      // Else there was none that said so: a status, a body of another form.
      return outcome.errorCode === null
        ? saidNothing
        : { ...saidNothing, FunctionOk: false, ErrCode: outcome.errorCode, ErrMsg: show(outcome.detail) }
    case "lost":
    case "unsent":
      return saidNothing
  }
}

const known = (answered: Answered): ReadonlyArray<readonly [string, string | number | boolean]> =>
  Object.entries(answered).filter((entry): entry is [string, string | number | boolean] => entry[1] !== null)

/** Under the names that a span has them by. */
const spanAttributesOf = (answered: Answered): Readonly<Record<string, unknown>> =>
  Object.fromEntries(known(answered).map(([name, value]) => [`number.${name}`, value]))

/** The flags that say whether an operation was approved, by operation. */
const successFlags = ["TxApproved", "AuthSuccess", "IsSuccess"]

/** Whether a result says that its operation was approved; null where it has no such flag. */
export const successOf = (result: unknown, booleanOf: (value: unknown) => boolean | null): boolean | null =>
  successFlags
    .map((flag) => (Predicate.isRecord(result) ? booleanOf(result[flag]) : null))
    .find((flag) => flag !== null) ?? null

/** Does what is for onlookers, and cannot fail: what it tells of is over, and its result stands. */
const harmlessly = (effect: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchAllDefect(effect, () => Effect.void)

export const annotateSpan = (answered: Answered): Effect.Effect<void> =>
  harmlessly(Effect.annotateCurrentSpan(spanAttributesOf(answered)))

/** Logs a call: at debug level where all is good, as a warning else. */
export const tell = (
  message: string,
  { answered, call, isGood }: { readonly answered: Answered; readonly call: string; readonly isGood: boolean }
): Effect.Effect<void> =>
  harmlessly(
    Effect.annotateLogs(isGood ? Effect.logDebug(message) : Effect.logWarning(message), {
      call,
      ...Object.fromEntries(known(answered))
    })
  )

/** Tells of a call of a method: a log entry, and the attributes of the span that it lies in. */
export const tellOfCall = (name: string, said: Answered, error: CallError | null): Effect.Effect<void> =>
  Effect.zipRight(
    annotateSpan(said),
    tell(error === null ? `Number carried out ${name}.` : error.message, {
      isGood: error === null && said.success !== false,
      call: name,
      answered: said
    })
  )
