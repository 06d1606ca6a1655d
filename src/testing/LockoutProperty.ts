/**
 * A property of programs that use the library: they never lock a location, whatever happens to them.
 *
 * The program runs in a simulated world. Processes die at every point that matters and are started again, the network
 * loses and delays messages, tokens go bad, sessions end, the store goes away, and people act. Time is virtual. The
 * emulator counts on its own and is the oracle.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { AccountCode, Token } from "../schemas/Credentials.js"
import type { LedgerRecord } from "../schemas/StoredRecord.js"
import { toTrace, TransitionRecord } from "../schemas/TransitionRecord.js"
import { AuthObserver } from "../services/session/AuthObserver.js"
import { AuthNotifier } from "../services/session/AuthNotifier.js"
import { AuthStore, makeMemory } from "../services/store/AuthStore.js"
import { CredentialProvider } from "../services/session/CredentialProvider.js"
import { FingerprintCost } from "../services/session/internal/fingerprint.js"
import * as NumberAccounts from "../services/session/NumberAccounts.js"
import * as NumberAuth from "../services/session/NumberAuth.js"
import * as NumberTransport from "../services/wire/NumberTransport.js"
import * as SoapTransport from "../services/wire/SoapTransport.js"
import * as Arbitraries from "./Arbitraries.js"
import * as Emulator from "./NumberEmulator.js"
import * as ProcessGates from "./ProcessGates.js"
import * as VirtualClock from "./VirtualClock.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

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

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many schedules are tried. Default 100. */
  readonly runs?: number | undefined
  /** Repeats a run that failed, with `path`. Default: from Effect's Random. */
  readonly seed?: number | undefined
  /** The path to one schedule of a seed, as a report gives it. */
  readonly path?: string | undefined
  /** How many processes share the location: 1 to 8. Default 2. */
  readonly processes?: number | undefined
  /** The settings of `NumberAuth`. The count must not pass `limit` (default 5). */
  readonly auth?: Omit<NumberAuth.Options, "account" | "baseUrl" | "location"> | undefined
  /** The protocol of attempts. Default `REST`. */
  readonly wire?: "REST" | "SOAP" | undefined
  /** How the backend counts, where the documentation leaves it open. Default: the emulator's. */
  readonly backend?: Pick<Emulator.Options, "counting" | "successClears" | "faultsCount"> | undefined
  /** Whether people resume, and have locks lifted. Default true. */
  readonly operators?: boolean | undefined
}

/**
 * One step of a schedule. Processes and accounts are given by their index, from 0.
 *
 * @since 0.1.0
 * @category models
 */
export type Step =
  /** The program runs in a process, once more. */
  | { readonly type: "run"; readonly process: number; readonly account: number }
  /** A supervisor restarts a process `times` times, and the program runs in it each time. */
  | { readonly type: "restart"; readonly process: number; readonly account: number; readonly times: number }
  /**
   * The process passes `gates` more gates and dies at the next one: 0, before the store's transaction; 1, after its
   * commit; 2, before the request is sent; 3, after the answer.
   */
  | { readonly type: "crash"; readonly process: number; readonly gates: number }
  | { readonly type: "freeze"; readonly process: number; readonly millis: number }
  /** The next `times` attempts meet a fault. */
  | { readonly type: "fault"; readonly fault: Emulator.Fault; readonly times: number }
  | { readonly type: "passTime"; readonly millis: number }
  /** `bad`: a token that Number does not know; `renewed`: a new good token; `good`: the last good token. */
  | { readonly type: "token"; readonly account: number; readonly which: "bad" | "renewed" | "good" }
  /** A person supplies wrong tokens, one after the other, and the program runs with each. */
  | {
      readonly type: "wrongTokens"
      readonly process: number
      readonly account: number
      readonly times: number
    }
  | { readonly type: "revokeToken"; readonly account: number }
  | { readonly type: "expireSessions" }
  | { readonly type: "loseStore"; readonly millis: number; readonly afterCommit: boolean }
  | { readonly type: "resume"; readonly account: number }
  | { readonly type: "liftLock"; readonly account: number }

/**
 * The steps of one run, from its beginning.
 *
 * @since 0.1.0
 * @category models
 */
