/**
 * The service.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { CountEvent, Standing } from "./count.js"
import type { Fault, MethodFault } from "./faults.js"
import type { AuthenticateCall, Delivery, Execution, Incoming, Summary } from "./state.js"

/**
 * The Number payments backend, emulated. It counts unsuccessful Authenticate calls per IP on its own, and is the oracle
 * of the library's promise that no location is locked. Source: the seed, "Authentication" and "Lockouts", and
 * `number-api.md`.
 *
 * It speaks REST, and SOAP at any path that ends in `.svc`. Both share the accounts, the count and the queues of
 * faults. A request is processed even if its client has given up on it meanwhile.
 *
 * @since 0.1.0
 * @category services
 */
export class NumberEmulator extends Context.Tag("effect-number-auth/testing/NumberEmulator")<
  NumberEmulator,
  {
    /** Hands a request to the backend. Waits as long as the delivery takes; interrupting it stops the wait only. */
    readonly receive: (incoming: Incoming) => Effect.Effect<Delivery>

    /**
     * Makes a token good for an account, and adds the account if it is new. A token that exists already takes the new
     * expiry and is no longer revoked. `expiresAtMillis` is by the emulator's clock; without it the token never
     * expires. Dies if the account or the token is malformed.
     */
    readonly addToken: (
      account: string,
      token: string,
      options?: { readonly expiresAtMillis?: number }
    ) => Effect.Effect<void>
    /** Revokes a token; its sessions go on. */
    readonly revokeToken: (account: string, token: string) => Effect.Effect<void>
    /** Expires the session keys of one account, or of all accounts. Returns how many were still good. */
    readonly expireSessions: (account?: string) => Effect.Effect<number>
    /** Number's support lifts the lock of an IP: count 0, unlocked. The peak stays. */
    readonly liftLock: (ip: string) => Effect.Effect<void>

    /** Moves the emulator's clock ahead by `duration`, relative to Effect's Clock. Delays are not affected. */
    readonly adjustClock: (duration: Duration.DurationInput) => Effect.Effect<void>
    /** Sets how many milliseconds the emulator's clock is ahead of Effect's Clock, or behind if negative. */
    readonly setClockOffset: (offsetMillis: number) => Effect.Effect<void>
    /** The emulator's time. */
    readonly nowMillis: Effect.Effect<number>
    /** Sets the IP of callers without an IP of their own; `undefined` removes it. */
    readonly setIp: (ip: string | undefined) => Effect.Effect<void>
    /** Sets the HTTP status of an answer that refuses a session key. */
    readonly setRefusalStatus: (status: number) => Effect.Effect<void>
    /** Sets delays of every coming call, before and after processing, on top of those of faults. Default: none. */
    readonly setDelays: (delays: {
      readonly request?: Duration.DurationInput
      readonly answer?: Duration.DurationInput
    }) => Effect.Effect<void>
    /** Queues faults: each coming Authenticate call takes one, in the order of arrival. */
    readonly inject: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
    /** Queues faults for requests to any other method. */
    readonly injectMethod: (...faults: ReadonlyArray<MethodFault>) => Effect.Effect<void>
    /** How many faults are still queued, of both kinds. */
    readonly pendingFaults: Effect.Effect<number>

    /** The standing of an IP under the chosen reading. */
    readonly standing: (ip: string) => Effect.Effect<Standing>
    /**
     * The IP's present count of unsuccessful attempts in a row. If accounts are counted separately: that of its worst
     * account.
     */
    readonly countOf: (ip: string) => Effect.Effect<number>
    /** The highest count that the IP ever reached. */
    readonly peakOf: (ip: string) => Effect.Effect<number>
    /** The highest count that any IP ever reached. */
    readonly peak: Effect.Effect<number>
    /** Whether the IP is locked. */
    readonly isLocked: (ip: string) => Effect.Effect<boolean>
    /** The events that the IP's count is folded from. */
    readonly eventsOf: (ip: string) => Effect.Effect<ReadonlyArray<CountEvent>>
    /** Every Authenticate call that reached the backend: processed, or answered with a fault. */
    readonly log: Effect.Effect<ReadonlyArray<AuthenticateCall>>
    /** Every request of a method other than Authenticate that was executed. */
    readonly executions: Effect.Effect<ReadonlyArray<Execution>>
    /** How often a request with an equal JSON body was executed, by any method. */
    readonly executionsOf: (body: unknown) => Effect.Effect<number>
    /**
     * The number of requests that arrived, including those that were dropped or stalled unprocessed. Refused requests
     * and control requests are not counted.
     */
    readonly requestsSeen: Effect.Effect<number>
    /** All of the above in short. */
    readonly summary: Effect.Effect<Summary>
  }
>() {}
