/**
 * The processes that run the program, and the acts of people, over one simulated location.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"
import { AuthObserver } from "../../services/session/AuthObserver.js"
import { AuthNotifier } from "../../services/session/AuthNotifier.js"
import { CredentialProvider } from "../../services/session/CredentialProvider.js"
import * as NumberAccounts from "../../services/session/NumberAccounts.js"
import * as NumberAuth from "../../services/session/NumberAuth.js"
import { AuthStore, makeMemory } from "../../services/store/AuthStore.js"
import * as NumberTransport from "../../services/wire/NumberTransport.js"
import * as SimulatedLocation from "../internal/SimulatedLocation.js"
import { buildForEver, servicesOf } from "../internal/SimulatedProcess.js"
import * as NumberEmulator from "../NumberEmulator.js"
import * as ProcessGates from "../ProcessGates.js"
import * as VirtualClock from "../VirtualClock.js"
import { type Diagram, makeDiagram } from "./diagram.js"
import { makeMarks, makeOracle, type Oracle } from "./oracle.js"
import { type Options, processesOf } from "./options.js"
import { accounts, nameOfAccount, nameOfProcess } from "./schedule.js"

/**
 * The services that a program under test may require. Each process has its own, over one store and one backend. Provide
 * any other service by your own layers.
 *
 * @since 0.1.0
 * @category models
 */
export type Environment =
  | NumberAuth.NumberAuth
  | NumberAccounts.NumberAccounts
  | AuthStore
  | AuthNotifier
  | CredentialProvider
  | NumberTransport.NumberTransport
  | HttpClient.HttpClient
  | Scope.Scope

type OwnContext = Context.Context<Exclude<Environment, Scope.Scope>>

export interface Stage {
  readonly location: SimulatedLocation.SimulatedLocation
  readonly oracle: Oracle
  readonly diagram: Diagram
  readonly records: ReadonlyArray<TransitionRecord>
  readonly gatesOf: (process: number) => ProcessGates.ProcessGates
  /** Starts a process, anew if it runs. */
  readonly start: (process: number) => void
  /** Begins the program in a process. */
  readonly run: (process: number, account: number) => void
  /** A person acts, by a command of the library. */
  readonly asPerson: (
    account: number,
    act: (auth: NumberAuth.NumberAuth["Type"]) => Effect.Effect<unknown, unknown>
  ) => void
  readonly crashes: () => number
  /** Ends all, and gives the diagram. */
  readonly end: () => string
}

const quiet = Logger.withMinimumLogLevel(LogLevel.None)

/** The tag of an error, if it can stand in a diagram. It shows nothing else of the error. */
const tagOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const tag = Predicate.hasProperty(error, "_tag") ? String(error._tag) : "a defect"
  return /^[\w.-]{1,40}$/.test(tag) ? tag : "an error"
}

const makeLocation = (options: Options, seed: number) => {
  const clock = VirtualClock.make({ seed })
  const marks = makeMarks()
  const location = SimulatedLocation.make({
    clock,
    accounts,
    backend: options.backend,
    store: clock.run(makeMemory),
    onWrite: marks.onWrite
  })
  const diagram = makeDiagram()
  return { location, diagram, oracle: makeOracle(location, marks, diagram, options) }
}

type Parts = ReturnType<typeof makeLocation> & { readonly records: Array<TransitionRecord> }

/** The observer is among them: sessions that the program builds by itself are recorded, too. */
const environment = Context.pick(
  AuthObserver,
  HttpClient.HttpClient,
  AuthStore,
  AuthNotifier,
  CredentialProvider,
  NumberTransport.NumberTransport
)

/** The context of the program in a process, for one account. */
const contextOf = (
  { diagram, location, oracle, records }: Parts,
  options: Options,
  name: string,
  gates: ProcessGates.ProcessGates,
  account: number
): OwnContext => {
  const below = servicesOf({
    location,
    gates,
    network: NumberEmulator.httpClient(oracle.backendOf(name)),
    wire: options.wire ?? "REST",
    notify: ({ notice }) => Effect.sync(() => diagram.draw(`${name}->>Person: ${notice.kind}`)),
    observer: (record) => void records.push(record)
  })
  const layer = Layer.merge(
    NumberAuth.layer({ ...options.auth, account: accounts[account]! }),
    NumberAccounts.layer(options.auth)
  ).pipe(Layer.provide(Layer.succeedContext(below)), Layer.orDie)
  const session = location.clock.run(quiet(buildForEver(layer)))
  return Context.merge(environment(below), session)
}

interface Process {
  readonly gates: ProcessGates.ProcessGates
  readonly contexts: ReadonlyArray<OwnContext>
}

/** Runs the program in a process, and draws its end. */
const runProgram = <A, E, R extends Environment>(
  { diagram: { draw }, location: { clock } }: Parts,
  program: Effect.Effect<A, E, R>,
  name: string,
  { contexts, gates }: Process,
  account: number
): void => {
  if (!gates.isAlive()) return
  draw(`Note over ${name}: runs the program for ${nameOfAccount(account)}`)
  // The context has all of the Environment but the scope, which is that of the run.
  const supplied = Effect.provide(program, contexts[account]!) as Effect.Effect<A, E, Scope.Scope>
  const drawEnd = (exit: Exit.Exit<A, E>): void => {
    if (!gates.isAlive()) return
    const end = Exit.isSuccess(exit) ? "the program ends" : `the program fails with ${tagOf(exit.cause)}`
    draw(`Note over ${name}: ${end}`)
  }
  const drawn = Effect.onExit(Effect.scoped(supplied), (exit) => Effect.sync(() => drawEnd(exit)))
  clock.fork(quiet(Effect.exit(drawn)))
}

export const makeStage = <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options,
  seed: number
): Stage => {
  const records: Array<TransitionRecord> = []
  const parts: Parts = { ...makeLocation(options, seed), records }
  const { diagram, location } = parts
  let crashes = 0
  const contextsOf = (name: string, gates: ProcessGates.ProcessGates): ReadonlyArray<OwnContext> =>
    accounts.map((_, account) => contextOf(parts, options, name, gates, account))

  const processes: Array<Process> = []
  const start = (number: number): void => {
    processes[number]?.gates.kill()
    const name = nameOfProcess(number)
    const gates = ProcessGates.make(() => {
      crashes += 1
      diagram.draw(`Note over ${name}: dies`)
    })
    processes[number] = { gates, contexts: contextsOf(name, gates) }
  }
  for (let number = 0; number < processesOf(options); number++) start(number)
  const desk = ProcessGates.make()
  const people = contextsOf("Person", desk)

  return {
    ...parts,
    gatesOf: (number) => processes[number]!.gates,
    start,
    run: (number, account) => runProgram(parts, program, nameOfProcess(number), processes[number]!, account),
    asPerson: (account, act) =>
      location.fork(quiet(act(Context.get(people[account]!, NumberAuth.NumberAuth)))),
    crashes: () => crashes,
    end: () => {
      // The end of a process that is alive is no crash, and is not drawn.
      const crashesBefore = crashes
      for (const { gates } of [{ gates: desk }, ...processes]) gates.kill()
      location.closeBackend()
      location.clock.end()
      const ended = crashes - crashesBefore
      crashes = crashesBefore
      return diagram.text(processes.length, ended)
    }
  }
}