export interface Schedule {
  readonly steps: ReadonlyArray<Step>
  /** The seed of Effect's Random, and of the choice among fibers that are ready to run. */
  readonly seed: number
}

/**
 * The result if no violation was found.
 *
 * @since 0.1.0
 * @category models
 */
export interface Verdict {
  readonly runs: number
  readonly seed: number
  /** Attempts that reached the backend, in all runs. */
  readonly attempts: number
  /** How often a process died. */
  readonly crashes: number
  /** The greatest count that the backend reached. */
  readonly peak: number
}

/**
 * A way in which a program breaks the property.
 *
 * - `limitPassed`: the backend counted more unsuccessful attempts in a row than the limit. At six the location is
 *   locked.
 * - `retried`: after an unsuccessful attempt the same token was sent again, although no person had acted. It is checked
 *   only if `lostAttempts` is `abort`. The ledger stops such a program at the limit, and with it all other programs of
 *   the location.
 * - `unmarked`: an attempt was sent without a mark in the store. Other processes do not know of it, and neither does
 *   this one after a crash. The program called `Authenticate` past the library, or has a store of its own.
 *
 * @since 0.1.0
 * @category models
 */
export type Violation = "limitPassed" | "retried" | "unmarked"

const explained: { readonly [K in Violation]: string } = {
  limitPassed:
    "The backend counted more unsuccessful attempts in a row than the limit allows; at six Number locks the location. Let the library make all attempts, and leave it to people to resume, to bring tokens, and to confirm that a lock was lifted.",
  retried:
    "An unsuccessful attempt was made again with the same token, and no person had said so. Do not call resume from a program, and do not authenticate in a loop: tell a person, and end.",
  unmarked:
    "An attempt was sent that no mark in the store stands for, so no other process, and not this one after a crash, knows of it. Do not call Authenticate yourself, and let all processes of the location share one durable store."
}

/**
 * The program can lock its location, or makes attempts that it must not make. The message lists the steps. It holds no
 * token and no session key. Of the program's errors it holds only the tags.
 *
 * @since 0.1.0
 * @category errors
 */
export class LockoutFound extends Schema.TaggedError<LockoutFound>("effect-number-auth/testing/LockoutFound")(
  "LockoutFound",
  {
    violation: Schema.Literal("limitPassed", "retried", "unmarked"),
    /** The greatest count that the backend reached in the counterexample. */
    count: Schema.Int,
    limit: Schema.Int,
    /** The shortest schedule that was found, in words. */
    steps: Schema.Array(Schema.String),
    /** All events of that schedule, as a Mermaid sequence diagram. */
    diagram: Schema.String,
    /** The changes that the library stored in it, account by account. Empty if the program went past the library. */
    records: Schema.Array(TransitionRecord),
    /** With `path`, repeats this run: `neverLocksOut(program, { seed, path })`. Null before fast-check has reported. */
    seed: Schema.NullOr(Schema.Int),
    path: Schema.NullOr(Schema.String),
    /** How many schedules were tried until it was found. */
    runs: Schema.Int
  }
) {
  /** {@link records} as a trace file: `number-auth inspect --trace FILE` shows it. */
  get trace(): string {
    return toTrace(this.records)
  }

  override get message(): string {
    const repeat =
      this.seed === null || this.path === null
        ? ""
        : `\n\nFound in run ${this.runs}. Repeat it with { seed: ${this.seed}, path: "${this.path}" }.`
    const picture =
      this.records.length === 0
        ? ""
        : "\n\nTo see it on the statechart, write this error's `trace` to a file: number-auth inspect --trace FILE"
    return [
      `${explained[this.violation]} (${this.violation}; count ${this.count} of ${this.limit})`,
      "",
      "The shortest way there:",
      ...this.steps.map((step, index) => `  ${index + 1}. ${step}`),
      "",
      this.diagram + repeat + picture
    ].join("\n")
  }
}

// -----------------------------------------------------------------------------
// schedules
// -----------------------------------------------------------------------------

const accounts = ["EP0000001", "EP0000002"] as const
const nameOfAccount = (account: number): string => `account ${account === 0 ? "A" : "B"}`
const nameOfProcess = (process: number): string => `P${process + 1}`

