/**
 * XML as far as SOAP needs it: elements by their local names, and text. Number's answers come over the network, so what
 * they must not do is refused: no DTD, no entities but XML's own five, no depth or number of tags without end.
 */
import { DOMParser, type Node } from "@xmldom/xmldom"
import * as Option from "effect/Option"

/** An element: its local name, whether it is `xsi:nil`, the text of a leaf, and the elements in it. */
export interface XmlElement {
  readonly name: string
  readonly isNil: boolean
  readonly text: string
  readonly children: ReadonlyArray<XmlElement>
}

/** Far more than an answer to Authenticate has, which lists merchants; parsed in a fraction of a second. */
export const mostTags = 20_000

const deepest = 64

const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

const parser = new DOMParser({
  locator: false,
  // Also what it would only warn of: an answer that is not well-formed is none.
  onError: (level) => {
    throw new Error(level)
  }
})

interface ElementNode extends Node {
  readonly localName: string
  readonly getAttributeNS: (namespace: string, localName: string) => string | null
}

const isElement = (node: Node): node is ElementNode => node.nodeType === node.ELEMENT_NODE

/** Fails by throwing where it is too deep. */
const read = (element: ElementNode, depth: number): XmlElement => {
  if (depth > deepest) throw new Error("too deep")
  const children: Array<XmlElement> = []
  let text = ""
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (isElement(node)) children.push(read(node, depth + 1))
    else if (node.nodeType === node.TEXT_NODE || node.nodeType === node.CDATA_SECTION_NODE) {
      text += node.nodeValue ?? ""
    }
  }
  const nil = element.getAttributeNS(schemaInstance, "nil")
  return {
    name: element.localName,
    isNil: nil === "true" || nil === "1",
    text: children.length === 0 ? text : "",
    children
  }
}

const hasMoreTags = (text: string, most: number): boolean => {
  let tags = 0
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at + 1)) {
    tags += 1
    if (tags > most) return true
  }
  return false
}

/**
 * Parses a document to its root element; none where it is not well-formed, has a DTD, is deeper than 64 elements or has
 * more than `most` tags. Takes any text, and never throws.
 */
export const parseXml = (text: string, most: number = mostTags): Option.Option<XmlElement> => {
  // A DTD is where entities come from: the bombs, and the files of others. Refused before anything of it is read.
  if (/<!(DOCTYPE|ENTITY)/i.test(text) || hasMoreTags(text, most)) return Option.none()
  try {
    const root = parser.parseFromString(text, "text/xml").documentElement
    return root === null ? Option.none() : Option.some(read(root as unknown as ElementNode, 0))
  } catch {
    return Option.none()
  }
}

/** What an element holds, as JSON would have it: null, text, or fields; a field that is there several times is an array. */
export type XmlValue = null | string | { readonly [name: string]: XmlValue | ReadonlyArray<XmlValue> }

/** Reads an element as {@link XmlValue}. */
export const valueOf = ({ children, isNil, text }: XmlElement): XmlValue => {
  if (isNil) return null
  if (children.length === 0) return text
  const fields = new Map<string, Array<XmlValue>>()
  for (const child of children) {
    const values = fields.get(child.name) ?? []
    fields.set(child.name, values)
    values.push(valueOf(child))
  }
  return Object.fromEntries(
    Array.from(fields, ([name, values]) => [name, values.length === 1 ? values[0]! : values] as const)
  )
}

/** Text as it may stand in an element. What XML cannot hold, such as control characters, is left out. */
export const escapeXml = (text: string): string =>
  text
    .replace(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      ""
    )
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;")
