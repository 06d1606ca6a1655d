/**
 * Years of a location's life, simulated in seconds: the real services run on virtual time, against the emulator as the
 * oracle. Network, disk, clocks, processes, supervisors, callers and people are simulated, and one seed decides all of
 * it.
 *
 * A simulation consists of lives. A life is one location for one year, with a backend, a store and processes of its
 * own. It depends only on the seed and its number, so a life that broke a promise can be run alone.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { PCGRandom } from "effect/Utils"
import type { AccountCode, Token } from "../schemas/Credentials.js"
import { AuthObserver, type Observer } from "../services/session/AuthObserver.js"
import { type AuthNotice, AuthNotifier } from "../services/session/AuthNotifier.js"
import { AuthStore } from "../services/store/AuthStore.js"
import { CredentialProvider } from "../services/session/CredentialProvider.js"
import { FingerprintCost } from "../services/session/internal/fingerprint.js"
import * as NumberAuth from "../services/session/NumberAuth.js"
import * as NumberTransport from "../services/wire/NumberTransport.js"
import * as SoapTransport from "../services/wire/SoapTransport.js"
import { plainFaults } from "./internal/plainFaults.js"
import * as NaiveClient from "./NaiveClient.js"
import * as NumberEmulator from "./NumberEmulator.js"
import * as ProcessGates from "./ProcessGates.js"
import * as SimulatedDisk from "./SimulatedDisk.js"
import * as VirtualClock from "./VirtualClock.js"

/**
 * Settings of a simulation.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly seed: number
  /** The client that holds the session: the library (default), or a client as people write it. */
  readonly client?: "library" | "naive" | undefined
  /** When the store acknowledges a write. Default: `whenDurable`, the store's contract. See `SimulatedDisk.Options`. */
  readonly acknowledges?: "whenDurable" | "beforeDurable" | undefined
  /** Observes the library in each process. It does not change the life. The naive client has nothing to observe. */
  readonly observer?: Observer | undefined
}

/**
 * One entry of the trace. It holds no secrets.
 *
 * @since 0.1.0
 * @category models
 */
export interface TraceEntry {
  /** Since the life began, in milliseconds. */
  readonly atMillis: number
  /** The kind of event. */
  readonly type: string
  readonly account?: string
  readonly process?: number
  readonly detail?: string
}

/**
 * The figures of a simulation.
 *
 * @since 0.1.0
 * @category models
 */
export interface Figures {
  readonly years: number
  readonly lockouts: number
  readonly attempts: number
  readonly renewals: number
  readonly calls: number
  readonly crashes: number
  /** The greatest count that the backend reached. At six Number locks the location. */
  readonly greatestCount: number
  /** Years in which the count reached the limit that was set. */
  readonly yearsAtTheLimit: number
  /** The number of faults and hardships, by kind. */
  readonly faults: Readonly<Record<string, number>>
}

/**
 * A promise that was broken.
 *
 * @since 0.1.0
 * @category models
 */