const step = <Type extends Step["type"], S extends Extract<Step, { readonly type: Type }>>(
  type: Type,
  weight: number,
  fields: { readonly [K in Exclude<keyof S, "type">]: FastCheck.Arbitrary<S[K]> }
): FastCheck.WeightedArbitrary<Step> => ({
  weight,
  arbitrary: FastCheck.record({
    type: FastCheck.constant(type),
    ...fields
  }) as unknown as FastCheck.Arbitrary<Step>
})

const processesOf = (options: Options): number => Math.max(1, Math.min(8, options.processes ?? 2))
const limitOf = (options: Options): number => options.auth?.limit ?? 5

/**
 * Schedules for the given number of processes, with or without people who act.
 *
 * @since 0.1.0
 * @category schedules
 */
export const schedule = (options: Options = {}): FastCheck.Arbitrary<Schedule> => {
  const process = FastCheck.nat({ max: processesOf(options) - 1 })
  const account = FastCheck.nat({ max: accounts.length - 1 })
  const ofPeople =
    options.operators === false ? [] : [step("resume", 6, { account }), step("liftLock", 1, { account })]
  const any = FastCheck.oneof(
    step("run", 10, { process, account }),
    step("restart", 4, { process, account, times: FastCheck.integer({ min: 1, max: 8 }) }),
    step("crash", 4, { process, gates: FastCheck.nat({ max: 7 }) }),
    step("freeze", 1, { process, millis: FastCheck.constantFrom(10_000, 50_000, 400_000) }),
    step("fault", 6, { fault: Arbitraries.fault, times: FastCheck.integer({ min: 1, max: 7 }) }),
    step("passTime", 4, { millis: FastCheck.constantFrom(200, 5000, 31_000, 60_000, 400_000) }),
    step("token", 5, { account, which: FastCheck.constantFrom("bad", "renewed", "renewed", "good") }),
    step("wrongTokens", 3, { process, account, times: FastCheck.integer({ min: 1, max: 7 }) }),
    step("revokeToken", 1, { account }),
    step("expireSessions", 2, {}),
    step("loseStore", 1, {
      millis: FastCheck.constantFrom(1000, 60_000),
      afterCommit: FastCheck.boolean()
    }),
    ...ofPeople
  )
  return FastCheck.record({
    steps: FastCheck.array(any, { maxLength: 40, size: "max" }),
    seed: FastCheck.nat({ max: 9999 })
  })
}

const seconds = (millis: number): string => `${millis / 1000} s`

const inWords = (given: Step): string => {
  switch (given.type) {
    case "run":
      return `The program runs in ${nameOfProcess(given.process)} for ${nameOfAccount(given.account)}`
    case "restart":
      return `${nameOfProcess(given.process)} is started again, ${given.times} times, and runs the program for ${nameOfAccount(given.account)}`
    case "crash":
      return `${nameOfProcess(given.process)} dies after ${given.gates} more gates of store and network`
    case "freeze":
      return `${nameOfProcess(given.process)} stands still for ${seconds(given.millis)}`
    case "fault":
      return `The next ${given.times} attempts meet a fault: ${given.fault._tag}`
    case "passTime":
      return `${seconds(given.millis)} pass`
    case "token":
      return `A person gives ${nameOfAccount(given.account)} a ${given.which} token`
    case "wrongTokens":
      return `A person gives ${nameOfAccount(given.account)} ${given.times} bad tokens in a row, and the program runs in ${nameOfProcess(given.process)} with each`
    case "revokeToken":
      return `The good token of ${nameOfAccount(given.account)} is revoked`
    case "expireSessions":
      return "All sessions expire"
    case "loseStore":
      return `The store is away for ${seconds(given.millis)}${given.afterCommit ? ", after it has committed" : ""}`
    case "resume":
      return `A person resumes ${nameOfAccount(given.account)}`
    case "liftLock":
      return `Number's support lifts the lock, and a person confirms it for ${nameOfAccount(given.account)}`
  }
}

// -----------------------------------------------------------------------------
// the world
// -----------------------------------------------------------------------------

interface Seen {
  readonly violation: Violation | null
  readonly peak: number
  readonly attempts: number
  readonly crashes: number
  readonly diagram: string
  readonly records: ReadonlyArray<TransitionRecord>
}

