/**
 * The reason and the words for an error of a database driver. The driver's own error is not kept: it may hold
 * parameters, and a parameter may hold a session key.
 */
import * as Predicate from "effect/Predicate"

/**
 * The reason and the detail of a failure of the store, for an {@link AuthStoreError}.
 */
export interface StoreFailure {
  readonly reason: "unavailable" | "unreadable" | "misconfigured"
  readonly detail: string
}

/**
 * Reads the first code along the chain of causes.
 */
export const storeFailure = (error: unknown): StoreFailure => {
  let code: string | undefined
  let known: string | undefined
  let isFile = false
  for (let cause = error; Predicate.isObject(cause) && code === undefined;) {
    if (Predicate.hasProperty(cause, "code") && typeof cause.code === "string") code = cause.code
    // `open` failed: a certificate file is missing, not the server.
    if (Predicate.hasProperty(cause, "syscall")) isFile = cause.syscall === "open"
    if (Predicate.hasProperty(cause, "message")) {
      const { message } = cause
      known = [...withoutCode, ...withoutTls].find((text) => text === message) ?? known
    }
    cause = Predicate.hasProperty(cause, "cause") ? cause.cause : undefined
  }
  return {
    reason:
      isFile || (known !== undefined && withoutTls.includes(known)) ? "misconfigured" : reasonOf(code ?? ""),
    detail: isFile
      ? `a file that its address names cannot be read (${code})`
      : `the database said ${code ?? known ?? "nothing that can be shown"}`
  }
}

/** Messages of drivers that come without a code. No part of them comes from a statement. */
const withoutCode: ReadonlyArray<string> = [
  "timeout exceeded when trying to connect",
  "Connection terminated unexpectedly",
  "Connection terminated due to connection timeout",
  "Connection terminated",
  "Connection timed out"
]

/** Messages without a code, if the address asks for TLS and the server has none. */
const withoutTls: ReadonlyArray<string> = ["The server does not support SSL connections"]

/**
 * Classifies a code. `unreadable`: corrupted data, by SQLite's result codes or PostgreSQL's XX001 and XX002.
 * `misconfigured`: a wrong user, password, database or right, by SQLite's codes or PostgreSQL's (28…, 3D000, 42501); an
 * invalid address or certificate, by Node's codes. Any other failure may pass, such as a standby that is read-only
 * until it takes over.
 */
const reasonOf = (code: string): StoreFailure["reason"] => {
  if (/^(SQLITE_(CORRUPT|NOTADB)|XX00[12]$)/.test(code)) return "unreadable"
  return /^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|28...$|3D000$|42501$|ERR_INVALID_URL$|ERR_TLS_CERT_|CERT_|UNABLE_TO_|(DEPTH_ZERO_)?SELF_SIGNED_CERT|HOSTNAME_MISMATCH$|INVALID_CA$|ERR_OSSL_)/.test(
    code
  )
    ? "misconfigured"
    : "unavailable"
}
