/**
 * A step of the core: the records before, the message, the decision, and the records after.
 */
import * as Data from "effect/Data"
import type { RefusalCode } from "../schemas/Answers.js"
import type { AttemptOutcome } from "../schemas/AttemptOutcome.js"
import type { Fingerprint } from "../schemas/Credentials.js"
import type { Abort, AttemptId, AuthContext, Claim, LedgerRecord, Session, StateName } from "../schemas/StoredRecord.js"
import type { AuthEvent } from "./AuthEvent.js"
import type { Notice } from "./Notice.js"

/**
 * The records of a transaction, without the session key.
 *
 * @since 0.1.0
 * @category models
 */
export interface CoreState {
  readonly ledger: LedgerRecord
  readonly state: StateName
  readonly context: AuthContext
}

/**
 * How an attempt ended, without its secret.
 *
 * @since 0.1.0
 * @category models
 */
export type OutcomeFacts =
  | Omit<Extract<AttemptOutcome, { _tag: "accepted" }>, "sessionKey">
  | Exclude<AttemptOutcome, { _tag: "accepted" }>

/**
 * A message to the core, of the shell or of a person.
 *
 * @since 0.1.0
 * @category models
 */
export type Message =
  /** A caller needs a session; these are the credentials at hand. */
  | { readonly type: "request"; readonly fingerprint: Fingerprint; readonly claim: Claim }
  /** The store did not confirm a request, so nothing was sent for it: what it may have reserved is given back. */
  | { readonly type: "withdraw"; readonly claim: Claim }
  /** Number refused the session key of that generation. */
  | { readonly type: "sessionRefused"; readonly generation: AttemptId; readonly code: RefusalCode }
  /** The session of that generation has no key in this process, which needs one. */
  | { readonly type: "sessionUnavailable"; readonly generation: AttemptId }
  /** An attempt ended. */
  | {
      readonly type: "attemptEnded"
      readonly attempt: AttemptId
      readonly fingerprint: Fingerprint
      readonly outcome: OutcomeFacts
    }
  /** A person brought other credentials. */
  | { readonly type: "replaceCredentials"; readonly fingerprint: Fingerprint }
  /** An operator says that the next attempt may be made. */
  | { readonly type: "resume" }
  /** An operator says that Number's support lifted the lock. */
  | { readonly type: "confirmLockLifted" }
  /** Nothing but the time has passed. */
  | { readonly type: "observe" }

/**
 * The core's answer to a message.
 *
 * - `held`: a session is there.
 * - `send`: the mark is put; send the attempt once the transaction is durable.
 * - `wait`: `attempt`, another process is making this account's attempt; `room`, the location's marks in flight leave
 *   no room. Ask again when the store changes, or after `forMillis` at the latest.
 * - `aborted`, `locked`: a person is needed.
 * - `done`: noted.
 * - `rejected`: a person asked for a change that would not be safe, or that has nothing to act on. Nothing was changed.
 *
 * @since 0.1.0
 * @category models
 */
export type Decision = Data.TaggedEnum<{
  held: { readonly session: Session }
  send: { readonly attempt: AttemptId }
  wait: { readonly on: "attempt" | "room"; readonly forMillis: number }
  aborted: { readonly abort: Abort }
  locked: { readonly reported: boolean }
  done: {}
  rejected: {
    readonly why: "refusedCredentials" | "abortedCredentials" | "addressFlapping" | "notAborted" | "notLocked"
  }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Decision: Data.TaggedEnum.Constructor<Decision> = Data.taggedEnum<Decision>()

/**
 * The result of one message: the records to store, and what the shell does once they are durable.
 *
 * @since 0.1.0
 * @category models
 */
export interface Step extends CoreState {
  /** The events that the chart took, in order. An event that changed nothing is left out. */
  readonly events: ReadonlyArray<AuthEvent>
  /** What people have to be told. */
  readonly notices: ReadonlyArray<Notice>
  readonly decision: Decision
}
