/**
 * The parts that are SOAP's own. Tests that hold for every wire are in `NumberTransport.test.ts`.
 */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Either, FastCheck, Layer, Redacted } from "effect"
import type { AccountCode, Token } from "../../../../src/schemas/Credentials.js"
import * as NumberTransport from "../../../../src/services/wire/NumberTransport.js"
import * as SoapTransport from "../../../../src/services/wire/SoapTransport.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { account, baseUrl, goodToken, ip } from "../../../support/stack.js"
import { enveloped, rest, soap, soapFault, soapResult } from "../../../support/wires.js"
import { cpuMillis } from "../../../support/cpu.js"

const token = Redacted.make(goodToken) as Token
const key = "B9F24903C3BA4770AE303032303541303032353437"
const attempt: NumberTransport.Attempt = { account: account as AccountCode, token, permit: Effect.void }

const classify = (body: string | null, status = 200) => {
  const outcome = SoapTransport.classifySoapAnswer({ status, body }, token)
  assertShowsNone(outcome, goodToken)
  return outcome
}

/** The outcome of an attempt that gets these bytes as its answer. */
const answeredWith = (body: string | Uint8Array<ArrayBuffer>, status = 200) =>
  Effect.gen(function* () {
    const client = HttpClient.make((request) =>
      Effect.sync(() => HttpClientResponse.fromWeb(request, new Response(body, { status })))
    )
    const context = yield* Layer.build(
      soap.layer(baseUrl).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)), Layer.orDie)
    )
    return yield* Context.get(context, NumberTransport.NumberTransport).authenticate(attempt)
  })

const accepted = { FunctionOk: true, AuthSuccess: true, SessKey: key }

