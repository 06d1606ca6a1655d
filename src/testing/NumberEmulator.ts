/**
 * An emulator of the Number payments backend, in memory. Its knowledge comes from the documentation alone, and it
 * shares no code with the rest of the library, so it can judge the library.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { DOMParser, type Element } from "@xmldom/xmldom"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type MemoryBody, MemoryResponse } from "./internal/MemoryResponse.js"

// -----------------------------------------------------------------------------
// the documented rules, and readings of the points left open
// -----------------------------------------------------------------------------

/** "6 unsuccessful attempts in a row" (seed, Lockouts). */
const UNSUCCESSFUL_THAT_LOCK = 6

/** "session key has expired after 25 hours" (seed, 5030). */
const SESSION_LIFE = Duration.hours(25)

/** The IP of a caller whose IP is not known. */
const UNKNOWN_IP = "127.0.0.1"

/** The emulator's own request header with which a caller picks its IP. */
const IP_HEADER = "x-emulator-ip"

/** Compares a sent token with a known one: exactly, as with any password. */
const isSameToken = (sent: string, known: string): boolean => sent === known

/** The key in a header, which is bare or signed as `{SessKey}_{Epoch}_{DeviceID}_{Hash}`. The hash is not checked. */
const keyOfHeader = (header: string): string => header.split("_")[0] ?? ""

const isAccountCode = (text: string): boolean => /^[A-Za-z]{2}[0-9]{7}$/.test(text)
const isToken = (text: string): boolean => /^[0-9A-Fa-f]{32}$/.test(text)

/**
 * Settings of the emulator. Some of them choose a reading, since the documentation allows several.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * The attempts that are counted up to six: all unsuccessful attempts of the IP, or those of each account of the IP
   * separately. The lock is on the whole IP either way. Default: `"ip"`.
   */
  readonly counting?: "ip" | "ipAndAccount"
  /** Which failures a success takes off the count: all of the IP's, or its own account's. Default: `"all"`. */
  readonly successClears?: "all" | "own"
  /**
   * Whether an attempt that was answered with a fault (not 200, not an AuthenticateResult, `FunctionOk` false)
   * counts as unsuccessful. Default: `true`.
   */
  readonly faultsCount?: boolean
  /** HTTP status of the answer to a request whose session key is refused (5030, 5050). Default: 200. */
  readonly refusalStatus?: number
  /** HTTP status of the answer to an Authenticate call from a locked IP. Default: 200. */
  readonly lockedStatus?: number
  /** The IP of callers without an IP of their own. Default: none; then the socket's address is used, or 127.0.0.1. */
  readonly ip?: string
  /** The namespace of methods and parameters over SOAP. Default: `"http://tempuri.org/"`. */
  readonly soapNamespace?: string
  /** The text before the method's name in `SOAPAction`. Default: `"http://tempuri.org/ICardProcess/"`. */
  readonly soapActionPrefix?: string
}

interface SoapNames {
  readonly namespace: string
  readonly actionPrefix: string
}

interface Reading extends Rules {
  /** The standing after the events of an IP. */
  readonly standingNow: (events: ReadonlyArray<CountEvent>) => Standing
}

interface Rules {
  readonly counting: "ip" | "ipAndAccount"
  readonly successClears: "all" | "own"
  readonly faultsCount: boolean
  readonly lockedStatus: number
  readonly soap: SoapNames
}

// -----------------------------------------------------------------------------
// the count: events of one IP, folded
// -----------------------------------------------------------------------------

/**
 * An event that changes the count of one IP. `account` is `""` if the request was too malformed to name one.
 *
 * @since 0.1.0
 * @category models
 */
export type CountEvent =
  | { readonly _tag: "Unsuccessful"; readonly account: string }
  | { readonly _tag: "Successful"; readonly account: string }
  | { readonly _tag: "Lifted" }

/**
 * The standing of an IP after its events.
 *
 * @since 0.1.0
 * @category models
 */
export interface Standing {
  /** The account of each unsuccessful attempt that nothing has cleared yet, oldest first. */
  readonly uncleared: ReadonlyArray<string>
  /** The count under the chosen reading; it goes on past six while the IP is locked. */
  readonly count: number
  /** The highest count ever reached; no success and no lifted lock lowers it. */
  readonly peak: number
  /** Whether the sixth was reached, and support has not lifted the lock since. */
  readonly isLocked: boolean
}

const countOf = (uncleared: ReadonlyArray<string>, counting: Reading["counting"]): number => {
  const accounts = Array.from(new Set(uncleared))
  return counting === "ip"
    ? uncleared.length
    : Math.max(0, ...accounts.map((account) => uncleared.filter((other) => other === account).length))
}

const unclearedAfter = (
  uncleared: ReadonlyArray<string>,
  event: CountEvent,
  successClears: Reading["successClears"]
): ReadonlyArray<string> => {
  switch (event._tag) {
    case "Unsuccessful":
      return [...uncleared, event.account]
    case "Successful":
      return successClears === "all" ? [] : uncleared.filter((account) => account !== event.account)
    case "Lifted":
      return []
  }
}

/**
 * Folds the events of one IP into its standing, under one reading of the documentation.
 *
 * @since 0.1.0
 * @category folds
 */
export const standingOf = (
  events: ReadonlyArray<CountEvent>,
  reading: { readonly counting: "ip" | "ipAndAccount"; readonly successClears: "all" | "own" }
): Standing => events.reduce((before, event) => standingAfter(before, event, reading), unblemished)

const unblemished: Standing = { uncleared: [], count: 0, peak: 0, isLocked: false }

const standingAfter = (
  before: Standing,
  event: CountEvent,
  reading: Pick<Rules, "counting" | "successClears">
): Standing => {
  const uncleared = unclearedAfter(before.uncleared, event, reading.successClears)
  const count = countOf(uncleared, reading.counting)
  return {
    uncleared,
    count,
    peak: Math.max(before.peak, count),
    isLocked: event._tag === "Lifted" ? false : before.isLocked || count >= UNSUCCESSFUL_THAT_LOCK
  }
}

/**
 * The same fold for a list that only grows. It goes on from where it stopped the last time: with ten thousand calls, a
 * full fold would be the slowest part of the emulator.
 */
const makeStandings = (rules: Rules): ((events: ReadonlyArray<CountEvent>) => Standing) => {
  const folded = new WeakMap<ReadonlyArray<CountEvent>, { length: number; standing: Standing }>()
  return (events) => {
    const known = folded.get(events) ?? { length: 0, standing: unblemished }
    while (known.length < events.length) {
      known.standing = standingAfter(known.standing, events[known.length]!, rules)
      known.length += 1
    }
    folded.set(events, known)
    return known.standing
  }
}

// -----------------------------------------------------------------------------
// faults
// -----------------------------------------------------------------------------

