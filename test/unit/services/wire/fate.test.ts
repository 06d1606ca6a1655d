import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { fateOf, transportFailure } from "../../../../src/services/wire/http/fate.js"
import { SendTimedOut } from "../../../../src/services/wire/http/SendTimedOut.js"
import { SentTwice } from "../../../../src/services/wire/http/SentTwice.js"

/** Codes that only come before a byte is written: name look-up, connecting, the server's certificate. */
const neverSent = `
  ENOTFOUND EAI_AGAIN EAI_FAIL EAI_NONAME EAI_NODATA ECONNREFUSED UND_ERR_CONNECT_TIMEOUT
  ERR_TLS_CERT_ALTNAME_INVALID UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_CRL UNABLE_TO_DECRYPT_CERT_SIGNATURE
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY CERT_SIGNATURE_FAILURE CERT_NOT_YET_VALID CERT_HAS_EXPIRED
  ERROR_IN_CERT_NOT_BEFORE_FIELD ERROR_IN_CERT_NOT_AFTER_FIELD DEPTH_ZERO_SELF_SIGNED_CERT
  SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE
  CERT_CHAIN_TOO_LONG CERT_REVOKED INVALID_CA INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED HOSTNAME_MISMATCH
`
  .trim()
  .split(/\s+/)

const causedBy = (depth: number, error: unknown): unknown =>
  depth === 0 ? error : { cause: causedBy(depth - 1, error) }

describe("a transport failure", () => {
  it("is unsent by a code that only comes before the first byte", () => {
    for (const code of neverSent) assert.deepStrictEqual(transportFailure({ code }), { unsent: true, code })
  })

  it("is not certain to be unsent by a code that can also come after the request was written", () => {
    for (const code of ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_HEADERS_TIMEOUT", "EPROTO", "E"]) {
      assert.deepStrictEqual(transportFailure({ code }), { unsent: false, code })
    }
  })

  it("is unsent by a network code only if the failing call was connect", () => {
    for (const code of ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]) {
      assert.isTrue(transportFailure({ code, syscall: "connect" }).unsent, code)
      for (const other of [{ syscall: "read" }, { syscall: "write" }, {}]) {
        assert.isFalse(transportFailure({ code, ...other }).unsent, code)
      }
    }
    assert.isFalse(transportFailure({ code: "ECONNRESET", syscall: "connect" }).unsent)
  })

  it("is unsent over several addresses only if it is for each of them", () => {
    const over = (...errors: ReadonlyArray<unknown>) =>
      transportFailure({ code: "ECONNREFUSED", errors }).unsent
    const refused = { code: "ECONNREFUSED" }
    assert.isTrue(over(refused, { code: "ETIMEDOUT", syscall: "connect" }))
    assert.isFalse(over(refused, { code: "ECONNRESET" }))
    assert.isFalse(over({ code: "ECONNRESET" }, refused))
    assert.isFalse(over(refused, new Error("without a code")))
    assert.isTrue(over(), "without listed errors the code itself decides")
    assert.isTrue(transportFailure({ code: "ECONNREFUSED", errors: "none" }).unsent)
    assert.isFalse(transportFailure({ code: "ECONNRESET", errors: [] }).unsent)
  })

  it("goes by the first code along the chain of causes, up to eight deep", () => {
    assert.isTrue(transportFailure(causedBy(7, { code: "ENOTFOUND" })).unsent)
    assert.deepStrictEqual(transportFailure(causedBy(8, { code: "ENOTFOUND" })), {
      unsent: false,
      code: "unknown"
    })
    assert.deepStrictEqual(transportFailure({ code: "ECONNRESET", cause: { code: "ENOTFOUND" } }), {
      unsent: false,
      code: "ECONNRESET"
    })
    // A number, as a DOMException has it, is no code of Node's.
    assert.isTrue(transportFailure({ code: 23, cause: { code: "ENOTFOUND" } }).unsent)
  })

  it("is not certain to be unsent if there is no code", () => {
    for (const error of [
      undefined,
      null,
      "ENOTFOUND",
      new Error("ENOTFOUND"),
      { cause: null },
      { code: 7 }
    ]) {
      assert.deepStrictEqual(transportFailure(error), { unsent: false, code: "unknown" })
    }
  })

  it("shows a code only if it has the form of one, since it comes from outside", () => {
    const shown = (code: string) => transportFailure({ code }).code
    assert.strictEqual(shown("A".repeat(64)), "A".repeat(64))
    for (const code of ["A".repeat(65), "", "a", "ESECRET x", "x ESECRET", "ESECRET\n"]) {
      assert.strictEqual(shown(code), "unknown", code)
    }
  })
})

describe("the fate of a request", () => {
  const request = HttpClientRequest.post("https://number.test/Echo")
  const requestError = (reason: "Transport" | "Encode" | "InvalidUrl", cause?: unknown) =>
    new HttpClientError.RequestError({ request, reason, cause })
  const responseError = (reason: "StatusCode" | "Decode" | "EmptyBody", cause?: unknown) =>
    new HttpClientError.ResponseError({
      request,
      response: HttpClientResponse.fromWeb(request, new Response(null, { status: 503 })),
      reason,
      cause
    })

  it.each([
    ["unsent, since its URL is invalid", requestError("InvalidUrl"), { _tag: "unsent", why: "url" }],
    ["unsent, since its body cannot be encoded", requestError("Encode"), { _tag: "unsent", why: "body" }],
    [
      "unsent, since the connection was refused",
      requestError("Transport", { code: "ECONNREFUSED" }),
      { _tag: "unsent", why: "connection" }
    ],
    ["lost, since the connection broke", requestError("Transport", { code: "ECONNRESET" }), { _tag: "lost" }],
    [
      "lost, since its time was over",
      requestError("Transport", new SendTimedOut(Duration.seconds(1))),
      { _tag: "lost" }
    ],
    [
      "lost, since it was about to be sent twice",
      requestError("Transport", new SentTwice()),
      { _tag: "lost" }
    ],
    [
      "lost, since its answer broke off, whatever the code",
      responseError("Decode", { code: "ECONNREFUSED" }),
      { _tag: "lost" }
    ],
    ["lost, since its answer has no body", responseError("EmptyBody"), { _tag: "lost" }],
    [
      "answered, by a status that the client took for an error",
      responseError("StatusCode"),
      { _tag: "answered", status: 503 }
    ]
  ])("is %s", (_, error, expected) => {
    assert.deepInclude(fateOf(error), expected as never)
  })
})
