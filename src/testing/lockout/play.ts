/**
 * Plays one schedule with a program.
 */
import * as Effect from "effect/Effect"
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"
import type { Violation } from "./finding.js"
import { limitOf, type Options } from "./options.js"
import { accounts, nameOfAccount, type Schedule, type Step } from "./schedule.js"
import { type Environment, makeStage, type Stage } from "./stage.js"

/** What was seen in one run. */
export interface Seen {
  readonly violation: Violation | null
  readonly peak: number
  readonly attempts: number
  readonly crashes: number
  readonly diagram: string
  readonly records: ReadonlyArray<TransitionRecord>
}

type Given<Type extends Step["type"]> = Extract<Step, { readonly type: Type }>

const restart = async ({ location, run, start }: Stage, given: Given<"restart">): Promise<void> => {
  for (let time = 0; time < given.times; time++) {
    start(given.process)
    run(given.process, given.account)
    await location.clock.advanceAsync(10_000)
  }
}

const supplyToken = ({ diagram, location }: Stage, { account, which }: Given<"token">): void => {
  const { tokens } = location
  diagram.draw(`Note over Person: gives ${nameOfAccount(account)} a ${which} token`)
  if (which === "renewed") tokens.issue(account)
  tokens.supply(account, which === "bad" ? tokens.makeUnknown() : tokens.good(account))
}

const supplyWrongTokens = async ({ location, run }: Stage, given: Given<"wrongTokens">): Promise<void> => {
  for (let time = 0; time < given.times; time++) {
    location.tokens.supply(given.account, location.tokens.makeUnknown())
    run(given.process, given.account)
    await location.clock.advanceAsync(1000)
  }
}

const resume = ({ asPerson, diagram, oracle }: Stage, { account }: Given<"resume">): void => {
  diagram.draw(`Person->>Store: resumes ${nameOfAccount(account)}`)
  oracle.resumed(accounts[account]!)
  asPerson(account, (auth) => auth.resume)
}

/** The person tells the truth: the drain of the last attempt is over, and no request has come since. */
const liftLock = async (stage: Stage, { account }: Given<"liftLock">): Promise<void> => {
  const { asPerson, diagram, location, oracle } = stage
  const { clock, emulator } = location
  const seen = clock.run(emulator.requestsSeen)
  await clock.advanceAsync(700_000)
  if (clock.run(emulator.requestsSeen) !== seen) return
  diagram.draw("Person->>Number: support sets the count to zero")
  location.liftLocks()
  oracle.lifted()
  asPerson(account, (auth) => auth.confirmLockLifted)
}

const perform = async (stage: Stage, given: Step): Promise<void> => {
  const { clock, emulator, absence, accounts, tokens } = stage.location
  switch (given.type) {
    case "run":
      return stage.run(given.process, given.account)
    case "restart":
      return restart(stage, given)
    case "crash":
      return stage.gatesOf(given.process).dieAfter(given.gates)
    case "freeze":
      return clock.run(stage.gatesOf(given.process).freeze(given.millis))
    case "fault":
      return clock.run(emulator.inject(...Array.from({ length: given.times }, () => given.fault)))
    case "passTime":
      return clock.advanceAsync(given.millis)
    case "token":
      return supplyToken(stage, given)
    case "wrongTokens":
      return supplyWrongTokens(stage, given)
    case "revokeToken":
      return clock.run(emulator.revokeToken(accounts[given.account]!, tokens.good(given.account)))
    case "expireSessions":
      return clock.run(Effect.asVoid(emulator.expireSessions()))
    case "loseStore":
      return clock.run(absence.begin(given.millis, given))
    case "resume":
      return resume(stage, given)
    case "liftLock":
      return liftLock(stage, given)
  }
}

export const play = async <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options,
  { seed, steps }: Schedule
): Promise<Seen> => {
  const stage = makeStage(program, options, seed)
  const { clock, emulator } = stage.location
  for (const step of steps) {
    await perform(stage, step)
    await clock.advanceAsync(1)
  }
  await clock.advanceAsync(1_200_000)

  const peak = clock.run(emulator.peak)
  if (peak > limitOf(options)) stage.oracle.report("limitPassed")
  const attempts = clock.run(emulator.log).length
  const diagram = stage.end()
  return {
    violation: stage.oracle.worst(),
    peak,
    attempts,
    crashes: stage.crashes(),
    diagram,
    records: stage.records
  }
}