describe("an answer over SOAP", () => {
  it("is read wrapped and unwrapped, with any prefixes and namespaces, or without", () => {
    const sample = soap.sample
    const answers = [
      sample,
      sample.replaceAll(/(<\/?)ns:/g, "$1a-b.c:").replace("xmlns:ns=", "xmlns:a-b.c="),
      sample.replaceAll(/(<\/?)ns:/g, "$1"),
      sample.replaceAll(/(<\/?)ns:/g, "$1").replace("xmlns:ns=", "xmlns="),
      sample.replaceAll("http://example.com/soapapi", "urn:another"),
      sample.replaceAll(
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://www.w3.org/2003/05/soap-envelope"
      ),
      sample.replaceAll(/(<\/?)soapenv:/g, "$1").replace("xmlns:soapenv=", "xmlns="),
      sample.replaceAll(/(<\/?)\w+:/g, "$1").replaceAll(/xmlns:\w+="[^"]*"/g, ""),
      sample.replace("<soapenv:Header/>", ""),
      sample.replaceAll(/\s*\n\s*/g, " "),
      sample.replaceAll(/>\s+</g, "><"),
      sample.replaceAll("\n", "\r\n"),
      `<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<!-- x --><?y z?>${sample}<!-- x -->`,
      soapResult("Authenticate", accepted),
      soapResult("Authenticate", accepted, "urn:another"),
      soap.withResult({})
    ]
    for (const body of answers) {
      const outcome = classify(body)
      assert(outcome._tag === "accepted", body)
      assert.strictEqual(Redacted.value(outcome.sessionKey), key)
    }
  })

  it("is read as XML means it: CDATA, comments, references and whitespace in a text, attributes, nil", () => {
    const answers = [
      "<FunctionOk> 1 </FunctionOk><AuthSuccess>\n\ttrue\r\n</AuthSuccess><SessKey> KEY </SessKey>",
      "<FunctionOk><![CDATA[true]]></FunctionOk><AuthSuccess>tr<!-- un -->ue</AuthSuccess><SessKey><![CDATA[KEY]]></SessKey>",
      "<FunctionOk>t&#114;ue</FunctionOk><AuthSuccess>t&#x72;<?skip?>ue</AuthSuccess><SessKey>KEY</SessKey>",
      '<FunctionOk z="1">true</FunctionOk><AuthSuccess xsi:nil="false">true</AuthSuccess><SessKey y=\'&lt;">\'>KEY</SessKey>',
      '<FunctionOk>true</FunctionOk><AuthSuccess>true</AuthSuccess><SessKey>KEY</SessKey><ErrMsg xsi:nil="true"/><ThisUser xsi:nil="1"></ThisUser>'
    ]
    for (const fields of answers) {
      for (const [open, close] of [
        ["<api_AuthResponse>", "</api_AuthResponse>"],
        ["<AuthenticateResponse><AuthenticateResult>", "</AuthenticateResult></AuthenticateResponse>"]
      ]) {
        const outcome = classify(enveloped(`${open}${fields.replace("KEY", key)}${close}`))
        assert(outcome._tag === "accepted", fields)
        assert.strictEqual(Redacted.value(outcome.sessionKey), key)
      }
    }
  })

  it("gives RespMsg as the reason of a refusal, with references and CDATA resolved", () => {
    for (const reason of ["a &amp; b &lt;c&gt;", "<![CDATA[a & b <c>]]>", "a &#38; b &#x3c;c>"]) {
      const outcome = classify(
        enveloped(
          `<api_AuthResponse><FunctionOk>true</FunctionOk><AuthSuccess>false</AuthSuccess><RespMsg>${reason}</RespMsg></api_AuthResponse>`
        )
      )
      assert.deepStrictEqual({ ...outcome }, {
        _tag: "refused",
        detail: "a & b <c>"
      } as never)
    }
  })

  it("is faulted if an element is repeated or misplaced", () => {
    const result = (fields: string) => `<AuthenticateResult>${fields}</AuthenticateResult>`
    const wrapped = (results: string) => enveloped(`<AuthenticateResponse>${results}</AuthenticateResponse>`)
    const ok = `<FunctionOk>true</FunctionOk><AuthSuccess>true</AuthSuccess><SessKey>${key}</SessKey>`
    assert.strictEqual(classify(wrapped(result(ok)))._tag, "accepted")
    const bare = `<api_AuthResponse>${ok}</api_AuthResponse>`
    const body = `<s:Body>${bare}</s:Body>`
    const answers = [
      ...["true", "false"].flatMap((value) => [
        wrapped(result(`${ok}<AuthSuccess>${value}</AuthSuccess>`)),
        wrapped(result(`<AuthSuccess>${value}</AuthSuccess>${ok}`)),
        wrapped(result(`${ok}<b:AuthSuccess xmlns:b="urn:b">${value}</b:AuthSuccess>`)),
        wrapped(result(`${ok}<FunctionOk>${value}</FunctionOk>`))
      ]),
      wrapped(result(`${ok}<FunctionOK>false</FunctionOK>`)),
      wrapped(result(`${ok}<SessKey>${key}</SessKey>`)),
      wrapped(result(`${ok}<SessKey>another</SessKey>`)),
      ...["ErrCode", "ErrMsg", "RespMsg", "ThisUser"].map((name) =>
        wrapped(result(`${ok}<${name}></${name}><${name}></${name}>`))
      ),
      wrapped(result(ok) + result(ok)),
      wrapped(result(ok) + result("<FunctionOk>true</FunctionOk><AuthSuccess>false</AuthSuccess>")),
      enveloped(bare + bare),
      enveloped(`${bare}<s:Fault><faultstring>no</faultstring></s:Fault>`),
      enveloped("").replace("<s:Body></s:Body>", body + body),
      enveloped("").replace("<s:Body></s:Body>", `<s:Body/>${body}`),
      `${enveloped(bare)}${enveloped(bare)}`,
      wrapped(bare),
      enveloped(`<AuthenticateResponse>${ok}</AuthenticateResponse>`),
      enveloped(ok),
      enveloped(`<x>${bare}</x>`),
      enveloped(`<Transaction_VoidResponse>${result(ok)}</Transaction_VoidResponse>`),
      bare
    ]
    for (const answer of answers) assert.strictEqual(classify(answer)._tag, "faulted", answer)
  })

  it("is faulted if a required element is nil, or if a nil element has content", () => {
    for (const fields of [
      '<FunctionOk>true</FunctionOk><AuthSuccess xsi:nil="true"/><SessKey>k</SessKey>',
      '<FunctionOk>true</FunctionOk><AuthSuccess xsi:nil="true">true</AuthSuccess><SessKey>k</SessKey>',
      '<FunctionOk>true</FunctionOk><AuthSuccess>true</AuthSuccess><SessKey xsi:nil="1">k</SessKey>',
      '<FunctionOk xsi:nil=" true ">true</FunctionOk><AuthSuccess>true</AuthSuccess><SessKey>k</SessKey>'
    ]) {
      const outcome = classify(enveloped(`<api_AuthResponse>${fields}</api_AuthResponse>`))
      assert.strictEqual(outcome._tag, "faulted", fields)
    }
    const ok = `<FunctionOk>true</FunctionOk><AuthSuccess>true</AuthSuccess><SessKey>${key}</SessKey>`
    for (const body of [
      `<AuthenticateResponse><AuthenticateResult>${ok}</AuthenticateResult></AuthenticateResponse>`,
      `<api_AuthResponse>${ok}</api_AuthResponse>`
    ]) {
      const whole = enveloped(body)
      assert.strictEqual(classify(whole)._tag, "accepted")
      for (const name of ["AuthenticateResponse", "api_AuthResponse", "s:Body"]) {
        const nil = whole.replace(`<${name}>`, `<${name} xsi:nil="true">`)
        if (nil !== whole) assert.strictEqual(classify(nil)._tag, "faulted", nil)
      }
    }
  })

  it("may begin with a byte order mark", () =>
    Effect.gen(function* () {
      const bytes = new TextEncoder().encode(`\ufeff${soap.sample}`)
      assert.deepStrictEqual(Array.from(bytes.slice(0, 3)), [0xef, 0xbb, 0xbf])
      assert.strictEqual((yield* answeredWith(bytes))._tag, "accepted")
    }).pipe(Effect.scoped, Effect.runPromise))
})

