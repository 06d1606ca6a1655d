/**
 * Requests, as REST and SOAP write them.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SoapNames } from "./rules.js"
import { elementsIn, soapFieldsOf, soapMethodOf } from "./soap.js"
import type { Incoming } from "./state.js"

/** A request in the form of REST. */
export interface Request {
  readonly method: string
  readonly incoming: Incoming
  /** Whether the request cannot be read as a call. Then no method is carried out. */
  readonly isMalformed: boolean
}

export const soapRequest = (incoming: Incoming, names: SoapNames): Request => {
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

export const lastSegments = (path: string): { readonly last: string; readonly beforeLast: string } => {
  const segments = path.split("/").filter((segment) => segment !== "")
  return { last: segments.at(-1) ?? "", beforeLast: segments.at(-2) ?? "" }
}

const Credentials = Schema.parseJson(Schema.Struct({ AcctCode: Schema.String, Token: Schema.String }))

const isJson = (incoming: Incoming): boolean =>
  (incoming.headers["content-type"] ?? "").toLowerCase().startsWith("application/json")

export const readCredentials = (incoming: Incoming): Option.Option<typeof Credentials.Type> =>
  isJson(incoming) ? decodeCredentials(incoming.body) : Option.none()

export const parseJson = Schema.decodeUnknownOption(Schema.parseJson())

const decodeCredentials = Schema.decodeUnknownOption(Credentials)

export const readBody = (incoming: Incoming): Option.Option<unknown> =>
  incoming.body === "" ? Option.some(null) : isJson(incoming) ? parseJson(incoming.body) : Option.none()
