/**
 * The state of the emulator, and the shapes of requests and answers.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type { CountEvent } from "./count.js"
import type { Fault, MethodFault } from "./faults.js"
import type { Options } from "./rules.js"

/**
 * A request as it arrives at the backend, by any carrier.
 *
 * @since 0.1.0
 * @category models
 */
export interface Incoming {
  readonly method: string
  /** The URL's path; only its last segments are looked at. One that ends in `.svc` is the SOAP service. */
  readonly path: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** The fixed IP of this caller. It overrides `setIp`, and the header `X-Emulator-IP` overrides it. */
  readonly ip?: string
  /** The address of the connection. Used if nothing else gives an IP. */
  readonly remoteAddress?: string
}

/**
 * An HTTP answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/**
 * The result for the caller: an answer, an answer that breaks off half-way, a reset or refused connection, or silence.
 *
 * @since 0.1.0
 * @category models
 */
export type Delivery =
  | { readonly _tag: "Answered"; readonly answer: Answer }
  | { readonly _tag: "Cut"; readonly answer: Answer }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Refused" }
  | { readonly _tag: "Stalled" }

/**
 * The backend's judgement of an Authenticate call. All but `accepted` count as unsuccessful; `malformed` and `faulted`
 * count only if the option `faultsCount` is true.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome =
  | "accepted"
  | "unknownAccount"
  | "wrongToken"
  | "revokedToken"
  | "expiredToken"
  | "locked"
  | "lockReported"
  | "malformed"
  | "faulted"

/**
 * An Authenticate call that the backend processed, or answered with a fault.
 *
 * @since 0.1.0
 * @category models
 */
export interface AuthenticateCall {
  /** From 1, in the order of processing. */
  readonly sequence: number
  /** By the emulator's clock. */
  readonly atMillis: number
  readonly ip: string
  /** As sent; `""` if the request named none. */
  readonly account: string
  /** As sent; empty if the request held none. */
  readonly token: Redacted.Redacted<string>
  readonly outcome: Outcome
}

/**
 * A request to a method other than Authenticate that was executed: its session key was good.
 *
 * @since 0.1.0
 * @category models
 */
export interface Execution {
  /** By the emulator's clock. */
  readonly atMillis: number
  readonly ip: string
  readonly account: string
  /** The path's last segment, or the element in the body of a SOAP envelope. */
  readonly method: string
  /** The JSON body; `null` if there was none. Over SOAP: the parameters without the session key, each as text. */
  readonly body: unknown
}

/**
 * A summary that holds no secrets and can be written as JSON: the answer of `POST {base}/_emulator/state`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Summary {
  readonly nowMillis: number
  readonly requestsSeen: number
  readonly authenticateCalls: number
  /** By IP. */
  readonly counts: Readonly<Record<string, number>>
  /** By IP. */
  readonly peaks: Readonly<Record<string, number>>
  /** The locked IPs. */
  readonly locks: ReadonlyArray<string>
  readonly calls: ReadonlyArray<Omit<AuthenticateCall, "token">>
  readonly executions: ReadonlyArray<Execution>
  /** Faults still queued. */
  readonly pendingFaults: number
}

export interface TokenRecord {
  readonly id: number
  readonly accountId: number
  readonly createdAtMillis: number
  readonly expiresAtMillis: Option.Option<number>
  readonly isRevoked: boolean
}

interface Session {
  readonly account: string
  readonly ip: string
  readonly expiresAtMillis: number
}

export interface State {
  readonly accounts: Map<string, Map<string, TokenRecord>>
  readonly events: Map<string, Array<CountEvent>>
  readonly sessions: Map<string, Session>
  readonly calls: Array<AuthenticateCall>
  readonly executions: Array<Execution>
  readonly authenticateFaults: Array<Fault>
  readonly methodFaults: Array<MethodFault>
  ip: Option.Option<string>
  offsetMillis: number
  refusalStatus: number
  requestDelay: Duration.Duration
  answerDelay: Duration.Duration
  requestsSeen: number
  tokensMade: number
}

export const initialState = (options: Options): State => ({
  accounts: new Map(),
  events: new Map(),
  sessions: new Map(),
  calls: [],
  executions: [],
  authenticateFaults: [],
  methodFaults: [],
  ip: Option.fromNullable(options.ip),
  offsetMillis: 0,
  refusalStatus: options.refusalStatus ?? 200,
  requestDelay: Duration.zero,
  answerDelay: Duration.zero,
  requestsSeen: 0,
  tokensMade: 0
})
