/**
 * The request of an attempt over SOAP, and the meaning of its answer.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SoapAuthenticateResult } from "../../../schemas/Answers.js"
import { AttemptOutcome } from "../../../schemas/AttemptOutcome.js"
import type { Token } from "../../../schemas/Credentials.js"
import type { Attempt } from "../attempt.js"
import { type Answer, classifyResult, reasonIn } from "../authenticate.js"
import { isSuccessful } from "../http/readAnswer.js"
import { bodyChild, faultText, resultOf, soapCall } from "./envelope.js"
import type { SoapWire } from "./settings.js"
import { parseXml, valueOf } from "./xml.js"

const decodeSoapResult = Schema.decodeUnknownOption(SoapAuthenticateResult)

/**
 * Builds the request of an attempt over SOAP. The token is in the body only.
 *
 * @since 0.1.0
 * @category wire
 */
export const soapRequest = (wire: SoapWire, attempt: Attempt): HttpClientRequest.HttpClientRequest =>
  soapCall(wire, "Authenticate", { AcctCode: attempt.account, Token: Redacted.value(attempt.token) })

/**
 * Classifies a SOAP answer in the same order as a REST answer. A `Fault` is an unsuccessful attempt. Elements are found
 * by their local names, wrapped as `AuthenticateResponse/AuthenticateResult` or as `api_AuthResponse`. A repeated
 * element makes the answer undecodable. The function is pure, and takes any text.
 *
 * @since 0.1.0
 * @category wire
 */
export const classifySoapAnswer = (answer: Answer, token: Token): AttemptOutcome => {
  const child = Option.flatMap(Option.flatMap(Option.fromNullable(answer.body), parseXml), bodyChild)
  if (Option.isSome(child) && child.value.name === "Fault") {
    const status = isSuccessful(answer.status) ? "" : ` and HTTP status ${answer.status}`
    return AttemptOutcome.faulted({
      detail: `Number answered with a SOAP fault${status}: ${reasonIn(faultText(child.value), token)}`,
      errorCode: null
    })
  }
  const result = Option.flatMap(child, resultOf("Authenticate", ["api_AuthResponse"])).pipe(
    Option.flatMap((element) => decodeSoapResult(valueOf(element)))
  )
  return classifyResult(answer, Option.getOrUndefined(result), token)
}
