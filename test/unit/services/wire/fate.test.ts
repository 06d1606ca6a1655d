import { assert, describe, it } from "@effect/vitest"
import { transportFailure } from "../../../../src/services/wire/http/fate.js"

/** What only comes before a byte of the request was written: name look-up, connecting, the server's certificate. */
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

  it("is unsent by a network code only where the failing call was connect", () => {
    for (const code of ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]) {
      assert.isTrue(transportFailure({ code, syscall: "connect" }).unsent, code)
      for (const other of [{ syscall: "read" }, { syscall: "write" }, {}]) {
        assert.isFalse(transportFailure({ code, ...other }).unsent, code)
      }
    }
    assert.isFalse(transportFailure({ code: "ECONNRESET", syscall: "connect" }).unsent)
  })

  it("is unsent over several addresses only where it is for each of them", () => {
    const over = (...errors: ReadonlyArray<unknown>) =>
      transportFailure({ code: "ECONNREFUSED", errors }).unsent
    const refused = { code: "ECONNREFUSED" }
    assert.isTrue(over(refused, { code: "ETIMEDOUT", syscall: "connect" }))
    assert.isFalse(over(refused, { code: "ECONNRESET" }))
    assert.isFalse(over({ code: "ECONNRESET" }, refused))
    assert.isFalse(over(refused, new Error("without a code")))
    assert.isTrue(over(), "where none is listed the code itself decides")
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

  it("is not certain where there is no code", () => {
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

  it("shows a code only where it has the form of one, since it comes from outside", () => {
    const shown = (code: string) => transportFailure({ code }).code
    assert.strictEqual(shown("A".repeat(64)), "A".repeat(64))
    for (const code of ["A".repeat(65), "", "a", "ESECRET x", "x ESECRET", "ESECRET\n"]) {
      assert.strictEqual(shown(code), "unknown", code)
    }
  })
})
