/**
 * The two ways in which attempts are sent, for tests that run on both.
 */
import { readFileSync } from "node:fs"
import type { HttpClient, HttpClientRequest } from "@effect/platform"
import type { Layer } from "effect"
import type { AttemptOutcome } from "../../src/schemas/AttemptOutcome.js"
import type { Token } from "../../src/schemas/Credentials.js"
import type { InvalidInput } from "../../src/schemas/InvalidInput.js"
import {
  type Answer,
  type Attempt,
  classifyRestAnswer,
  layerRest,
  type NumberTransport,
  restRequest
} from "../../src/services/wire/NumberTransport.js"
import {
  classifySoapAnswer,
  decodeSoapOptions,
  defaultSoapNamespace,
  layer as layerSoap,
  soapRequest
} from "../../src/services/wire/SoapTransport.js"

export const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8")

const jsonSample = fixture("authenticate-accepted.json")
const result = JSON.parse(jsonSample).AuthenticateResult

export interface Wire {
  readonly name: "REST" | "SOAP"
  /** The transport that sends to a path below a root, such as `http://127.0.0.1:1234/v1`. */
  readonly layer: (root: string) => Layer.Layer<NumberTransport, InvalidInput, HttpClient.HttpClient>
  readonly layerDefault: Layer.Layer<NumberTransport, InvalidInput, HttpClient.HttpClient>
  readonly defaultUrl: string
  readonly request: (root: string, attempt: Attempt) => HttpClientRequest.HttpClientRequest
  /** The URL of an attempt. */
  readonly url: (root: string) => string
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string
  /** The body of an attempt. */
  readonly body: (account: string, token: string) => string
  /** The end of an attempt's body. */
  readonly bodyEnd: string
  readonly classify: (answer: Answer, token: Token) => AttemptOutcome
  /** The documented answer to an attempt that succeeded, and the end of its token. */
  readonly sample: string
  readonly tokenEnds: string
  /** The answer with the fields changed; undefined leaves one out. */
  readonly withResult: (fields: Readonly<Record<string, unknown>>) => string
  /**
   * A value that is nearly true, and not a boolean on this wire. Then a value that is not a text on this
   * wire.
   */
  readonly notBoolean: string
  readonly notText: unknown
  /** Malformed bodies. */
  readonly malformed: ReadonlyArray<string>
  /** Whether an answer says, in any part of it, that the attempt succeeded, and nowhere the contrary. */
  readonly saysAccepted: (body: string) => boolean
}

const withJsonResult = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ AuthenticateResult: { ...result, ...fields } })

export const rest: Wire = {
  name: "REST",
  layer: (baseUrl) => layerRest({ baseUrl }),
  layerDefault: layerRest(),
  defaultUrl: "https://easypay5.com/APIcardProcNumber/v1.0.0/Authenticate",
  request: restRequest,
  url: (root) => `${root}/Authenticate`,
  headers: { accept: "application/json" },
  contentType: "application/json",
  body: (account, token) => `{"AcctCode":"${account}","Token":"${token}"}`,
  bodyEnd: "}",
  classify: classifyRestAnswer,
  sample: jsonSample,
  tokenEnds: "2024-12-01T11:19:01Z",
  withResult: withJsonResult,
  notBoolean: "true",
  notText: 7,
  malformed: [
    "{}",
    "[]",
    '{"AuthenticateResult":null}',
    withJsonResult({ FunctionOk: "true" }),
    fixture("authenticate-accepted.soap.xml")
  ],
  saysAccepted: (body) => {
    const { AuthSuccess, FunctionOK, FunctionOk } = JSON.parse(body).AuthenticateResult
    const flags = [FunctionOk, FunctionOK].filter((flag) => flag !== undefined)
    return AuthSuccess === true && flags.length > 0 && flags.every((flag) => flag === true)
  }
}

const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;")