export interface Violation {
  readonly seed: number
  readonly life: number
  readonly promise: string
  readonly atMillis: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Life {
  readonly figures: Figures
  readonly violation: Violation | null
  readonly trace: ReadonlyArray<TraceEntry>
}

const baseUrl = "https://number.test/v1"
const allAccounts = ["EP0000001", "EP0000002"] as const
const minute = 60_000
const hour = 60 * minute
const yearMillis = 8766 * hour
/** The wait before support lifts a lock. It is longer than the drain after the last attempt. */
const quietMillis = 700_000

/** The same texts in every life, so that their fingerprints are computed once. */
const tokenText = (account: number, token: number): string =>
  `${account}${token}`.padStart(32, account === 0 ? "A" : "B")

/**
 * Random draws from the seed. Their order decides the life.
 */
const makeChance = (seed: number, life: number) => {
  const random = new PCGRandom(seed, life)
  const below = (count: number): number => random.integer(count)
  return {
    below,
    seed: random.integer(0x7fffffff),
    oneOf: <A>(...values: readonly [A, ...Array<A>]): A => values[below(values.length)]!,
    fraction: () => random.number(),
    between: (from: number, to: number): number => from + below(to - from + 1),
    /** One of the names, with a probability in proportion to its weight. */
    weighted: <K extends string>(weights: Readonly<Record<K, number>>): K => {
      const entries = Object.entries(weights) as Array<[K, number]>
      let left = below(entries.reduce((sum, [, weight]) => sum + weight, 0))
      for (const [name, weight] of entries) if ((left -= weight) < 0) return name
      return entries[0]![0]
    }
  }
}

/** The hardships that may happen besides the daily calls, with their weights. */
const hardship = {
  fault: 30,
  crash: 14,
  crashLoop: 6,
  freeze: 8,
  powerCut: 6,
  typo: 5,
  haste: 4,
  postedToken: 8,
  renewedByNumber: 6,
  tokenRunsOut: 3,
  revoked: 3,
  expireSessions: 8,
  addressChange: 5,
  storeAway: 6,
  clockStep: 5,
  impatience: 3
}

const faultOf = ({ between, oneOf }: ReturnType<typeof makeChance>): NumberEmulator.Fault => {
  const { Fault } = NumberEmulator
  return oneOf<NumberEmulator.Fault>(
    ...plainFaults,
    // Number works on a delayed request before the drain is over: the promise assumes that.
    Fault.DelayRequest(between(1, 240) * 1000),
    Fault.DelayAnswer(between(1, 600) * 1000)
  )
}

/**
 * Lives one life. The same options and number give the same life, to the last entry of its trace.
 *
 * @since 0.1.0
 * @category running
 */
export const live = (options: Options, life: number): Life => {
  const chance = makeChance(options.seed, life)
  const clock = VirtualClock.make({ seed: chance.seed, quiet: true })
  const isNaive = options.client === "naive"
  const { acknowledges = "whenDurable" } = options
  const limit = chance.oneOf(5, 5, 5, 3, 1)
  const backend = {
    counting: chance.oneOf("ip", "ipAndAccount"),
    successClears: chance.oneOf("all", "own"),
    faultsCount: chance.oneOf(true, false)
  } as const
  const lostAttempts = chance.oneOf("abort", "continue")
  const wire = chance.below(8) === 0 ? "SOAP" : "REST"
  const processCount = chance.between(1, 3)
  const accounts = allAccounts.slice(0, chance.oneOf(1, 1, 2))

  const trace: Array<TraceEntry> = []
  const faults: Record<string, number> = {}
  let crashes = 0
  let calls = 0
  let isOver = false
  let violation: Violation | null = null
  /** Adds an entry to the trace. The trace ends with the broken promise. */
  const tell = (type: string, rest: Omit<TraceEntry, "type" | "atMillis"> = {}): void => {
    if (violation === null || type === "broken") trace.push({ atMillis: clock.steadyMillis(), type, ...rest })
  }
  const count = (kind: string): void => {
    faults[kind] = (faults[kind] ?? 0) + 1
  }
  const broken = (promise: string): void => {
    if (violation !== null) return
    violation = { seed: options.seed, life, promise, atMillis: clock.steadyMillis() }
    tell("broken", { detail: promise })
  }

  const run = clock.run
  const fork = <A, E>(effect: Effect.Effect<A, E>): void => void clock.fork(Effect.exit(effect))

  // The backend, its tokens, and the addresses of the location. A former address does not come back.
  const scope = run(Scope.make())
  const ips = ["203.0.113.0"]
  const emulator = run(NumberEmulator.make({ ...backend, ip: ips[0]! }).pipe(Scope.extend(scope)))
  const good: Array<string> = []
  const supplied: Array<string> = []
  let tokens = 0
  const renewToken = (account: number, lifeMillis: number): void => {
    good[account] = tokenText(account, tokens++)
    const expiresAtMillis = clock.unsafeCurrentTimeMillis() + lifeMillis
    run(emulator.addToken(accounts[account]!, good[account], { expiresAtMillis }))
  }
  for (const account of accounts.keys()) {
    renewToken(account, 180 * 24 * hour)
    supplied[account] = good[account]!
  }

  // The disk, and the store on it. The store may be away before it writes, or before it answers.
  const disk = run(
    SimulatedDisk.make({
      syncMillis: () =>
        acknowledges === "beforeDurable" ? chance.between(1000, 30_000) : chance.between(0, 20),
      survives: chance.fraction,
      acknowledges
    })
  )
  const absence = ProcessGates.makeAbsence()
  const store = absence.store({
    ...disk.store,
    transact: (key, decide) =>
      disk.store.transact(key, (stored) => {
        const decided = decide(stored)
        const next = decided[1]?.account.context.attempt
        if (next != null && next.id !== stored.account.context.attempt?.id) {
          tell("marked", { account: key.account, detail: `attempt ${next.id}` })
          if (stored.account.context.refusedFingerprints.includes(next.fingerprint))
            broken("a refused fingerprint is never sent again")
        }
        return decided
      })
  })

  // The emulator is the oracle. Its log and its count are checked after every attempt.
  let judged = 0
  const look = Effect.gen(function* () {
    const log = yield* emulator.log
    for (const { account, ip, outcome } of log.slice(judged)) {
      tell("judged", { account, detail: `${outcome}, count ${yield* emulator.countOf(ip)} of ${limit}` })
    }
    judged = log.length
    const peak = yield* emulator.peak
    if (isNaive ? peak >= 6 : peak > limit)
      broken(isNaive ? "the backend never counts six" : "the backend never counts more than the limit")
  })
  const network = HttpClient.transform(NumberEmulator.httpClient(emulator), (sending, request) =>
    request.url.includes("Authenticate") || request.url.endsWith(".svc")
      ? Effect.ensuring(
          Effect.zipRight(
            Effect.sync(() => tell("sent")),
            sending
          ),
          look
        )
      : sending
  )

  // People: a notice waits in the inbox until it is due, and a person acts on it then.
  const inbox: Array<{ readonly account: number; readonly kind: string; readonly dueMillis: number }> = []
  const onNotice =
    (account: number) =>
    ({ notice }: AuthNotice): Effect.Effect<void> =>
      Effect.sync(() => {
        tell("told", { account: accounts[account]!, detail: notice.kind })
        if (notice.kind !== "aborted" && notice.kind !== "locked") return
        const dueMillis = clock.steadyMillis() + chance.between(10, 48 * 60) * minute
        inbox.push({ account, kind: notice.kind, dueMillis })
      })

  interface Running {
    readonly gates: ProcessGates.ProcessGates
    readonly clients: ReadonlyArray<
      NaiveClient.Client & { readonly replace: (token: string) => Effect.Effect<unknown, unknown> }
    >
  }
  const libraryClient = (gates: ProcessGates.ProcessGates, account: number) => {
    const http = gates.httpClient(network)
    const services = Context.empty().pipe(
      Context.add(HttpClient.HttpClient, http),
      Context.add(AuthStore, gates.store(store)),
      Context.add(AuthObserver, options.observer ?? null),
      // The cheapest fingerprint is enough: there are thousands of tokens, and nobody tries to guess them.
      Context.add(FingerprintCost, 1),
      Context.add(AuthNotifier, { notify: (notice) => gates.whileAlive(onNotice(account)(notice)) }),
      Context.add(CredentialProvider, {
        get: (_: AccountCode) =>
          gates.whileAlive(Effect.sync(() => Redacted.make(supplied[account]!) as Token)),
        put: (_, token) =>
          gates.whileAlive(Effect.sync(() => void (supplied[account] = Redacted.value(token))))
      }),
      // A scope that is never closed: a crash runs no finalizers.
      Context.add(Scope.Scope, run(Scope.make()))
    )
    const transport =
      wire === "SOAP"
        ? SoapTransport.layer({ endpoint: `${baseUrl}/CardProcAPI.svc` })
        : NumberTransport.layerRest({ baseUrl })
    return run(
      Effect.gen(function* () {
        const auth = yield* NumberAuth.make({
          account: accounts[account]!,
          location: "here",
          baseUrl,
          limit,
          lostAttempts,
          successClears: backend.counting === "ip" && backend.successClears === "own" ? "account" : "location"
        }).pipe(Effect.provide(yield* Layer.build(transport)))
        const call = HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({}))
        return {
          sessionKey: auth.sessionKey,
          send: auth.httpClient.execute(call),
          resume: auth.resume,
          confirmLockLifted: auth.confirmLockLifted,
          replace: auth.replaceCredentials
        }
      }).pipe(Effect.provide(services), Effect.orDie)
    )
  }
  const begin = (process: number): Running => {
    const gates = ProcessGates.make(() => {
      if (isOver) return
      crashes += 1
      tell("died", { process })
    })
    const clients = accounts.map((code, account) =>
      isNaive
        ? {
            ...NaiveClient.make({
              http: gates.httpClient(network),
              baseUrl,
              account: code,
              token: () => supplied[account]!
            }),
            replace: (token: string) => Effect.sync(() => void (supplied[account] = token))
          }
        : libraryClient(gates, account)
    )
    return { gates, clients }
  }
  const running: Array<Running> = []
  for (let process = 0; process < processCount; process++) running.push(begin(process))

