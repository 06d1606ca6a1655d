/**
 * The settings of transports on both wires, and values that are refused as settings.
 */
import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Context, Effect, Either, Layer, Redacted, Schema } from "effect"
import type { AccountCode, Token } from "../../../../src/schemas/Credentials.js"
import type { InvalidInput } from "../../../../src/schemas/InvalidInput.js"
import * as NumberTransport from "../../../../src/services/wire/NumberTransport.js"
import * as SoapTransport from "../../../../src/services/wire/SoapTransport.js"
import { account, goodToken } from "../../../support/stack.js"

const restExample = "https://easypay5.com/APIcardProcNumber/v1.0.0"
const soapExample = "https://easypay5.com/APIcardProcR119/CardProcAPI.svc"
const formOfUrl = (example: string): string =>
  `an https URL such as ${example}, without user, query or fragment (http only to a loopback address)`
const formOfUri = "a URI such as http://tempuri.org/, without spaces, quotes, ampersands or angle brackets"

const refused = <A>(result: Either.Either<A, InvalidInput>): readonly [string, string] => {
  const { expected, field } = Either.getOrThrow(Either.flip(result))
  return [field, expected]
}

const attempt = (permit: NumberTransport.Attempt["permit"] = Effect.void): NumberTransport.Attempt => ({
  account: account as AccountCode,
  token: Redacted.make(goodToken) as Token,
  permit
})

/** The outcome of an attempt, and the URLs that it was sent to. */
const authenticate = <E>(
  layer: Layer.Layer<NumberTransport.NumberTransport, E, HttpClient.HttpClient>,
  answer: (
    request: Parameters<Parameters<typeof HttpClient.make>[0]>[0]
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> = (request) =>
    Effect.succeed(HttpClientResponse.fromWeb(request, new Response("{}"))),
  permit?: NumberTransport.Attempt["permit"]
) =>
  Effect.gen(function* () {
    const urls: Array<string> = []
    const client = HttpClient.make((request) => {
      urls.push(request.url)
      return answer(request)
    })
    const context = yield* Layer.build(Layer.provide(layer, Layer.succeed(HttpClient.HttpClient, client)))
    const outcome = yield* Context.get(context, NumberTransport.NumberTransport).authenticate(attempt(permit))
    return { outcome, urls }
  })

const configured = (values: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))

describe("the URL of a backend", () => {
  const decoders = {
    "a base URL": {
      decode: NumberTransport.decodeBaseUrl,
      form: ["base URL", formOfUrl(restExample)]
    },
    "a SOAP endpoint": {
      decode: (endpoint: string) =>
        Either.map(SoapTransport.decodeSoapOptions({ endpoint }), (wire) => wire.endpoint),
      form: ["SOAP endpoint", formOfUrl(soapExample)]
    }
  } as const

  for (const [name, { decode, form }] of Object.entries(decoders)) {
    it(`as ${name} is https, or http to a loopback address`, () => {
      for (const url of [
        "https://easypay5.com/a",
        "https://easypay5.com:8443/a",
        "https://8.8.8.8/a",
        "http://localhost:1/a",
        "http://[::1]:1/a",
        "http://127.0.0.1/a",
        "http://127.10.200.255:8080/a"
      ]) {
        assert.deepStrictEqual(decode(` ${url}\n`), Either.right(url))
      }
    })

    it(`as ${name} is nothing else, and the error names the expected form`, () => {
      for (const url of [
        "",
        "easypay5.com",
        "/a",
        "http://easypay5.com/a",
        "http://localhost.evil.test/a",
        "http://evil.localhost.test/a",
        "http://127.0.0.1.evil.test/a",
        "http://a127.0.0.1/a",
        "http://evil.test/127.0.0.1",
        "http://128.0.0.1/a",
        "http://[::2]/a",
        "ftp://easypay5.com/a",
        "ftp://localhost/a",
        "ws://127.0.0.1/a",
        "https://user@easypay5.com/a",
        "https://:password@easypay5.com/a",
        "https://user:password@easypay5.com/a",
        "https://easypay5.com/a?b=c",
        "https://easypay5.com/a?",
        "https://easypay5.com/a#b",
        "https://easypay5.com/a#"
      ]) {
        assert.deepStrictEqual(refused(decode(url)), form, url)
      }
    })
  }

  it("loses its last slashes as a base URL, and keeps them as a SOAP endpoint", () => {
    for (const end of ["", "/", "///"]) {
      assert.deepStrictEqual(
        NumberTransport.decodeBaseUrl(`https://easypay5.com/a/b${end}`),
        Either.right("https://easypay5.com/a/b")
      )
      const endpoint = `https://easypay5.com/a/b${end}`
      assert.strictEqual(Either.getOrThrow(SoapTransport.decodeSoapOptions({ endpoint })).endpoint, endpoint)
    }
  })
})

