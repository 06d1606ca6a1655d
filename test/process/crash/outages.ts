/**
 * A server of PostgreSQL that is stopped and started under load. Needs no vitest.
 */
import { assert } from "chai"
import { setTimeout as sleep } from "node:timers/promises"
import { type Server, startServer } from "../../support/postgres.js"
import type { Effort } from "../../verify/effort.js"
import { type Random, randomOf } from "./random.js"
import { startWorker, type Worker } from "./workers.js"
import {
  account,
  assertNeverLocked,
  attempts,
  type Given,
  goodToken,
  inWorld,
  ip,
  onStage,
  operator,
  run,
  type World
} from "./world.js"

export interface OutageFigures {
  readonly seed: number
  /** How often the server was stopped and started. */
  readonly rounds: number
  readonly processes: number
  readonly attempts: number
  readonly peak: number
  /** How long it took after each start until all processes served again. */
  readonly recoveredMillis: ReadonlyArray<number>
  /** The promises that were broken, each with its seed; empty if there are none. */
  readonly breaches: ReadonlyArray<string>
}

const codes = [account, "AB1234567", "CD7654321"]

const servedOf = ({ lines }: Worker): number => lines.filter(({ type }) => type === "served").length

/** Waits until every worker has served again. */
const untilAllServe = async (
  world: World,
  workers: ReadonlyArray<Worker>,
  when: string,
  forMillis: number
): Promise<void> => {
  const before = workers.map(servedOf)
  const deadline = Date.now() + forMillis
  while (!workers.every((each, index) => servedOf(each) > before[index]! + 1)) {
    if (Date.now() > deadline) {
      const last = workers.map(({ lines }) => lines.slice(-2))
      const status = await run((await operator(world)).status)
      assert.fail(`${when}: not all serve: ${JSON.stringify(last)} ${JSON.stringify(status)}`)
    }
    await sleep(20)
  }
}

/** Calls may fail only because of the store, and each fails in time. */
const assertFailedForStore = ({ lines }: Worker): void => {
  for (const line of lines) {
    if (line.type !== "failed") continue
    assert.include(["AuthStoreError", "AuthBusy"], line.error, line.message)
    if (line.error === "AuthStoreError") assert.include(line.message, "is unavailable")
    assert.isBelow(line.afterMillis, 30_000)
  }
}

/**
 * One stop and one start. Odd rounds stop the server as a power failure does. From the third round on, the
 * server stops during renewals. Before that, sessions are held and go on serving.
 */
const outage = async (
  { random, server, workers, world }: Load,
  round: number
): Promise<{ readonly recoveredMillis: number }> => {
  const how = round % 2 === 0 ? "fast" : "kill"
  const isMidst = round >= 2
  if (isMidst) {
    await run(world.emulator.expireSessions())
    await sleep(random.next() * 120)
  }
  await server.stop(how)
  if (!isMidst) await untilAllServe(world, workers, `away (${how}), with held keys`, 20_000)
  // An attempt that was reserved before may still be on its way.
  await sleep(1000)
  const sent = await attempts(world)
  await run(world.emulator.expireSessions())
  await sleep(2000)
  assert.strictEqual(await attempts(world), sent, "an attempt was sent while the store was away")
  workers.forEach(assertFailedForStore)
  const began = Date.now()
  await server.start()
  await untilAllServe(world, workers, `back (${how}${isMidst ? ", in the midst of renewals" : ""})`, 40_000)
  return { recoveredMillis: Date.now() - began }
}

interface Load {
  readonly world: World
  readonly server: Server
  readonly random: Random
  readonly workers: ReadonlyArray<Worker>
}

const outagesIn = async (world: World, server: Server, effort: Effort): Promise<OutageFigures> => {
  const { seed } = effort
  for (const code of codes) await run(world.emulator.addToken(code, goodToken))
  const workers = codes.flatMap((code) =>
    [0, 1].map(() => startWorker(world, { mode: "loop", account: code }))
  )
  const recoveredMillis: Array<number> = []
  const breaches: Array<string> = []
  try {
    await untilAllServe(world, workers, "at first", 60_000)
    for (let round = 0; round < effort.most && effort.mayGoOn(); round++) {
      recoveredMillis.push(
        (await outage({ world, server, random: randomOf(seed + round), workers }, round)).recoveredMillis
      )
      effort.done(round + 1)
    }
    assert.strictEqual(await run(world.emulator.peakOf(ip)), 0)
    await assertNeverLocked(world)
  } catch (error) {
    breaches.push(`seed ${seed}: ${String(error)}`)
  } finally {
    await Promise.all(workers.map(({ kill }) => kill()))
  }
  return {
    seed,
    rounds: recoveredMillis.length,
    processes: workers.length,
    attempts: await attempts(world),
    peak: await run(world.emulator.peakOf(ip)),
    recoveredMillis,
    breaches
  }
}

/**
 * Stops and starts a server of its own, `effort.most` times or as long as `effort.mayGoOn()`. Nothing is sent meanwhile,
 * held keys serve, and all processes recover by themselves.
 */
export const outagesOf = async (effort: Effort, given: Given = {}): Promise<OutageFigures> => {
  const server = await startServer()
  try {
    const newDatabase = async () => (await server.database()).url
    return await onStage("PostgreSQL", { ...given, newDatabase }, (stage) =>
      inWorld(stage, (world) => outagesIn(world, server, effort), {
        attemptTimeout: "10 seconds",
        leaseDuration: "12 seconds",
        drainTime: "12 seconds",
        waitTimeout: "20 seconds"
      })
    )
  } finally {
    await server.end()
  }
}
