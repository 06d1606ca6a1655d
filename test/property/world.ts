/**
 * The real NumberAuth against the emulator, in a world of processes that crash, freeze and start again, a store that
 * goes away, a network that loses and delays, clocks that step, tokens that go bad, and operators. One schedule is one
 * run; the same schedule drives the library, a mutant of it, or a naive client.
 */
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { Effect, Exit, Layer, Redacted, Scope } from "effect"
import * as fc from "fast-check"
import type { AccountCode, Token } from "../../src/schemas/Credentials.js"
import { AuthNotifier } from "../../src/services/session/AuthNotifier.js"
import { AuthStore, type Stored, type Write } from "../../src/services/store/AuthStore.js"
import { CredentialProvider } from "../../src/services/session/CredentialProvider.js"
import type * as NumberAuth from "../../src/services/session/NumberAuth.js"
import type * as NumberTransport from "../../src/services/wire/NumberTransport.js"
import type * as SoapTransport from "../../src/services/wire/SoapTransport.js"
import type * as Store from "../../src/services/store/AuthStore.js"
import * as Arbitraries from "../../src/testing/Arbitraries.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import * as NaiveClient from "../../src/testing/NaiveClient.js"
import * as ProcessGates from "../../src/testing/ProcessGates.js"
import * as VirtualClock from "../../src/testing/VirtualClock.js"
import { Broken } from "./coreWorld.js"

/** What of the library is under test. */
export interface WorldImplementation {
  readonly NumberAuth: Pick<typeof NumberAuth, "make">
  readonly NumberTransport: Pick<typeof NumberTransport, "layerRest" | "NumberTransport">
  readonly SoapTransport: Pick<typeof SoapTransport, "layer">
  readonly AuthStore: Pick<typeof Store, "makeMemory">
}

const baseUrl = "https://number.test/v1"
const accounts = ["EP0000001", "EP0000002"] as const
/**
 * The location's addresses, one after the other. One that it had does not come back: a success from another address says
 * nothing of the count that Number keeps for it, which the README names as an assumption.
 */
const ipOf = (number: number): string => `203.0.113.${number}`
const processes = 2

const tokenText = (account: number, token: number): string =>
  `${account}${token}`.padStart(32, account === 0 ? "A" : "B")

type Operation =
  | { readonly type: "call" | "send"; readonly process: number; readonly account: number }
  | { readonly type: "crash"; readonly process: number; readonly fuse: number }
  | { readonly type: "restart"; readonly process: number }
  | { readonly type: "freeze"; readonly process: number; readonly millis: number }
  | { readonly type: "crashLoop"; readonly process: number; readonly account: number; readonly fuse: number }
  | { readonly type: "fault"; readonly fault: Emulator.Fault }
  | { readonly type: "advance"; readonly millis: number }
  | { readonly type: "stepClock"; readonly millis: number }
  | {
      readonly type: "token"
      readonly account: number
      readonly which: "good" | "bad" | "renewed" | "revoked"
    }
  | { readonly type: "badTokens"; readonly process: number; readonly account: number; readonly count: number }
  | { readonly type: "expireSessions" | "changeIp" }
  | { readonly type: "storeAway"; readonly millis: number; readonly afterCommit: boolean }
  | { readonly type: "resume"; readonly process: number; readonly account: number }
  | {
      readonly type: "lockLifted"
      readonly process: number
      readonly account: number
      readonly millis: number
    }

export interface Schedule {
  readonly limit: number
  readonly lostAttempts: "abort" | "continue"
  readonly backend: {
    readonly counting: "ip" | "ipAndAccount"
    readonly successClears: "all" | "own"
    readonly faultsCount: boolean
  }
  /** What attempts are sent over. */
  readonly wire: "REST" | "SOAP"
  readonly operations: ReadonlyArray<Operation>
}

const process = fc.nat({ max: processes - 1 })
const account = fc.nat({ max: accounts.length - 1 })
const fuse = fc.nat({ max: 4 })