  const start = (process: number): void => {
    if (running[process]!.gates.isAlive()) running[process]!.gates.kill()
    running[process] = begin(process)
    tell("started", { process })
  }
  const anyProcess = (): number => chance.below(processCount)
  const call = (process: number, account: number): void => {
    calls += 1
    tell("call", { process, account: accounts[account]! })
    const { send, sessionKey } = running[process]!.clients[account]!
    fork(chance.below(3) === 0 ? sessionKey : send)
  }

  /** A person acts on a notice that is due: honestly, but not always rightly at first. */
  const act = (): void => {
    const due = inbox.findIndex(({ dueMillis }) => dueMillis <= clock.steadyMillis())
    if (due < 0) return
    const { account, kind } = inbox.splice(due, 1)[0]!
    const client = running[anyProcess()]!.clients[account]!
    count(kind === "locked" ? "operator: lock lifted" : "operator: abort looked into")
    if (kind === "locked") {
      clock.advance(quietMillis)
      for (const ip of ips) run(emulator.liftLock(ip))
      const seen = run(emulator.requestsSeen)
      clock.advance(chance.between(0, 10) * minute)
      // A request since then would make the confirmation untrue, so it is not given.
      if (run(emulator.requestsSeen) !== seen) return void inbox.push({ account, kind, dueMillis: 0 })
      tell("lock lifted", { account: accounts[account]! })
      return fork(client.confirmLockLifted)
    }
    if (chance.below(4) === 0) {
      tell("resume", { account: accounts[account]! })
      return fork(client.resume)
    }
    if (supplied[account] === good[account]) renewToken(account, 180 * 24 * hour)
    tell("good token", { account: accounts[account]! })
    fork(client.replace(good[account]!))
    clock.advance(1000)
    fork(client.resume)
  }

