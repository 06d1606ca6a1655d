/**
 * One location whose processes are killed, and the promises that have to hold there. Needs no vitest.
 */
import { assert } from "chai"
import { Option, Redacted } from "effect"
import type * as NumberAuth from "../../../src/services/session/NumberAuth.js"
import type { Kills } from "./fates.js"
import type { Session } from "../session.js"
import type { Line } from "../worker.js"
import type { Random } from "./random.js"
import type { Worker } from "./workers.js"
import { account, ip, operator, run, type World } from "./world.js"

/** The counts of all locations of a run together. */
export interface Tally {
  readonly byStep: Kills
  suspended: number
  served: number
  readonly failed: Record<string, number>
  /** How often a person resumed, or confirmed that a lock was lifted. */
  words: number
}

interface Sleeper {
  readonly worker: Worker
  readonly untilRound: number
  readonly fromMillis: number
}

/** A token that the store knows as refused, and how often it had been sent by then. */
interface Refused {
  readonly code: string
  readonly token: string
  readonly sent: number
}

export interface Location {
  readonly world: World
  readonly random: Random
  readonly tally: Tally
  readonly operators: ReadonlyArray<NumberAuth.NumberAuth["Type"]>
  readonly good: Map<string, string>
  readonly refused: Map<string, Refused>
  readonly generations: Map<string, number>
  readonly killed: Kills
  readonly sleepers: Array<Sleeper>
}

export const accounts = [account, "AB1234567", "CD7654321"]

export const countOf = (kills: Kills): number => Object.values(kills).reduce((sum, count) => sum + count, 0)

export const newGood = async ({ random, world }: Pick<Location, "random" | "world">, code: string) => {
  const token = random.hex()
  await run(world.emulator.addToken(code, token))
  return token
}

export const newLocation = async (world: World, random: Random, tally: Tally): Promise<Location> => {
  const operators = await Promise.all(accounts.map((code) => operator(world, code)))
  const good = new Map<string, string>()
  for (const code of accounts) good.set(code, await newGood({ random, world }, code))
  return {
    world,
    random,
    tally,
    operators,
    good,
    refused: new Map(),
    generations: new Map(),
    killed: {},
    sleepers: []
  }
}

const sentOf = async (world: World, code: string, token: string): Promise<number> =>
  (await run(world.emulator.log)).filter(
    (call) => call.account === code && Redacted.value(call.token) === token
  ).length

/** The lines of a process or of a start, and the session that it held. */
interface Lived {
  readonly lines: ReadonlyArray<Line>
  readonly task: Pick<Session, "account" | "token">
}

/** Checks every line. */
export const look = async ({ refused, tally, world }: Location, { lines, task }: Lived): Promise<void> => {
  for (const line of lines) {
    if (line.type === "overwritten") assert.fail(`session ${line.held} was overwritten by ${line.by}`)
    if (line.type === "served") tally.served++
    if (line.type === "settled" && line.refused) {
      const { account: code, token } = task
      refused.set(`${code} ${token}`, { code, token, sent: await sentOf(world, code, token) })
    }
    if (line.type !== "failed") continue
    const ending = line.abort === null ? line.error : `${line.error} (${line.abort})`
    tally.failed[ending] = (tally.failed[ending] ?? 0) + 1
    // Only these errors may end a call. A defect is not among them, no store was away, and a dead process
    // delays others no longer than its lease. A process that lost too much time, suspended or on a busy
    // machine, does not send.
    if (line.error === "AuthUnreachable") assert.include(line.message, "lease ran out before it was sent")
    else assert.include(["AuthAborted", "AuthLocked", "AuthLost"], line.error, line.message)
    // If lost attempts may be followed by others, a person is asked only after Number refused the token.
    if (world.settings.lostAttempts === "continue" && line.abort !== null) {
      assert.include(["refused", "barred"], line.abort)
    }
  }
}

/** The promises that have to hold after every round. */
export const check = async ({ generations, operators, refused, world }: Location): Promise<void> => {
  const { locks, peaks } = await run(world.emulator.summary)
  assert.isAtMost(peaks[ip] ?? 0, 5, "the emulator counted more than the limit")
  assert.notInclude(locks, ip, "the location is locked")
  for (const { code, sent, token } of refused.values()) {
    assert.strictEqual(await sentOf(world, code, token), sent, "a refused token was sent again")
  }
  for (const [index, auth] of operators.entries()) {
    const code = accounts[index]!
    const { generation } = await run(auth.status)
    const [before, now] = [generations.get(code) ?? 0, Option.getOrElse(generation, () => Infinity)]
    assert.isAtLeast(now, before, "an older session took the place of a newer one")
    if (Option.isSome(generation)) generations.set(code, generation.value)
  }
}