const one = <T extends Operation["type"], M>(type: T, rest: { [K in keyof M]: fc.Arbitrary<M[K]> }) =>
  fc.record({ type: fc.constant(type), ...rest }) as unknown as fc.Arbitrary<Operation>

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: one("call", { process, account }) },
  { weight: 4, arbitrary: one("send", { process, account }) },
  { weight: 3, arbitrary: one("crash", { process, fuse }) },
  { weight: 3, arbitrary: one("restart", { process }) },
  { weight: 2, arbitrary: one("freeze", { process, millis: fc.constantFrom(10_000, 50_000, 400_000) }) },
  { weight: 2, arbitrary: one("crashLoop", { process, account, fuse }) },
  { weight: 6, arbitrary: one("fault", { fault: Arbitraries.fault }) },
  {
    weight: 6,
    arbitrary: one("advance", { millis: fc.constantFrom(200, 5000, 31_000, 60_000, 400_000, 90_100_000) })
  },
  { weight: 1, arbitrary: one("stepClock", { millis: fc.constantFrom(-3_600_000, -60_000, 50_000) }) },
  {
    weight: 5,
    arbitrary: one("token", {
      account,
      which: fc.constantFrom("good", "good", "renewed", "renewed", "bad", "revoked")
    })
  },
  { weight: 3, arbitrary: one("badTokens", { process, account, count: fc.integer({ min: 1, max: 7 }) }) },
  { weight: 2, arbitrary: one("expireSessions", {}) },
  { weight: 1, arbitrary: one("changeIp", {}) },
  {
    weight: 1,
    arbitrary: one("storeAway", { millis: fc.constantFrom(1000, 60_000), afterCommit: fc.boolean() })
  },
  { weight: 2, arbitrary: one("resume", { process, account }) },
  {
    weight: 2,
    arbitrary: one("lockLifted", { process, account, millis: fc.constantFrom(0, 60_000, 400_000) })
  }
)

const backends = fc.constantFrom<Schedule["backend"]>(
  ...[true, false].flatMap((faultsCount) => [
    { counting: "ip", successClears: "all", faultsCount } as const,
    { counting: "ip", successClears: "own", faultsCount } as const,
    { counting: "ipAndAccount", successClears: "all", faultsCount } as const,
    { counting: "ipAndAccount", successClears: "own", faultsCount } as const
  ])
)

/** A session obtained, refused with 5050 and then with 5030, and each time one attempt that does not leave. */
const opening = (account: number): ReadonlyArray<Operation> => {
  const unsent: Operation = { type: "fault", fault: Emulator.Fault.Refuse }
  const send: Operation = { type: "send", process: 0, account }
  return [
    unsent,
    send,
    send,
    { type: "changeIp" },
    unsent,
    send,
    send,
    { type: "expireSessions" },
    unsent,
    send,
    send
  ]
}

/**
 * Every schedule begins with good days, so that each run goes through the chart's ordinary states, and has a stretch in
 * which a token goes bad and a supervisor restarts the process: that is what locks hand-written clients.
 */
export const schedule: fc.Arbitrary<Schedule> = fc
  .record({
    limit: fc.constantFrom(1, 3, 5, 5),
    lostAttempts: fc.constantFrom("abort" as const, "continue" as const),
    backend: backends,
    before: fc.array(operation, { maxLength: 30, size: "max" }),
    after: fc.array(operation, { maxLength: 30, size: "max" }),
    account,
    wire: fc.constantFrom("REST" as const, "SOAP" as const)
  })
  .map(({ account, after, before, ...rest }) => ({
    ...rest,
    operations: [
      ...opening(account),
      ...before,
      { type: "token", account, which: "bad" },
      ...[1, 2, 3].flatMap((): ReadonlyArray<Operation> => [
        { type: "restart", process: 0 },
        { type: "call", process: 0, account },
        { type: "advance", millis: 400_000 }
      ]),
      ...after
    ]
  }))

export interface Tally {
  readonly states: Set<string>
  readonly transitions: Set<string>
  attempts: number
  renewals: number
  crashes: number
  peak: number
  atTheLimit: number
}

export const emptyTally = (): Tally => ({
  states: new Set(),
  transitions: new Set(),
  attempts: 0,
  renewals: 0,
  crashes: 0,
  peak: 0,
  atTheLimit: 0
})

/** The property that all of this is for. */
export const backendProperty = "the backend never counts more than the limit"

