import { assert, describe, it } from "@effect/vitest"
import { storeFailure } from "../../../../src/services/store/storeFailure.js"

const reasonOf = (code: string) => storeFailure({ code }).reason

describe("a failure of the store", () => {
  it("is unreadable if the database says that its data is damaged", () => {
    for (const code of ["SQLITE_CORRUPT", "SQLITE_CORRUPT_VTAB", "SQLITE_NOTADB", "XX001", "XX002"]) {
      assert.strictEqual(reasonOf(code), "unreadable", code)
    }
    for (const code of ["XX000", "XX0011", "aXX001", "aSQLITE_CORRUPT"]) {
      assert.strictEqual(reasonOf(code), "unavailable", code)
    }
  })

  it("is misconfigured if user, rights, address or certificate are wrong", () => {
    for (const code of [
      ..."SQLITE_READONLY SQLITE_READONLY_DBMOVED SQLITE_CANTOPEN SQLITE_PERM SQLITE_AUTH".split(" "),
      ..."28000 28P01 3D000 42501 ERR_INVALID_URL ERR_TLS_CERT_ALTNAME_INVALID CERT_HAS_EXPIRED".split(" "),
      ..."UNABLE_TO_VERIFY_LEAF_SIGNATURE DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN".split(" "),
      ..."HOSTNAME_MISMATCH INVALID_CA ERR_OSSL_PEM_NO_START_LINE".split(" ")
    ]) {
      assert.strictEqual(reasonOf(code), "misconfigured", code)
    }
  })

  it("is unavailable if the code says no more, or only resembles another code", () => {
    for (const code of [
      ..."SQLITE_BUSY SQLITE_FULL 25006 57P03 53300 ECONNREFUSED 280000 2800 128000 3D0001 425011".split(" "),
      ..."ERR_INVALID_URL_SCHEME HOSTNAME_MISMATCHED INVALID_CAB aCERT_HAS_EXPIRED".split(" ")
    ]) {
      assert.strictEqual(reasonOf(code), "unavailable", code)
    }
  })

  it("goes by the first code along the chain of causes, and shows it", () => {
    assert.deepStrictEqual(storeFailure({ cause: { cause: { code: "28P01", cause: { code: "XX001" } } } }), {
      reason: "misconfigured",
      detail: "the database said 28P01"
    })
    assert.strictEqual(storeFailure({ code: 5, cause: { code: "XX001" } }).reason, "unreadable")
  })

  it("shows a message only if drivers are known to give it", () => {
    for (const message of [
      "timeout exceeded when trying to connect",
      "Connection terminated unexpectedly",
      "Connection terminated due to connection timeout",
      "Connection terminated",
      "Connection timed out"
    ]) {
      assert.deepStrictEqual(storeFailure({ message: "outer", cause: new Error(message) }), {
        reason: "unavailable",
        detail: `the database said ${message}`
      })
      assert.strictEqual(
        storeFailure({ message, cause: new Error("parameter s3cret") }).detail,
        `the database said ${message}`
      )
    }
    for (const error of [new Error("parameter s3cret"), "s3cret", null, undefined, {}]) {
      assert.deepStrictEqual(storeFailure(error), {
        reason: "unavailable",
        detail: "the database said nothing that can be shown"
      })
    }
  })

  it("is misconfigured if the address asks for TLS and the server does not support it", () => {
    assert.deepStrictEqual(storeFailure(new Error("The server does not support SSL connections")), {
      reason: "misconfigured",
      detail: "the database said The server does not support SSL connections"
    })
  })

  it("distinguishes a file that cannot be read from a server that is not there", () => {
    assert.deepStrictEqual(storeFailure({ code: "ENOENT", syscall: "open" }), {
      reason: "misconfigured",
      detail: "a file that its address names cannot be read (ENOENT)"
    })
    assert.deepStrictEqual(storeFailure({ code: "ENOENT", syscall: "connect" }), {
      reason: "unavailable",
      detail: "the database said ENOENT"
    })
  })
})
