/**
 * The real services against the emulator, in a world of processes that crash, freeze and start again, a store that goes
 * away, a network that loses and delays, clocks that step, tokens that go bad, and operators. One schedule is one run. The
 * same schedule drives the library, a mutant of it, or a naive client.
 */
import { Effect } from "effect"
import { clientOf, servicesOf } from "../../src/testing/internal/SimulatedProcess.js"
import * as SimulatedLocation from "../../src/testing/internal/SimulatedLocation.js"
import { promisesBrokenBy } from "../../src/testing/internal/storedPromises.js"
import { type AuthStore, makeMemory, type Stored, type Write } from "../../src/services/store/AuthStore.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import * as NaiveClient from "../../src/testing/NaiveClient.js"
import * as ProcessGates from "../../src/testing/ProcessGates.js"
import * as VirtualClock from "../../src/testing/VirtualClock.js"
import { neverLockedOut } from "./WorldModel.js"
import { accounts, type Operation, processes, type Schedule } from "./ServicesSchedule.js"

const baseUrl = "https://number.test/v1"
/** Longer than the drain of an attempt. */
const quietMillis = 700_000

/** The totals of many runs. */
export interface Tally {
  readonly states: Set<string>
  attempts: number
  renewals: number
  crashes: number
  peak: number
  atTheLimit: number
}

export const emptyTally = (): Tally => ({
  states: new Set(),
  attempts: 0,
  renewals: 0,
  crashes: 0,
  peak: 0,
  atTheLimit: 0
})

/** The outcome of one run. */
export interface Outcome {
  /** The promises that were broken, the first one first. */
  readonly broken: ReadonlySet<string>
  /** Whether Number has locked the location. */
  readonly isLockedOut: boolean
}

interface World {
  readonly client: "library" | "naive"
  readonly given: Schedule
  readonly location: SimulatedLocation.SimulatedLocation
  readonly tally: Tally
}

const countWrite = (tally: Tally, { account: before }: Stored, { account }: Exclude<Write, null>): void => {
  tally.states.add(account.state)
  const { session } = account.context
  if (session !== null && session.generation !== before.context.session?.generation) tally.renewals += 1
}

const makeLocation = (
  { backend }: Schedule,
  clock: VirtualClock.VirtualClock,
  store: AuthStore["Type"],
  tally: Tally,
  broken: Set<string>
) =>
  SimulatedLocation.make({
    clock,
    accounts,
    backend,
    store,
    onWrite: (_, before, write) => {
      countWrite(tally, before, write)
      for (const promise of promisesBrokenBy(before, write)) broken.add(promise)
    }
  })

/** The clients of a process, one for each account. */
const clientsOf = (
  { client, given, location }: World,
  gates: ProcessGates.ProcessGates
): ReadonlyArray<NaiveClient.Client> => {
  const network = Emulator.httpClient(location.emulator)
  if (client === "naive") {
    const http = gates.httpClient(network)
    return accounts.map((account, index) =>
      NaiveClient.make({ http, baseUrl, account, token: () => location.tokens.supplied(index) })
    )
  }
  const { backend, limit, lostAttempts, wire } = given
  const services = servicesOf({ location, gates, network, wire, baseUrl })
  const successClears = backend.counting === "ip" && backend.successClears === "own" ? "account" : "location"
  return accounts.map((account) =>
    clientOf(location, services, { account, location: "here", baseUrl, limit, lostAttempts, successClears })
  )
}

interface Running {
  readonly gates: ProcessGates.ProcessGates
  readonly clients: ReadonlyArray<NaiveClient.Client>
}

const makeProcesses = (world: World) => {
  const begin = (): Running => {
    const gates = ProcessGates.make()
    return { gates, clients: clientsOf(world, gates) }
  }
  const running = Array.from({ length: processes }, begin)
  return {
    gatesOf: (process: number) => running[process]!.gates,
    clientOf: (process: number, account: number) => running[process]!.clients[account]!,
    start: (process: number): void => {
      running[process]!.gates.kill()
      running[process] = begin()
    },
    end: (): void => running.forEach(({ gates }) => gates.kill())
  }
}

type Processes = ReturnType<typeof makeProcesses>
type Given<Type extends Operation["type"]> = Extract<Operation, { readonly type: Type }>

/** A supervisor starts the process again and again, and the process dies in the midst of its work. */
const crashLoop = ({ location, tally }: World, processes: Processes, given: Given<"crashLoop">): void => {
  const { account, fuse, process } = given
  for (let round = 0; round < 8; round++) {
    processes.start(process)
    tally.crashes += 1
    processes.gatesOf(process).dieAfter(fuse)
    location.fork(processes.clientOf(process, account).sessionKey)
    location.clock.advance(round % 2 === 0 ? 1000 : 60_000)
  }
  processes.start(process)
}

