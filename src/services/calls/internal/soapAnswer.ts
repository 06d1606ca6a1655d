/**
 * The answer to a call over SOAP: its head, and its result or the error for its verdict.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { functionOkOf, RefusalCode, SoapBoolean, SoapMethodResult } from "../../../schemas/Answers.js"
import { scrub } from "../../common/scrub.js"
import { SessionRefused } from "../../session/SessionRefusal.js"
import { type AnswerHead, emptyHead } from "../../wire/answerHead.js"
import { isSuccessful, type TextAnswer } from "../../wire/http/readAnswer.js"
import { bodyChild, faultText, methodResultOf } from "../../wire/soap/envelope.js"
import { parseXml, valueOf, type XmlValue } from "../../wire/soap/xml.js"
import { CallUncertain, MethodFailed } from "../CallError.js"
import { successOf } from "./callLog.js"
import { verdictOf } from "./verdict.js"

/** As many tags as a long report has. Parsing them takes seconds, and blocks the process. */
const mostResultTags = 100_000

/** Values that are not shown. */
export type Secrets = ReadonlyArray<Redacted.Redacted<string>>

/** Text of an answer, fit to be shown; null if nothing is left. */
const shownOf = (text: string | null, secrets: Secrets): string | null => {
  const shown = scrub(text ?? "", ...secrets)
  return shown === "" ? null : shown
}

const booleanOf = (value: unknown): boolean | null =>
  Option.getOrNull(Schema.decodeUnknownOption(SoapBoolean)(value))

/** The head of an answer, and its result or the error for its verdict. */
interface SoapAnswer {
  readonly head: AnswerHead
  readonly result: Effect.Effect<XmlValue, SessionRefused | MethodFailed | CallUncertain>
}

const headOf = (
  result: Option.Option<typeof SoapMethodResult.Type>,
  value: Option.Option<XmlValue>,
  secrets: Secrets
): AnswerHead =>
  Option.match(result, {
    onNone: () => emptyHead,
    onSome: (found) => ({
      FunctionOk: functionOkOf(found) ?? null,
      success: successOf(Option.getOrNull(value), booleanOf),
      RespMsg: shownOf(found.RespMsg, secrets),
      ErrCode: found.ErrCode,
      ErrMsg: shownOf(found.ErrMsg, secrets)
    })
  })

/** Reads the answer to a call. Pure, and takes any text. */
export const readSoapAnswer = (method: string, answer: TextAnswer, secrets: Secrets): SoapAnswer => {
  const uncertain = (detail: string): CallUncertain => new CallUncertain({ method, detail })
  if (answer.body === null) {
    return { head: emptyHead, result: uncertain("its answer was longer than 4 MiB and was cut off") }
  }
  const child = Option.flatMap(parseXml(answer.body, mostResultTags), bodyChild)
  if (Option.isSome(child) && child.value.name === "Fault") {
    const status = isSuccessful(answer.status) ? "" : ` and HTTP status ${answer.status}`
    const reason = shownOf(faultText(child.value), secrets)?.replace(/\.$/, "") ?? "no reason given"
    return { head: emptyHead, result: uncertain(`it answered with a SOAP fault${status}: ${reason}`) }
  }
  const value = Option.map(Option.flatMap(child, methodResultOf(method)), valueOf)
  const head = headOf(Option.flatMap(value, Schema.decodeUnknownOption(SoapMethodResult)), value, secrets)
  const verdict = verdictOf(answer.status, head, "its answer is not of the documented form")
  switch (verdict._tag) {
    case "carriedOut":
      return { head, result: Effect.succeed(Option.getOrThrow(value)) }
    case "notCarriedOut": {
      const { code, detail } = verdict
      return {
        head,
        result: Schema.is(RefusalCode)(code)
          ? new SessionRefused({ code })
          : new MethodFailed({ method, code, detail })
      }
    }
    case "unknown":
      return { head, result: uncertain(verdict.detail) }
  }
}
