/**
 * XML as far as SOAP needs it: elements by their local names, and text. Number's answers come over the network, so
 * dangerous XML is refused: a DTD, entities other than XML's own five, and unlimited depth or number of tags.
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

/** Far more tags than the list of merchants in an answer to Authenticate has. They parse in a fraction of a second. */
export const mostTags = 20_000

const deepest = 64

const mostAttributes = 64

const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

const parser = new DOMParser({
  locator: false,
  // Warnings are errors too: an answer that is not well-formed is no answer.
  onError: (level) => {
    throw new Error(level)
  }
})

interface ElementNode extends Node {
  readonly localName: string
  readonly getAttributeNS: (namespace: string, localName: string) => string | null
}

const isElement = (node: Node): node is ElementNode => node.nodeType === node.ELEMENT_NODE

/** Reads an element. Throws if an element is nil but not empty. */
const read = (element: ElementNode): XmlElement => {
  const children: Array<XmlElement> = []
  let text = ""
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (isElement(node)) children.push(read(node))
    else if (node.nodeType === node.TEXT_NODE || node.nodeType === node.CDATA_SECTION_NODE) {
      text += node.nodeValue ?? ""
    }
  }
  const nil = element.getAttributeNS(schemaInstance, "nil")?.trim()
  const isNil = nil === "true" || nil === "1"
  if (isNil && (children.length > 0 || text.trim() !== "")) throw new Error("nil and not empty")
  return { name: element.localName, isNil, text: children.length === 0 ? text : "", children }
}

/** Whether XML 1.0 allows a character (its production `Char`). */
const isChar = (code: number): boolean =>
  code === 0x9 ||
  code === 0xa ||
  code === 0xd ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff)

const notChars = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u

/** Whether every `&` begins one of XML's own five entities, or a reference to a character that XML allows. */
const hasGoodReferences = (text: string): boolean => {
  for (const [all, named, decimal, hexadecimal] of text.matchAll(
    /&(?:(amp|lt|gt|quot|apos);|#(\d{1,7});|#x([\dA-Fa-f]{1,6});)?/g
  )) {
    if (named !== undefined) continue
    if (all === "&" || !isChar(decimal === undefined ? parseInt(hexadecimal!, 16) : Number(decimal)))
      return false
  }
  return true
}

const endTag = /<\/[^\s"'<>/=&!?]+[ \t\r\n]*>/y
const tagBegin = /<[^\s"'<>/=&!?]+/y
const attribute = /[ \t\r\n]+[^\s"'<>/=&]+[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y
const tagEnd = /[ \t\r\n]*(\/?)>/y

/** Matches at one place only. */
const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** The end of a start tag, and whether it is empty; null if it is no start tag, or has too many attributes. */
const startTag = (text: string, from: number): { readonly end: number; readonly isEmpty: boolean } | null => {
  let at = from + (matchAt(tagBegin, text, from)?.[0].length ?? Infinity)
  for (let attributes = 0; attributes <= mostAttributes; attributes++) {
    const found = matchAt(attribute, text, at)
    if (found === null) {
      const end = matchAt(tagEnd, text, at)
      return end === null ? null : { end: at + end[0].length, isEmpty: end[1] === "/" }
    }
    if (!hasGoodReferences(found[1] ?? found[2] ?? "")) return null
    at += found[0].length
  }
  return null
}

/**
 * Scans a document once from left to right, before the parser builds anything from it. It refuses documents that could
 * take the parser unlimited time or memory, and malformed documents that the parser accepts. The parser itself checks
 * whether tag names are valid and match, and whether an attribute is repeated.
 */
const isFitToParse = (text: string, most: number): boolean => {
  if (notChars.test(text)) return false
  let depth = 0
  let roots = 0
  let at = 0
  for (let tags = 0; ; tags++) {
    const next = text.indexOf("<", at)
    const between = text.slice(at, next < 0 ? undefined : next)
    if (depth === 0 ? /[^ \t\r\n]/.test(between) : between.includes("]]>") || !hasGoodReferences(between)) {
      return false
    }
    if (next < 0) return depth === 0 && roots === 1
    if (tags >= most) return false
    const skipTo = (end: string, length: number): boolean => {
      const found = text.indexOf(end, next + length)
      at = found + end.length
      return found >= 0
    }
    if (text.startsWith("<!--", next)) {
      if (!skipTo("-->", 4)) return false
    } else if (text.startsWith("<![CDATA[", next)) {
      if (depth === 0 || !skipTo("]]>", 9)) return false
    } else if (text.startsWith("<?", next)) {
      if (!skipTo("?>", 2)) return false
    } else if (text.startsWith("</", next)) {
      const tag = matchAt(endTag, text, next)
      depth -= 1
      if (tag === null || depth < 0) return false
      at = next + tag[0].length
    } else {
      // This refuses a DTD too, since it is no tag. A DTD defines entities, such as entity bombs and external files.
      const tag = startTag(text, next)
      if (tag === null || depth >= deepest) return false
      if (depth === 0) roots += 1
      if (!tag.isEmpty) depth += 1
      at = tag.end
    }
  }
}

/**
 * Parses a document to its root element. None if it is not well-formed, has a DTD, is deeper than 64 elements, has an
 * element with more than 64 attributes, or has more than `most` tags. It takes any text, and never throws.
 */
export const parseXml = (text: string, most: number = mostTags): Option.Option<XmlElement> => {
  if (!isFitToParse(text, most)) return Option.none()
  try {
    const root = parser.parseFromString(text, "text/xml").documentElement
    return root === null ? Option.none() : Option.some(read(root as unknown as ElementNode))
  } catch {
    return Option.none()
  }
}

/** The content of an element, as in JSON: null, text, or fields. A repeated field is an array. */
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

/** Whether a text holds only characters that XML allows. */
export const isXmlText = (text: string): boolean => !notChars.test(text)

/** Text escaped for an element. Characters that XML does not allow, such as control characters, are left out. */
export const escapeXml = (text: string): string =>
  text
    .replace(new RegExp(notChars, "gu"), "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#13;")