describe("a SOAP fault", () => {
  const faults = {
    "1.1": soapFault("ERROR: the database is away"),
    "1.1, other prefixes":
      '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>ERROR: the database is away</faultstring><detail><e xmlns="urn:e">x</e></detail></SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>',
    "1.1, no prefixes":
      '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Fault><faultcode>Server</faultcode><faultstring xmlns="">ERROR: the database is away</faultstring></Fault></Body></Envelope>',
    "1.2":
      '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code><e:Reason><e:Text xml:lang="en">ERROR: the database is away</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>'
  }
  for (const [name, body] of Object.entries(faults)) {
    it(`(${name}) is faulted with any status, and shows its text`, () => {
      for (const status of [200, 202, 500, 400, 503]) {
        const outcome = classify(body, status)
        assert(outcome._tag === "faulted")
        assert.match(outcome.detail, /SOAP fault.*ERROR: the database is away/)
        assert.strictEqual(outcome.detail.includes(String(status)), status >= 300)
      }
    })
  }

  it("is faulted if it has no text, or echoes secrets, which are not shown", () => {
    for (const text of ["", goodToken, `${goodToken.toLowerCase()} ${key}`]) {
      const outcome = classify(soapFault(text), 500)
      assert(outcome._tag === "faulted")
      assertShowsNone(outcome, goodToken, key)
    }
    assert.strictEqual(classify(enveloped("<s:Fault/>"), 500)._tag, "faulted")
    assert.strictEqual(
      classify(enveloped("<s:Fault><faultstring><b/></faultstring></s:Fault>"))._tag,
      "faulted"
    )
  })
})

