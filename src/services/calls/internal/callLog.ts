/**
 * The log entry of a call of a method.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { type AnswerHead, annotateSpan, logAnswer } from "../../wire/answerHead.js"
import type { CallError } from "../CallError.js"

/** The flags that say whether an operation was approved. Different operations have different flags. */
const successFlags = ["TxApproved", "AuthSuccess", "IsSuccess"]

/** Whether a result says that its operation was approved; null if it has no such flag. */
export const successOf = (result: unknown, booleanOf: (value: unknown) => boolean | null): boolean | null =>
  successFlags
    .map((flag) => (Predicate.isRecord(result) ? booleanOf(result[flag]) : null))
    .find((flag) => flag !== null) ?? null

/** Logs a call of a method, and annotates the span around it. */
export const logCall = (name: string, head: AnswerHead, error: CallError | null): Effect.Effect<void> =>
  Effect.zipRight(
    annotateSpan(head),
    logAnswer(error === null ? `Number carried out ${name}.` : error.message, {
      isGood: error === null && head.success !== false,
      call: name,
      head
    })
  )
