/**
 * A step of the core: the records before, the message, the decision, and the records after.
 */
import * as Data from "effect/Data"
import type { RefusalCode } from "../schemas/Answers.js"
import type { AttemptOutcome } from "../schemas/AttemptOutcome.js"
import type { Fingerprint } from "../schemas/Credentials.js"
import type {
  Abort,
  AttemptId,
  AuthContext,
  Claim,
  LedgerRecord,
  Session,
  StateName
} from "../schemas/StoredRecord.js"
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
 * A message to the core, from the shell or from a person.
 *
 * @since 0.1.0
 * @category models
 */
export type Message =
  /** A caller needs a session; these are the credentials at hand. */
  | { readonly type: "request"; readonly fingerprint: Fingerprint; readonly claim: Claim }
  /** The store did not confirm a request, so nothing was sent for it. Its reservation, if there is one, is released. */
  | { readonly type: "withdraw"; readonly claim: Claim }
  /** Number refused the session key of that generation. */
  | { readonly type: "sessionRefused"; readonly generation: AttemptId; readonly code: RefusalCode }
  /** This process needs a session, and has no key for the session of that generation. */
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
  /** An operator allows the next attempt. */
  | { readonly type: "resume" }
  /** An operator confirms that Number's support lifted the lock. */
  | { readonly type: "confirmLockLifted" }
  /** Only time has passed. */
  | { readonly type: "observe" }

/**
 * The core's answer to a message.
 *
 * - `held`: the account has a session.
 * - `send`: the mark is put. Send the attempt once the transaction is durable.
 * - `wait`: for `attempt`, this account's attempt is already in progress; for `room`, the location's marks in flight
 *   leave no room. Ask again when the store changes, or after `forMillis` at the latest.
 * - `aborted`, `locked`: a person is needed.
 * - `done`: the message was handled, and needs no answer.
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
 * The result of one message: the records to store, and the shell's task once they are durable.
 *
 * @since 0.1.0
 * @category models
 */
export interface Step extends CoreState {
  /** The events that the chart took, in order. An event that changed nothing is left out. */
  readonly events: ReadonlyArray<AuthEvent>
  /** The notices for people. */
  readonly notices: ReadonlyArray<Notice>
  readonly decision: Decision
}
