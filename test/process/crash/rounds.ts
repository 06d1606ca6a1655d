/**
 * Kills the processes of one location at random, while a person acts on the library's notices. Needs no
 * vitest.
 */
import { assert } from "chai"
import { Effect, Option } from "effect"
import { setTimeout as sleep } from "node:timers/promises"
import type * as NumberAuth from "../../../src/services/session/NumberAuth.js"
import * as NumberEmulator from "../../../src/testing/NumberEmulator.js"
import { fateOf, gateOf, type Fate, strike } from "./fates.js"
import {
  accounts,
  check,
  countOf,
  type Location,
  look,
  newGood,
  newLocation,
  type Tally
} from "./location.js"
import type { Random } from "./random.js"
import { isAtGate, isResult, startWorker } from "./workers.js"
import {
  allDrainedMillis,
  assertNeverLocked,
  attempts,
  ip,
  leaseMillis,
  patient,
  restart,
  run,
  type World
} from "./world.js"

const { Fault } = NumberEmulator

interface Plan {
  readonly code: string
  readonly token: string
  readonly fate: Fate
}

/** Spends the faults that hit no process on a caller from another address, outside of the test. */
const useUpFaults = async (world: World): Promise<void> => {
  const deadline = Date.now() + 30_000
  while ((await run(world.emulator.summary)).pendingFaults > 0) {
    if (Date.now() > deadline) assert.fail("the emulator takes no calls")
    await fetch(`${world.url}/Authenticate`, {
      method: "POST",
      headers: { "x-emulator-ip": "198.51.100.1" },
      body: "{}",
      signal: AbortSignal.timeout(500)
    }).catch(() => {})
  }
}

/** Continues the suspended processes, once their leases have run out. */
const wake = async (location: Location, round: number): Promise<void> => {
  const { sleepers } = location
  for (const sleeper of sleepers.splice(0)) {
    const { fromMillis, untilRound, worker } = sleeper
    if (untilRound > round) {
      sleepers.push(sleeper)
      continue
    }
    await sleep(Math.max(0, fromMillis + leaseMillis - Date.now()))
    worker.child.kill("SIGCONT")
    await worker.result()
    if (worker.task.gate === "beforeSending") {
      assert.isFalse(
        worker.lines.some(({ type }) => type === "written"),
        "sent after its lease"
      )
    }
    await look(location, worker)
  }
}

const tokenOf = async (location: Location, code: string, isStormy: boolean): Promise<string> => {
  const { good, random } = location
  const known = Array.from(location.refused.values()).filter((each) => each.code === code)
  const [isBad, isKnown, isNew, fresh] = [random.next(), random.next(), random.next(), random.hex()]
  if (isBad < (isStormy ? 0.95 : 0.15)) {
    return isKnown < 0.25 && known.length > 0 ? random.pick(known).token : fresh
  }
  if (isNew < 0.6) good.set(code, await newGood(location, code))
  return good.get(code)!
}

const injectByChance = async ({ random, world }: Location, isStormy: boolean): Promise<void> => {
  if (!random.chance(0.5)) return
  const faults = [
    Fault.StallAnswer,
    Fault.DropAnswer,
    Fault.DelayRequest("500 millis"),
    Fault.DelayAnswer("900 millis"),
    Fault.StallRequest
  ]
  await run(world.emulator.inject(random.pick(isStormy ? faults.slice(0, -1) : faults)))
}

const plansOf = async (location: Location, isStormy: boolean): Promise<ReadonlyArray<Plan>> => {
  const { killed, random, world } = location
  const plans: Array<Plan> = []
  for (let index = 0, count = random.pick(isStormy ? [2, 3, 3] : [1, 2, 2]); index < count; index++) {
    const code = random.pick(accounts)
    if (random.chance(0.85)) await run(world.emulator.expireSessions(code))
    const token = await tokenOf(location, code, isStormy)
    plans.push({ code, token, fate: fateOf(random, killed, index, isStormy) })
  }
  return plans
}