/**
 * A fault that one coming call meets. Made with the constructors of the same name.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Refuse" }
  | { readonly _tag: "DropRequest" }
  | { readonly _tag: "DropAnswer" }
  | { readonly _tag: "StallRequest" }
  | { readonly _tag: "StallAnswer" }
  | { readonly _tag: "DelayRequest"; readonly duration: Duration.Duration }
  | { readonly _tag: "DelayAnswer"; readonly duration: Duration.Duration }
  | { readonly _tag: "Status"; readonly status: number; readonly body: string }
  | { readonly _tag: "Body"; readonly body: string }
  | { readonly _tag: "FunctionNotOk"; readonly code: number; readonly message: string }
  | { readonly _tag: "HugeBody"; readonly bytes: number }
  | { readonly _tag: "CutBody" }
  | { readonly _tag: "ReportLock" }

/**
 * The faults that make sense for a method other than Authenticate.
 *
 * @since 0.1.0
 * @category models
 */
export type MethodFault = Exclude<Fault, { readonly _tag: "ReportLock" }>

/**
 * Constructors of faults.
 *
 * - `Pass`: no fault; keeps a place in the queue.
 * - `Refuse`: the connection is refused (`ECONNREFUSED`) before anything is delivered.
 * - `DropRequest`: the connection is reset (`ECONNRESET`) and the request is never processed.
 * - `DropAnswer`: the request is processed, then the connection is reset before the answer.
 * - `StallRequest`: never processed, never answered.
 * - `StallAnswer`: processed, never answered.
 * - `DelayRequest(duration)`: processed after the duration, whether or not the caller still waits.
 * - `DelayAnswer(duration)`: processed at once, answered after the duration.
 * - `Status(status, body)`: this answer instead of processing; status from 200 to 599. The body is sent as given, over
 *   SOAP too.
 * - `Body(text)`: a 200 with this raw body instead of processing.
 * - `FunctionNotOk(code, message)`: `FunctionOk` false instead of processing.
 * - `HugeBody(bytes)`: as `FunctionNotOk(9999, …)`, with spaces that fill the body up to that size.
 * - `CutBody`: processed and answered, but the connection is reset in the middle of the body.
 * - `ReportLock`: `AuthSuccess` false and `IsLockedOut` true instead of processing. It counts as unsuccessful, and
 *   locks nothing by itself.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Fault: {
  readonly Pass: MethodFault
  readonly Refuse: MethodFault
  readonly DropRequest: MethodFault
  readonly DropAnswer: MethodFault
  readonly StallRequest: MethodFault
  readonly StallAnswer: MethodFault
  readonly DelayRequest: (duration: Duration.DurationInput) => MethodFault
  readonly DelayAnswer: (duration: Duration.DurationInput) => MethodFault
  readonly Status: (status: number, body: string) => MethodFault
  readonly Body: (body: string) => MethodFault
  readonly FunctionNotOk: (code: number, message: string) => MethodFault
  readonly HugeBody: (bytes: number) => MethodFault
  readonly CutBody: MethodFault
  readonly ReportLock: Fault
} = {
  Pass: { _tag: "Pass" },
  Refuse: { _tag: "Refuse" },
  DropRequest: { _tag: "DropRequest" },
  DropAnswer: { _tag: "DropAnswer" },
  StallRequest: { _tag: "StallRequest" },
  StallAnswer: { _tag: "StallAnswer" },
  DelayRequest: (duration) => ({ _tag: "DelayRequest", duration: Duration.decode(duration) }),
  DelayAnswer: (duration) => ({ _tag: "DelayAnswer", duration: Duration.decode(duration) }),
  Status: (status, body) => ({ _tag: "Status", status, body }),
  Body: (body) => ({ _tag: "Body", body }),
  FunctionNotOk: (code, message) => ({ _tag: "FunctionNotOk", code, message }),
  HugeBody: (bytes) => ({ _tag: "HugeBody", bytes }),
  CutBody: { _tag: "CutBody" },
  ReportLock: { _tag: "ReportLock" }
}

// -----------------------------------------------------------------------------
// requests, deliveries and state
// -----------------------------------------------------------------------------

/**
 * A request as it arrives at the backend, by any carrier.
 *
 * @since 0.1.0
 * @category models
 */
export interface Incoming {
  readonly method: string
  /** The URL's path; only its last segments are looked at. One that ends in `.svc` is the SOAP service. */
  readonly path: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** The fixed IP of this caller. It overrides `setIp`, and the header `X-Emulator-IP` overrides it. */
  readonly ip?: string
  /** The address of the connection. Used if nothing else gives an IP. */
  readonly remoteAddress?: string
}

/**
 * An HTTP answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/**
 * The result for the caller: an answer, an answer that breaks off half-way, a reset or refused connection, or silence.
 *
 * @since 0.1.0
 * @category models
 */
export type Delivery =
  | { readonly _tag: "Answered"; readonly answer: Answer }
  | { readonly _tag: "Cut"; readonly answer: Answer }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Refused" }
  | { readonly _tag: "Stalled" }

/**
 * The backend's judgement of an Authenticate call. All but `accepted` count as unsuccessful; `malformed` and `faulted`
 * count only if the option `faultsCount` is true.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome =
  | "accepted"
  | "unknownAccount"
  | "wrongToken"
  | "revokedToken"
  | "expiredToken"
  | "locked"
  | "lockReported"
  | "malformed"
  | "faulted"

/**
 * An Authenticate call that the backend processed, or answered with a fault.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthenticateCall {
  /** From 1, in the order of processing. */
  readonly sequence: number
  /** By the emulator's clock. */
  readonly atMillis: number
  readonly ip: string
  /** As sent; `""` where the request named none. */
  readonly account: string
  /** As sent; empty where the request held none. */
  readonly token: Redacted.Redacted<string>
  readonly outcome: Outcome
}

/**
 * A request to a method other than Authenticate that was executed: its session key was good.
 *
 * @since 0.1.0
 * @category models
 */
export interface Execution {
  /** By the emulator's clock. */
  readonly atMillis: number
  readonly ip: string
  readonly account: string
  /** The path's last segment, or the element in the body of a SOAP envelope. */
  readonly method: string
  /** The JSON body; `null` if there was none. Over SOAP: the parameters without the session key, each as text. */
  readonly body: unknown
}

/**
 * A summary that holds no secrets and can be written as JSON: the answer of `POST {base}/_emulator/state`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Summary {
  readonly nowMillis: number
  readonly requestsSeen: number
  readonly authenticateCalls: number
  /** By IP. */
  readonly counts: Readonly<Record<string, number>>
  /** By IP. */
  readonly peaks: Readonly<Record<string, number>>
  /** The locked IPs. */
  readonly locks: ReadonlyArray<string>
  readonly calls: ReadonlyArray<Omit<AuthenticateCall, "token">>
  readonly executions: ReadonlyArray<Execution>
  /** Faults still queued. */
  readonly pendingFaults: number
}

interface TokenRecord {
  readonly id: number
  readonly accountId: number
  readonly createdAtMillis: number
  readonly expiresAtMillis: Option.Option<number>
  readonly isRevoked: boolean
}

interface Session {
  readonly account: string
  readonly ip: string
  readonly expiresAtMillis: number
}

