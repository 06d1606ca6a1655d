/**
 * The world of a life: a location with its clock, its disk, its backend and its network.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as SimulatedLocation from "../internal/SimulatedLocation.js"
import { promisesBrokenBy } from "../internal/storedPromises.js"
import * as NumberEmulator from "../NumberEmulator.js"
import * as SimulatedDisk from "../SimulatedDisk.js"
import * as VirtualClock from "../VirtualClock.js"
import { type Chance, type Conditions, drawConditions, makeChance } from "./chance.js"
import { type LifeLog, makeLifeLog } from "./lifeLog.js"
import type { Options } from "./model.js"

export const minute = 60_000
export const hour = 60 * minute
export const tokenLifeMillis = 180 * 24 * hour
/** The wait before support lifts a lock. It is longer than the drain after the last attempt. */
export const quietMillis = 700_000

export interface World {
  readonly options: Options
  readonly chance: Chance
  readonly conditions: Conditions
  readonly clock: VirtualClock.VirtualClock
  readonly disk: SimulatedDisk.SimulatedDisk
  readonly location: SimulatedLocation.SimulatedLocation
  readonly log: LifeLog
  /** The network between the processes and the backend. Every attempt over it is looked into. */
  readonly network: HttpClient.HttpClient
  /** Looks into the backend's log and count: the emulator is the oracle. */
  readonly look: Effect.Effect<void>
}

const makeDisk = (clock: VirtualClock.VirtualClock, chance: Chance, { acknowledges }: Options) =>
  clock.run(
    SimulatedDisk.make({
      syncMillis: () =>
        acknowledges === "beforeDurable" ? chance.between(1000, 30_000) : chance.between(0, 20),
      survives: chance.fraction,
      acknowledges: acknowledges ?? "whenDurable"
    })
  )

/** Notes every attempt that was marked, and the promises that a write breaks. */
const watch =
  (log: LifeLog): SimulatedLocation.Options["onWrite"] =>
  ({ account }, before, write) => {
    const next = write.account.context.attempt
    if (next !== null && next.id !== before.account.context.attempt?.id)
      log.note("marked", { account, detail: `attempt ${next.id}` })
    for (const promise of promisesBrokenBy(before, write)) log.broken(promise)
  }

/** Looks at every answer of the backend since the last look, and at its count. */
const makeLook = (
  { emulator }: SimulatedLocation.SimulatedLocation,
  log: LifeLog,
  limit: number,
  isNaive: boolean
): Effect.Effect<void> => {
  let seen = 0
  const promise = isNaive ? "the backend never counts six" : "the backend never counts more than the limit"
  return Effect.gen(function* () {
    const attempts = yield* emulator.log
    for (const { account, ip, outcome } of attempts.slice(seen)) {
      log.note("judged", { account, detail: `${outcome}, count ${yield* emulator.countOf(ip)} of ${limit}` })
    }
    seen = attempts.length
    if ((yield* emulator.peak) > (isNaive ? 5 : limit)) log.broken(promise)
  })
}

const isAttempt = (url: string): boolean => url.includes("Authenticate") || url.endsWith(".svc")

export const makeWorld = (options: Options, life: number): World => {
  const chance = makeChance(options.seed, life)
  const clock = VirtualClock.make({ seed: chance.seed, quiet: true })
  const conditions = drawConditions(chance)
  const log = makeLifeLog(clock, options.seed, life)
  const disk = makeDisk(clock, chance, options)
  const { accounts, backend, limit } = conditions
  const location = SimulatedLocation.make({
    clock,
    accounts,
    backend,
    store: disk.store,
    tokenLifeMillis,
    onWrite: watch(log)
  })
  const look = makeLook(location, log, limit, options.client === "naive")
  const network = HttpClient.transform(NumberEmulator.httpClient(location.emulator), (sending, { url }) =>
    isAttempt(url)
      ? Effect.ensuring(
          Effect.suspend(() => {
            log.note("sent")
            return sending
          }),
          look
        )
      : sending
  )
  return { options, chance, conditions, clock, disk, location, log, network, look }
}