describe("an answer that is made to do harm", () => {
  const withEntity = (dtd: string, reference = "&x;") =>
    `<?xml version="1.0"?>${dtd}${soap.sample.replace("SessKey Expires", reference)}`
  const inSample = (text: string) => soap.sample.replace("SessKey Expires", text)
  const lots = (n: number, text: (i: number) => string) =>
    Array.from({ length: n }, (_, i) => text(i)).join("")
  const inError = (text: string) =>
    soap.sample.replace("<ns:ErrMsg></ns:ErrMsg>", `<ns:ErrMsg>${text}</ns:ErrMsg>`)
  const before = (text: string) => soap.sample.replace("<ns:api_AuthResponse>", text)
  const bombs: Readonly<Record<string, string>> = {
    "billion laughs": withEntity(
      `<!DOCTYPE lolz [<!ENTITY l0 "lol">${lots(9, (i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`)}]>`,
      "&l9;"
    ),
    "quadratic blow-up": withEntity(
      `<!DOCTYPE b [<!ENTITY x "${"x".repeat(100_000)}">]>`,
      "&x;".repeat(100_000)
    ),
    "external entity": withEntity('<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "parameter entity": withEntity('<!DOCTYPE f [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]>'),
    "an empty DTD": withEntity("<!DOCTYPE x>", "x"),
    "a DTD in lower case": withEntity("<!doctype x []>", "x"),
    "a DTD within the root": inSample("<!DOCTYPE x>"),
    "an undeclared entity": inSample("&x;"),
    "an entity of HTML": inSample("&nbsp;"),
    "nesting of a thousand": inError(`${"<d>".repeat(1000)}${"</d>".repeat(1000)}`),
    "nesting of nine thousand": inError(`${"<d>".repeat(9000)}${"</d>".repeat(9000)}`),
    "deep nesting": before(`${"<d>".repeat(10_000)}<ns:api_AuthResponse>`),
    "deep nesting, closed": enveloped(`${"<d>".repeat(100_000)}${"</d>".repeat(100_000)}`),
    "deep nesting, each with a prefix": enveloped(lots(30_000, (i) => `<d xmlns:p${i}="u">`)),
    "very many tags": soap.sample.replace(
      "</ns:MerchantList>",
      `${"<x/>".repeat(200_000)}</ns:MerchantList>`
    ),
    "very many tags, never closed": enveloped("<x ".repeat(300_000)),
    "very many attributes": before(`<ns:api_AuthResponse ${lots(80_000, (i) => ` a${i}=""`)}>`),
    "very many prefixes": before(`<ns:api_AuthResponse ${lots(40_000, (i) => ` xmlns:a${i}="u"`)}>`),
    "very many comments": inSample("<!---->".repeat(140_000)),
    "very many sections of CDATA": inSample("<![CDATA[]]>".repeat(80_000)),
    "comments that never end": inSample("<!--".repeat(250_000)),
    "a tag that never ends": `${soap.sample}<x ${" y".repeat(400_000)}`,
    "an attribute that never ends": `${soap.sample}<x y="${"'".repeat(800_000)}`,
    ampersands: inSample("&".repeat(900_000)),
    "a reference to NUL": inSample("&#0;"),
    "a reference to half a surrogate pair": inSample("&#xD800;"),
    "a reference beyond the last character": inSample("&#x110000;"),
    "a reference to a noncharacter": inSample("&#65535;"),
    "a reference that never ends": inSample(`&#${"1".repeat(900_000)}`),
    "a control character": inSample("\u0001"),
    "a NUL": inSample("\u0000"),
    "half a surrogate pair": inSample("\ud800"),
    "UTF-16, as far as it is read": Array.from(soap.sample).join("\u0000")
  }
  for (const [name, body] of Object.entries(bombs)) {
    it(`is faulted at once (${name})`, () => {
      assert.isBelow(body.length, NumberTransport.longestAnswerBytes)
      let outcome = classify("")
      const took = cpuMillis(() => (outcome = classify(body)))
      assert(outcome._tag === "faulted", outcome._tag)
      assert.match(outcome.detail, /documented form/)
      assert.isNull(outcome.errorCode)
      assert.isBelow(took, 2000)
    })
  }

  it("is accepted within a moment if it is well-formed and as long as is allowed", () => {
    const answers = [
      inSample("&amp;".repeat(190_000)),
      inSample("]".repeat(900_000)),
      soap.sample.replace("</ns:MerchantList>", `${"<x/>".repeat(19_900)}</ns:MerchantList>`),
      soap.sample.replace(
        "</ns:MerchantList>",
        `${`<x ${lots(8, (i) => ` a${i}=""`)}/>`.repeat(15_000)}</ns:MerchantList>`
      ),
      inSample(`<![CDATA[${"<".repeat(900_000)}]]>`)
    ]
    for (const body of answers) {
      assert.isBelow(body.length, NumberTransport.longestAnswerBytes)
      const took = cpuMillis(() => assert.strictEqual(classify(body)._tag, "accepted"))
      assert.isBelow(took, 4000)
    }
  })

  it.scoped("is faulted if its bytes are not UTF-8", () =>
    Effect.gen(function* () {
      const bytes = new TextEncoder().encode(soap.sample)
      const at = soap.sample.indexOf("spring street")
      assert.strictEqual((yield* answeredWith(bytes))._tag, "accepted")
      for (const bad of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xe9]]) {
        const broken = Uint8Array.from(bytes)
        broken.set(bad, at)
        assert.strictEqual((yield* answeredWith(broken))._tag, "faulted")
      }
      const utf16 = new Uint8Array(new Uint16Array(Array.from(soap.sample, (c) => c.charCodeAt(0))).buffer)
      assert.strictEqual((yield* answeredWith(utf16))._tag, "faulted")
    })
  )

  it("is faulted if it is not well-formed, even if it says success", () => {
    const sample = soap.sample
    const broken = [
      sample.trimEnd().slice(0, -1),
      sample.slice(0, sample.indexOf("</soapenv:Body>")),
      `${sample}x`,
      `x${sample}`,
      `${sample}</soapenv:Envelope>`,
      `\ufeff\ufeff${sample}`,
      ` <?xml version="1.0"?>${sample}`,
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg></ns:ErrMessage>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "</ns:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<un:ErrMsg></un:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", '<ns:ErrMsg a="1" a="2"></ns:ErrMsg>'),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg a=1></ns:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg a></ns:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", '<ns:ErrMsg a="<"></ns:ErrMsg>'),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", '<ns:ErrMsg a="&x;"></ns:ErrMsg>'),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", '<ns:ErrMsg a="&"></ns:ErrMsg>'),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg a='&#0;'></ns:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg / >"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg>]]></ns:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<ns:ErrMsg>a & b</ns:ErrMsg>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<1/>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "< ns:ErrMsg/>"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", "<!-- -- -->"),
      sample.replace("<ns:ErrMsg></ns:ErrMsg>", '<?xml version="1.0"?>'),
      `<![CDATA[x]]>${sample}`,
      ""
    ]
    for (const body of broken) assert.strictEqual(classify(body)._tag, "faulted", body.slice(0, 900))
  })

  it("is classified without throwing, and its outcome shows neither token nor key", () => {
    const secrets = [goodToken, key, goodToken.toLowerCase()]
    const piece = FastCheck.oneof(
      FastCheck.constantFrom(
        "<ns:AuthSuccess>false</ns:AuthSuccess>",
        "<ns:FunctionOk>false</ns:FunctionOk>",
        `<ns:ErrMsg>${goodToken}</ns:ErrMsg>`,
        `<ns:RespMsg>${key}</ns:RespMsg>`,
        `<ns:SessKey>${key}</ns:SessKey>`,
        `<soapenv:Fault><faultstring>${goodToken} ${key}</faultstring></soapenv:Fault>`,
        "</ns:api_AuthResponse>",
        "<ns:api_AuthResponse>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<!DOCTYPE x [",
        "&x;",
        "&#0;",
        "<",
        ">",
        '"',
        ' xsi:nil="true"',
        goodToken,
        key
      ),
      FastCheck.fullUnicodeString({ maxLength: 8 })
    )
    const edit = FastCheck.tuple(FastCheck.double({ min: 0, max: 1, noNaN: true }), FastCheck.nat(80), piece)
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(
          soap.sample,
          soap.withResult({}),
          soap.withResult({ AuthSuccess: false, RespMsg: `${goodToken} ${key}` }),
          soap.withResult({ FunctionOk: false, ErrMsg: `${key}${goodToken}` }),
          soapFault(`${goodToken} ${key}`)
        ),
        FastCheck.array(edit, { maxLength: 4 }),
        FastCheck.constantFrom(200, 200, 200, 500, 403),
        (whole, edits, status) => {
          const body = edits.reduce((text, [where, length, put]) => {
            const at = Math.floor(where * text.length)
            return text.slice(0, at) + put + text.slice(at + length)
          }, whole)
          const outcome = SoapTransport.classifySoapAnswer({ status, body }, token)
          assert.include(["accepted", "refused", "faulted"], outcome._tag)
          if (outcome._tag === "accepted") assert.strictEqual(status, 200)
          const shown = JSON.stringify(outcome).toLowerCase()
          for (const secret of secrets) assert.notInclude(shown, secret.toLowerCase())
        }
      ),
      { numRuns: 100, seed: 1 }
    )
  })
})