interface State {
  readonly accounts: Map<string, Map<string, TokenRecord>>
  readonly events: Map<string, Array<CountEvent>>
  readonly sessions: Map<string, Session>
  readonly calls: Array<AuthenticateCall>
  readonly executions: Array<Execution>
  readonly authenticateFaults: Array<Fault>
  readonly methodFaults: Array<MethodFault>
  ip: Option.Option<string>
  offsetMillis: number
  refusalStatus: number
  requestDelay: Duration.Duration
  answerDelay: Duration.Duration
  requestsSeen: number
  tokensMade: number
}

const initialState = (options: Options): State => ({
  accounts: new Map(),
  events: new Map(),
  sessions: new Map(),
  calls: [],
  executions: [],
  authenticateFaults: [],
  methodFaults: [],
  ip: Option.fromNullable(options.ip),
  offsetMillis: 0,
  refusalStatus: options.refusalStatus ?? 200,
  requestDelay: Duration.zero,
  answerDelay: Duration.zero,
  requestsSeen: 0,
  tokensMade: 0
})

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

const json = (value: unknown, status = 200): Answer => ({
  status,
  contentType: "application/json; charset=utf-8",
  body: JSON.stringify(value)
})

const looksLike = (body: string): string => {
  if (/^\s*</.test(body)) return "text/html"
  return /^\s*([{["0-9-]|null|true|false)/.test(body) ? "application/json; charset=utf-8" : "text/plain"
}

const raw = (body: string, status: number): Answer => ({ status, contentType: looksLike(body), body })

const badRequest: Answer = raw("Bad Request", 400)

/** The form of the backend's ErrMsg: `ERROR:6724:HIGH:Could NOT retrieve …`. */
const errorMessage = (code: number, text: string): string => `ERROR:${code}:HIGH:${text}`

const iso = (millis: number): string => DateTime.formatIso(DateTime.unsafeMake(millis))

const NO_DATE = "0001-01-01T00:00:00.000Z"
const NEVER = "9999-12-31T23:59:59.000Z"

/** `4/18/2019 7:29:47 AM`, in UTC: the documentation names no time zone. */
const usDate = (millis: number): string => {
  const { year, month, day, hours, minutes, seconds } = DateTime.toPartsUtc(DateTime.unsafeMake(millis))
  const two = (n: number): string => String(n).padStart(2, "0")
  return `${month}/${day}/${year} ${hours % 12 || 12}:${two(minutes)}:${two(seconds)} ${hours < 12 ? "AM" : "PM"}`
}

const thisUser = (input: {
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

const authenticateResult = (input: {
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

const methodResult = (
  method: string,
  fields: { readonly ErrCode: number; readonly ErrMsg: string; readonly FunctionOk: boolean },
  rest: Readonly<Record<string, unknown>> = {}
) => ({ [`${method}Result`]: { ...fields, RespMsg: "", ...rest } })

const HUGE_BODY_CODE = 9999

/** A reply of the backend, before REST or SOAP encodes it. */
type Reply =
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

const said = (value: Readonly<Record<string, object>>, status = 200): Reply => ({
  _tag: "Said",
  value,
  status,
  bytes: 0
})

const restAnswer = (reply: Reply): Answer => {
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
const answerOfFault = (
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

// -----------------------------------------------------------------------------
// SOAP: an adapter in front of the same accounts and the same count
// -----------------------------------------------------------------------------

const DEFAULT_SOAP_NAMESPACE = "http://tempuri.org/"
const DEFAULT_SOAP_ACTION_PREFIX = "http://tempuri.org/ICardProcess/"

/** The namespaces of an answer, as WCF names them. */
const ENVELOPE_NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/"
const DATA_NAMESPACE = "http://schemas.datacontract.org/2004/07/APIcardProcR119"
const INSTANCE_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"

/** The lists whose elements have a documented name of their own. Any other list repeats its own element. */
const ELEMENTS_OF_LISTS: Readonly<Record<string, string>> = { MerchantList: "MerchantInfo" }

const isSoapPath = (path: string): boolean => /\.svc$/i.test(path)

const escapeXml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#xD;")

const xmlOf = (name: string, value: unknown): string => {
  if (value === null || value === undefined) return `<a:${name} i:nil="true"/>`
  if (Array.isArray(value)) {
    const element = ELEMENTS_OF_LISTS[name]
    const elements = value.map((each) => xmlOf(element ?? name, each)).join("")
    return element === undefined ? elements : `<a:${name}>${elements}</a:${name}>`
  }
  return typeof value === "object"
    ? `<a:${name}>${xmlOfFields(value)}</a:${name}>`
    : `<a:${name}>${escapeXml(typeof value === "string" ? value : JSON.stringify(value))}</a:${name}>`
}

const xmlOfFields = (fields: object): string =>
  Object.entries(fields)
    .map(([name, value]) => xmlOf(name, value))
    .join("")

const soapEnvelope = (content: string, status: number): Answer => ({
  status,
  contentType: "text/xml; charset=utf-8",
  body: `<s:Envelope xmlns:s="${ENVELOPE_NAMESPACE}"><s:Body>${content}</s:Body></s:Envelope>`
})

const soapAnswer = (reply: Reply, { namespace }: SoapNames): Answer => {
  switch (reply._tag) {
    case "Said": {
      const [name = "", fields = {}] = Object.entries(reply.value)[0] ?? []
      const response = name.replace(/Result$/, "Response")
      const result = `<${name} xmlns:a="${DATA_NAMESPACE}" xmlns:i="${INSTANCE_NAMESPACE}">${xmlOfFields(fields)}</${name}>`
      const answer = soapEnvelope(
        `<${response} xmlns="${escapeXml(namespace)}">${result}</${response}>`,
        reply.status
      )
      return { ...answer, body: answer.body.padEnd(reply.bytes, " ") }
    }
    case "Raw": {
      const isXml = /^\s*<(\?xml|([\w.-]+:)?Envelope)\b/.test(reply.body)
      return isXml
        ? { status: reply.status, contentType: "text/xml; charset=utf-8", body: reply.body }
        : raw(reply.body, reply.status)
    }
    case "BadRequest":
      return soapEnvelope(
        `<s:Fault><faultcode>s:Client</faultcode><faultstring xml:lang="en-US">Bad Request</faultstring></s:Fault>`,
        500
      )
  }
}

const soapParser = new DOMParser({
  locator: false,
  onError: (level) => {
    throw new Error(level)
  }
})

const elementsIn = (parent: Element): ReadonlyArray<Element> =>
  Array.from(parent.childNodes).filter((node): node is Element => node.nodeType === node.ELEMENT_NODE)

/** The value of a parameter, as in JSON. A repeated parameter is an array. */
const soapValueOf = (element: Element): unknown => {
  const elements = elementsIn(element)
  if (element.getAttributeNS(INSTANCE_NAMESPACE, "nil") === "true") return null
  return elements.length === 0 ? (element.textContent ?? "") : soapFieldsOf(elements)
}

const soapFieldsOf = (elements: ReadonlyArray<Element>): Readonly<Record<string, unknown>> => {
  const fields = new Map<string, Array<unknown>>()
  for (const element of elements) {
    const name = element.localName ?? ""
    fields.set(name, [...(fields.get(name) ?? []), soapValueOf(element)])
  }
  return Object.fromEntries(
    Array.from(fields, ([name, values]) => [name, values.length === 1 ? values[0] : values])
  )
}

/** The element in the body of an envelope; `None` if the text is not an envelope with one call. */
const soapMethodOf = (text: string): Option.Option<Element> => {
  if (text.includes("<!DOCTYPE")) return Option.none()
  const parse = Option.liftThrowable(() => soapParser.parseFromString(text, "text/xml").documentElement)
  const isNamed = (element: Element, name: string): boolean =>
    element.localName === name && element.namespaceURI === ENVELOPE_NAMESPACE
  return parse().pipe(
    Option.flatMap(Option.fromNullable),
    Option.filter((root) => isNamed(root, "Envelope")),
    Option.map((root) => elementsIn(root).filter((element) => isNamed(element, "Body"))),
    Option.flatMap((bodies) => (bodies.length === 1 ? Option.fromNullable(bodies[0]) : Option.none())),
    Option.flatMap((body) => {
      const [method, ...others] = elementsIn(body)
      return others.length === 0 ? Option.fromNullable(method) : Option.none()
    })
  )
}

/** A request in the form of REST. */
interface Request {
  readonly method: string
  readonly incoming: Incoming
  /** Whether the request cannot be read as a call. Then no method is carried out. */
  readonly isMalformed: boolean
}

const soapRequest = (incoming: Incoming, names: SoapNames): Request => {
  const sentAction = (incoming.headers["soapaction"] ?? "").replace(/^"(.*)"$/, "$1")
  const method = soapMethodOf(incoming.body)
  const named = Option.match(method, { onNone: () => "", onSome: ({ localName }) => localName ?? "" })
  // Body and SOAPAction both name the method. If either names Authenticate, the request is an attempt.
  const isAuthenticate = named === "Authenticate" || /\bAuthenticate$/.test(sentAction)
  const isRead =
    Option.exists(method, ({ namespaceURI }) => namespaceURI === names.namespace) &&
    sentAction === `${names.actionPrefix}${named}` &&
    (incoming.headers["content-type"] ?? "").toLowerCase().startsWith("text/xml")
  const { SessKey: key, ...parameters } = Option.match(method, {
    onNone: (): Readonly<Record<string, unknown>> => ({}),
    onSome: (element) => soapFieldsOf(elementsIn(element))
  })
  return {
    method: isAuthenticate ? "Authenticate" : named,
    incoming: {
      ...incoming,
      headers: {
        ...incoming.headers,
        "content-type": "application/json",
        sesskey: typeof key === "string" ? key : undefined
      },
      body: isRead ? JSON.stringify(parameters) : ""
    },
    isMalformed: !isRead
  }
}

// -----------------------------------------------------------------------------
// processing
// -----------------------------------------------------------------------------

const lastSegments = (path: string): { readonly last: string; readonly beforeLast: string } => {
  const segments = path.split("/").filter((segment) => segment !== "")
  return { last: segments.at(-1) ?? "", beforeLast: segments.at(-2) ?? "" }
}

const Credentials = Schema.parseJson(Schema.Struct({ AcctCode: Schema.String, Token: Schema.String }))

const isJson = (incoming: Incoming): boolean =>
  (incoming.headers["content-type"] ?? "").toLowerCase().startsWith("application/json")

const readCredentials = (incoming: Incoming): Option.Option<typeof Credentials.Type> =>
  isJson(incoming) ? decodeCredentials(incoming.body) : Option.none()

const parseJson = Schema.decodeUnknownOption(Schema.parseJson())
const decodeCredentials = Schema.decodeUnknownOption(Credentials)

const readBody = (incoming: Incoming): Option.Option<unknown> =>
  incoming.body === "" ? Option.some(null) : isJson(incoming) ? parseJson(incoming.body) : Option.none()

const eventOf = (outcome: Outcome, account: string, faultsCount: boolean): Option.Option<CountEvent> => {
  switch (outcome) {
    case "accepted":
      return Option.some({ _tag: "Successful", account })
    case "malformed":
    case "faulted":
      return faultsCount ? Option.some({ _tag: "Unsuccessful", account }) : Option.none()
    default:
      return Option.some({ _tag: "Unsuccessful", account })
  }
}

const eventsOf = (state: State, ip: string): Array<CountEvent> => {
  const known = state.events.get(ip)
  if (known !== undefined) return known
  const fresh: Array<CountEvent> = []
  state.events.set(ip, fresh)
  return fresh
}

const hexOfAscii = (text: string): string =>
  Array.from(text, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("")

const hexOfNumber = (n: number, digits: number): string => n.toString(16).padStart(digits, "0").slice(-digits)

/** A session key: 42 hexadecimal characters, built like the documented samples. The sequence makes every key new. */
const sessionKey = (input: {
  readonly luck: string
  readonly sequence: number
  readonly record: TokenRecord
}): string => {
  const accountId = String(input.record.accountId).padStart(5, "0").slice(-5)
  const tokenId = String(input.record.id).padStart(6, "0").slice(-6)
  return `${input.luck}${hexOfNumber(input.sequence, 6)}${hexOfAscii(`${accountId}A${tokenId}`)}`.toUpperCase()
}

interface Call extends Request {
  readonly ip: string
  readonly nowMillis: number
  /** 12 random hexadecimal characters. */
  readonly luck: string
}

const findToken = (tokens: ReadonlyMap<string, TokenRecord>, sent: string): Option.Option<TokenRecord> => {
  for (const [known, record] of tokens) {
    if (isSameToken(sent, known)) return Option.some(record)
  }
  return Option.none()
}

const reasonOf = (outcome: Outcome): string => {
  switch (outcome) {
    case "accepted":
    case "malformed":
    case "faulted":
      return ""
    case "unknownAccount":
      return "Account not found"
    case "wrongToken":
      return "Invalid Token"
    case "revokedToken":
      return "Token has been revoked"
    case "expiredToken":
      return "Token has expired"
    case "locked":
    case "lockReported":
      return "IP Address is locked out, please contact support"
  }
}

/** Processes one Authenticate call: the outcome, then its event in the IP's list, then the log, then the answer. */
const authenticate = (state: State, reading: Reading, call: Call, fault: Fault): Reply => {
  const credentials = readCredentials(call.incoming)
  const account = Option.match(credentials, { onNone: () => "", onSome: (sent) => sent.AcctCode })
  const token = Option.match(credentials, { onNone: () => "", onSome: (sent) => sent.Token })
  const tokens = Option.fromNullable(state.accounts.get(account))
  const record = Option.flatMap(tokens, (known) => findToken(known, token))
  const isExpired = Option.exists(record, ({ expiresAtMillis }) =>
    Option.exists(expiresAtMillis, (at) => call.nowMillis >= at)
  )
  const events = eventsOf(state, call.ip)
  const noUser = thisUser({ account, record: Option.none(), isExpired: false, isLockedOut: false })
  const faultAnswer = answerOfFault(fault, (errCode, errMsg) =>
    authenticateResult({
      functionOk: false,
      authSuccess: false,
      errCode,
      errMsg,
      respMsg: "",
      sessKey: "",
      user: noUser
    })
  )

  const judge = (): Outcome => {
    if (Option.isSome(faultAnswer)) return "faulted"
    if (fault._tag === "ReportLock") return "lockReported"
    if (Option.isNone(credentials)) return "malformed"
    if (reading.standingNow(events).isLocked) return "locked"
    if (Option.isNone(tokens)) return "unknownAccount"
    if (Option.isNone(record)) return "wrongToken"
    if (record.value.isRevoked) return "revokedToken"
    return isExpired ? "expiredToken" : "accepted"
  }
  const outcome = judge()

  Option.map(eventOf(outcome, account, reading.faultsCount), (event) => events.push(event))
  const sequence = state.calls.length + 1
  state.calls.push({
    sequence,
    atMillis: call.nowMillis,
    ip: call.ip,
    account,
    token: Redacted.make(token),
    outcome
  })

  if (Option.isSome(faultAnswer)) return faultAnswer.value
  if (outcome === "malformed") return { _tag: "BadRequest" }
  if (outcome === "accepted" && Option.isSome(record)) {
    const key = sessionKey({ luck: call.luck, sequence, record: record.value })
    const expiresAtMillis = call.nowMillis + Duration.toMillis(SESSION_LIFE)
    state.sessions.set(key, { account, ip: call.ip, expiresAtMillis })
    return said(
      authenticateResult({
        functionOk: true,
        authSuccess: true,
        errCode: 0,
        errMsg: "",
        respMsg: `SessKey Expires|${usDate(expiresAtMillis)}`,
        sessKey: key,
        user: thisUser({ account, record, isExpired: false, isLockedOut: false })
      })
    )
  }
  const isLockedOut = outcome === "lockReported" || reading.standingNow(events).isLocked
  return said(
    authenticateResult({
      functionOk: true,
      authSuccess: false,
      errCode: 0,
      errMsg: "",
      respMsg: reasonOf(outcome),
      sessKey: "",
      user: thisUser({ account, record, isExpired, isLockedOut })
    }),
    outcome === "locked" ? reading.lockedStatus : 200
  )
}

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
const echo = (state: State, call: Call, fault: Fault): Reply => {
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
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner
  )

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * The Number payments backend, emulated. It counts unsuccessful Authenticate calls per IP on its own, and is the oracle
 * of the library's promise that no location is locked. Source: the seed, "Authentication" and "Lockouts", and
 * `number-api.md`.
 *
 * It speaks REST, and SOAP at any path that ends in `.svc`. Both share the accounts, the count and the queues of
 * faults. A request is processed even if its client has given up on it meanwhile.
 *
 * @since 0.1.0
 * @category services
 */
export class NumberEmulator extends Context.Tag("effect-number-auth/testing/NumberEmulator")<
  NumberEmulator,
  {
    /** Hands a request to the backend. Waits as long as the delivery takes; interrupting it stops the wait only. */
    readonly receive: (incoming: Incoming) => Effect.Effect<Delivery>

    /**
     * Makes a token good for an account, and adds the account if it is new. A token that exists already takes the new
     * expiry and is no longer revoked. `expiresAtMillis` is by the emulator's clock; without it the token never
     * expires. Dies if the account or the token is malformed.
     */
    readonly addToken: (
      account: string,
      token: string,
      options?: { readonly expiresAtMillis?: number }
    ) => Effect.Effect<void>
    /** Revokes a token; its sessions go on. */
    readonly revokeToken: (account: string, token: string) => Effect.Effect<void>
    /** Expires the session keys of one account, or of all accounts. Returns how many were still good. */
    readonly expireSessions: (account?: string) => Effect.Effect<number>
    /** Number's support lifts the lock of an IP: count 0, unlocked. The peak stays. */
    readonly liftLock: (ip: string) => Effect.Effect<void>

    /** Moves the emulator's clock ahead by `duration`, relative to Effect's Clock. Delays are not affected. */
    readonly adjustClock: (duration: Duration.DurationInput) => Effect.Effect<void>
    /** Sets how many milliseconds the emulator's clock is ahead of Effect's Clock, or behind if negative. */
    readonly setClockOffset: (offsetMillis: number) => Effect.Effect<void>
    /** The emulator's time. */
    readonly nowMillis: Effect.Effect<number>
    /** Sets the IP of callers without an IP of their own; `undefined` removes it. */
    readonly setIp: (ip: string | undefined) => Effect.Effect<void>
    /** Sets the HTTP status of an answer that refuses a session key. */
    readonly setRefusalStatus: (status: number) => Effect.Effect<void>
    /** Sets delays of every coming call, before and after processing, on top of those of faults. Default: none. */
    readonly setDelays: (delays: {
      readonly request?: Duration.DurationInput
      readonly answer?: Duration.DurationInput
    }) => Effect.Effect<void>
    /** Queues faults: each coming Authenticate call takes one, in the order of arrival. */
    readonly inject: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
    /** Queues faults for requests to any other method. */
    readonly injectMethod: (...faults: ReadonlyArray<MethodFault>) => Effect.Effect<void>
    /** How many faults are still queued, of both kinds. */
    readonly pendingFaults: Effect.Effect<number>

    /** The standing of an IP under the chosen reading. */
    readonly standing: (ip: string) => Effect.Effect<Standing>
    /**
     * The IP's present count of unsuccessful attempts in a row. If accounts are counted separately: that of its worst
     * account.
     */
    readonly countOf: (ip: string) => Effect.Effect<number>
    /** The highest count that the IP ever reached. */
    readonly peakOf: (ip: string) => Effect.Effect<number>
    /** The highest count that any IP ever reached. */
    readonly peak: Effect.Effect<number>
    /** Whether the IP is locked. */
    readonly isLocked: (ip: string) => Effect.Effect<boolean>
    /** The events that the IP's count is folded from. */
    readonly eventsOf: (ip: string) => Effect.Effect<ReadonlyArray<CountEvent>>
    /** Every Authenticate call that reached the backend: processed, or answered with a fault. */
    readonly log: Effect.Effect<ReadonlyArray<AuthenticateCall>>
    /** Every request of a method other than Authenticate that was executed. */
    readonly executions: Effect.Effect<ReadonlyArray<Execution>>
    /** How often a request with an equal JSON body was executed, by any method. */
    readonly executionsOf: (body: unknown) => Effect.Effect<number>
    /**
     * The number of requests that arrived, including those that were dropped or stalled unprocessed. Refused requests
     * and control requests are not counted.
     */
    readonly requestsSeen: Effect.Effect<number>
    /** All of the above in short. */
    readonly summary: Effect.Effect<Summary>
  }
>() {}

// -----------------------------------------------------------------------------
// control over HTTP
// -----------------------------------------------------------------------------

const DurationJson = Schema.transformOrFail(
  Schema.Union(Schema.NonNegative, Schema.String),
  Schema.DurationFromSelf,
  {
    strict: true,
    decode: (input, _options, ast) =>
      ParseResult.fromOption(
        Duration.decodeUnknown(input),
        () => new ParseResult.Type(ast, input, "not a duration")
      ),
    encode: (duration) => ParseResult.succeed(Duration.toMillis(duration))
  }
)

const MethodFaultJson = Schema.Union(
  Schema.TaggedStruct("Pass", {}),
  Schema.TaggedStruct("Refuse", {}),
  Schema.TaggedStruct("DropRequest", {}),
  Schema.TaggedStruct("DropAnswer", {}),
  Schema.TaggedStruct("StallRequest", {}),
  Schema.TaggedStruct("StallAnswer", {}),
  Schema.TaggedStruct("DelayRequest", { duration: DurationJson }),
  Schema.TaggedStruct("DelayAnswer", { duration: DurationJson }),
  Schema.TaggedStruct("Status", {
    status: Schema.Int.pipe(Schema.between(200, 599)),
    body: Schema.String
  }),
  Schema.TaggedStruct("Body", { body: Schema.String }),
  Schema.TaggedStruct("FunctionNotOk", { code: Schema.Int, message: Schema.String }),
  Schema.TaggedStruct("HugeBody", { bytes: Schema.NonNegativeInt }),
  Schema.TaggedStruct("CutBody", {})
)

const AccountJson = Schema.String.pipe(Schema.filter(isAccountCode))
const TokenJson = Schema.String.pipe(Schema.filter(isToken))
const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const commands = {
  addToken: Schema.Struct({
    account: AccountJson,
    token: TokenJson,
    expiresAtMillis: optional(Schema.Number)
  }),
  revokeToken: Schema.Struct({ account: AccountJson, token: TokenJson }),
  setIp: Schema.Struct({ ip: Schema.NullOr(Schema.String) }),
  liftLock: Schema.Struct({ ip: Schema.String }),
  expireSessions: Schema.Struct({ account: optional(AccountJson) }),
  adjustClock: Schema.Struct({ duration: DurationJson }),
  setClockOffset: Schema.Struct({ offsetMillis: Schema.Number }),
  setRefusalStatus: Schema.Struct({ status: Schema.Int.pipe(Schema.between(200, 599)) }),
  setDelays: Schema.Struct({ request: optional(DurationJson), answer: optional(DurationJson) }),
  inject: Schema.Union(
    Schema.Struct({
      target: optional(Schema.Literal("authenticate")),
      faults: Schema.Array(Schema.Union(MethodFaultJson, Schema.TaggedStruct("ReportLock", {})))
    }),
    Schema.Struct({ target: Schema.Literal("method"), faults: Schema.Array(MethodFaultJson) })
  )
}

const runCommand = (
  emulator: Context.Tag.Service<typeof NumberEmulator>,
  name: string,
  body: unknown
): Effect.Effect<unknown, ParseResult.ParseError> => {
  const read = <A, I>(schema: Schema.Schema<A, I>) => Schema.decodeUnknown(schema)(body)
  switch (name) {
    case "state":
      return Effect.void
    case "addToken":
      return Effect.flatMap(read(commands.addToken), ({ account, token, ...options }) =>
        emulator.addToken(account, token, options)
      )
    case "revokeToken":
      return Effect.flatMap(read(commands.revokeToken), (_) => emulator.revokeToken(_.account, _.token))
    case "setIp":
      return Effect.flatMap(read(commands.setIp), ({ ip }) => emulator.setIp(ip ?? undefined))
    case "liftLock":
      return Effect.flatMap(read(commands.liftLock), ({ ip }) => emulator.liftLock(ip))
    case "expireSessions":
      return Effect.flatMap(read(commands.expireSessions), ({ account }) => emulator.expireSessions(account))
    case "adjustClock":
      return Effect.flatMap(read(commands.adjustClock), ({ duration }) => emulator.adjustClock(duration))
    case "setClockOffset":
      return Effect.flatMap(read(commands.setClockOffset), (_) => emulator.setClockOffset(_.offsetMillis))
    case "setRefusalStatus":
      return Effect.flatMap(read(commands.setRefusalStatus), (_) => emulator.setRefusalStatus(_.status))
    case "setDelays":
      return Effect.flatMap(read(commands.setDelays), (delays) => emulator.setDelays(delays))
    case "inject":
      return Effect.flatMap(read(commands.inject), (_) =>
        _.target === "method" ? emulator.injectMethod(..._.faults) : emulator.inject(..._.faults)
      )
    default:
      return Effect.fail(
        new ParseResult.ParseError({
          issue: new ParseResult.Type(Schema.String.ast, name, "no such command")
        })
      )
  }
}

/** Runs a command, and answers with the summary after it. A bad command is answered with 400. */
const control = (
  emulator: Context.Tag.Service<typeof NumberEmulator>,
  name: string,
  text: string
): Effect.Effect<Answer> =>
  Option.match(text === "" ? Option.some<unknown>({}) : parseJson(text), {
    onNone: () => Effect.succeed(badRequest),
    onSome: (body) =>
      runCommand(emulator, name, body).pipe(
        Effect.zipRight(emulator.summary),
        Effect.map((summary) => json(summary)),
        Effect.catchAll((error) => Effect.succeed(raw(`Bad Request: ${error.message}`, 400)))
      )
  })

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

const emulatorNow = (state: State): Effect.Effect<number> =>
  Effect.map(Clock.currentTimeMillis, (now) => now + state.offsetMillis)

const luck: Effect.Effect<string> = Effect.map(
  Effect.all([Random.nextIntBetween(0, 0x1000000), Random.nextIntBetween(0, 0x1000000)]),
  ([a, b]) => hexOfNumber(a, 6) + hexOfNumber(b, 6)
)

const ipOf = (state: State, incoming: Incoming): string =>
  incoming.headers[IP_HEADER] ??
  incoming.ip ??
  Option.getOrUndefined(state.ip) ??
  incoming.remoteAddress ??
  UNKNOWN_IP

const deliveryOf = (fault: Fault, answer: Answer): Delivery => {
  switch (fault._tag) {
    case "DropAnswer":
      return { _tag: "Reset" }
    case "StallAnswer":
      return { _tag: "Stalled" }
    case "CutBody":
      return { _tag: "Cut", answer }
    default:
      return { _tag: "Answered", answer }
  }
}

const durationOf = (fault: Fault, tag: "DelayRequest" | "DelayAnswer"): Duration.Duration =>
  fault._tag === tag ? fault.duration : Duration.zero

/**
 * Runs `work` after the delay, in the emulator's scope: the work goes on even if the caller stops waiting. `None`: the
 * emulator was closed before.
 */
const later = <A>(
  work: Effect.Effect<A>,
  delay: Duration.Duration,
  scope: Scope.Scope
): Effect.Effect<Effect.Effect<Option.Option<A>>> =>
  Effect.gen(function* () {
    const done = yield* Deferred.make<Option.Option<A>>()
    yield* Effect.sleep(delay).pipe(
      Effect.interruptible,
      Effect.zipRight(work),
      Effect.flatMap((result) => Deferred.succeed(done, Option.some(result))),
      Effect.onInterrupt(() => Deferred.succeed(done, Option.none())),
      Effect.forkIn(scope)
    )
    return Deferred.await(done)
  })

/** Takes the next fault of the queue for a request, and processes the request under that fault. */
const receiveWith = (
  state: State,
  reading: Reading,
  scope: Scope.Scope,
  incoming: Incoming
): Effect.Effect<Delivery> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const isSoap = isSoapPath(incoming.path)
      const request: Request = isSoap
        ? soapRequest(incoming, reading.soap)
        : { method: lastSegments(incoming.path).last, incoming, isMalformed: false }
      const isAuthenticate = request.method === "Authenticate"
      const fault =
        (isAuthenticate ? state.authenticateFaults.shift() : state.methodFaults.shift()) ?? Fault.Pass
      if (fault._tag === "Refuse") return { _tag: "Refused" }
      state.requestsSeen += 1
      if (fault._tag === "DropRequest") return { _tag: "Reset" }
      if (fault._tag === "StallRequest") return { _tag: "Stalled" }

      const ip = ipOf(state, incoming)
      const processing = Effect.gen(function* () {
        const call: Call = { ...request, ip, nowMillis: yield* emulatorNow(state), luck: yield* luck }
        const reply = isAuthenticate ? authenticate(state, reading, call, fault) : echo(state, call, fault)
        return isSoap ? soapAnswer(reply, reading.soap) : restAnswer(reply)
      })
      const requestDelay = Duration.sum(state.requestDelay, durationOf(fault, "DelayRequest"))
      const answerDelay = Duration.sum(state.answerDelay, durationOf(fault, "DelayAnswer"))

      const processed = Duration.greaterThan(requestDelay, Duration.zero)
        ? yield* restore(yield* later(processing, requestDelay, scope))
        : Option.some(yield* processing)
      if (Option.isNone(processed)) return { _tag: "Reset" }
      if (Duration.greaterThan(answerDelay, Duration.zero)) yield* restore(Effect.sleep(answerDelay))
      return deliveryOf(fault, processed.value)
    })
  )

const addTokenTo = (
  state: State,
  input: {
    readonly account: string
    readonly token: string
    readonly nowMillis: number
    readonly expiresAtMillis: number | undefined
  }
): void => {
  const tokens = state.accounts.get(input.account) ?? new Map<string, TokenRecord>()
  state.accounts.set(input.account, tokens)
  const known = tokens.get(input.token)
  const accountId = 205 + Array.from(state.accounts.keys()).indexOf(input.account)
  tokens.set(input.token, {
    id: known?.id ?? 2547 + state.tokensMade,
    accountId,
    createdAtMillis: known?.createdAtMillis ?? input.nowMillis,
    expiresAtMillis: Option.fromNullable(input.expiresAtMillis),
    isRevoked: false
  })
  state.tokensMade += 1
}

const expireSessionsOf = (state: State, account: string | undefined, nowMillis: number): number => {
  const live = Array.from(state.sessions).filter(
    ([, session]) =>
      session.expiresAtMillis > nowMillis && (account === undefined || session.account === account)
  )
  for (const [key, session] of live) {
    state.sessions.set(key, { ...session, expiresAtMillis: Number.NEGATIVE_INFINITY })
  }
  return live.length
}

const summaryOf = (state: State, reading: Reading, nowMillis: number): Summary => {
  const standings = Array.from(state.events, ([ip, events]) => ({ ip, ...standingOf(events, reading) }))
  return {
    nowMillis,
    requestsSeen: state.requestsSeen,
    authenticateCalls: state.calls.length,
    counts: Object.fromEntries(standings.map(({ count, ip }) => [ip, count])),
    peaks: Object.fromEntries(standings.map(({ ip, peak }) => [ip, peak])),
    locks: standings.filter(({ isLocked }) => isLocked).map(({ ip }) => ip),
    calls: state.calls.map(({ account, atMillis, ip, outcome, sequence }) => ({
      sequence,
      atMillis,
      ip,
      account,
      outcome
    })),
    executions: Array.from(state.executions),
    pendingFaults: state.authenticateFaults.length + state.methodFaults.length
  }
}

const dieUnless = (holds: boolean, message: string): Effect.Effect<void> =>
  holds ? Effect.void : Effect.dieMessage(message)

/**
 * Makes an emulator. Delayed requests are processed until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Context.Tag.Service<typeof NumberEmulator>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const rules: Rules = {
      counting: options.counting ?? "ip",
      successClears: options.successClears ?? "all",
      faultsCount: options.faultsCount ?? true,
      lockedStatus: options.lockedStatus ?? 200,
      soap: {
        namespace: options.soapNamespace ?? DEFAULT_SOAP_NAMESPACE,
        actionPrefix: options.soapActionPrefix ?? DEFAULT_SOAP_ACTION_PREFIX
      }
    }
    const reading: Reading = { ...rules, standingNow: makeStandings(rules) }
    const state = initialState(options)
    const standing = (ip: string): Standing => reading.standingNow(state.events.get(ip) ?? [])

    const emulator: Context.Tag.Service<typeof NumberEmulator> = {
      receive: Effect.fn("NumberEmulator.receive")(function* (incoming: Incoming) {
        const { beforeLast, last } = lastSegments(incoming.path)
        if (incoming.method !== "POST") {
          return { _tag: "Answered", answer: raw("Method Not Allowed", 405) }
        }
        return beforeLast === "_emulator"
          ? { _tag: "Answered", answer: yield* control(emulator, last, incoming.body) }
          : yield* receiveWith(state, reading, scope, incoming)
      }),

      addToken: Effect.fn("NumberEmulator.addToken")(function* (account, token, tokenOptions) {
        yield* dieUnless(isAccountCode(account), "An account code is 2 letters and 7 digits")
        yield* dieUnless(isToken(token), "A token is 32 hexadecimal characters")
        const nowMillis = yield* emulatorNow(state)
        addTokenTo(state, { account, token, nowMillis, expiresAtMillis: tokenOptions?.expiresAtMillis })
      }),
      revokeToken: (account, token) =>
        Effect.sync(() => {
          const tokens = state.accounts.get(account)
          const record = tokens?.get(token)
          if (record !== undefined) tokens?.set(token, { ...record, isRevoked: true })
        }),
      expireSessions: (account) =>
        Effect.map(emulatorNow(state), (nowMillis) => expireSessionsOf(state, account, nowMillis)),
      liftLock: (ip) =>
        Effect.sync(() => {
          eventsOf(state, ip).push({ _tag: "Lifted" })
        }),

      adjustClock: (duration) =>
        Effect.sync(() => {
          state.offsetMillis += Duration.toMillis(duration)
        }),
      setClockOffset: (offsetMillis) =>
        Effect.sync(() => {
          state.offsetMillis = offsetMillis
        }),
      nowMillis: emulatorNow(state),
      setIp: (ip) =>
        Effect.sync(() => {
          state.ip = Option.fromNullable(ip)
        }),
      setRefusalStatus: (status) =>
        Effect.sync(() => {
          state.refusalStatus = status
        }),
      setDelays: ({ answer, request }) =>
        Effect.sync(() => {
          state.requestDelay = Duration.decode(request ?? Duration.zero)
          state.answerDelay = Duration.decode(answer ?? Duration.zero)
        }),
      inject: (...faults) =>
        Effect.sync(() => {
          state.authenticateFaults.push(...faults)
        }),
      injectMethod: (...faults) =>
        Effect.sync(() => {
          state.methodFaults.push(...faults)
        }),
      pendingFaults: Effect.sync(() => state.authenticateFaults.length + state.methodFaults.length),

      standing: (ip) => Effect.sync(() => standing(ip)),
      countOf: (ip) => Effect.sync(() => standing(ip).count),
      peakOf: (ip) => Effect.sync(() => standing(ip).peak),
      peak: Effect.sync(() => Math.max(0, ...Array.from(state.events.keys(), (ip) => standing(ip).peak))),
      isLocked: (ip) => Effect.sync(() => standing(ip).isLocked),
      eventsOf: (ip) => Effect.sync(() => Array.from(state.events.get(ip) ?? [])),
      log: Effect.sync(() => Array.from(state.calls)),
      executions: Effect.sync(() => Array.from(state.executions)),
      executionsOf: (body) =>
        Effect.sync(() => state.executions.filter((_) => canonical(_.body) === canonical(body)).length),
      requestsSeen: Effect.sync(() => state.requestsSeen),
      summary: Effect.map(emulatorNow(state), (nowMillis) => summaryOf(state, reading, nowMillis))
    }
    return emulator
  })

/**
 * An emulator that lives as long as the layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<NumberEmulator> =>
  Layer.scoped(NumberEmulator, make(options))

// -----------------------------------------------------------------------------
// HttpClient
// -----------------------------------------------------------------------------

const connectionError = (code: "ECONNREFUSED" | "ECONNRESET", syscall: "connect" | "read"): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall })

const transport = (
  request: HttpClientRequest.HttpClientRequest,
  cause: unknown
): HttpClientError.RequestError => new HttpClientError.RequestError({ request, reason: "Transport", cause })

const encodeError = (
  request: HttpClientRequest.HttpClientRequest,
  cause: unknown
): HttpClientError.RequestError => new HttpClientError.RequestError({ request, reason: "Encode", cause })

interface SentBody {
  readonly text: string
  readonly contentType?: string
}

const readRequestBody = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<SentBody, HttpClientError.RequestError> => {
  const body = request.body
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({ text: "" })
    case "Uint8Array":
      return Effect.succeed({ text: new TextDecoder().decode(body.body) })
    case "Raw":
      return typeof body.body === "string"
        ? Effect.succeed({ text: body.body })
        : body.body instanceof Uint8Array
          ? Effect.succeed({ text: new TextDecoder().decode(body.body) })
          : Effect.fail(encodeError(request, new Error("the emulator reads text and bytes only")))
    case "Stream":
      return body.stream.pipe(
        Stream.decodeText(),
        Stream.mkString,
        Effect.map((text) => ({ text })),
        Effect.mapError((cause) => encodeError(request, cause))
      )
    case "FormData": {
      const web = new Response(body.formData)
      return Effect.tryPromise({
        try: () => web.text(),
        catch: (cause) => encodeError(request, cause)
      }).pipe(Effect.map((text) => ({ text, contentType: web.headers.get("content-type") ?? "" })))
    }
  }
}

const abortOf = (
  request: HttpClientRequest.HttpClientRequest,
  signal: AbortSignal
): Effect.Effect<never, HttpClientError.RequestError> =>
  Effect.async((resume) => {
    const onAbort = (): void => resume(Effect.fail(transport(request, signal.reason)))
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener("abort", onAbort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", onAbort))
  })

/** Half of the bytes, then the reset. */
const cutBody = (bytes: Uint8Array<ArrayBuffer>): MemoryBody => ({
  bytes: bytes.slice(0, Math.floor(bytes.length / 2)),
  breaksOffWith: connectionError("ECONNRESET", "read")
})

const bytesOf = ({ body }: Answer): Uint8Array<ArrayBuffer> => new TextEncoder().encode(body)

const deliver = (
  request: HttpClientRequest.HttpClientRequest,
  delivery: Delivery
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.RequestError> => {
  switch (delivery._tag) {
    case "Answered":
      return Effect.sync(
        () => new MemoryResponse(request, delivery.answer, { bytes: bytesOf(delivery.answer) })
      )
    case "Cut":
      return Effect.sync(
        () => new MemoryResponse(request, delivery.answer, cutBody(bytesOf(delivery.answer)))
      )
    case "Reset":
      return Effect.fail(transport(request, connectionError("ECONNRESET", "read")))
    case "Refused":
      return Effect.fail(transport(request, connectionError("ECONNREFUSED", "connect")))
    case "Stalled":
      return Effect.never
  }
}

/**
 * An HttpClient that reaches the emulator without a network, for any host in the URL. It calls from `ip`; without one,
 * it calls from the IP of `setIp`. A header `X-Emulator-IP` overrides both.
 *
 * A refused or reset connection fails with a `RequestError` of reason `Transport`, whose cause has the `code`
 * `ECONNREFUSED` or `ECONNRESET`. A body that breaks off fails when it is read, with a `ResponseError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const httpClient = (
  emulator: Context.Tag.Service<typeof NumberEmulator>,
  ip?: string
): HttpClient.HttpClient =>
  HttpClient.make((request, url, signal) =>
    Effect.gen(function* () {
      if (signal.aborted) return yield* transport(request, signal.reason)
      const { contentType = request.headers["content-type"], text } = yield* readRequestBody(request)
      const delivery = yield* emulator.receive({
        method: request.method,
        path: url.pathname,
        headers: { ...request.headers, "content-type": contentType },
        body: text,
        ...(ip === undefined ? {} : { ip })
      })
      return yield* deliver(request, delivery)
    }).pipe(Effect.raceFirst(abortOf(request, signal)))
  )

/**
 * The emulator as the HttpClient of all services, calling from the IP of `setIp`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, NumberEmulator> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(NumberEmulator, (emulator) => httpClient(emulator))
)

/**
 * The emulator as the HttpClient of all services, always calling from one IP.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClientFrom = (ip: string): Layer.Layer<HttpClient.HttpClient, never, NumberEmulator> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(NumberEmulator, (emulator) => httpClient(emulator, ip))
  )