/** Runs a process to its fate. */
const live = async (location: Location, { code, fate, token }: Plan, round: number): Promise<void> => {
  const { killed, sleepers, tally } = location
  const worker = startWorker(location.world, {
    account: code,
    token,
    gate: gateOf(fate),
    atGate: fate.type === "suspended" ? "suspend" : "wait"
  })
  if (fate.type === "killed") {
    const at = await strike(worker, fate)
    if (at !== null) {
      killed[at] = (killed[at] ?? 0) + 1
      tally.byStep[at] = (tally.byStep[at] ?? 0) + 1
    }
    return look(location, worker)
  }
  assert.isTrue(
    await worker.until((line) => isResult(line) || isAtGate(line)),
    `a process hangs: ${JSON.stringify(worker.lines)}`
  )
  if (worker.lines.some(isAtGate)) {
    tally.suspended++
    const untilRound = round + (fate.type === "suspended" ? fate.rounds : 0)
    sleepers.push({ worker, untilRound, fromMillis: Date.now() })
    return
  }
  await worker.result()
  await look(location, worker)
}

/**
 * First Number's support lifts the lock, no sooner than the drain time after the last attempt. Then a person
 * confirms it.
 */
const lift = async ({ tally, world }: Location, auth: NumberAuth.NumberAuth["Type"]): Promise<void> => {
  await sleep(allDrainedMillis)
  await run(world.emulator.liftLock(ip))
  await run(Effect.ignore(auth.confirmLockLifted))
  tally.words++
}

/** A person resumes or lifts a lock as the library asks, most of the time. */
const help = async (location: Location, plans: ReadonlyArray<Plan>): Promise<void> => {
  for (const code of new Set(plans.map((plan) => plan.code))) {
    if (location.random.chance(0.25)) continue
    const auth = location.operators[accounts.indexOf(code)]!
    const status = await run(auth.status)
    if (Option.isSome(status.lock)) await lift(location, auth)
    else if (status.state === "aborted") {
      await run(Effect.ignore(auth.resume))
      location.tally.words++
    }
  }
}

/**
 * With good tokens all accounts go on by themselves. Only a full location needs a person. Whether it is full
 * shows when the leases of the killed processes have run out.
 */
const recover = async (location: Location): Promise<void> => {
  const { operators, world } = location
  await wake(location, Infinity)
  await sleep(leaseMillis)
  for (const [index, code] of accounts.entries()) {
    const auth = operators[index]!
    if (Option.isSome((await run(auth.status)).lock)) await lift(location, auth)
    await run(world.emulator.expireSessions(code))
    const session = { account: code, token: await newGood(location, code) }
    const last = await restart(world, { ...session, settings: patient })
    const { calls } = await run(world.emulator.summary)
    assert.strictEqual(last.type, "served", `${JSON.stringify(last)} ${JSON.stringify(calls.slice(-8))}`)
    await look(location, { lines: [last], task: session })
  }
  await assertNeverLocked(world)
}

/** Kills processes of one location as long as `mayGoOn` is true. */
export const killsAt = async (
  world: World,
  random: Random,
  tally: Tally,
  mayGoOn: (killed: number) => boolean
): Promise<{ readonly attempts: number; readonly peak: number }> => {
  const location = await newLocation(world, random, tally)
  try {
    await run(world.emulator.setDelays({ request: "20 millis", answer: "60 millis" }))
    let isStormy = random.chance(0.5)
    for (let round = 0; mayGoOn(countOf(location.killed)); round++) {
      await wake(location, round)
      // Bad tokens come in rows, as if a person had supplied wrong ones for all accounts of the location.
      if (random.chance(isStormy ? 0.15 : 0.25)) isStormy = !isStormy
      await injectByChance(location, isStormy)
      const plans = await plansOf(location, isStormy)
      await Promise.all(plans.map((plan) => live(location, plan, round)))
      await useUpFaults(world)
      await check(location)
      await help(location, plans)
    }
    await recover(location)
    await check(location)
    return { attempts: await attempts(world), peak: await run(world.emulator.peakOf(ip)) }
  } finally {
    await Promise.all(location.sleepers.map(({ worker }) => worker.kill()))
  }
}
