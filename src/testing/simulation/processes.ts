/**
 * The processes of a life, and the calls that they make.
 */
import * as Effect from "effect/Effect"
import type { AuthNotice } from "../../services/session/AuthNotifier.js"
import { clientOf, type ProcessClient, servicesOf } from "../internal/SimulatedProcess.js"
import * as NaiveClient from "../NaiveClient.js"
import * as ProcessGates from "../ProcessGates.js"
import type { World } from "./world.js"

const baseUrl = "https://number.test/v1"

export interface Processes {
  readonly count: number
  /** Draws one of them. */
  readonly draw: () => number
  readonly gatesOf: (process: number) => ProcessGates.ProcessGates
  readonly clientOf: (process: number, account: number) => ProcessClient
  /** A supervisor starts a process anew. */
  readonly start: (process: number) => void
  /** A caller needs an account. */
  readonly call: (process: number, account: number) => void
  readonly kill: () => void
  /** Kills all for good. It does not count as a crash. */
  readonly end: () => void
  readonly calls: () => number
  readonly crashes: () => number
}

interface Running {
  readonly gates: ProcessGates.ProcessGates
  readonly clients: ReadonlyArray<ProcessClient>
}

const naiveClient = ({ location, network }: World, gates: ProcessGates.ProcessGates, account: number) => ({
  ...NaiveClient.make({
    http: gates.httpClient(network),
    baseUrl,
    account: location.accounts[account]!,
    token: () => location.tokens.supplied(account)
  }),
  replaceCredentials: (token: string) => Effect.sync(() => location.tokens.supply(account, token))
})

/** How a person hears of a notice of an account. */
export type Notify = (account: number) => (notice: AuthNotice) => Effect.Effect<void>

const libraryClient = (
  { conditions, location, network, options }: World,
  gates: ProcessGates.ProcessGates,
  account: number,
  notify: Notify
): ProcessClient => {
  const { backend, limit, lostAttempts, wire } = conditions
  const { observer } = options
  const services = servicesOf({
    location,
    gates,
    network,
    wire,
    baseUrl,
    observer,
    notify: notify(account)
  })
  return clientOf(location, services, {
    account: location.accounts[account]!,
    location: "here",
    baseUrl,
    limit,
    lostAttempts,
    successClears: backend.counting === "ip" && backend.successClears === "own" ? "account" : "location"
  })
}

export const makeProcesses = (world: World, notify: Notify): Processes => {
  const { chance, conditions, location, log, options } = world
  let crashes = 0
  let calls = 0
  let isOver = false
  const begin = (process: number): Running => {
    const gates = ProcessGates.make(() => {
      if (isOver) return
      crashes += 1
      log.note("died", { process })
    })
    const client = options.client === "naive" ? naiveClient : libraryClient
    return {
      gates,
      clients: location.accounts.map((_, account) => client(world, gates, account, notify))
    }
  }
  const running = Array.from({ length: conditions.processes }, (_, process) => begin(process))
  const clientAt = (process: number, account: number): ProcessClient => running[process]!.clients[account]!
  const kill = (): void => running.forEach(({ gates }) => gates.kill())
  return {
    count: running.length,
    draw: () => chance.below(running.length),
    gatesOf: (process) => running[process]!.gates,
    clientOf: clientAt,
    start: (process) => {
      running[process]!.gates.kill()
      running[process] = begin(process)
      log.note("started", { process })
    },
    call: (process, account) => {
      calls += 1
      log.note("call", { process, account: location.accounts[account]! })
      const { send, sessionKey } = clientAt(process, account)
      location.fork(chance.below(3) === 0 ? sessionKey : send)
    },
    kill,
    end: () => {
      isOver = true
      kill()
    },
    calls: () => calls,
    crashes: () => crashes
  }
}