/** Runs a schedule with the library (or a mutant), or with the naive client. */
export const run = (
  implementation: WorldImplementation | "naive",
  given: Schedule,
  options: { readonly tally?: Tally; readonly watch?: string } = {}
): { readonly isLockedOut: boolean } => {
  const { tally = emptyTally(), watch } = options
  const clock = VirtualClock.make()
  const fork = <A, E>(effect: Effect.Effect<A, E>): void => {
    clock.fork(Effect.exit(effect))
  }

  const scope = clock.run(Scope.make())
  const emulator = clock.run(Emulator.make({ ...given.backend, ip: ipOf(0) }).pipe(Scope.extend(scope)))
  const supplied: Array<string> = []
  const good: Array<string> = []
  let tokens = 0
  for (const [index, code] of accounts.entries()) {
    good[index] = tokenText(index, tokens++)
    supplied[index] = good[index]
    clock.run(emulator.addToken(code, good[index]))
  }

  const ips = [ipOf(0)]
  const absence = ProcessGates.makeAbsence()
  let broken: Broken | null = null
  const holds = (condition: boolean, property: string, detail: string) => {
    if (!condition && (watch === undefined || watch === property)) broken ??= new Broken(property, detail)
  }

  /** What every write of the store has to be, whoever writes. */
  const checkWrite = (before: Stored, write: Exclude<Write, null>): void => {
    const { context, state } = write.account
    const was = before.account
    tally.states.add(state)
    tally.transitions.add(`${was.state} -> ${state}`)
    if (context.session !== null && context.session.generation !== was.context.session?.generation)
      tally.renewals += 1
    if (context.attempt !== null && context.attempt.id !== was.context.attempt?.id) {
      holds(
        !was.context.refusedFingerprints.includes(context.attempt.fingerprint),
        "a refused fingerprint is never sent again",
        context.attempt.fingerprint
      )
      const inFlight = write.ledger.marks.filter((mark) => mark.attempt === context.attempt!.id)
      holds(inFlight.length === 1, "an attempt that may be sent has its mark", `${inFlight.length}`)
    }
    holds(
      (write.account.sessionKey !== null) === (context.session !== null),
      "the store holds the key of the session, and no other",
      state
    )
    holds(
      context.session === null ||
        was.context.session === null ||
        context.session.generation >= was.context.session.generation,
      "a session is never replaced by an older one",
      state
    )
  }

  const store = implementation === "naive" ? undefined : clock.run(implementation.AuthStore.makeMemory)

  const clientsOf = (current: ProcessGates.ProcessGates): ReadonlyArray<NaiveClient.Client> => {
    const http = current.httpClient(Emulator.httpClient(emulator))
    return clock.run(
      Effect.forEach(accounts, (code, index) =>
        implementation === "naive"
          ? Effect.succeed(NaiveClient.make({ http, baseUrl, account: code, token: () => supplied[index]! }))
          : libraryClient(implementation, current, http, code, index)
      )
    )
  }

  const libraryClient = (
    { NumberAuth, NumberTransport, SoapTransport }: WorldImplementation,
    current: ProcessGates.ProcessGates,
    http: HttpClient.HttpClient,
    code: string,
    index: number
  ): Effect.Effect<NaiveClient.Client> => {
    const checked: AuthStore["Type"] = {
      ...store!,
      transact: (key, decide) =>
        store!.transact(key, (stored) => {
          const decided = decide(stored)
          if (decided[1] !== null) checkWrite(stored, decided[1])
          return decided
        })
    }
    const services = Layer.mergeAll(
      Layer.succeed(HttpClient.HttpClient, http),
      Layer.succeed(AuthStore, current.store(absence.store(checked))),
      Layer.succeed(AuthNotifier, { notify: () => Effect.void }),
      Layer.succeed(CredentialProvider, {
        get: (_: AccountCode) =>
          current.whileAlive(Effect.sync(() => Redacted.make(supplied[index]!) as Token)),
        put: () => Effect.void
      }),
      Layer.orDie(
        given.wire === "SOAP"
          ? SoapTransport.layer({ endpoint: `${baseUrl}/CardProcAPI.svc` })
          : NumberTransport.layerRest({ baseUrl })
      ).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)))
    )
    return Effect.gen(function* () {
      // A scope that is never closed: a crash runs no finalizers.
      const auth = yield* NumberAuth.make({
        account: code,
        location: "here",
        baseUrl,
        limit: given.limit,
        lostAttempts: given.lostAttempts,
        successClears:
          given.backend.counting === "ip" && given.backend.successClears === "own" ? "account" : "location"
      })
      return {
        sessionKey: auth.sessionKey,
        send: auth.httpClient.execute(
          HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({}))
        ),
        resume: auth.resume,
        confirmLockLifted: auth.confirmLockLifted
      }
    }).pipe(
      Effect.provide(services),
      Effect.provideService(Scope.Scope, Effect.runSync(Scope.make())),
      Effect.orDie
    )
  }

  const running: Array<ProcessGates.ProcessGates> = []
  const clients: Array<ReadonlyArray<NaiveClient.Client>> = []
  const start = (number: number): void => {
    running[number]?.kill()
    running[number] = ProcessGates.make()
    clients[number] = clientsOf(running[number])
  }
  for (let number = 0; number < processes; number++) start(number)

  const perform = (operation: Operation): void => {
    switch (operation.type) {
      case "call":
        return fork(clients[operation.process]![operation.account]!.sessionKey)
      case "send":
        return fork(clients[operation.process]![operation.account]!.send)
      case "crash":
        tally.crashes += 1
        running[operation.process]!.dieAfter(operation.fuse)
        return
      case "restart":
        return start(operation.process)
      case "freeze":
        return clock.run(running[operation.process]!.freeze(operation.millis))
      case "crashLoop":
        // A supervisor that starts the process again and again, and a process that dies in the midst of it.
        for (let round = 0; round < 8; round++) {
          start(operation.process)
          tally.crashes += 1
          running[operation.process]!.dieAfter(operation.fuse)
          fork(clients[operation.process]![operation.account]!.sessionKey)
          clock.advance(round % 2 === 0 ? 1000 : 60_000)
        }
        return start(operation.process)
      case "fault":
        return clock.run(emulator.inject(operation.fault))
      case "advance":
        return clock.advance(operation.millis)
      case "stepClock":
        clock.step(operation.millis)
        // One step ahead in the time of a drain: what Number takes and what the clock jumps have to fit into it together.
        return operation.millis > 0 ? clock.advance(700_000) : undefined
      case "token":
        switch (operation.which) {
          case "good":
            supplied[operation.account] = good[operation.account]!
            return
          case "bad":
            supplied[operation.account] = tokenText(operation.account, tokens++)
            return
          case "revoked":
            return clock.run(emulator.revokeToken(accounts[operation.account]!, good[operation.account]!))
          case "renewed":
            good[operation.account] = tokenText(operation.account, tokens++)
            supplied[operation.account] = good[operation.account]!
            return clock.run(emulator.addToken(accounts[operation.account]!, good[operation.account]!))
        }
      // falls through: every token operation has returned
      case "badTokens":
        for (let count = 0; count < operation.count; count++) {
          supplied[operation.account] = tokenText(operation.account, tokens++)
          fork(clients[operation.process]![operation.account]!.sessionKey)
          clock.advance(1000)
        }
        return
      case "expireSessions":
        return clock.run(Effect.asVoid(emulator.expireSessions()))
      case "changeIp":
        ips.push(ipOf(ips.length))
        return clock.run(emulator.setIp(ips.at(-1)))
      case "storeAway":
        return clock.run(absence.begin(operation.millis, operation))
      case "resume":
        return fork(clients[operation.process]![operation.account]!.resume)
      case "lockLifted": {
        // An operator who tells the truth: no sooner than the drain after the last attempt support sets the count of the
        // IP to zero, and some time after that it is confirmed.
        clock.advance(700_000)
        for (const ip of ips) clock.run(emulator.liftLock(ip))
        const seen = clock.run(emulator.requestsSeen)
        clock.advance(operation.millis)
        // What was attempted since then makes the word untrue, and it is not given.
        if (clock.run(emulator.requestsSeen) !== seen) return
        const confirmed = clients[operation.process]![operation.account]!.confirmLockLifted
        return fork(confirmed)
      }
    }
  }

  for (const operation of given.operations) {
    perform(operation)
    clock.advance(1)
    if (broken !== null) break
  }
  // Let all that is under way come to its end.
  clock.advance(1_200_000)

  const peak = clock.run(emulator.peak)
  tally.attempts += clock.run(emulator.log).length
  tally.peak = Math.max(tally.peak, peak)
  if (peak === given.limit) tally.atTheLimit += 1
  const locks = ips.map((ip) => clock.run(emulator.isLocked(ip)))
  holds(implementation === "naive" || peak <= given.limit, backendProperty, `${peak} of ${given.limit}`)
  clock.run(Scope.close(scope, Exit.void))
  for (const gates of running) gates.kill()
  if (clock.end() > 0) throw new Error("Fibers have outlived their world.")
  if (broken !== null) throw broken
  return { isLockedOut: peak >= 6 || locks.includes(true) }
}