const elementOf = (name: string, value: unknown): string => {
  if (value === undefined) return ""
  if (value === null) return `<${name} xsi:nil="true"/>`
  if (name === "MerchantList" && Array.isArray(value)) {
    return `<${name}>${value.map((each) => elementOf("MerchantInfo", each)).join("")}</${name}>`
  }
  if (Array.isArray(value)) return value.map((each) => elementOf(name, each)).join("")
  const content =
    typeof value === "object"
      ? elementsOf(value)
      : escaped(typeof value === "string" ? value : JSON.stringify(value))
  return `<${name}>${content}</${name}>`
}

const elementsOf = (fields: object): string =>
  Object.entries(fields)
    .map(([name, value]) => elementOf(name, value))
    .join("")

/** An envelope of SOAP 1.1, with a body as it is. */
export const enveloped = (body: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Header/><s:Body>${body}</s:Body></s:Envelope>`

/** The answer to a method, wrapped as WCF does it. */
export const soapResult = (
  method: string,
  fields: object,
  namespace: string = defaultSoapNamespace
): string =>
  enveloped(
    `<${method}Response xmlns="${namespace}"><${method}Result>${elementsOf(fields)}</${method}Result></${method}Response>`
  )

/** A fault of SOAP 1.1. */
export const soapFault = (text: string, code = "s:Server"): string =>
  enveloped(
    `<s:Fault><faultcode>${code}</faultcode><faultstring xml:lang="en-US">${escaped(text)}</faultstring></s:Fault>`
  )

const withSoapResult = (fields: Readonly<Record<string, unknown>>): string =>
  soapResult("Authenticate", { ...result, ...fields })

const soapSample = fixture("authenticate-accepted.soap.xml")

const wireAt = (root: string) => {
  const decoded = decodeSoapOptions({ endpoint: `${root}/CardProcAPI.svc` })
  if (decoded._tag === "Left") throw decoded.left
  return decoded.right
}

export const soap: Wire = {
  name: "SOAP",
  layer: (root) => layerSoap({ endpoint: `${root}/CardProcAPI.svc` }),
  layerDefault: layerSoap(),
  defaultUrl: "https://easypay5.com/APIcardProcR119/CardProcAPI.svc",
  request: (root, attempt) => soapRequest(wireAt(root), attempt),
  url: (root) => `${root}/CardProcAPI.svc`,
  headers: { accept: "text/xml", soapaction: '"http://tempuri.org/ICardProcess/Authenticate"' },
  contentType: "text/xml; charset=utf-8",
  body: (account, token) =>
    `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Authenticate xmlns="http://tempuri.org/"><AcctCode>${account}</AcctCode><Token>${token}</Token></Authenticate></s:Body></s:Envelope>`,
  bodyEnd: "</s:Envelope>",
  classify: classifySoapAnswer,
  sample: soapSample,
  tokenEnds: "2019-09-11T20:12:00Z",
  withResult: withSoapResult,
  notBoolean: "yes",
  notText: { a: "b" },
  malformed: [
    jsonSample,
    enveloped(""),
    enveloped("true"),
    enveloped("<AuthenticateResponse/>"),
    enveloped('<AuthenticateResponse><AuthenticateResult xsi:nil="true"/></AuthenticateResponse>'),
    withSoapResult({ FunctionOk: "yes" }),
    withSoapResult({ FunctionOk: null }),
    soapSample.replaceAll("soapenv:Body", "soapenv:Bodies"),
    soapSample.replaceAll("soapenv:Envelope", "soapenv:Letter")
  ],
  saysAccepted: (body) => {
    const texts = (name: string): ReadonlyArray<string> =>
      Array.from(
        body.matchAll(new RegExp(`<(?:[^\\s:<>/]+:)?${name}(?:\\s[^<>]*)?>([^<]*)</`, "g")),
        (match) => match[1]!.trim()
      )
    const isTrue = (text: string): boolean => text === "true" || text === "1"
    const [success, functionOk] = [texts("AuthSuccess"), [...texts("FunctionOk"), ...texts("FunctionOK")]]
    return success.length === 1 && isTrue(success[0]!) && functionOk.length > 0 && functionOk.every(isTrue)
  }
}

export const wires: ReadonlyArray<Wire> = [rest, soap]
