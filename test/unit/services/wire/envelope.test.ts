import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as Soap from "../../../../src/services/wire/soap/envelope.js"
import { parseXml, type XmlElement } from "../../../../src/services/wire/soap/xml.js"

const xml = (text: string): XmlElement => Option.getOrThrow(parseXml(text))
const nameOf = Option.match({ onNone: () => null, onSome: ({ name }: XmlElement) => name })
const wire = { endpoint: "https://number.test/soap", namespace: 'urn:a"&b', actionPrefix: "urn:p/" }

describe("a SOAP call", () => {
  it("is an envelope with an element for each parameter, in order, and none for null", () => {
    const call = Soap.soapCall(wire, "Pay", { A: "<1>", B: null, C: [1, true], D: { E: "x", F: {} } })
    assert.strictEqual(call.method, "POST")
    assert.strictEqual(call.url, wire.endpoint)
    assert.deepInclude(call.headers, { accept: "text/xml", soapaction: '"urn:p/Pay"' })
    const body = call.body as unknown as { readonly body: Uint8Array; readonly contentType: string }
    assert.strictEqual(body.contentType, "text/xml; charset=utf-8")
    const sent = new TextDecoder().decode(body.body)
    assert.isTrue(
      sent.startsWith(
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Pay xmlns='
      )
    )
    assert.isTrue(
      sent.endsWith("><A>&lt;1&gt;</A><C>1</C><C>true</C><D><E>x</E><F></F></D></Pay></s:Body></s:Envelope>"),
      sent
    )
  })

  it("takes only ASCII names that XML allows, without a prefix", () => {
    for (const name of ["a", "_", "A1_.-"]) assert.isTrue(Soap.isElementName(name), name)
    for (const name of ["", "1a", "-a", ".a", "a:b", "a b", "a>", "é", "a\n"]) {
      assert.isFalse(Soap.isElementName(name), name)
    }
  })
})

describe("a SOAP answer", () => {
  it("is the one element in the one body of an envelope", () => {
    const childOf = (text: string) => nameOf(Soap.bodyChild(xml(text)))
    assert.strictEqual(childOf("<Envelope><Header/><Body><R/></Body></Envelope>"), "R")
    for (const text of [
      "<Other><Body><R/></Body></Other>",
      "<Envelope/>",
      "<Envelope><Body/></Envelope>",
      "<Envelope><Body><R/><R/></Body></Envelope>",
      "<Envelope><Body><R/></Body><Body><R/></Body></Envelope>"
    ]) {
      assert.isNull(childOf(text), text)
    }
  })

  it("holds the result under the method's own names, or under an expected bare name", () => {
    const resultOf = (text: string, ...bare: ReadonlyArray<string>) =>
      nameOf(Soap.resultOf("Pay", bare)(xml(text)))
    assert.strictEqual(resultOf("<PayResponse><PayResult/></PayResponse>"), "PayResult")
    assert.strictEqual(resultOf("<api/>", "api"), "api")
    for (const text of [
      "<api/>",
      "<PayResponse/>",
      "<PayResponse><PayResult/><PayResult/></PayResponse>",
      "<OtherResponse><PayResult/></OtherResponse>"
    ]) {
      assert.isNull(resultOf(text), text)
    }
    assert.isNull(nameOf(Soap.resultOf("Pay")(xml("<api/>"))))
  })

  it("holds the result in the element that has FunctionOk, in either spelling", () => {
    const resultOf = (text: string) => nameOf(Soap.methodResultOf("Pay")(xml(text)))
    assert.strictEqual(resultOf("<PayResponse><PayResult/></PayResponse>"), "PayResult")
    assert.strictEqual(resultOf("<api><x/><FunctionOk/></api>"), "api")
    assert.strictEqual(resultOf("<PayResponse><FunctionOK/></PayResponse>"), "PayResponse")
    for (const text of ["<api/>", "<api><FunctionOkay/></api>", "<api><aFunctionOk/></api>"]) {
      assert.isNull(resultOf(text), text)
    }
  })

  it("gives the text of a fault, of SOAP 1.1 or 1.2", () => {
    const faultOf = (text: string) => Soap.faultText(xml(`<Fault>${text}</Fault>`))
    assert.strictEqual(faultOf("<faultcode>c</faultcode><faultstring> no </faultstring>"), "no")
    assert.strictEqual(faultOf("<Code/><Reason><Text>\nno </Text></Reason>"), "no")
    assert.strictEqual(faultOf("<faultstring>1.1</faultstring><Reason><Text>1.2</Text></Reason>"), "1.1")
    for (const text of [
      "",
      "<Reason/>",
      "<Text>no</Text>",
      "<faultstring>a</faultstring><faultstring>b</faultstring>"
    ]) {
      assert.strictEqual(faultOf(text), "")
    }
  })
})
