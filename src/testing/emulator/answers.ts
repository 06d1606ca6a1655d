/**
 * Answers over REST.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { Fault } from "./faults.js"
import type { Answer, TokenRecord } from "./state.js"

export const json = (value: unknown, status = 200): Answer => ({
  status,
  contentType: "application/json; charset=utf-8",
  body: JSON.stringify(value)
})

const looksLike = (body: string): string => {
  if (/^\s*</.test(body)) return "text/html"
  return /^\s*([{["0-9-]|null|true|false)/.test(body) ? "application/json; charset=utf-8" : "text/plain"
}

export const raw = (body: string, status: number): Answer => ({ status, contentType: looksLike(body), body })

export const badRequest: Answer = raw("Bad Request", 400)

/** The form of the backend's ErrMsg: `ERROR:6724:HIGH:Could NOT retrieve …`. */
export const errorMessage = (code: number, text: string): string => `ERROR:${code}:HIGH:${text}`

const iso = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

const NO_DATE = "0001-01-01T00:00:00.000Z"

const NEVER = "9999-12-31T23:59:59.000Z"

/** `4/18/2019 7:29:47 AM`, in UTC: the documentation names no time zone. */
export const usDate = (millis: number): string => {
  const { year, month, day, hours, minutes, seconds } = DateTime.toPartsUtc(DateTime.unsafeMake(millis))
  const two = (n: number): string => String(n).padStart(2, "0")
  return `${month}/${day}/${year} ${hours % 12 || 12}:${two(minutes)}:${two(seconds)} ${hours < 12 ? "AM" : "PM"}`
}

export const thisUser = (input: {
  readonly account: string
  readonly record: Option.Option<TokenRecord>
  readonly isExpired: boolean
  readonly isLockedOut: boolean
}) => {
  const created = Option.match(input.record, {
    onNone: () => NO_DATE,
    onSome: (record) => iso(record.createdAtMillis)
  })
  const expires = Option.match(input.record, {
    onNone: () => NO_DATE,
    onSome: (record) => Option.match(record.expiresAtMillis, { onNone: () => NEVER, onSome: iso })
  })
  const isKnown = Option.isSome(input.record)
  return {
    APILocationID: isKnown ? 2210 : 0,
    AccountCode: input.account,
    AcctID: Option.match(input.record, { onNone: () => 0, onSome: (record) => record.accountId }),
    Alias: isKnown ? "emulator" : "",
    CreatedBy: isKnown ? "ADMIN : emulator" : "",
    DateCreated: created,
    DateModified: created,
    Description: isKnown ? "EMULATED ACCT" : "",
    ExpirationDate: expires,
    ID: Option.match(input.record, { onNone: () => 0, onSome: (record) => record.id }),
    IsExpired: input.isExpired,
    IsLockedOut: input.isLockedOut,
    TokenDescription: isKnown ? "EMULATED TOKEN" : ""
  }
}

export const authenticateResult = (input: {
  readonly functionOk: boolean
  readonly authSuccess: boolean
  readonly errCode: number
  readonly errMsg: string
  readonly respMsg: string
  readonly sessKey: string
  readonly user: ReturnType<typeof thisUser>
}) => ({
  AuthenticateResult: {
    AuthSuccess: input.authSuccess,
    ErrCode: input.errCode,
    ErrMsg: input.errMsg,
    FunctionOk: input.functionOk,
    MerchantList: input.authSuccess
      ? [
          {
            Address: "45 spring street portland Maine 04101",
            Descrip: "Test Merchant 1",
            ID: 1,
            Location: "Test Merchant 1",
            TermID: "006"
          }
        ]
      : [],
    RespMsg: input.respMsg,
    SessKey: input.sessKey,
    ThisUser: input.user
  }
})

export const methodResult = (
  method: string,
  fields: { readonly ErrCode: number; readonly ErrMsg: string; readonly FunctionOk: boolean },
  rest: Readonly<Record<string, unknown>> = {}
) => ({ [`${method}Result`]: { ...fields, RespMsg: "", ...rest } })

const HUGE_BODY_CODE = 9999

/** A reply of the backend, before REST or SOAP encodes it. */
export type Reply =
  | {
      readonly _tag: "Said"
      /** One field, `<Method>Result`. */
      readonly value: Readonly<Record<string, object>>
      readonly status: number
      /** The minimal length of the body. Spaces fill it up. */
      readonly bytes: number
    }
  | { readonly _tag: "Raw"; readonly body: string; readonly status: number }
  | { readonly _tag: "BadRequest" }

export const said = (value: Readonly<Record<string, object>>, status = 200): Reply => ({
  _tag: "Said",
  value,
  status,
  bytes: 0
})

export const restAnswer = (reply: Reply): Answer => {
  switch (reply._tag) {
    case "Said": {
      const answer = json(reply.value, reply.status)
      return { ...answer, body: answer.body.padStart(reply.bytes, " ") }
    }
    case "Raw":
      return raw(reply.body, reply.status)
    case "BadRequest":
      return badRequest
  }
}

/** The answer that a fault gives instead of processing, if it gives one. */
export const answerOfFault = (
  fault: Fault,
  functionNotOk: (code: number, message: string) => Readonly<Record<string, object>>
): Option.Option<Reply> => {
  switch (fault._tag) {
    case "Status":
      return Option.some({ _tag: "Raw", body: fault.body, status: fault.status })
    case "Body":
      return Option.some({ _tag: "Raw", body: fault.body, status: 200 })
    case "FunctionNotOk":
      return Option.some(said(functionNotOk(fault.code, fault.message)))
    case "HugeBody": {
      const value = functionNotOk(HUGE_BODY_CODE, errorMessage(HUGE_BODY_CODE, "Huge body"))
      return Option.some({ _tag: "Said", value, status: 200, bytes: fault.bytes })
    }
    default:
      return Option.none()
  }
}