describe("the names of SOAP", () => {
  const decode = SoapTransport.decodeSoapOptions

  it("are WCF's by default, and the prefix follows the namespace, with one slash between", () => {
    assert.deepStrictEqual(Either.getOrThrow(decode({})), {
      endpoint: soapExample,
      namespace: "http://tempuri.org/",
      actionPrefix: "http://tempuri.org/ICardProcess/"
    })
    for (const namespace of ["urn:number", "urn:number/"]) {
      assert.deepStrictEqual(Either.getOrThrow(decode({ namespace })), {
        endpoint: soapExample,
        namespace,
        actionPrefix: "urn:number/ICardProcess/"
      })
    }
    assert.strictEqual(Either.getOrThrow(decode({ actionPrefix: "urn:other#" })).actionPrefix, "urn:other#")
  })

  it("are printable, and hold nothing that ends a text of XML or a header", () => {
    const printable = Array.from({ length: 0x7f - 0x21 }, (_, at) => String.fromCharCode(0x21 + at))
    const forbidden = ['"', "'", "&", "<", ">"]
    for (const character of [...printable, " ", "\t", "\n", "\r", "\u0000", "\u007f", "\u00e9"]) {
      const isTaken = printable.includes(character) && !forbidden.includes(character)
      for (const text of [character, `${character}x`, `x${character}`]) {
        const name = JSON.stringify(text)
        assert.strictEqual(Either.isRight(decode({ namespace: text })), isTaken, name)
        assert.strictEqual(Either.isRight(decode({ actionPrefix: text })), isTaken, name)
      }
    }
    for (const text of ["", " ", '"']) {
      assert.deepStrictEqual(refused(decode({ namespace: text })), ["SOAP namespace", formOfUri])
      assert.deepStrictEqual(refused(decode({ actionPrefix: text })), ["SOAPAction prefix", formOfUri])
    }
  })
})

describe("the layers", () => {
  it.scoped("go to the documented addresses by default", () =>
    Effect.gen(function* () {
      const rest = [`${restExample}/Authenticate`]
      assert.deepStrictEqual((yield* authenticate(NumberTransport.layerRest())).urls, rest)
      assert.deepStrictEqual(
        (yield* configured({})(authenticate(NumberTransport.layerRestConfig()))).urls,
        rest
      )
      assert.deepStrictEqual((yield* authenticate(SoapTransport.layer())).urls, [soapExample])
      assert.deepStrictEqual((yield* configured({})(authenticate(SoapTransport.layerConfig()))).urls, [
        soapExample
      ])
      assert.strictEqual(NumberTransport.defaultBaseUrl, restExample)
      assert.strictEqual(SoapTransport.defaultSoapEndpoint, soapExample)
      assert.strictEqual(NumberTransport.longestAnswerBytes, 1024 * 1024)
    })
  )

  it.scoped("go to the addresses that are given, or that the environment gives", () =>
    Effect.gen(function* () {
      const baseUrl = "https://number.test/v1"
      const endpoint = "https://number.test/a.svc"
      const rest = [`${baseUrl}/Authenticate`]
      assert.deepStrictEqual((yield* authenticate(NumberTransport.layerRest({ baseUrl }))).urls, rest)
      const environment = configured({
        NUMBER_BASE_URL: `${baseUrl}/`,
        NUMBER_SOAP_ENDPOINT: endpoint,
        OTHER: baseUrl
      })
      assert.deepStrictEqual((yield* environment(authenticate(NumberTransport.layerRestConfig()))).urls, rest)
      assert.deepStrictEqual(
        (yield* environment(authenticate(NumberTransport.layerRestConfig(Config.string("OTHER"))))).urls,
        rest
      )
      assert.deepStrictEqual((yield* authenticate(SoapTransport.layer({ endpoint }))).urls, [endpoint])
      assert.deepStrictEqual((yield* environment(authenticate(SoapTransport.layerConfig()))).urls, [endpoint])
    })
  )

  it.effect("read the settings of SOAP from the variables of their names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* configured({})(SoapTransport.configSoapOptions), {
        endpoint: undefined,
        namespace: undefined,
        actionPrefix: undefined
      })
      assert.deepStrictEqual(
        yield* configured({
          NUMBER_SOAP_ENDPOINT: "one",
          NUMBER_SOAP_NAMESPACE: "two",
          NUMBER_SOAP_ACTION_PREFIX: "three"
        })(SoapTransport.configSoapOptions),
        { endpoint: "one", namespace: "two", actionPrefix: "three" }
      )
    })
  )

  it.scoped("fail if a setting is malformed", () =>
    Effect.gen(function* () {
      for (const layer of [
        NumberTransport.layerRest({ baseUrl: "number.test" }),
        SoapTransport.layer({ endpoint: "number.test" }),
        SoapTransport.layer({ namespace: "" })
      ]) {
        assert.strictEqual((yield* Effect.flip(authenticate(layer)))._tag, "InvalidInput")
      }
    })
  )
})

