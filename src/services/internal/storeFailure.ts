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
  for (let cause = error; Predicate.isObject(cause) && code === undefined;) {
    if (Predicate.hasProperty(cause, "code") && typeof cause.code === "string") code = cause.code
    cause = Predicate.hasProperty(cause, "cause") ? cause.cause : undefined
  }
  return {
    reason: reasonOf(code ?? ""),
    detail: `the database said ${code ?? "nothing that can be shown"}`
  }
}

/** By SQLite's result codes; those of other databases do not tell damage from absence. */
const reasonOf = (code: string): StoreFailure["reason"] => {
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return "unreadable"
  return /^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/.test(code) ? "misconfigured" : "unavailable"
}
