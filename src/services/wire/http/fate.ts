/**
 * The fate of a request that has no answer, decided by the client's error. Attempts and calls share this decision.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Predicate from "effect/Predicate"
import { SendTimedOut } from "./SendTimedOut.js"
import { SentTwice } from "./SentTwice.js"

/**
 * Codes that Node.js and undici give only before a byte of the request was written: name look-up, connecting, and the
 * refusal of the server's certificate, which ends the handshake. A code that can also come later is not in this set.
 */
const unsentCodes: ReadonlySet<string> = new Set([
  // name look-up
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EAI_NONAME",
  "EAI_NODATA",
  // connecting
  "ECONNREFUSED",
  "UND_ERR_CONNECT_TIMEOUT",
  // TLS: X.509 verification (Node.js "TLS: X509 certificate error codes") and the host name
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "CERT_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "HOSTNAME_MISMATCH"
])

/** Codes that mean unsent only if the failing call was `connect` itself. */
const unsentInConnect: ReadonlySet<string> = new Set([
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL"
])

/**
 * The facts about a transport error. `code` is for people.
 */
export interface TransportFailure {
  readonly unsent: boolean
  readonly code: string
}

const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined

const isUnsent = (error: unknown, code: string): boolean => {
  // Several addresses were tried: each must have failed before anything was written.
  if (Predicate.hasProperty(error, "errors") && Array.isArray(error.errors) && error.errors.length > 0) {
    return error.errors.every((each) => {
      const eachCode = codeOf(each)
      return eachCode !== undefined && isUnsent(each, eachCode)
    })
  }
  return (
    unsentCodes.has(code) ||
    (unsentInConnect.has(code) && Predicate.hasProperty(error, "syscall") && error.syscall === "connect")
  )
}

/**
 * Reads a transport error. The first code along its chain of causes decides. Without a code, the request may have been
 * sent.
 */
export const transportFailure = (error: unknown): TransportFailure => {
  let current = error
  for (let depth = 0; depth < 8 && Predicate.isObject(current); depth++) {
    const code = codeOf(current)
    if (code !== undefined)
      return { unsent: isUnsent(current, code), code: /^[A-Z0-9_]{1,64}$/.test(code) ? code : "unknown" }
    current = Predicate.hasProperty(current, "cause") ? current.cause : undefined
  }
  return { unsent: false, code: "unknown" }
}

/**
 * The fate of a request. The details are for people, and are put into a sentence.
 *
 * - `unsent`: provably no byte of it was written. `why` is the part that failed: its URL, its body, or the connection.
 * - `answered`: the client took the status of the answer for an error.
 * - `lost`: the request may have arrived.
 */
export type Fate =
  | { readonly _tag: "unsent"; readonly why: "url" | "body" | "connection"; readonly detail: string }
  | { readonly _tag: "answered"; readonly status: number }
  | { readonly _tag: "lost"; readonly detail: string }

/** Reads a client's error. Do not keep the error itself: it holds the request, and the request holds secrets. */
export const fateOf = (error: HttpClientError.HttpClientError): Fate => {
  if (error._tag === "RequestError" && error.reason !== "Transport") {
    const why = error.reason === "InvalidUrl" ? "url" : "body"
    return { _tag: "unsent", why, detail: "the request could not be built" }
  }
  if (error._tag === "ResponseError" && error.reason === "StatusCode") {
    return { _tag: "answered", status: error.response.status }
  }
  const { cause } = error
  if (cause instanceof SendTimedOut || cause instanceof SentTwice) {
    return { _tag: "lost", detail: cause.message }
  }
  const { code, unsent } = transportFailure(cause)
  // An error while the answer is read comes after the request was sent, whatever its code.
  return unsent && error._tag === "RequestError"
    ? { _tag: "unsent", why: "connection", detail: `Number could not be reached (${code})` }
    : { _tag: "lost", detail: `the connection failed before a whole answer came (${code})` }
}