const supplyToken = ({ location }: World, { account, which }: Given<"token">): void => {
  const { clock, emulator, tokens } = location
  switch (which) {
    case "good":
      return tokens.supply(account, tokens.good(account))
    case "bad":
      return tokens.supply(account, tokens.makeUnknown())
    case "revoked":
      return clock.run(emulator.revokeToken(accounts[account]!, tokens.good(account)))
    case "renewed":
      tokens.issue(account)
      return tokens.supply(account, tokens.good(account))
  }
}

const supplyBadTokens = ({ location }: World, processes: Processes, given: Given<"badTokens">): void => {
  for (let count = 0; count < given.count; count++) {
    location.tokens.supply(given.account, location.tokens.makeUnknown())
    location.fork(processes.clientOf(given.process, given.account).sessionKey)
    location.clock.advance(1000)
  }
}

/**
 * The answer to a success is late. Meanwhile the clock is set back, and the other account fails: Number counts that
 * failure after the success.
 */
const overtake = ({ location }: World, processes: Processes, given: Given<"overtake">): void => {
  const { clock, emulator, fork, tokens } = location
  const other = 1 - given.account
  tokens.supply(given.account, tokens.good(given.account))
  tokens.supply(other, tokens.makeUnknown())
  clock.run(emulator.expireSessions())
  clock.run(emulator.inject(Emulator.Fault.DelayAnswer(20_000)))
  fork(processes.clientOf(given.process, given.account).send)
  clock.advance(1000)
  clock.step(-60_000)
  fork(processes.clientOf(given.process, other).send)
  clock.advance(30_000)
}

/** One step ahead within a drain: Number's delay and the clock's step must fit into the drain together. */
const stepClock = ({ location: { clock } }: World, millis: number): void => {
  clock.step(millis)
  if (millis > 0) clock.advance(quietMillis)
}

/**
 * Support lifts the lock once the drain of the last attempt is over, and an operator confirms it some time later. A
 * request since then would make the confirmation untrue, so it is not given.
 */
const confirmLift = ({ location }: World, processes: Processes, given: Given<"lockLifted">): void => {
  const { clock, emulator, fork, liftLocks } = location
  clock.advance(quietMillis)
  liftLocks()
  const seen = clock.run(emulator.requestsSeen)
  clock.advance(given.millis)
  if (clock.run(emulator.requestsSeen) !== seen) return
  fork(processes.clientOf(given.process, given.account).confirmLockLifted)
}

const perform = (world: World, processes: Processes, operation: Operation): void => {
  const { absence, clock, emulator, fork, moveAddress } = world.location
  switch (operation.type) {
    case "call":
      return fork(processes.clientOf(operation.process, operation.account).sessionKey)
    case "send":
      return fork(processes.clientOf(operation.process, operation.account).send)
    case "crash":
      world.tally.crashes += 1
      return processes.gatesOf(operation.process).dieAfter(operation.fuse)
    case "restart":
      return processes.start(operation.process)
    case "freeze":
      return clock.run(processes.gatesOf(operation.process).freeze(operation.millis))
    case "crashLoop":
      return crashLoop(world, processes, operation)
    case "fault":
      return clock.run(emulator.inject(operation.fault))
    case "advance":
      return clock.advance(operation.millis)
    case "stepClock":
      return stepClock(world, operation.millis)
    case "token":
      return supplyToken(world, operation)
    case "badTokens":
      return supplyBadTokens(world, processes, operation)
    case "overtake":
      return overtake(world, processes, operation)
    case "expireSessions":
      return clock.run(Effect.asVoid(emulator.expireSessions()))
    case "changeIp":
      return void moveAddress()
    case "storeAway":
      return clock.run(absence.begin(operation.millis, operation))
    case "resume":
      return fork(processes.clientOf(operation.process, operation.account).resume)
    case "lockLifted":
      return confirmLift(world, processes, operation)
  }
}

/** Runs a schedule with the library or with the naive client. */
export const run = (client: "library" | "naive", given: Schedule, tally: Tally = emptyTally()): Outcome => {
  const clock = VirtualClock.make()
  const broken = new Set<string>()
  const location = makeLocation(given, clock, clock.run(makeMemory), tally, broken)
  const world: World = { client, given, location, tally }
  const running = makeProcesses(world)
  for (const operation of given.operations) {
    perform(world, running, operation)
    clock.advance(1)
  }
  // Let everything under way end.
  clock.advance(1_200_000)

  const peak = clock.run(location.emulator.peak)
  tally.attempts += clock.run(location.emulator.log).length
  tally.peak = Math.max(tally.peak, peak)
  if (peak === given.limit) tally.atTheLimit += 1
  if (peak > given.limit) broken.add(neverLockedOut)
  const isLockedOut = peak >= 6 || location.isLocked()
  location.closeBackend()
  running.end()
  if (clock.end() > 0) throw new Error("Fibers have outlived their world.")
  return { broken, isLockedOut }
}