/** The account and token of an Authenticate call, over either wire. */
const attemptIn = ({ body, headers, path }: Emulator.Incoming): readonly [string, string] | null => {
  const isSoap = /\.svc$/i.test(path)
  const isAttempt = isSoap
    ? /Authenticate/.test(`${headers["soapaction"] ?? ""}`)
    : /\/Authenticate\/?$/.test(path)
  if (!isAttempt) return null
  const field = (name: string): string =>
    new RegExp(isSoap ? `<(?:\\w+:)?${name}[^>]*>([^<]*)<` : `"${name}"\\s*:\\s*"([^"]*)"`).exec(body)?.[1] ??
    ""
  return [field("AcctCode").toUpperCase(), field("Token")]
}

const isAccepted = (delivery: Emulator.Delivery): boolean =>
  delivery._tag === "Answered" &&
  delivery.answer.status === 200 &&
  /AuthSuccess(?:"\s*:\s*|>)true/.test(delivery.answer.body)

const saidBy = (delivery: Emulator.Delivery): string =>
  delivery._tag === "Answered"
    ? isAccepted(delivery)
      ? "accepted"
      : `not accepted (status ${delivery.answer.status})`
    : delivery._tag

const rank: ReadonlyArray<Violation> = ["unmarked", "retried", "limitPassed"]

/** The tag of an error, if it can stand in a diagram. It shows nothing else of the error. */
const tagOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const tag = Predicate.hasProperty(error, "_tag") ? String(error._tag) : "a defect"
  return /^[\w.-]{1,40}$/.test(tag) ? tag : "an error"
}