describe("an attempt that was not written", () => {
  it("has the error AttemptNotPermitted, whose message says why", () => {
    const { AttemptNotPermitted, NumberTransport: service } = NumberTransport
    assert.strictEqual(
      new AttemptNotPermitted({ why: "leaseEnded" }).message,
      "The attempt's lease ran out before it was sent, so it was not sent."
    )
    assert.strictEqual(
      new AttemptNotPermitted({ why: "alreadyWritten" }).message,
      "The attempt was sent once already. The HTTP client tried to send it again, which would be another attempt."
    )
    for (const why of ["leaseEnded", "alreadyWritten"] as const) {
      const written: unknown = Schema.encodeSync(AttemptNotPermitted)(new AttemptNotPermitted({ why }))
      assert.deepStrictEqual(written, { _tag: "AttemptNotPermitted", why })
    }
    assert.throws(() => new AttemptNotPermitted({ why: "later" as never }), /Expected/)
    assert.strictEqual(AttemptNotPermitted.identifier, "effect-number-auth/AttemptNotPermitted")
    assert.strictEqual(service.key, "effect-number-auth/NumberTransport")
  })

  it.scoped("has an outcome with a detail that fits into a sentence", () =>
    Effect.gen(function* () {
      const layer = NumberTransport.layerRest()
      const notPermitted = (why: NumberTransport.AttemptNotPermitted["why"]) =>
        Effect.map(
          authenticate(layer, undefined, new NumberTransport.AttemptNotPermitted({ why })),
          ({ outcome, urls }) => [outcome, urls]
        )
      assert.deepStrictEqual(yield* notPermitted("leaseEnded"), [
        { _tag: "unsent", detail: "The attempt's lease ran out before it was sent, so it was not sent" },
        []
      ])
      assert.deepStrictEqual(yield* notPermitted("alreadyWritten"), [
        {
          _tag: "lost",
          detail:
            "The attempt was sent once already. The HTTP client tried to send it again, which would be another attempt"
        },
        []
      ])
      const failing = (reason: HttpClientError.RequestError["reason"], cause?: unknown) =>
        Effect.map(
          authenticate(layer, (request) => new HttpClientError.RequestError({ request, reason, cause })),
          ({ outcome }) => outcome
        )
      for (const reason of ["Encode", "InvalidUrl"] as const) {
        assert.deepStrictEqual(yield* failing(reason, { code: "ECONNRESET" }), {
          _tag: "unsent",
          detail: "the request could not be built"
        } as never)
      }
      assert.deepStrictEqual(yield* failing("Transport", { code: "ECONNREFUSED" }), {
        _tag: "unsent",
        detail: "Number could not be reached (ECONNREFUSED)"
      } as never)
      assert.deepStrictEqual(yield* failing("Transport", { code: "ECONNRESET" }), {
        _tag: "lost",
        detail: "the connection failed before a whole answer came (ECONNRESET)"
      } as never)
    })
  )
})

