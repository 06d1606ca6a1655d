/**
 * Envelopes of SOAP 1.1 (`number-api.md`, section "SOAP").
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Option from "effect/Option"
import { hiddenBody } from "../http/hiddenBody.js"
import { escapeXml, type XmlElement } from "./xml.js"

/** The parameters of a method: one element for each, in this order. Null is left out. */
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

/** Whether a name can be an XML element's name as it stands, without a prefix. */
export const isElementName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)

/** The envelope of a call. The caller has checked the names by {@link isElementName}, and the namespace. */
const envelope = ({ namespace }: Wire, method: string, parameters: SoapParameters): string =>
  `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><${method} xmlns="${escapeXml(namespace)}">${elements(parameters)}</${method}></s:Body></s:Envelope>`

/** The request of a call. Secrets are in the body only, and the body is not printed. */
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

/** The one element in an envelope's body. None if the root is no envelope, or the body does not hold exactly one. */
export const bodyChild = (root: XmlElement): Option.Option<XmlElement> =>
  root.name === "Envelope"
    ? Option.flatMap(only(root, "Body"), ({ children }) =>
        children.length === 1 ? Option.fromNullable(children[0]) : Option.none()
      )
    : Option.none()

/** The result of a method in the body's element: `<Method>Response/<Method>Result`, or an element of a bare name. */
export const resultOf =
  (method: string, bare: ReadonlyArray<string> = []) =>
  (child: XmlElement): Option.Option<XmlElement> => {
    if (bare.includes(child.name)) return Option.some(child)
    return child.name === `${method}Response` ? only(child, `${method}Result`) : Option.none()
  }

/**
 * The result of a method whose answer has the common fields. It is the result of {@link resultOf}. Else it is the
 * body's element itself, if that holds `FunctionOk`: the `<Method>Response`, or an element of another name in its place
 * (such as `api_AuthResponse` for Authenticate).
 */
export const methodResultOf =
  (method: string) =>
  (child: XmlElement): Option.Option<XmlElement> =>
    Option.orElse(resultOf(method)(child), () =>
      child.children.some(({ name }) => /^FunctionO[kK]$/.test(name)) ? Option.some(child) : Option.none()
    )

/** The text of a fault for people: `faultstring` of SOAP 1.1, `Reason/Text` of SOAP 1.2. */
export const faultText = (fault: XmlElement): string =>
  only(fault, "faultstring").pipe(
    Option.orElse(() => Option.flatMap(only(fault, "Reason"), (reason) => only(reason, "Text"))),
    Option.match({ onNone: () => "", onSome: ({ text }) => text.trim() })
  )
