/**
 * The verdict of a method's answer. REST, SOAP and the command share this decision. The safe reading wins: a call
 * counts as not carried out only if the answer says so.
 */
import type { AnswerHead } from "../../wire/answerHead.js"
import { isSuccessful } from "../../wire/http/readAnswer.js"

/** Whether Number carried a call out. The details are for people, and are put into a sentence. */
export type Verdict =
  | { readonly _tag: "carriedOut" }
  | { readonly _tag: "notCarriedOut"; readonly code: number | null; readonly detail: string }
  | { readonly _tag: "unknown"; readonly detail: string }

/** The verdict of an answer that does not say whether the call was carried out. */
export const unknown = (detail: string): Verdict => ({ _tag: "unknown", detail })

/**
 * The verdict of an answer, by its status and its head. `FunctionOk` false decides under any status. True decides only
 * under a 2xx status. `problem` is the detail for an answer without `FunctionOk`.
 */
export const verdictOf = (status: number, head: AnswerHead, problem: string): Verdict => {
  if (head.FunctionOk === false) {
    const detail = (head.ErrMsg ?? head.RespMsg ?? "no reason given").replace(/\.$/, "")
    return { _tag: "notCarriedOut", code: head.ErrCode, detail }
  }
  if (!isSuccessful(status)) return unknown(`Number answered with HTTP status ${status}`)
  return head.FunctionOk === true ? { _tag: "carriedOut" } : unknown(problem)
}
