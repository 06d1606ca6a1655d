/**
 * The hardships of a life, besides its daily calls.
 */
import { Fault } from "../NumberEmulator.js"
import { drawFault } from "./chance.js"
import type { Processes } from "./processes.js"
import { hour, minute, quietMillis, tokenLifeMillis, type World } from "./world.js"

/** Where a hardship strikes. */
interface Scene {
  readonly world: World
  readonly processes: Processes
  readonly process: number
  readonly account: number
  /** The code of the account. */
  readonly code: string
}

type Hardship = (scene: Scene) => void

const expireSessions = ({ clock, location }: World): void =>
  void clock.run(location.emulator.expireSessions())

/** The good token of an account ends at a new time, in milliseconds from now. */
const moveTokenEnd = ({ account, code, world }: Scene, lifeMillis: number): void => {
  const { emulator, tokens } = world.location
  const expiresAtMillis = world.clock.unsafeCurrentTimeMillis() + lifeMillis
  world.clock.run(emulator.addToken(code, tokens.good(account), { expiresAtMillis }))
}

const supplyUnknown = ({ account, world }: Scene): void =>
  world.location.tokens.supply(account, world.location.tokens.makeUnknown())

const fault: Hardship = ({ world }) => {
  const { chance, clock, location, log } = world
  for (let more = chance.between(1, 3); more > 0; more--) {
    const next = drawFault(chance)
    log.count(`network: ${next._tag}`)
    log.note("fault", { detail: next._tag })
    clock.run(location.emulator.inject(next))
  }
}

const crash: Hardship = ({ account, process, processes, world }) => {
  processes.gatesOf(process).dieAfter(world.chance.below(5))
  expireSessions(world)
  processes.call(process, account)
  world.clock.advance(world.chance.between(1, 120) * 1000)
  processes.start(process)
}

/** A supervisor starts the process again and again, and the process dies in the midst of its work. */
const crashLoop: Hardship = ({ account, process, processes, world }) => {
  expireSessions(world)
  const gates = world.chance.below(5)
  for (let round = 0; round < 8; round++) {
    processes.start(process)
    processes.gatesOf(process).dieAfter(gates)
    processes.call(process, account)
    world.clock.advance(round % 2 === 0 ? 1000 : minute)
  }
  processes.start(process)
}

const freeze: Hardship = ({ account, process, processes, world }) => {
  world.clock.run(processes.gatesOf(process).freeze(world.chance.oneOf(10_000, 50_000, 400_000)))
  expireSessions(world)
  processes.call(process, account)
}

const powerCut: Hardship = ({ account, process, processes, world }) => {
  const { chance, clock, disk, location, log } = world
  expireSessions(world)
  for (let each = 0; each < processes.count; each++)
    processes.call(each, chance.below(location.accounts.length))
  clock.advance(chance.between(0, 40))
  processes.kill()
  const { kept, lost, torn } = disk.cutPower()
  for (const [name, writes] of Object.entries({ kept, lost, torn }))
    for (let write = 0; write < writes; write++) log.count(`disk: write ${name}`)
  log.note("power cut", { detail: `${kept} writes kept, ${torn} torn, ${lost} lost` })
  for (let each = 0; each < processes.count; each++) processes.start(each)
  processes.call(process, account)
}

const typo: Hardship = (scene) => {
  const { account, code, process, processes, world } = scene
  const { chance, clock, log } = world
  supplyUnknown(scene)
  log.note("typo", { account: code })
  expireSessions(world)
  for (let impatient = chance.between(1, 8); impatient > 0; impatient--) {
    if (chance.below(2) === 0) processes.start(process)
    processes.call(process, account)
    clock.advance(chance.between(1, 100) * 1000)
    if (chance.below(4) === 0) supplyUnknown(scene)
  }
}

/**
 * New tokens are sent while attempts with earlier ones are still on their way. The backend counts those failures after
 * the success that would clear them.
 */