  const suffer = (): void => {
    const kind = chance.weighted(hardship)
    const process = anyProcess()
    const account = chance.below(accounts.length)
    count(kind)
    switch (kind) {
      case "fault":
        for (let more = chance.between(1, 3); more > 0; more--) {
          const fault = faultOf(chance)
          count(`network: ${fault._tag}`)
          tell("fault", { detail: fault._tag })
          run(emulator.inject(fault))
        }
        return
      case "crash":
        running[process]!.gates.dieAfter(chance.below(5))
        run(emulator.expireSessions())
        call(process, account)
        clock.advance(chance.between(1, 120) * 1000)
        return start(process)
      case "crashLoop": {
        // A supervisor starts the process again and again, and the process dies in the midst of its work.
        run(emulator.expireSessions())
        const fuse = chance.below(5)
        for (let round = 0; round < 8; round++) {
          start(process)
          running[process]!.gates.dieAfter(fuse)
          call(process, account)
          clock.advance(round % 2 === 0 ? 1000 : minute)
        }
        return start(process)
      }
      case "freeze":
        run(running[process]!.gates.freeze(chance.oneOf(10_000, 50_000, 400_000)))
        run(emulator.expireSessions())
        return call(process, account)
      case "powerCut": {
        run(emulator.expireSessions())
        for (const each of running.keys()) call(each, chance.below(accounts.length))
        clock.advance(chance.between(0, 40))
        for (const { gates } of running) gates.kill()
        const { kept, lost, torn } = disk.cutPower()
        for (const [name, writes] of Object.entries({ kept, lost, torn }))
          for (let write = 0; write < writes; write++) count(`disk: write ${name}`)
        tell("power cut", { detail: `${kept} writes kept, ${torn} torn, ${lost} lost` })
        for (const each of running.keys()) start(each)
        return call(process, account)
      }
      case "typo":
        supplied[account] = tokenText(account, tokens++)
        tell("typo", { account: accounts[account]! })
        run(emulator.expireSessions())
        for (let impatient = chance.between(1, 8); impatient > 0; impatient--) {
          if (chance.below(2) === 0) start(process)
          call(process, account)
          clock.advance(chance.between(1, 100) * 1000)
          if (chance.below(4) === 0) supplied[account] = tokenText(account, tokens++)
        }
        return
      case "haste": {
        // New tokens are sent while attempts with earlier ones are still on their way. The backend counts those
        // failures after the success that would clear them.
        const inHaste = (token: string, millis: number): void => {
          supplied[account] = token
          call(process, account)
          clock.advance(millis)
        }
        const wrong = (millis: number): void => inHaste(tokenText(account, tokens++), millis)
        tell("haste", { account: accounts[account]! })
        run(emulator.expireSessions())
        for (let lost = 1; lost < limit; lost++) {
          run(emulator.inject(NumberEmulator.Fault.DelayRequest(240_000)))
          wrong(31_000)
        }
        inHaste(good[account]!, 5000)
        run(emulator.expireSessions())
        for (let more = chance.between(0, limit); more > 0; more--) wrong(1000)
        return clock.advance(300_000)
      }
      case "postedToken":
        renewToken(account, 180 * 24 * hour)
        tell("token posted", { account: accounts[account]! })
        return fork(running[process]!.clients[account]!.replace(good[account]!))
      case "renewedByNumber":
        tell("token renewed by Number", { account: accounts[account]! })
        return run(
          emulator.addToken(accounts[account]!, good[account]!, {
            expiresAtMillis: clock.unsafeCurrentTimeMillis() + 180 * 24 * hour
          })
        )
      case "tokenRunsOut":
        tell("token runs out", { account: accounts[account]! })
        return run(
          emulator.addToken(accounts[account]!, good[account]!, {
            expiresAtMillis: clock.unsafeCurrentTimeMillis() + chance.between(0, 48) * hour
          })
        )
      case "revoked":
        tell("token revoked", { account: accounts[account]! })
        return run(emulator.revokeToken(accounts[account]!, good[account]!))
      case "expireSessions":
        return void run(emulator.expireSessions())
      case "addressChange":
        ips.push(`203.0.113.${ips.length}`)
        tell("address changes", { detail: ips.at(-1)! })
        return run(emulator.setIp(ips.at(-1)))
      case "storeAway": {
        const millis = chance.oneOf(1000, minute, 10 * minute)
        const afterCommit = chance.below(2) === 0
        run(absence.begin(millis, { afterCommit }))
        tell("store away", { detail: afterCommit ? "after it has written" : "before it writes" })
        run(emulator.expireSessions())
        return call(process, account)
      }
      case "clockStep": {
        const millis = chance.oneOf(-hour, -minute, 50_000)
        clock.step(millis)
        tell("clock steps", { detail: `${millis} ms` })
        // At most one step ahead within a drain: Number's delay and the clock's step must fit into the drain together.
        return millis > 0 ? clock.advance(quietMillis) : undefined
      }
      case "impatience":
        for (const each of accounts.keys()) fork(running[process]!.clients[each]!.resume)
        return
    }
  }

