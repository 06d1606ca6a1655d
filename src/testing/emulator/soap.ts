/**
 * Answers over SOAP: an adapter in front of the same accounts and the same count.
 */
import { DOMParser, type Element } from "@xmldom/xmldom"
import * as Option from "effect/Option"
import type { Reply } from "./answers.js"
import { raw } from "./answers.js"
import type { SoapNames } from "./rules.js"
import type { Answer } from "./state.js"

export const DEFAULT_SOAP_NAMESPACE = "http://tempuri.org/"

export const DEFAULT_SOAP_ACTION_PREFIX = "http://tempuri.org/ICardProcess/"

/** The namespaces of an answer, as WCF names them. */
const ENVELOPE_NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/"

const DATA_NAMESPACE = "http://schemas.datacontract.org/2004/07/APIcardProcR119"

const INSTANCE_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"

/** The lists whose elements have a documented name of their own. Any other list repeats its own element. */
const ELEMENTS_OF_LISTS: Readonly<Record<string, string>> = { MerchantList: "MerchantInfo" }

export const isSoapPath = (path: string): boolean => /\.svc$/i.test(path)

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

export const soapAnswer = (reply: Reply, { namespace }: SoapNames): Answer => {
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

export const elementsIn = (parent: Element): ReadonlyArray<Element> =>
  Array.from(parent.childNodes).filter((node): node is Element => node.nodeType === node.ELEMENT_NODE)

/** The value of a parameter, as in JSON. A repeated parameter is an array. */
const soapValueOf = (element: Element): unknown => {
  const elements = elementsIn(element)
  if (element.getAttributeNS(INSTANCE_NAMESPACE, "nil") === "true") return null
  return elements.length === 0 ? (element.textContent ?? "") : soapFieldsOf(elements)
}

export const soapFieldsOf = (elements: ReadonlyArray<Element>): Readonly<Record<string, unknown>> => {
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
export const soapMethodOf = (text: string): Option.Option<Element> => {
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