const haste: Hardship = ({ account, code, process, processes, world }) => {
  const { chance, clock, conditions, location, log } = world
  const { emulator, tokens } = location
  const send = (token: string, millis: number): void => {
    tokens.supply(account, token)
    processes.call(process, account)
    clock.advance(millis)
  }
  log.note("haste", { account: code })
  expireSessions(world)
  for (let lost = 1; lost < conditions.limit; lost++) {
    clock.run(emulator.inject(Fault.DelayRequest(240_000)))
    send(tokens.makeUnknown(), 31_000)
  }
  send(tokens.good(account), 5000)
  expireSessions(world)
  for (let more = chance.between(0, conditions.limit); more > 0; more--) send(tokens.makeUnknown(), 1000)
  clock.advance(300_000)
}

const postedToken: Hardship = ({ account, code, process, processes, world }) => {
  const { fork, tokens } = world.location
  tokens.issue(account, tokenLifeMillis)
  world.log.note("token posted", { account: code })
  fork(processes.clientOf(process, account).replaceCredentials(tokens.good(account)))
}

const renewedByNumber: Hardship = (scene) => {
  scene.world.log.note("token renewed by Number", { account: scene.code })
  moveTokenEnd(scene, tokenLifeMillis)
}

const tokenRunsOut: Hardship = (scene) => {
  scene.world.log.note("token runs out", { account: scene.code })
  moveTokenEnd(scene, scene.world.chance.between(0, 48) * hour)
}

const revoked: Hardship = ({ account, code, world }) => {
  const { emulator, tokens } = world.location
  world.log.note("token revoked", { account: code })
  world.clock.run(emulator.revokeToken(code, tokens.good(account)))
}

const addressChange: Hardship = ({ world }) =>
  world.log.note("address changes", { detail: world.location.moveAddress() })

/** The store is away before it writes, or after it has written. */
const storeAway: Hardship = ({ account, process, processes, world }) => {
  const { chance, clock, location, log } = world
  const millis = chance.oneOf(1000, minute, 10 * minute)
  const afterCommit = chance.below(2) === 0
  clock.run(location.absence.begin(millis, { afterCommit }))
  log.note("store away", { detail: afterCommit ? "after it has written" : "before it writes" })
  expireSessions(world)
  processes.call(process, account)
}

const clockStep: Hardship = ({ world }) => {
  const { chance, clock, log } = world
  const millis = chance.oneOf(-hour, -minute, 50_000)
  clock.step(millis)
  log.note("clock steps", { detail: `${millis} ms` })
  // At most one step ahead within a drain: Number's delay and the clock's step must fit into the drain together.
  if (millis > 0) clock.advance(quietMillis)
}

/** A person resumes every account, whether or not it is aborted. */
const impatience: Hardship = ({ process, processes, world }) => {
  const { accounts, fork } = world.location
  for (const each of accounts.keys()) fork(processes.clientOf(process, each).resume)
}

/** Each hardship, with its weight. */
const hardships = {
  fault: [30, fault],
  crash: [14, crash],
  crashLoop: [6, crashLoop],
  freeze: [8, freeze],
  powerCut: [6, powerCut],
  typo: [5, typo],
  haste: [4, haste],
  postedToken: [8, postedToken],
  renewedByNumber: [6, renewedByNumber],
  tokenRunsOut: [3, tokenRunsOut],
  revoked: [3, revoked],
  expireSessions: [8, ({ world }) => expireSessions(world)],
  addressChange: [5, addressChange],
  storeAway: [6, storeAway],
  clockStep: [5, clockStep],
  impatience: [3, impatience]
} as const satisfies Record<string, readonly [weight: number, Hardship]>

type Kind = keyof typeof hardships

const weights = Object.fromEntries(
  Object.entries(hardships).map(([kind, [weight]]) => [kind, weight])
) as Record<Kind, number>

/** Draws a hardship, a process and an account, and lets it happen. */
export const suffer = (world: World, processes: Processes): void => {
  const { chance, location, log } = world
  const kind = chance.weighted(weights)
  const process = processes.draw()
  const account = chance.below(location.accounts.length)
  log.count(kind)
  const [, happen] = hardships[kind]
  happen({ world, processes, process, account, code: location.accounts[account]! })
}
