/**
 * Words for what a database driver threw. The driver's own error is not kept: it may hold parameters, and a parameter
 * may hold a session key.
 */
import * as Predicate from "effect/Predicate"

/**
 * What is known of a failure of the store: what {@link AuthStoreError} is made of.
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
    // A certificate that is not there, and not a server.
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

/** What drivers say without a code: no part of it comes from a statement. */
const withoutCode: ReadonlyArray<string> = [
  "timeout exceeded when trying to connect",
  "Connection terminated unexpectedly",
  "Connection terminated due to connection timeout",
  "Connection terminated",
  "Connection timed out"
]

/** The same, where the address asks for TLS and the server has none. */
const withoutTls: ReadonlyArray<string> = ["The server does not support SSL connections"]

/**
 * By SQLite's result codes, and PostgreSQL's: data that is corrupted (class XX); user, password, database or rights
 * that are wrong (28…, 3D000, 42501). By Node's: an address that is none, a certificate that does not hold. All else may
 * pass, such as a standby that is read-only until it takes over.
 */
const reasonOf = (code: string): StoreFailure["reason"] => {
  if (/^(SQLITE_(CORRUPT|NOTADB)|XX00[12]$)/.test(code)) return "unreadable"
  return /^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|28...$|3D000$|42501$|ERR_INVALID_URL$|ERR_TLS_CERT_|CERT_|UNABLE_TO_|(DEPTH_ZERO_)?SELF_SIGNED_CERT|HOSTNAME_MISMATCH$|INVALID_CA$|ERR_OSSL_)/.test(
    code
  )
    ? "misconfigured"
    : "unavailable"
}