const play = async <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options,
  given: Schedule
): Promise<Seen> => {
  const clock = VirtualClock.make({ seed: given.seed })
  const quiet = Logger.withMinimumLogLevel(LogLevel.None)
  const limit = limitOf(options)
  const ip = "203.0.113.1"
  const scope = clock.run(Scope.make())
  const emulator = clock.run(Scope.extend(Emulator.make({ ...options.backend, ip }), scope))
  const memory = clock.run(makeMemory)

  const drawn: Array<string> = []
  const draw = (line: string): void => void drawn.push(`  ${line}`)
  const records: Array<TransitionRecord> = []
  let worst: Violation | null = null
  const found = (violation: Violation): void => {
    draw(`Note over Number: ${violation}`)
    if (worst === null || rank.indexOf(violation) > rank.indexOf(worst)) worst = violation
  }

  // Tokens: those that Number knows, and those that people have supplied.
  const tokens: Array<string> = []
  const newToken = (): string => {
    const text = `7E577E57${tokens.length.toString(16).toUpperCase().padStart(24, "0")}`
    tokens.push(text)
    return text
  }
  const good = accounts.map(newToken)
  const supplied = [...good]
  for (const [index, code] of accounts.entries()) clock.run(emulator.addToken(code, good[index]!))

  // The last stored ledger of each location. Each attempt needs a mark in one of them.
  const ledgers = new Map<string, LedgerRecord>()
  const spent = new Set<string>()
  const takeMark = (account: string): boolean => {
    for (const [standing, ledger] of ledgers) {
      for (const mark of ledger.marks) {
        const id = `${standing} ${mark.attempt}`
        if (mark.account !== account || mark.status === "settled" || spent.has(id)) continue
        spent.add(id)
        return true
      }
    }
    return false
  }

  /** The tokens of each account that were sent and not accepted since a person last acted. */
  const unsuccessful = new Map<string, Set<string>>()
  const ofAccount = (account: string): Set<string> => {
    const known = unsuccessful.get(account) ?? new Set<string>()
    unsuccessful.set(account, known)
    return known
  }
  const findsRetries = (options.auth?.lostAttempts ?? "abort") === "abort"

  let crashes = 0
  const absence = ProcessGates.makeAbsence()
  const watched = absence.store({
    ...memory,
    transact: (key, decide) =>
      memory.transact(key, (stored) => {
        const decided = decide(stored)
        if (decided[1] !== null) ledgers.set(key.location, decided[1].ledger)
        return decided
      })
  })

  const backendOf = (name: string): Emulator.NumberEmulator["Type"] => ({
    ...emulator,
    receive: (incoming) =>
      Effect.gen(function* () {
        const attempt = attemptIn(incoming)
        if (attempt === null) return yield* emulator.receive(incoming)
        const [account, token] = attempt
        const index = accounts.findIndex((code) => code === account)
        draw(
          `${name}->>Number: Authenticate, ${index < 0 ? "another account" : nameOfAccount(index)}, token ${tokens.indexOf(token) + 1}`
        )
        if (!takeMark(account)) found("unmarked")
        const failed = ofAccount(account)
        const wasKnown = failed.has(token)
        if (wasKnown && findsRetries) found("retried")
        failed.add(token)
        const before = yield* emulator.peak
        const delivery = yield* emulator.receive(incoming)
        draw(`Number-->>${name}: ${saidBy(delivery)}`)
        if (isAccepted(delivery)) failed.clear()
        else if (delivery._tag === "Refused" && !wasKnown) failed.delete(token)
        const peak = yield* emulator.peak
        if (peak > before) draw(`Note over Number: count ${peak} of ${limit}`)
        return delivery
      })
  })

  const providerOf = ({ whileAlive }: ProcessGates.ProcessGates): CredentialProvider["Type"] => ({
    get: (account) =>
      whileAlive(
        Effect.sync(() => Redacted.make(supplied[accounts.findIndex((code) => code === account)]!) as Token)
      ),
    put: (account: AccountCode, token) =>
      whileAlive(
        Effect.sync(() => {
          supplied[accounts.findIndex((code) => code === account)] = Redacted.value(token)
        })
      )
  })

  const contextOf = (
    name: string,
    gates: ProcessGates.ProcessGates,
    account: number
  ): Context.Context<Exclude<Environment, Scope.Scope>> => {
    const http = Layer.succeed(HttpClient.HttpClient, gates.httpClient(Emulator.httpClient(backendOf(name))))
    const below = Layer.mergeAll(
      http,
      Layer.succeed(AuthStore, gates.store(watched)),
      Layer.succeed(AuthObserver, (record) => void records.push(record)),
      Layer.succeed(AuthNotifier, {
        notify: ({ notice }) => gates.whileAlive(Effect.sync(() => draw(`${name}->>Person: ${notice.kind}`)))
      }),
      Layer.succeed(CredentialProvider, providerOf(gates)),
      Layer.provide(options.wire === "SOAP" ? SoapTransport.layer() : NumberTransport.layerRest(), http)
    )
    const services = Layer.merge(
      NumberAuth.layer({ ...options.auth, account: accounts[account]! }),
      NumberAccounts.layer(options.auth)
    ).pipe(Layer.provideMerge(below), Layer.provide(Layer.succeed(FingerprintCost, 1)), Layer.orDie)
    // A scope that is never closed: a crash runs no finalizers.
    return clock.run(quiet(Layer.buildWithScope(services, clock.run(Scope.make()))))
  }

  const processes: Array<{
    readonly gates: ProcessGates.ProcessGates
    readonly contexts: ReadonlyArray<Context.Context<Exclude<Environment, Scope.Scope>>>
  }> = []
  const start = (number: number): void => {
    processes[number]?.gates.kill()
    const name = nameOfProcess(number)
    const gates = ProcessGates.make(() => {
      crashes += 1
      draw(`Note over ${name}: dies`)
    })
    processes[number] = { gates, contexts: accounts.map((_, account) => contextOf(name, gates, account)) }
  }
  const runIn = (number: number, account: number): void => {
    const { contexts, gates } = processes[number]!
    if (!gates.isAlive()) return
    const name = nameOfProcess(number)
    draw(`Note over ${name}: runs the program for ${nameOfAccount(account)}`)
    // The context has all of the Environment but the scope, which is that of the run.
    const supplied = Effect.provide(program, contexts[account]!) as Effect.Effect<A, E, Scope.Scope>
    const provided = Effect.scoped(supplied)
    const told = Effect.onExit(provided, (exit) =>
      Effect.sync(() => {
        if (gates.isAlive())
          draw(
            `Note over ${name}: ${Exit.isSuccess(exit) ? "the program ends" : `the program fails with ${tagOf(exit.cause)}`}`
          )
      })
    )
    clock.fork(quiet(Effect.exit(told)))
  }
  for (let number = 0; number < processesOf(options); number++) start(number)
  const desk = ProcessGates.make()
  const people = accounts.map((_, account) => contextOf("Person", desk, account))
  const asPerson = (
    account: number,
    act: (auth: NumberAuth.NumberAuth["Type"]) => Effect.Effect<unknown, unknown>
  ): void => void clock.fork(quiet(Effect.exit(act(Context.get(people[account]!, NumberAuth.NumberAuth)))))

  const perform = async (happening: Step): Promise<void> => {
    switch (happening.type) {
      case "run":
        return runIn(happening.process, happening.account)
      case "restart":
        for (let time = 0; time < happening.times; time++) {
          start(happening.process)
          runIn(happening.process, happening.account)
          await clock.advanceAsync(10_000)
        }
        return
      case "crash":
        return processes[happening.process]!.gates.dieAfter(happening.gates)
      case "freeze":
        return clock.run(processes[happening.process]!.gates.freeze(happening.millis))
      case "fault":
        return clock.run(emulator.inject(...Array.from({ length: happening.times }, () => happening.fault)))
      case "passTime":
        return clock.advanceAsync(happening.millis)
      case "token": {
        const { account, which } = happening
        draw(`Note over Person: gives ${nameOfAccount(account)} a ${which} token`)
        if (which !== "good") supplied[account] = newToken()
        if (which === "renewed") {
          good[account] = supplied[account]!
          clock.run(emulator.addToken(accounts[account]!, good[account]))
        }
        if (which === "good") supplied[account] = good[account]!
        return
      }
      case "wrongTokens":
        for (let time = 0; time < happening.times; time++) {
          supplied[happening.account] = newToken()
          runIn(happening.process, happening.account)
          await clock.advanceAsync(1000)
        }
        return
      case "revokeToken":
        return clock.run(emulator.revokeToken(accounts[happening.account]!, good[happening.account]!))
      case "expireSessions":
        return clock.run(Effect.asVoid(emulator.expireSessions()))
      case "loseStore":
        return clock.run(absence.begin(happening.millis, happening))
      case "resume":
        draw(`Person->>Store: resumes ${nameOfAccount(happening.account)}`)
        ofAccount(accounts[happening.account]!).clear()
        return asPerson(happening.account, (auth) => auth.resume)
      case "liftLock": {
        // The person tells the truth: the drain of the last attempt is over, and no request has come since.
        const seen = clock.run(emulator.requestsSeen)
        await clock.advanceAsync(700_000)
        if (clock.run(emulator.requestsSeen) !== seen) return
        draw("Person->>Number: support sets the count to zero")
        clock.run(emulator.liftLock(ip))
        unsuccessful.clear()
        return asPerson(happening.account, (auth) => auth.confirmLockLifted)
      }
    }
  }

  for (const happening of given.steps) {
    await perform(happening)
    await clock.advanceAsync(1)
  }
  await clock.advanceAsync(1_200_000)

  const peak = clock.run(emulator.peak)
  if (peak > limit) found("limitPassed")
  const attempts = clock.run(emulator.log).length
  const alive = processes.filter(({ gates }) => gates.isAlive()).length
  for (const gates of [desk, ...processes.map(({ gates }) => gates)]) gates.kill()
  clock.run(Scope.close(scope, Exit.void))
  clock.end()
  const participants = [
    ...processes
      .map((_, number) => nameOfProcess(number))
      .filter((name) => drawn.some((line) => new RegExp(`\\b${name}\\b`).test(line)))
      .map((name) => `  participant ${name}`),
    "  participant Store",
    "  participant Number",
    "  actor Person"
  ]
  return {
    violation: worst,
    peak,
    attempts,
    crashes: crashes - alive,
    diagram: ["sequenceDiagram", ...participants, ...drawn.slice(0, drawn.length - alive)].join("\n"),
    records
  }
}