describe("the settings of SOAP", () => {
  const decode = SoapTransport.decodeSoapOptions

  it("have the documented endpoint and WCF's names by default", () => {
    assert.deepStrictEqual(Either.getOrThrow(decode({})), {
      endpoint: "https://easypay5.com/APIcardProcR119/CardProcAPI.svc",
      namespace: "http://tempuri.org/",
      actionPrefix: "http://tempuri.org/ICardProcess/"
    })
  })

  it("derive the prefix from the namespace if no prefix is set, with one slash between", () => {
    for (const [namespace, actionPrefix] of [
      ["https://number.test/api/", "https://number.test/api/ICardProcess/"],
      ["https://number.test/api", "https://number.test/api/ICardProcess/"]
    ] as const) {
      assert.deepInclude(Either.getOrThrow(decode({ namespace })), { namespace, actionPrefix })
    }
  })

  it("are refused if they are malformed, by name and without being shown", () => {
    for (const [field, options] of [
      ["SOAP endpoint", { endpoint: `http://number.test/${goodToken}` }],
      ["SOAP endpoint", { endpoint: `https://x:${goodToken}@number.test/` }],
      ["SOAP endpoint", { endpoint: `https://number.test/a.svc?${goodToken}` }],
      ["SOAP namespace", { namespace: "" }],
      ["SOAP namespace", { namespace: `urn:"${goodToken}` }],
      ["SOAP namespace", { namespace: `urn:<${goodToken}` }],
      ["SOAP namespace", { namespace: `urn:&${goodToken}` }],
      ["SOAP namespace", { namespace: `urn:${goodToken} x` }],
      ["SOAPAction prefix", { actionPrefix: `urn:${goodToken}"` }],
      ["SOAPAction prefix", { actionPrefix: `urn:${goodToken}\r\nX-Injected: 1` }],
      ["SOAPAction prefix", { actionPrefix: `urn:${goodToken}é` }]
    ] as const) {
      const error = Either.getOrThrow(Either.flip(decode(options)))
      assert.strictEqual(error.field, field)
      assertShowsNone(error, goodToken)
    }
  })

  it.scoped("come from the environment, and reach the wire", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.make({
        soapNamespace: "urn:number",
        soapActionPrefix: "urn:number:action#"
      })
      yield* emulator.addToken(account, goodToken)
      const seen: Array<{ readonly url: string; readonly action: string | undefined }> = []
      const client = HttpClient.tapRequest(Emulator.httpClient(emulator, ip), (request) =>
        Effect.sync(() => seen.push({ url: request.url, action: request.headers["soapaction"] }))
      )
      const authenticate = (settings: ReadonlyArray<readonly [string, string]>) =>
        Effect.flatMap(
          Layer.build(
            SoapTransport.layerConfig().pipe(
              Layer.provide(Layer.succeed(HttpClient.HttpClient, client)),
              Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(settings))))
            )
          ),
          (context) => Context.get(context, NumberTransport.NumberTransport).authenticate(attempt)
        )
      const outcome = yield* authenticate([
        ["NUMBER_SOAP_ENDPOINT", "https://number.test/x/CardProcAPI.svc"],
        ["NUMBER_SOAP_NAMESPACE", "urn:number"],
        ["NUMBER_SOAP_ACTION_PREFIX", "urn:number:action#"]
      ])
      assert.strictEqual(outcome._tag, "accepted")
      const byDefault = yield* authenticate([])
      assert(byDefault._tag === "faulted")
      assert.match(byDefault.detail, /SOAP fault and HTTP status 500: Bad Request/)
      assert.deepStrictEqual(seen, [
        { url: "https://number.test/x/CardProcAPI.svc", action: '"urn:number:action#Authenticate"' },
        {
          url: "https://easypay5.com/APIcardProcR119/CardProcAPI.svc",
          action: '"http://tempuri.org/ICardProcess/Authenticate"'
        }
      ])
      const error = yield* Effect.flip(authenticate([["NUMBER_SOAP_ENDPOINT", "http://number.test"]]))
      assert.strictEqual(error._tag, "InvalidInput")
    })
  )

  it("keep the last slash of an endpoint, and not that of a base URL", () => {
    assert.strictEqual(
      Either.getOrThrow(decode({ endpoint: "https://number.test/a/" })).endpoint,
      "https://number.test/a/"
    )
    assert.strictEqual(
      Either.getOrThrow(NumberTransport.decodeBaseUrl("https://number.test/a/")),
      "https://number.test/a"
    )
  })

  it("keep the wires apart: REST does not read SOAP's answers, nor SOAP REST's", () => {
    assert.strictEqual(rest.classify({ status: 200, body: soap.sample }, token)._tag, "faulted")
    assert.strictEqual(classify(rest.sample)._tag, "faulted")
  })
})
