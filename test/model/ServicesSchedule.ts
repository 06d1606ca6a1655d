/**
 * Random schedules for the world of the real services.
 */
import * as fc from "fast-check"
import * as Arbitraries from "../../src/testing/Arbitraries.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"

export const accounts = ["EP0000001", "EP0000002"] as const

/** Processes and accounts are given by their index, from 0. */
export type Operation =
  | { readonly type: "call" | "send"; readonly process: number; readonly account: number }
  | { readonly type: "crash"; readonly process: number; readonly fuse: number }
  | { readonly type: "restart"; readonly process: number }
  | { readonly type: "freeze"; readonly process: number; readonly millis: number }
  | { readonly type: "crashLoop"; readonly process: number; readonly account: number; readonly fuse: number }
  | { readonly type: "fault"; readonly fault: Emulator.Fault }
  | { readonly type: "advance"; readonly millis: number }
  | { readonly type: "stepClock"; readonly millis: number }
  | {
      readonly type: "token"
      readonly account: number
      readonly which: "good" | "bad" | "renewed" | "revoked"
    }
  | { readonly type: "badTokens"; readonly process: number; readonly account: number; readonly count: number }
  | { readonly type: "overtake"; readonly process: number; readonly account: number }
  | { readonly type: "expireSessions" | "changeIp" }
  | { readonly type: "storeAway"; readonly millis: number; readonly afterCommit: boolean }
  | { readonly type: "resume"; readonly process: number; readonly account: number }
  | {
      readonly type: "lockLifted"
      readonly process: number
      readonly account: number
      readonly millis: number
    }

export interface Schedule {
  readonly limit: number
  readonly lostAttempts: "abort" | "continue"
  readonly backend: {
    readonly counting: "ip" | "ipAndAccount"
    readonly successClears: "all" | "own"
    readonly faultsCount: boolean
  }
  /** The protocol that attempts are sent over. */
  readonly wire: "REST" | "SOAP"
  readonly operations: ReadonlyArray<Operation>
}

export const processes = 2
const process = fc.nat({ max: processes - 1 })
const account = fc.nat({ max: accounts.length - 1 })
const fuse = fc.nat({ max: 4 })

const one = <T extends Operation["type"], M>(type: T, rest: { [K in keyof M]: fc.Arbitrary<M[K]> }) =>
  fc.record({ type: fc.constant(type), ...rest }) as unknown as fc.Arbitrary<Operation>

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: one("call", { process, account }) },
  { weight: 4, arbitrary: one("send", { process, account }) },
  { weight: 3, arbitrary: one("crash", { process, fuse }) },
  { weight: 3, arbitrary: one("restart", { process }) },
  { weight: 2, arbitrary: one("freeze", { process, millis: fc.constantFrom(10_000, 50_000, 400_000) }) },
  { weight: 2, arbitrary: one("crashLoop", { process, account, fuse }) },
  { weight: 6, arbitrary: one("fault", { fault: Arbitraries.fault }) },
  {
    weight: 6,
    arbitrary: one("advance", { millis: fc.constantFrom(200, 5000, 31_000, 60_000, 400_000, 90_100_000) })
  },
  { weight: 1, arbitrary: one("stepClock", { millis: fc.constantFrom(-3_600_000, -60_000, 50_000) }) },
  {
    weight: 5,
    arbitrary: one("token", {
      account,
      which: fc.constantFrom("good", "good", "renewed", "renewed", "bad", "revoked")
    })
  },
  { weight: 3, arbitrary: one("badTokens", { process, account, count: fc.integer({ min: 1, max: 7 }) }) },
  { weight: 5, arbitrary: one("overtake", { process, account }) },
  { weight: 2, arbitrary: one("expireSessions", {}) },
  { weight: 1, arbitrary: one("changeIp", {}) },
  {
    weight: 1,
    arbitrary: one("storeAway", { millis: fc.constantFrom(1000, 60_000), afterCommit: fc.boolean() })
  },
  { weight: 2, arbitrary: one("resume", { process, account }) },
  {
    weight: 2,
    arbitrary: one("lockLifted", { process, account, millis: fc.constantFrom(0, 60_000, 400_000) })
  }
)

const backends = fc.constantFrom<Schedule["backend"]>(
  ...[true, false].flatMap((faultsCount) => [
    { counting: "ip", successClears: "all", faultsCount } as const,
    { counting: "ip", successClears: "own", faultsCount } as const,
    { counting: "ipAndAccount", successClears: "all", faultsCount } as const,
    { counting: "ipAndAccount", successClears: "own", faultsCount } as const
  ])
)

/** A session obtained, refused with 5050 and then with 5030, and each time one attempt that does not leave. */
const opening = (account: number): ReadonlyArray<Operation> => {
  const unsent: Operation = { type: "fault", fault: Emulator.Fault.Refuse }
  const send: Operation = { type: "send", process: 0, account }
  return [
    unsent,
    send,
    send,
    { type: "changeIp" },
    unsent,
    send,
    send,
    { type: "expireSessions" },
    unsent,
    send,
    send
  ]
}

/**
 * Every schedule begins with good days, so that each run goes through the chart's ordinary states. Later a
 * token goes bad and a supervisor restarts the process: that locks hand-written clients.
 */
export const schedule: fc.Arbitrary<Schedule> = fc
  .record({
    limit: fc.constantFrom(1, 3, 5, 5),
    lostAttempts: fc.constantFrom("abort" as const, "continue" as const),
    backend: backends,
    before: fc.array(operation, { maxLength: 30, size: "max" }),
    after: fc.array(operation, { maxLength: 30, size: "max" }),
    account,
    wire: fc.constantFrom("REST" as const, "SOAP" as const)
  })
  .map(({ account, after, before, ...rest }) => ({
    ...rest,
    operations: [
      ...opening(account),
      ...before,
      { type: "token", account, which: "bad" },
      ...[1, 2, 3].flatMap((): ReadonlyArray<Operation> => [
        { type: "restart", process: 0 },
        { type: "call", process: 0, account },
        { type: "advance", millis: 400_000 }
      ]),
      ...after
    ]
  }))
