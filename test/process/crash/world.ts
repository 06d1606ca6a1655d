/**
 * The world of processes that are killed: an emulator as a real server, which counts on its own, and a store in SQLite or
 * PostgreSQL. Needs no vitest.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert } from "chai"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as NumberAuth from "../../../src/services/session/NumberAuth.js"
import * as NumberTransport from "../../../src/services/wire/NumberTransport.js"
import * as NumberEmulator from "../../../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../../../src/testing/NumberEmulatorServer.js"
import { startPostgres } from "../../support/postgres.js"
import { buildPrograms, type Programs } from "../build.js"
import { call, failed, type Result, type Session, sessionLayer } from "../session.js"
import { storeLayer } from "../store.js"

export const account = "EP9116875"
export const goodToken = "2148B239CF6846BDA5D141BF4A4CFBE8"
/** The address from which all processes call. */
export const ip = "127.0.0.1"

export type EngineName = "SQLite" | "PostgreSQL"
export const engineNames: ReadonlyArray<EngineName> = ["SQLite", "PostgreSQL"]

/** Resources that exist already. A part makes the missing ones itself. */
export interface Given {
  readonly programs?: Pick<Programs, "cli" | "worker"> | undefined
  /** Makes an empty database of PostgreSQL, and gives its URL. */
  readonly newDatabase?: (() => Promise<string>) | undefined
}

/** The resources of a world. */
export interface Stage {
  readonly programs: Pick<Programs, "cli" | "worker">
  /** Makes an empty store, and gives its URL. */
  readonly newStore: (folder: string) => Promise<string>
}

type Settings = Partial<NumberAuth.Options>

export interface World {
  readonly programs: Stage["programs"]
  readonly emulator: NumberEmulator.NumberEmulator["Type"]
  readonly url: string
  readonly store: string
  readonly location: string
  readonly settings: Settings
  readonly scope: Scope.CloseableScope
}

/** The lease of an attempt whose process dies or is suspended: short enough to be waited for. */
export const leaseMillis = 2500
/** How long Number may work on an attempt that was lost. */
export const drainMillis = 3000
/** After this time every lease of now has ended, and every attempt that was lost with one has drained. */
export const allDrainedMillis = leaseMillis + drainMillis + 200

/** The settings of a process that is killed or suspended. */
export const shortLived: Settings = { attemptTimeout: 2000, leaseDuration: leaseMillis }
/** The settings of all other processes: no machine is so busy that a lease runs out by mistake. */
export const patient: Settings = {
  attemptTimeout: "20 seconds",
  leaseDuration: "25 seconds",
  drainTime: drainMillis,
  waitTimeout: "60 seconds"
}

export const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

/** Makes the resources that are not given, and removes them afterwards. */
export const onStage = async <A>(
  engine: EngineName,
  given: Given,
  use: (stage: Stage) => Promise<A>
): Promise<A> => {
  const ends: Array<() => Promise<void>> = []
  try {
    let programs = given.programs
    if (programs === undefined) {
      const built = await buildPrograms()
      ends.push(built.remove)
      programs = built.programs
    }
    let newStore: Stage["newStore"] = (folder) =>
      Promise.resolve(`file://${Path.join(folder, "auth.sqlite")}`)
    if (engine === "PostgreSQL") {
      let newDatabase = given.newDatabase
      if (newDatabase === undefined) {
        const postgres = await startPostgres()
        ends.push(postgres.end)
        newDatabase = async () => (await postgres.database()).url
      }
      newStore = newDatabase
    }
    return await use({ programs, newStore })
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** Makes a world, and ends it afterwards. */
export const inWorld = async <A>(
  { newStore, programs }: Stage,
  use: (world: World) => Promise<A>,
  settings: Settings = {},
  backend: NumberEmulator.Options = {}
): Promise<A> => {
  const scope = Effect.runSync(Scope.make())
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-crash-"))
  try {
    const emulator = await run(Scope.extend(NumberEmulator.make(backend), scope))
    await run(emulator.addToken(account, goodToken))
    const { url } = await run(Scope.extend(NumberEmulatorServer.serve(emulator), scope))
    const store = await newStore(folder)
    return await use({
      programs,
      emulator,
      url,
      store,
      location: "default",
      settings: { ...patient, ...settings },
      scope
    })
  } finally {
    await run(Scope.close(scope, Exit.void))
    Fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** A session in this process, on the same store. */
const sessionHere = ({ location, settings, store, url: baseUrl }: World, own: Partial<Session>) =>
  sessionLayer({
    account,
    token: goodToken,
    baseUrl,
    location,
    ...own,
    settings: { ...settings, ...own.settings }
  }).pipe(
    Layer.provide([storeLayer(store), NumberTransport.layerRest({ baseUrl })]),
    Layer.provide(NodeHttpClient.layer)
  )

/** The operator: a NumberAuth in this process. */
export const operator = (world: World, code: string = account): Promise<NumberAuth.NumberAuth["Type"]> =>
  Layer.build(sessionHere(world, { account: code })).pipe(
    Effect.map(Context.get(NumberAuth.NumberAuth)),
    Scope.extend(world.scope),
    run
  )

/**
 * Starts the library anew on the store, makes one call, and ends it. It knows what the store knows, as a new process does, which
 * takes ten times as long.
 */
export const restart = (world: World, own: Partial<Session> = {}): Promise<Result> =>
  run(
    call.pipe(
      Effect.provide(sessionHere(world, own)),
      Effect.catchAll((error) => Effect.succeed(failed(error)))
    )
  )

/** Starts the library anew for a call that has to fail. */
export const restartAndFail = async (world: World, own: Partial<Session> = {}) => {
  const result = await restart(world, own)
  return result.type === "failed" ? result : assert.fail(`A call was served: ${JSON.stringify(own)}`)
}

/** Waits until the emulator has got as many requests. */
export const untilSeen = async (world: World, requests: number, forMillis = 30_000): Promise<boolean> => {
  const deadline = Date.now() + forMillis
  while (Date.now() < deadline) {
    if ((await run(world.emulator.requestsSeen)) >= requests) return true
    await sleep(5)
  }
  return false
}

/** How many attempts the emulator has counted. */
export const attempts = async (world: World): Promise<number> =>
  (await run(world.emulator.log)).filter((call) => call.ip === ip).length

export const assertNeverLocked = async (world: World): Promise<void> => {
  assert.isAtMost(await run(world.emulator.peakOf(ip)), 5)
  assert.isFalse(await run(world.emulator.isLocked(ip)))
}
