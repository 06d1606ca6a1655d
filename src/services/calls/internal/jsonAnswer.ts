/**
 * The reading of a method's answer over REST: `{ "<Method>Result": { "FunctionOk": …, … } }`.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { functionOkIn } from "../../../schemas/Answers.js"
import { type AnswerHead, emptyHead } from "../../wire/answerHead.js"
import { successOf } from "./callLog.js"
import { type Verdict, verdictOf } from "./verdict.js"

/** An answer that was read. */
export interface JsonAnswer {
  /** The decoded JSON; none if the body is not JSON. */
  readonly json: Option.Option<unknown>
  readonly head: AnswerHead
  readonly verdict: Verdict
  /** The result with its name; null if the answer has none, or if its results decide nothing. */
  readonly found: readonly [name: string, result: Readonly<Record<string, unknown>>] | null
}

const booleanOf = (value: unknown): boolean | null => (typeof value === "boolean" ? value : null)

const textOf = (value: unknown, show: (text: string) => string): string | null => {
  const shown = typeof value === "string" ? show(value) : ""
  return shown === "" ? null : shown
}

const codeOf = (value: unknown): number | null => {
  const code = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  return typeof code === "number" && Number.isSafeInteger(code) ? code : null
}

const headOf = (result: Readonly<Record<string, unknown>>, show: (text: string) => string): AnswerHead => ({
  FunctionOk: functionOkIn(result) ?? null,
  success: successOf(result, booleanOf),
  RespMsg: textOf(result["RespMsg"], show),
  ErrCode: codeOf(result["ErrCode"]),
  ErrMsg: textOf(result["ErrMsg"], show)
})

const parse = (text: string): Option.Option<unknown> => {
  try {
    return Option.some(JSON.parse(text) as unknown)
  } catch {
    return Option.none()
  }
}

const resultsIn = (json: unknown): ReadonlyArray<readonly [string, Record<string, unknown>]> =>
  Object.entries(Predicate.isRecord(json) ? json : {}).filter(
    (entry): entry is [string, Record<string, unknown>] =>
      entry[0].endsWith("Result") && Predicate.isRecord(entry[1])
  )

/**
 * Reads an answer. `expected` is the name of the result. If it is absent in the answer, the only result is taken: under
 * another name too, it says whether the call was carried out. If `expected` is null, the first result with `FunctionOk` is
 * taken. Results whose `FunctionOk` differ decide nothing. `show` scrubs the texts. Pure.
 */
export const readJsonAnswer = (
  { status, text }: { readonly status: number; readonly text: string },
  expected: string | null,
  show: (text: string) => string
): JsonAnswer => {
  const json = parse(text)
  const without = (problem: string): JsonAnswer => ({
    json,
    head: emptyHead,
    verdict: verdictOf(status, emptyHead, problem),
    found: null
  })
  if (Option.isNone(json)) return without("Number's answer is not JSON")
  const results = resultsIn(json.value)
  const flagged = results.filter(([, result]) => "FunctionOk" in result || "FunctionOK" in result)
  if (new Set(flagged.map(([, result]) => functionOkIn(result))).size > 1) {
    return without("Number's answer holds results that contradict each other")
  }
  const other = expected === null ? (flagged[0] ?? results[0]) : results.length === 1 ? results[0] : undefined
  const found = results.find(([name]) => name === expected) ?? other
  if (found === undefined) return without(`Number's answer has no ${expected ?? "result"}`)
  const head = headOf(found[1], show)
  return { json, head, verdict: verdictOf(status, head, "Number's answer lacks FunctionOk"), found }
}
