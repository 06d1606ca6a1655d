/**
 * One sending of a call over SOAP.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Redacted from "effect/Redacted"
import type { SessionKey } from "../../../schemas/Credentials.js"
import { withRedactedSpans } from "../../common/redactedSpans.js"
import { withoutSecrets } from "../../common/scrub.js"
import { within } from "../../common/within.js"
import type { SessionRefused } from "../../session/SessionRefusal.js"
import { type AnswerHead, emptyHead } from "../../wire/answerHead.js"
import { fateOf } from "../../wire/http/fate.js"
import { readAnswer } from "../../wire/http/readAnswer.js"
import { withoutRedirects } from "../../wire/http/redirects.js"
import { sendOnce } from "../../wire/http/sendOnce.js"
import { soapCall } from "../../wire/soap/envelope.js"
import type { Parameters } from "../../wire/soap/parameters.js"
import type { SoapWire } from "../../wire/soap/settings.js"
import type { XmlValue } from "../../wire/soap/xml.js"
import { CallUncertain, CallUnsent, type MethodFailed } from "../CallError.js"
import { logCall } from "./callLog.js"
import { readSoapAnswer, type Secrets } from "./soapAnswer.js"

/**
 * The longest answer to a call that is read, in bytes: 4 MiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestResultBytes = 4 * 1_048_576

/** The error if no answer came. The client's error is not kept: its request holds the session key. */
const ofFailure = (method: string, error: HttpClientError.HttpClientError): CallUncertain | CallUnsent => {
  const fate = fateOf(error)
  if (fate._tag === "unsent") return new CallUnsent({ method, detail: fate.detail })
  const detail = fate._tag === "lost" ? fate.detail : `Number answered with HTTP status ${fate.status}`
  return new CallUncertain({ method, detail })
}

/** The result of a call, in its own field, so that only `readSoapAnswer` can take it for a refusal of the key. */
interface CallResult {
  readonly value: XmlValue
  readonly head: AnswerHead
}

/** A call, and how it is sent. */
interface Call {
  readonly wire: SoapWire
  readonly timeout: Duration.Duration
  readonly init: globalThis.RequestInit
  readonly method: string
  readonly parameters: Parameters
  readonly secrets: Secrets
  /** Takes the head of an answer that refused the key. */
  readonly onRefused: (head: AnswerHead) => void
}

/** Sends a call once, and reads its answer. */
export const sendCall = (
  client: HttpClient.HttpClient,
  call: Call,
  key: SessionKey
): Effect.Effect<CallResult, SessionRefused | MethodFailed | CallUncertain | CallUnsent> =>
  Effect.gen(function* () {
    const request = soapCall(call.wire, call.method, { SessKey: Redacted.value(key), ...call.parameters })
    const response = yield* sendOnce(client, request)
    return yield* readAnswer(response, longestResultBytes)
  }).pipe(
    withoutRedirects(call.init),
    // The envelope, which holds the key, is never printed.
    withRedactedSpans((text) => withoutSecrets(text, key, ...call.secrets), identity),
    Effect.mapError((error) => ofFailure(call.method, error)),
    within(
      call.timeout,
      () =>
        new CallUncertain({
          method: call.method,
          detail: `no answer came within ${Duration.format(call.timeout)}`
        })
    ),
    Effect.tapError((error) => logCall(call.method, emptyHead, error)),
    Effect.flatMap((answer) => {
      const { head, result } = readSoapAnswer(call.method, answer, [key, ...call.secrets])
      return result.pipe(
        Effect.map((value) => ({ value, head })),
        Effect.tapError((error) =>
          // A refusal is logged only if the replay is refused too.
          error._tag === "SessionRefused"
            ? Effect.sync(() => call.onRefused(head))
            : logCall(call.method, head, error)
        )
      )
    })
  )