describe("an answer to an attempt", () => {
  const token = Redacted.make(goodToken) as Token
  const classify = (status: number, body: unknown) =>
    NumberTransport.classifyRestAnswer(
      { status, body: typeof body === "string" || body === null ? body : JSON.stringify(body) },
      token
    )
  const result = (fields: object) => ({ AuthenticateResult: fields })

  it("has the outcome and the detail that its parts call for", () => {
    const accepted = {
      FunctionOk: true,
      AuthSuccess: true,
      SessKey: "B9F24903C3BA4770AE303032303541303032353437"
    }
    const lacking = {
      _tag: "faulted",
      detail: "Number's answer lacks FunctionOk, AuthSuccess or SessKey",
      errorCode: null
    }
    const faulted = (detail: string, errorCode: number | null = null) => ({
      _tag: "faulted",
      detail,
      errorCode
    })
    const lockedOut = (reason: string, errorCode: number | null = null) => ({
      _tag: "lockedOut",
      detail: `Number reports that the IP is locked out: ${reason}`,
      errorCode
    })
    const locked = { ThisUser: { IsLockedOut: true } }
    const outcomes: ReadonlyArray<readonly [number, unknown, object]> = [
      [200, "no JSON", faulted("Number's answer is not of the documented form")],
      [200, null, faulted("Number's answer was longer than 1 MiB and was cut off")],
      [299, "no JSON", faulted("Number's answer is not of the documented form")],
      [199, result(accepted), faulted("Number answered with HTTP status 199")],
      [300, result(accepted), faulted("Number answered with HTTP status 300")],
      [503, null, faulted("Number answered with HTTP status 503")],
      [500, result({ ErrCode: 7 }), faulted("Number answered with HTTP status 500", 7)],
      [500, result({ ErrCode: 7, RespMsg: "wait", ...locked }), lockedOut("wait", 7)],
      [
        200,
        result({ FunctionOk: false, ErrCode: 0, RespMsg: "", ErrMsg: "ask", ...locked }),
        lockedOut("ask")
      ],
      [
        200,
        result({ FunctionOk: false, ErrCode: 7, ErrMsg: "out of order" }),
        faulted("Number could not carry out the call: out of order (ErrCode 7)", 7)
      ],
      [
        200,
        result({ FunctionOk: false }),
        faulted("Number could not carry out the call: no reason given (ErrCode none)")
      ],
      [
        200,
        result({ FunctionOk: true, AuthSuccess: false, RespMsg: "Invalid Token" }),
        { _tag: "refused", detail: "Invalid Token" }
      ],
      [
        200,
        result({ FunctionOk: true, AuthSuccess: false, RespMsg: " ", ...locked }),
        lockedOut("no reason given")
      ],
      [200, result({ FunctionOk: true, AuthSuccess: true }), lacking],
      [200, result({ FunctionOk: true, SessKey: accepted.SessKey }), lacking],
      [200, result({ AuthSuccess: true, SessKey: accepted.SessKey }), lacking],
      [200, result({ AuthSuccess: false }), lacking],
      [200, result({ ErrCode: 8 }), { ...lacking, errorCode: 8 }],
      [200, result({ ErrCode: 8, ...locked }), lockedOut("no reason given", 8)]
    ]
    for (const [status, body, outcome] of outcomes) {
      assert.deepStrictEqual({ ...classify(status, body) }, outcome as never, JSON.stringify([status, body]))
    }
    for (const status of [200, 299]) {
      const outcome = classify(status, result(accepted))
      assert(outcome._tag === "accepted")
      assert.strictEqual(Redacted.value(outcome.sessionKey), accepted.SessKey)
      assert.deepInclude(outcome, { tokenEndsAtMillis: null, lockReported: false })
    }
  })

  it("is reported as a SOAP fault if it is one, with a status outside 200 to 299", () => {
    const fault =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>Bad Request</faultstring></s:Fault></s:Body></s:Envelope>'
    for (const [status, suffix] of [
      [199, " and HTTP status 199"],
      [200, ""],
      [299, ""],
      [300, " and HTTP status 300"]
    ] as const) {
      assert.deepStrictEqual({ ...SoapTransport.classifySoapAnswer({ status, body: fault }, token) }, {
        _tag: "faulted",
        detail: `Number answered with a SOAP fault${suffix}: Bad Request`,
        errorCode: null
      } as never)
    }
  })
})