// -----------------------------------------------------------------------------
// the property
// -----------------------------------------------------------------------------

interface Tally {
  attempts: number
  crashes: number
  peak: number
}

/** The error for a run that broke the property. */
const foundIn = (given: Schedule, violation: Violation, seen: Seen, options: Options): LockoutFound =>
  new LockoutFound({
    violation,
    count: seen.peak,
    limit: limitOf(options),
    steps: given.steps.map(inWords),
    diagram: seen.diagram,
    records: seen.records,
    seed: null,
    path: null,
    runs: 0
  })

const propertyWith = <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options,
  tally: Tally,
  watch: Violation | null = null
): FastCheck.IAsyncPropertyWithHooks<[Schedule]> => {
  // The schedule is shrunk for the first violation that was found. Otherwise a lockout would shrink to a lesser
  // violation.
  let first = watch
  return FastCheck.asyncProperty(schedule(options), async (given) => {
    const seen = await play(program, options, given)
    tally.attempts += seen.attempts
    tally.crashes += seen.crashes
    tally.peak = Math.max(tally.peak, seen.peak)
    if (seen.violation === null || (first !== null && seen.violation !== first)) return
    first = seen.violation
    throw foundIn(given, seen.violation, seen, options)
  })
}

/** Removes the steps that fast-check has left in and that the violation does not need. */
const withoutNeedless = async <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options,
  given: Schedule,
  found: LockoutFound
): Promise<LockoutFound> => {
  let shortest = given
  let error = found
  for (let index = given.steps.length - 1; index >= 0; index--) {
    const shorter = { ...shortest, steps: shortest.steps.filter((_, at) => at !== index) }
    const seen = await play(program, options, shorter)
    if (seen.violation !== found.violation) continue
    shortest = shorter
    error = foundIn(shorter, seen.violation, seen, options)
  }
  return error
}

