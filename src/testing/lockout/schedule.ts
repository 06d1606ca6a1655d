/**
 * What happens to a program: schedules of steps, at random and in words.
 */
import * as FastCheck from "effect/FastCheck"
import * as Arbitraries from "../Arbitraries.js"
import type * as NumberEmulator from "../NumberEmulator.js"
import { type Options, processesOf } from "./options.js"

/**
 * One step of a schedule. Processes and accounts are given by their index, from 0.
 *
 * @since 0.1.0
 * @category models
 */
export type Step =
  /** The program runs in a process, once more. */
  | { readonly type: "run"; readonly process: number; readonly account: number }
  /** A supervisor restarts a process `times` times, and the program runs in it each time. */
  | { readonly type: "restart"; readonly process: number; readonly account: number; readonly times: number }
  /**
   * The process passes `gates` more gates and dies at the next one: 0, before the store's transaction; 1, after its
   * commit; 2, before the request is sent; 3, after the answer.
   */
  | { readonly type: "crash"; readonly process: number; readonly gates: number }
  | { readonly type: "freeze"; readonly process: number; readonly millis: number }
  /** The next `times` attempts meet a fault. */
  | { readonly type: "fault"; readonly fault: NumberEmulator.Fault; readonly times: number }
  | { readonly type: "passTime"; readonly millis: number }
  /** `bad`: a token that Number does not know; `renewed`: a new good token; `good`: the last good token. */
  | { readonly type: "token"; readonly account: number; readonly which: "bad" | "renewed" | "good" }
  /** A person supplies wrong tokens, one after the other, and the program runs with each. */
  | {
      readonly type: "wrongTokens"
      readonly process: number
      readonly account: number
      readonly times: number
    }
  | { readonly type: "revokeToken"; readonly account: number }
  | { readonly type: "expireSessions" }
  | { readonly type: "loseStore"; readonly millis: number; readonly afterCommit: boolean }
  | { readonly type: "resume"; readonly account: number }
  | { readonly type: "liftLock"; readonly account: number }

/**
 * The steps of one run, from its beginning.
 *
 * @since 0.1.0
 * @category models
 */
export interface Schedule {
  readonly steps: ReadonlyArray<Step>
  /** The seed of Effect's Random, and of the choice among fibers that are ready to run. */
  readonly seed: number
}

export const accounts = ["EP0000001", "EP0000002"] as const
export const nameOfAccount = (account: number): string => `account ${account === 0 ? "A" : "B"}`
export const nameOfProcess = (process: number): string => `P${process + 1}`

const step = <Type extends Step["type"], S extends Extract<Step, { readonly type: Type }>>(
  type: Type,
  weight: number,
  fields: { readonly [K in Exclude<keyof S, "type">]: FastCheck.Arbitrary<S[K]> }
): FastCheck.WeightedArbitrary<Step> => ({
  weight,
  arbitrary: FastCheck.record({
    type: FastCheck.constant(type),
    ...fields
  }) as unknown as FastCheck.Arbitrary<Step>
})

/**
 * Schedules for the given number of processes, with or without acts of people.
 *
 * @since 0.1.0
 * @category schedules
 */
export const schedule = (options: Options = {}): FastCheck.Arbitrary<Schedule> => {
  const process = FastCheck.nat({ max: processesOf(options) - 1 })
  const account = FastCheck.nat({ max: accounts.length - 1 })
  const ofPeople =
    options.operators === false ? [] : [step("resume", 6, { account }), step("liftLock", 1, { account })]
  const any = FastCheck.oneof(
    step("run", 10, { process, account }),
    step("restart", 4, { process, account, times: FastCheck.integer({ min: 1, max: 8 }) }),
    step("crash", 4, { process, gates: FastCheck.nat({ max: 7 }) }),
    step("freeze", 1, { process, millis: FastCheck.constantFrom(10_000, 50_000, 400_000) }),
    step("fault", 6, { fault: Arbitraries.fault, times: FastCheck.integer({ min: 1, max: 7 }) }),
    step("passTime", 4, { millis: FastCheck.constantFrom(200, 5000, 31_000, 60_000, 400_000) }),
    step("token", 5, { account, which: FastCheck.constantFrom("bad", "renewed", "renewed", "good") }),
    step("wrongTokens", 3, { process, account, times: FastCheck.integer({ min: 1, max: 7 }) }),
    step("revokeToken", 1, { account }),
    step("expireSessions", 2, {}),
    step("loseStore", 1, {
      millis: FastCheck.constantFrom(1000, 60_000),
      afterCommit: FastCheck.boolean()
    }),
    ...ofPeople
  )
  return FastCheck.record({
    steps: FastCheck.array(any, { maxLength: 40, size: "max" }),
    seed: FastCheck.nat({ max: 9999 })
  })
}

const seconds = (millis: number): string => `${millis / 1000} s`

export const inWords = (given: Step): string => {
  switch (given.type) {
    case "run":
      return `The program runs in ${nameOfProcess(given.process)} for ${nameOfAccount(given.account)}`
    case "restart":
      return `${nameOfProcess(given.process)} is started again, ${given.times} times, and runs the program for ${nameOfAccount(given.account)}`
    case "crash":
      return `${nameOfProcess(given.process)} dies after ${given.gates} more gates of store and network`
    case "freeze":
      return `${nameOfProcess(given.process)} stands still for ${seconds(given.millis)}`
    case "fault":
      return `The next ${given.times} attempts meet a fault: ${given.fault._tag}`
    case "passTime":
      return `${seconds(given.millis)} pass`
    case "token":
      return `A person gives ${nameOfAccount(given.account)} a ${given.which} token`
    case "wrongTokens":
      return `A person gives ${nameOfAccount(given.account)} ${given.times} bad tokens in a row, and the program runs in ${nameOfProcess(given.process)} with each`
    case "revokeToken":
      return `The good token of ${nameOfAccount(given.account)} is revoked`
    case "expireSessions":
      return "All sessions expire"
    case "loseStore":
      return `The store is away for ${seconds(given.millis)}${given.afterCommit ? ", after it has committed" : ""}`
    case "resume":
      return `A person resumes ${nameOfAccount(given.account)}`
    case "liftLock":
      return `Number's support lifts the lock, and a person confirms it for ${nameOfAccount(given.account)}`
  }
}
