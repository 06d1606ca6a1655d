import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { escapeXml, isXmlText, mostTags, parseXml, valueOf } from "../../../../src/services/wire/soap/xml.js"

const read = (text: string, most?: number) => Option.getOrNull(parseXml(text, most))
const value = (text: string) => Option.getOrNull(Option.map(parseXml(text), valueOf))
const isRefused = (text: string, most?: number): void => assert.isNull(read(text, most), text.slice(0, 80))
const isTaken = (text: string, most?: number): void => assert.isNotNull(read(text, most), text.slice(0, 80))

const nil = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil'

describe("an XML document", () => {
  it("is read by local names, with the text of its leaves", () => {
    assert.deepStrictEqual(read('<?xml version="1.0"?><!-- a --><s:a xmlns:s="u"><b>1</b> <c/></s:a>\n'), {
      name: "a",
      isNil: false,
      text: "",
      children: [
        { name: "b", isNil: false, text: "1", children: [] },
        { name: "c", isNil: false, text: "", children: [] }
      ]
    })
    assert.strictEqual(read("<a>x<!-- < & --><![CDATA[<&]]>y&amp;&#65;&#x42;<?p < ?></a>")?.text, "x<&y&AB")
  })

  it("is nil by the schema's attribute only, and then holds nothing", () => {
    for (const yes of ["true", "1", " true "]) assert.isTrue(read(`<a ${nil}="${yes}"> </a>`)?.isNil)
    for (const no of ["false", "0", ""]) assert.isFalse(read(`<a ${nil}="${no}">1</a>`)?.isNil)
    assert.isFalse(read('<a nil="true"/>')?.isNil)
    isRefused(`<a ${nil}="true">1</a>`)
    isRefused(`<a ${nil}="true"><b/></a>`)
  })

  it("has one root, and nothing but blanks around it", () => {
    for (const text of ["<a/>", " \t\r\n<a/> \t\r\n", "<a></a >", "<a/><!-- b -->", "<!-->--><a/>"])
      isTaken(text)
    for (const text of [
      "",
      " ",
      "x<a/>",
      "<a/>x",
      "<a/><b/>",
      "<a></a><b></b>",
      "<!-- a -->",
      "\u00a0<a/>",
      "<a/>\u00a0",
      "<a></a>\ufeff",
      "<a></a>\u0085",
      "<a></a><![CDATA[]]>",
      "<a/><![CDATA[]>]]>"
    ]) {
      isRefused(text)
    }
  })

  it("closes what it opens, and no more", () => {
    for (const text of [
      "<a>",
      "<a><b></a>",
      "</a>",
      "<a></a></a>",
      "<a></b>",
      "<a",
      "<a/",
      "<a><",
      "<a></a",
      "< a/>"
    ]) {
      isRefused(text)
    }
    for (const text of [
      "<a><!-- ",
      "<a><!--></a>",
      "<a><![CDATA[x</a>",
      "<a><?p </a>",
      "<![CDATA[x]]><a/>"
    ]) {
      isRefused(text)
    }
    isRefused("<a>]]></a>")
  })

  it("has no DTD, and so no entities of its own", () => {
    for (const text of [
      "<!DOCTYPE a><a/>",
      '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
      '<!DOCTYPE a SYSTEM "file:///etc/hosts"><a/>',
      "<a><!DOCTYPE a></a>"
    ]) {
      isRefused(text)
    }
    assert.strictEqual(read("<a>&amp;&lt;&gt;&quot;&apos;</a>")?.text, "&<>\"'")
    for (const text of [
      "<a>&b;</a>",
      "<a>&</a>",
      "<a>& b</a>",
      "<a>&amp</a>",
      '<a b="&c;"/>',
      "<a b='&c;'/>"
    ]) {
      isRefused(text)
    }
    isTaken(`<a b="&amp;" c='&lt;'/>`)
  })

  it("refers to no character that XML cannot hold", () => {
    const good = ["9", "10", "13", "32", "55295", "57344", "65533", "65536", "1114111"]
    const bad = ["0", "8", "11", "12", "14", "31", "55296", "57343", "65534", "65535", "1114112"]
    for (const code of good) {
      isTaken(`<a>&#${code};</a>`)
      isTaken(`<a>&#x${Number(code).toString(16)};</a>`)
    }
    for (const code of bad) {
      isRefused(`<a>&#${code};</a>`)
      isRefused(`<a>&#x${Number(code).toString(16)};</a>`)
      isRefused(`<a b="&#${code};"/>`)
    }
    isRefused("<a>&#00000065;</a>")
    isRefused("<a>&#x0000041;</a>")
  })

  it("has attributes that are quoted, separated, unique and without a tag in them", () => {
    for (const text of [`<a b="1" c='2'/>`, `<a\tb = "1"\r\nc="2" ></a>`, `<a b="'" c='"'/>`]) isTaken(text)
    for (const text of [
      "<a b=1/>",
      "<a b/>",
      `<a b="1"c="2"/>`,
      `<a b="<"/>`,
      `<a b='<'/>`,
      `<a b="1/>`,
      `<a b="1" b="2"/>`
    ]) {
      isRefused(text)
    }
  })

  it("is bounded in depth, attributes and tags", () => {
    const nested = (depth: number) => "<a>".repeat(depth) + "</a>".repeat(depth)
    isTaken(nested(64))
    isRefused(nested(65))
    const having = (count: number) => `<a${Array.from({ length: count }, (_, n) => ` b${n}="1"`).join("")}/>`
    isTaken(having(64))
    isRefused(having(65))
    isTaken("<a><b/></a>", 3)
    isRefused("<a><b/></a>", 2)
    assert.strictEqual(mostTags, 20_000)
    isTaken(`<a>${"<b/>".repeat(mostTags - 2)}</a>`)
    isRefused(`<a>${"<b/>".repeat(mostTags - 1)}</a>`)
  })

  it("holds no character that XML cannot hold, written or read", () => {
    for (const bad of [
      "\u0000",
      "\u0008",
      "\u000b",
      "\u000c",
      "\u000e",
      "\u001f",
      "\ufffe",
      "\uffff",
      "\ud800"
    ]) {
      isRefused(`<a>${bad}</a>`)
      assert.isFalse(isXmlText(`x${bad}`))
      assert.strictEqual(escapeXml(`x${bad}y${bad}`), "xy")
    }
    assert.isTrue(isXmlText("a\t\r\n\u{1f600}"))
    assert.strictEqual(escapeXml("<&>\r\n<&>\r"), "&lt;&amp;&gt;&#13;\n&lt;&amp;&gt;&#13;")
  })

  it("becomes null, text or fields, with an array for elements that repeat", () => {
    assert.deepStrictEqual(value(`<a ${nil}="1"/>`), null)
    assert.deepStrictEqual(value("<a/>"), "")
    assert.deepStrictEqual(value(`<a><b>1</b><c>2</c><b/><b><d>3</d></b><e ${nil}="true"/></a>`), {
      b: ["1", "", { d: "3" }],
      c: "2",
      e: null
    })
    assert.deepStrictEqual(value("<a>x<b>1</b></a>"), { b: "1" })
  })
})
