/**
 * What the answer of a method says became of the call. It is decided here, for REST, SOAP and the command alike. The safe
 * reading wins: only an answer that says so is taken for a call that was not carried out.
 */
import type { AnswerHead } from "../../wire/answerHead.js"

/** Whether Number carried a call out. The details are for people, and are put into a sentence. */
export type Verdict =
  | { readonly _tag: "carriedOut" }
  | { readonly _tag: "notCarriedOut"; readonly code: number | null; readonly detail: string }
  | { readonly _tag: "unknown"; readonly detail: string }

/** The verdict of an answer that does not say whether the call was carried out. */
export const unknown = (detail: string): Verdict => ({ _tag: "unknown", detail })

/**
 * The verdict of an answer, by its status and its head. `FunctionOk` false decides under any status; true only where the
 * status is a success too. `problem` says why there is no `FunctionOk`, where there is none.
 */
export const verdictOf = (status: number, head: AnswerHead, problem: string): Verdict => {
  if (head.FunctionOk === false) {
    const detail = (head.ErrMsg ?? head.RespMsg ?? "no reason given").replace(/\.$/, "")
    return { _tag: "notCarriedOut", code: head.ErrCode, detail }
  }
  if (status < 200 || status > 299) return unknown(`Number answered with HTTP status ${status}`)
  return head.FunctionOk === true ? { _tag: "carriedOut" } : unknown(problem)
}
