/**
 * Envelopes of SOAP 1.1 (`number-api.md`, section "SOAP").
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Option from "effect/Option"
import { hiddenBody } from "../http/hiddenBody.js"
import { escapeXml, type XmlElement } from "./xml.js"

/** What a method is called with: an element for each, in this order; null is left out. */
export interface SoapParameters {
  readonly [name: string]: SoapParameter | ReadonlyArray<SoapParameter>
}

type SoapParameter = string | number | boolean | null | SoapParameters

interface Wire {
  readonly endpoint: string
  readonly namespace: string
  readonly actionPrefix: string
}

const isSeveral = (value: SoapParameters[string]): value is ReadonlyArray<SoapParameter> =>
  Array.isArray(value)

const element = (name: string, value: SoapParameter): string => {
  if (value === null) return ""
  const content = typeof value === "object" ? elements(value) : escapeXml(String(value))
  return `<${name}>${content}</${name}>`
}

const elements = (parameters: SoapParameters): string =>
  Object.entries(parameters)
    .flatMap(([name, value]) =>
      isSeveral(value) ? value.map((each) => element(name, each)) : [element(name, value)]
    )
    .join("")

/** The names that XML can hold as they stand, without a prefix. */
export const isElementName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)

/** The envelope of a call. Names have to be {@link isElementName}; the namespace was checked. */
const envelope = ({ namespace }: Wire, method: string, parameters: SoapParameters): string =>
  `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><${method} xmlns="${escapeXml(namespace)}">${elements(parameters)}</${method}></s:Body></s:Envelope>`

/** The request of a call. What secret there is, is in the body only, which is not printed. */
export const soapCall = (
  wire: Wire,
  method: string,
  parameters: SoapParameters
): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.post(wire.endpoint).pipe(
    HttpClientRequest.setHeaders({
      accept: "text/xml",
      soapaction: `"${wire.actionPrefix}${method}"`
    }),
    HttpClientRequest.setBody(
      hiddenBody(HttpBody.text(envelope(wire, method, parameters), "text/xml; charset=utf-8"))
    )
  )

const only = (element: XmlElement, name: string): Option.Option<XmlElement> => {
  const found = element.children.filter((child) => child.name === name)
  return found.length === 1 ? Option.fromNullable(found[0]) : Option.none()
}

/** The one element in the body of an envelope; none where it is no envelope, or holds another number. */
export const bodyChild = (root: XmlElement): Option.Option<XmlElement> =>
  root.name === "Envelope"
    ? Option.flatMap(only(root, "Body"), ({ children }) =>
        children.length === 1 ? Option.fromNullable(children[0]) : Option.none()
      )
    : Option.none()

/** The result of a method in what the body holds: `<Method>Response/<Method>Result`, or an element of a bare name. */
export const resultOf =
  (method: string, bare: ReadonlyArray<string> = []) =>
  (child: XmlElement): Option.Option<XmlElement> => {
    if (bare.includes(child.name)) return Option.some(child)
    return child.name === `${method}Response` ? only(child, `${method}Result`) : Option.none()
  }

/**
 * The result of a method that answers as all of them do: as {@link resultOf} has it, or what holds `FunctionOk` itself, be it
 * the `<Method>Response` or one element of another name in its place (as `api_AuthResponse` is Authenticate's).
 */
export const methodResultOf =
  (method: string) =>
  (child: XmlElement): Option.Option<XmlElement> =>
    Option.orElse(resultOf(method)(child), () =>
      child.children.some(({ name }) => /^FunctionO[kK]$/.test(name)) ? Option.some(child) : Option.none()
    )

/** What a fault says to people: `faultstring` of SOAP 1.1, `Reason/Text` of SOAP 1.2. */
export const faultText = (fault: XmlElement): string =>
  only(fault, "faultstring").pipe(
    Option.orElse(() => Option.flatMap(only(fault, "Reason"), (reason) => only(reason, "Text"))),
    Option.match({ onNone: () => "", onSome: ({ text }) => text.trim() })
  )