  while (clock.steadyMillis() < yearMillis && violation === null) {
    for (const account of accounts.keys()) call(anyProcess(), account)
    if (chance.below(12) === 0) {
      // Hardships come together.
      for (let more = chance.between(1, 6); more > 0 && violation === null; more--) {
        suffer()
        clock.advance(chance.oneOf(1, 200, 5000, 31_000, minute, 400_000))
        call(anyProcess(), chance.below(accounts.length))
      }
    }
    act()
    clock.advance(chance.between(2, 28) * hour)
  }
  // Everything under way comes to its end.
  if (violation === null) clock.advance(1_200_000)
  run(look)

  const log = run(emulator.log)
  const peak = run(emulator.peak)
  const isLocked = ips.some((ip) => run(emulator.isLocked(ip)))
  if (isLocked) broken("the backend never counts six")
  run(Scope.close(scope, Exit.void))

  // The fibers that the processes still have in memory unwind, without any visible effect.
  const world = (): string =>
    JSON.stringify([trace.length, supplied, disk.writes(), Effect.runSync(emulator.requestsSeen)])
  const before = world()
  isOver = true
  for (const { gates } of running) gates.kill()
  const left = clock.end()
  if (left > 0) throw new Error(`${left} fibers have outlived life ${life} of seed ${options.seed}`)
  if (world() !== before) throw new Error(`The dead of life ${life} of seed ${options.seed} have acted`)

