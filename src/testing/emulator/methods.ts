/**
 * The other methods: documented answers, and an echo for every other method.
 */
import * as Option from "effect/Option"
import type { Reply } from "./answers.js"
import { answerOfFault, errorMessage, methodResult, said } from "./answers.js"
import type { Call } from "./authenticate.js"
import type { Fault } from "./faults.js"
import { readBody } from "./requests.js"
import { keyOfHeader } from "./rules.js"
import type { State } from "./state.js"

/** The documented answer of a method, given instead of an echo. */
interface Documented {
  /** The answer is under `<name>Result`. This name is not that of the path. */
  readonly name: string
  readonly answer: (account: string, body: unknown) => Readonly<Record<string, unknown>>
}

/**
 * The methods that an integrator uses to check a link, by the path's last segment. The emulator has no transactions.
 */
const documentedMethods: Readonly<Record<string, Documented>> = {
  AccountProfile: {
    name: "AccountProfileQry",
    answer: (account) => ({
      AccountProfile: { AccountCode: account, AccountName: "EMULATED ACCT", AutoSettle: true, ID: 205 },
      ErrCode: 0,
      ErrMsg: "",
      FunctionOk: true,
      RespMsg: "Successfully Returned Account profile for Account ID 205"
    })
  },
  Void: {
    name: "Transaction_Void",
    answer: (_account, body) => {
      const txId =
        typeof body === "object" && body !== null && "TxID" in body && typeof body.TxID === "number"
          ? body.TxID
          : 0
      return {
        ErrCode: 6724,
        ErrMsg: errorMessage(6724, `Could NOT retrieve transaction details for TXID ${txId}`),
        FunctionOk: false,
        RespMsg: "",
        TxApproved: false,
        TxID: 0
      }
    }
  }
}

/** Processes a request to any other method: an echo or a documented answer, if the session key is good from this IP. */
export const echo = (state: State, call: Call, fault: Fault): Reply => {
  const { method } = call
  const notOk = (ErrCode: number, ErrMsg: string) =>
    methodResult(method, { ErrCode, ErrMsg, FunctionOk: false })
  const refusal = (code: number, message: string): Reply =>
    said(notOk(code, errorMessage(code, message)), state.refusalStatus)

  const faultAnswer = answerOfFault(fault, notOk)
  if (Option.isSome(faultAnswer)) return faultAnswer.value
  if (call.isMalformed) return { _tag: "BadRequest" }

  const session = state.sessions.get(keyOfHeader(call.incoming.headers["sesskey"] ?? ""))
  if (session === undefined || call.nowMillis >= session.expiresAtMillis) {
    return refusal(5030, "Expired Session Key")
  }
  if (session.ip !== call.ip) {
    return refusal(5050, "Unauthorized Session Key")
  }
  const body = readBody(call.incoming)
  if (Option.isNone(body)) return { _tag: "BadRequest" }
  state.executions.push({
    atMillis: call.nowMillis,
    ip: call.ip,
    account: session.account,
    method,
    body: body.value
  })
  const documented = Object.hasOwn(documentedMethods, method) ? documentedMethods[method] : undefined
  if (documented !== undefined) {
    return said({ [`${documented.name}Result`]: documented.answer(session.account, body.value) })
  }
  return said(
    methodResult(
      method,
      { ErrCode: 0, ErrMsg: "", FunctionOk: true },
      { Echo: body.value, AcctCode: session.account }
    )
  )
}

/** JSON text that is the same for equal values, whatever the order of their keys. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner
  )