/**
 * The property for `fc.assert` and `fc.check`. It throws a {@link LockoutFound}. Make a new property for each check.
 *
 * @since 0.1.0
 * @category properties
 */
export const asProperty = <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options = {}
): FastCheck.IAsyncPropertyWithHooks<[Schedule]> =>
  propertyWith(program, options, { attempts: 0, crashes: 0, peak: 0 })

/**
 * Drives a program through faults, crashes, restarts and time. Fails if the program could lock its location, with the
 * worst violation that was found and a short schedule that leads to it. The program's own result or error does not
 * matter.
 *
 * The program is begun many times, as a process is. State that it keeps outside of itself survives crashes. It may run
 * as long as it likes, but its loops must let time pass. A crash runs no finalizer. Time is virtual, so the effect
 * takes no time on the clock of the test. It needs no test runner: run it as you run any effect.
 *
 * @since 0.1.0
 * @category properties
 */
export const neverLocksOut = <A, E, R extends Environment>(
  program: Effect.Effect<A, E, R>,
  options: Options = {}
): Effect.Effect<Verdict, LockoutFound> =>
  Effect.gen(function* () {
    const seed = options.seed ?? (yield* Random.nextIntBetween(0, 0x7fffffff))
    const tally = { attempts: 0, crashes: 0, peak: 0 }
    const check = (watch: Violation | null) =>
      Effect.promise(() =>
        FastCheck.check(propertyWith(program, options, tally, watch), {
          seed,
          numRuns: options.runs ?? 100,
          ...(options.path === undefined ? {} : { path: options.path })
        })
      )
    const any = yield* check(null)
    if (!any.failed) return { runs: any.numRuns, seed, ...tally }
    const first = any.errorInstance
    const mayBeWorse =
      first instanceof LockoutFound && first.violation !== "limitPassed" && options.path === undefined
    const worse = mayBeWorse ? yield* check("limitPassed") : any
    const failed = worse.failed ? worse : any
    const { counterexample, counterexamplePath, errorInstance, numRuns } = failed
    // Not a finding: this property has a mistake, or fast-check gave up.
    if (!(errorInstance instanceof LockoutFound) || counterexample === null)
      return yield* Effect.die(errorInstance)
    const found = yield* Effect.promise(() =>
      withoutNeedless(program, options, counterexample[0], errorInstance)
    )
    const { count, diagram, limit, records, steps, violation } = found
    return yield* new LockoutFound({
      violation,
      count,
      limit,
      steps,
      diagram,
      records,
      seed,
      path: counterexamplePath,
      runs: numRuns
    })
  }).pipe(Effect.withSpan("LockoutProperty.neverLocksOut", { captureStackTrace: false }))