  return {
    figures: {
      years: clock.steadyMillis() / yearMillis,
      lockouts: isLocked || peak >= 6 ? 1 : 0,
      attempts: log.length,
      renewals: log.filter(({ outcome }) => outcome === "accepted").length,
      calls,
      crashes,
      greatestCount: peak,
      yearsAtTheLimit: peak === limit ? 1 : 0,
      faults
    },
    violation,
    trace
  }
}

/**
 * The figures of no simulation: all are zero.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noFigures: Figures = {
  years: 0,
  lockouts: 0,
  attempts: 0,
  renewals: 0,
  calls: 0,
  crashes: 0,
  greatestCount: 0,
  yearsAtTheLimit: 0,
  faults: {}
}

/**
 * Combines the figures of two simulations.
 *
 * @since 0.1.0
 * @category combining
 */
export const combine = (one: Figures, other: Figures): Figures => {
  const faults: Record<string, number> = { ...one.faults }
  for (const [kind, times] of Object.entries(other.faults)) faults[kind] = (faults[kind] ?? 0) + times
  return {
    years: one.years + other.years,
    lockouts: one.lockouts + other.lockouts,
    attempts: one.attempts + other.attempts,
    renewals: one.renewals + other.renewals,
    calls: one.calls + other.calls,
    crashes: one.crashes + other.crashes,
    greatestCount: Math.max(one.greatestCount, other.greatestCount),
    yearsAtTheLimit: one.yearsAtTheLimit + other.yearsAtTheLimit,
    faults
  }
}

/**
 * The result of a simulation. `broken` is the life in which a promise was broken; the simulation ends with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly seed: number
  readonly figures: Figures
  readonly broken: (Life & { readonly violation: Violation }) | null
}

const isBroken = (life: Life): life is Life & { readonly violation: Violation } => life.violation !== null

/**
 * Simulates `years` years, or fewer if a promise is broken. Other fibers of the program may run after each life.
 *
 * @since 0.1.0
 * @category running
 */
export const simulate = (options: Options & { readonly years: number }): Effect.Effect<Report> =>
  Effect.gen(function* () {
    let figures = noFigures
    for (let life = 0; figures.years < options.years; life++) {
      const lived = live(options, life)
      figures = combine(figures, lived.figures)
      if (isBroken(lived)) return { seed: options.seed, figures, broken: lived }
      yield* Effect.sleep(0)
    }
    return { seed: options.seed, figures, broken: null }
  })
