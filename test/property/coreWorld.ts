/**
 * The pure core in a small world: accounts of one location, attempts on their way, a backend that counts on its own.
 * Time, processes and the network are the schedule's: an attempt may be written at any time while its lease lasts, be
 * worked on at any time until the drain is over, and its answer may come late or never.
 */
import type { AuthCore, CoreState, Message, Step } from "../../src/machine/AuthCore.js"
import type { Policy } from "../../src/machine/Policy.js"
import type { AccountCode, Fingerprint } from "../../src/schemas/Credentials.js"
import {
  AccountRecord,
  Claim,
  emptyAccountRecord,
  emptyLedgerRecord,
  LedgerRecord,
  type Mark
} from "../../src/schemas/StoredRecord.js"
import { type CountEvent, standingOf } from "../../src/testing/NumberEmulator.js"
import * as fc from "fast-check"
import { Either, Schema } from "effect"

/** What of the library is under test: the real modules, or mutants of them. */
export interface CoreImplementation {
  readonly makeAuthCore: (policy: Policy) => AuthCore
  readonly defaultPolicy: Policy
}

export const accounts = [
  "EP0000001",
  "EP0000002",
  "EP0000003"
] as ReadonlyArray<string> as ReadonlyArray<AccountCode>

/** The tokens of an account have numbers: up to 7 they may be good or bad, and above they are bad. */
const fingerprint = (account: number, token: number): Fingerprint =>
  `${account}0${token}`.padStart(64, "0") as Fingerprint

type Operation =
  | { readonly type: "request"; readonly account: number }
  | { readonly type: "write" | "work" | "answer" | "lose" | "unsent"; readonly which: number }
  | { readonly type: "workAndAnswer"; readonly which: number }
  /** Brings a token (a fresh one that is bad, or the good one), and writes the attempt; `fail` has it answered too. */
  | { readonly type: "begin"; readonly account: number; readonly isGood: boolean }
  | { readonly type: "fail"; readonly account: number }
  | { readonly type: "fault" | "reportLock"; readonly which: number }
  | { readonly type: "supplyToken"; readonly account: number; readonly token: number }
  | { readonly type: "setGood"; readonly account: number; readonly token: number; readonly good: boolean }
  | { readonly type: "advance"; readonly millis: number }
  | { readonly type: "refuseSession"; readonly account: number; readonly code: 5030 | 5050 | null }
  | { readonly type: "resume" | "liftLock" | "replaceCredentials"; readonly account: number }

export interface Schedule {
  readonly limit: number
  readonly lostAttempts: "abort" | "continue"
  readonly successClears: "location" | "account"
  readonly operations: ReadonlyArray<Operation>
}

const accountIndex = fc.nat({ max: accounts.length - 1 })
const which = fc.nat({ max: 7 })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("request" as const), account: accountIndex }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("workAndAnswer" as const), which }) },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("begin" as const), account: accountIndex, isGood: fc.boolean() })
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("fail" as const), account: accountIndex }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom("write" as const, "work" as const, "answer" as const),
      which
    })
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("lose" as const, "unsent" as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("fault" as const, "reportLock" as const), which })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("supplyToken" as const),
      account: accountIndex,
      token: fc.nat({ max: 7 })
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("setGood" as const),
      account: accountIndex,
      token: fc.nat({ max: 7 }),
      good: fc.boolean()
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("advance" as const),
      // Short steps, a lease, a drain, a session; and the host's clock set back.
      millis: fc.constantFrom(1000, 20_000, 46_000, 301_000, 25 * 3_600_000, -120_000)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("refuseSession" as const),
      account: accountIndex,
      // null: nobody refused it, and who needs it has no key of it.
      code: fc.constantFrom(5030 as const, 5050 as const, null)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom("resume" as const, "liftLock" as const, "replaceCredentials" as const),
      account: accountIndex
    })
  }
)

export const schedule: fc.Arbitrary<Schedule> = fc.record({
  limit: fc.constantFrom(1, 2, 2, 3, 5),
  lostAttempts: fc.constantFrom("abort" as const, "continue" as const),
  successClears: fc.constantFrom("location" as const, "location" as const, "account" as const),
  operations: fc.array(operation, { minLength: 10, maxLength: 80, size: "max" })
})

/** The readings that the documentation leaves open, of which two contradict each other: all are counted at once. */
export const readings = [
  { counting: "ip", successClears: "all" },
  { counting: "ip", successClears: "own" },
  { counting: "ipAndAccount", successClears: "all" },
  { counting: "ipAndAccount", successClears: "own" }
] as const

/** A property of the core that a run found broken. The name is what a mutant is caught by. */
export class Broken extends Error {
  readonly property: string
  constructor(property: string, detail: string) {
    super(`${property}: ${detail}`)
    this.property = property
  }
}

interface Flying {
  readonly id: number
  readonly account: number
  readonly token: number
  readonly leaseEndsAtMillis: number
  /** By when the backend has to be done with it: the drain, counted from when it was given up. */
  givenUpAtMillis: number | null
  stage: "reserved" | "written" | "done" | "over"
  answer: "accepted" | "refused" | "faulted" | "lockReported" | null
}

export interface Tally {
  readonly states: Set<string>
  readonly transitions: Set<string>
  sends: number
  greatestCount: number
  locks: number
}

export const emptyTally = (): Tally => ({
  states: new Set(),
  transitions: new Set(),
  sends: 0,
  greatestCount: 0,
  locks: 0
})

const decodeLedger = Schema.decodeUnknownEither(Schema.parseJson(LedgerRecord))
const encodeLedger = Schema.encodeSync(Schema.parseJson(LedgerRecord))
const decodeAccount = Schema.decodeUnknownEither(Schema.parseJson(AccountRecord))
const encodeAccount = Schema.encodeSync(Schema.parseJson(AccountRecord))

/** Runs a schedule, and throws {@link Broken} where a property does not hold: any, or only the one that is watched. */
export const run = (
  implementation: CoreImplementation,
  given: Schedule,
  options: { readonly tally?: Tally; readonly watch?: string } = {}
): void => {
  const { tally = emptyTally(), watch } = options
  const holds = (condition: boolean, property: string, detail = ""): void => {
    if (!condition && (watch === undefined || watch === property)) throw new Broken(property, detail)
  }

  const policy: Policy = {
    ...implementation.defaultPolicy,
    limit: given.limit,
    lostAttempts: given.lostAttempts,
    successClears: given.successClears
  }
  const core = implementation.makeAuthCore(policy)
  let sequence = 0
  let nowMillis = 1_700_000_000_000
  // Time without the steps that the host's clock is set back by: what the backend and the sender's lease go by.
  let steadyMillis = 0
  let ledger: LedgerRecord = emptyLedgerRecord
  const records = accounts.map(() => emptyAccountRecord)
  const supplied = accounts.map(() => 0)
  const good = accounts.map(() => new Set([0]))
  const events: Array<CountEvent> = []
  const flying: Array<Flying> = []
  const everRefused = accounts.map(() => new Set<number>())

  const takeMessage = (account: number, message: Message): Step => {
    const record = records[account]!
    const before: CoreState = { ledger, state: record.state, context: record.context }
    const next = core.step(before, accounts[account]!, message, { sequence: sequence + 1, nowMillis })
    const isSame = next.ledger === ledger && next.state === record.state && next.context === record.context
    if (!isSame) sequence += 1
    checkStep(account, before, message, next)
    ledger = next.ledger
    records[account] = { ...record, state: next.state, context: next.context }
    tally.states.add(next.state)
    tally.transitions.add(`${before.state} -> ${next.state}`)
    if (next.state === "locked" && before.state !== "locked") tally.locks += 1
    return next
  }

  const checkStep = (account: number, before: CoreState, message: Message, next: Step): void => {
    const own = (mark: Mark) => mark.account === accounts[account]
    const counted = next.ledger.marks.filter((mark) => mark.status !== "settled" || !mark.clearedForLocation)
    const { context, state } = next
    if (next.decision._tag === "send") {
      holds(counted.length <= policy.limit, "the location's marks never pass the limit", `${counted.length}`)
      holds(
        next.ledger.marks.filter(own).length <= policy.limit,
        "the account's own marks never pass the limit",
        `${next.ledger.marks.filter(own).length}`
      )
      const sent = context.attempt!.fingerprint
      holds(!before.context.refusedFingerprints.includes(sent), "a refused fingerprint is never sent again")
      holds(before.ledger.lockReportedAt === null, "nothing is reserved while a lock is reported")
      holds(
        before.state !== "aborted" || before.context.abort!.fingerprint !== sent,
        "nothing is reserved from aborted with the aborted credentials"
      )
      holds(
        before.state !== "locked" || counted.length - 1 < policy.limit,
        "nothing is reserved from locked while the ledger is full"
      )
      holds(state.endsWith(".attempting"), "a reservation leads to attempting", state)
      holds(
        next.ledger.marks.some((mark) => mark.attempt === context.attempt!.id && mark.status === "inFlight"),
        "an attempt that may be sent has its mark"
      )
    }
    holds(
      next.ledger.marks.filter((mark) => own(mark) && mark.status === "inFlight").length <= 1,
      "an account has one attempt in flight at the most"
    )
    holds(
      new Set(next.ledger.marks.map((mark) => mark.attempt)).size === next.ledger.marks.length,
      "an attempt has one mark"
    )
    holds(
      state.endsWith(".attempting") === (context.attempt !== null),
      "attempting has an attempt, and only it",
      state
    )
    holds(
      (state === "authenticated") === (context.session !== null),
      "authenticated has a session, and only it",
      state
    )
    holds(state !== "aborted" || context.abort !== null, "aborted says why")
    holds(
      context.session === null ||
        before.context.session === null ||
        context.session.generation >= before.context.session.generation,
      "a session is never replaced by an older one"
    )
    holds(
      before.context.refusedFingerprints.every((refused) => context.refusedFingerprints.includes(refused)),
      "a refusal is never forgotten"
    )
    holds(
      before.ledger.lockReportedAt === null ||
        next.ledger.lockReportedAt !== null ||
        message.type === "confirmLockLifted",
      "a reported lock ends by an operator only"
    )
    if (message.type === "attemptEnded" && message.outcome._tag === "accepted") {
      const marksBefore = new Map(before.ledger.marks.map((mark) => [mark.attempt, mark]))
      const still = new Set(counted.map((mark) => mark.attempt))
      for (const [id, mark] of marksBefore) {
        if (mark.status === "settled" && mark.clearedForLocation) continue
        const overlaps = mark.status === "settled" && mark.settledAt >= message.attempt
        if (id !== message.attempt && (mark.status === "inFlight" || overlaps)) {
          holds(still.has(id), "a success clears only what had settled before it was reserved", `mark ${id}`)
        }
      }
    }
    if (message.type === "confirmLockLifted") {
      for (const mark of before.ledger.marks) {
        if (mark.status === "inFlight" || (mark.status === "lost" && mark.drainsAtMillis > nowMillis)) {
          holds(
            next.ledger.marks.some((other) => other.attempt === mark.attempt),
            "a lifted lock keeps the marks that the backend may be working on"
          )
        }
      }
    }
    if (message.type === "replaceCredentials" || message.type === "resume") {
      holds(
        next.ledger.marks.length === before.ledger.marks.length,
        "neither new credentials nor an operator's resume change the count"
      )
    }
    holds(Either.isRight(decodeLedger(encodeLedger(next.ledger))), "the ledger can be stored")
    const record: AccountRecord = { version: 1, state, context, sessionKey: null }
    holds(Either.isRight(decodeAccount(encodeAccount(record))), "the record can be stored")
  }

  const checkBackend = (): void => {
    for (const reading of readings) {
      // Under this reading "in a row" is no row of the IP: the setting is for it.
      if (reading.counting === "ip" && reading.successClears === "own" && given.successClears !== "account")
        continue
      const { count } = standingOf(events, reading)
      tally.greatestCount = Math.max(tally.greatestCount, count)
      holds(
        count <= policy.limit,
        "the backend never counts more than the limit",
        `${count} of ${policy.limit}, counting by ${reading.counting}, a success clears ${reading.successClears}`
      )
    }
  }

  const pick = (stage: Flying["stage"], index: number): Flying | undefined => {
    const candidates = flying.filter((attempt) => attempt.stage === stage)
    return candidates[index % Math.max(candidates.length, 1)]
  }

  const write = (attempt: Flying): void => {
    // The sender checks its lease right before it writes.
    if (steadyMillis < attempt.leaseEndsAtMillis) attempt.stage = "written"
  }

  const work = (attempt: Flying, failure: "faulted" | "lockReported" | null): void => {
    attempt.stage = "done"
    const succeeds = failure === null && good[attempt.account]!.has(attempt.token)
    attempt.answer = failure ?? (succeeds ? "accepted" : "refused")
    events.push({ _tag: succeeds ? "Successful" : "Unsuccessful", account: accounts[attempt.account]! })
    checkBackend()
  }

  const end = (attempt: Flying, outcome: Extract<Message, { type: "attemptEnded" }>["outcome"]): void => {
    takeMessage(attempt.account, {
      type: "attemptEnded",
      attempt: attempt.id,
      fingerprint: fingerprint(attempt.account, attempt.token),
      outcome
    })
  }

  const answer = (attempt: Flying): void => {
    attempt.stage = "over"
    switch (attempt.answer!) {
      case "accepted":
        return end(attempt, { _tag: "accepted", tokenEndsAtMillis: null, lockReported: false })
      case "refused":
      case "lockReported":
        everRefused[attempt.account]!.add(attempt.token)
        return end(attempt, { _tag: "refused", detail: "", lockReported: attempt.answer === "lockReported" })
      case "faulted":
        return end(attempt, { _tag: "faulted", detail: "", errorCode: null, lockReported: false })
    }
  }

  const request = (account: number): Flying | undefined => {
    const token = supplied[account]!
    const claim = Claim.make((claims++).toString(16))
    const step = takeMessage(account, { type: "request", fingerprint: fingerprint(account, token), claim })
    if (step.decision._tag !== "send") return undefined
    tally.sends += 1
    holds(!everRefused[account]!.has(token), "a refused fingerprint is never sent again")
    const attempt: Flying = {
      id: step.decision.attempt,
      account,
      token,
      leaseEndsAtMillis: steadyMillis + policy.leaseMillis,
      givenUpAtMillis: null,
      stage: "reserved",
      answer: null
    }
    flying.push(attempt)
    return attempt
  }

  let freshToken = 100
  let claims = 1
  /** The account whose lock support has lifted, and whose operator has yet to say so. */
  let confirming: number | null = null

  const perform = (operation: Operation): void => {
    switch (operation.type) {
      case "request":
        request(operation.account)
        return
      case "begin":
      case "fail": {
        const isGood = operation.type === "begin" && operation.isGood
        supplied[operation.account] = isGood ? 0 : freshToken++
        const attempt = request(operation.account)
        if (attempt === undefined) return
        write(attempt)
        if (operation.type === "begin") return
        work(attempt, null)
        return answer(attempt)
      }
      case "write": {
        const attempt = pick("reserved", operation.which)
        return attempt === undefined ? undefined : write(attempt)
      }
      case "work":
      case "fault":
      case "reportLock": {
        const attempt = pick("written", operation.which)
        const failure = { work: null, fault: "faulted", reportLock: "lockReported" } as const
        return attempt === undefined ? undefined : work(attempt, failure[operation.type])
      }
      case "answer": {
        const attempt = pick("done", operation.which)
        return attempt === undefined ? undefined : answer(attempt)
      }
      case "workAndAnswer": {
        const attempt = pick("reserved", operation.which)
        if (attempt === undefined) return
        write(attempt)
        if (attempt.stage !== "written") return
        work(attempt, null)
        return answer(attempt)
      }
      case "lose": {
        const attempt = pick("written", operation.which)
        if (attempt === undefined || attempt.givenUpAtMillis !== null) return
        attempt.givenUpAtMillis = steadyMillis
        return end(attempt, { _tag: "lost", detail: "" })
      }
      case "unsent": {
        const attempt = pick("reserved", operation.which)
        if (attempt === undefined) return
        attempt.stage = "over"
        return end(attempt, { _tag: "unsent", detail: "" })
      }
      case "supplyToken":
        supplied[operation.account] = operation.token
        return
      case "setGood":
        if (operation.good) good[operation.account]!.add(operation.token)
        else good[operation.account]!.delete(operation.token)
        return
      case "advance": {
        // The truth is that the count is zero: what was attempted since support set it so makes the word untrue.
        if (confirming !== null && events.at(-1)?._tag === "Lifted") {
          takeMessage(confirming, { type: "confirmLockLifted" })
        }
        confirming = null
        nowMillis += operation.millis
        if (operation.millis < 0) return
        steadyMillis += operation.millis
        for (const attempt of flying) {
          // What the backend has not worked on until the drain is over never reached it.
          const givenUp = Math.min(attempt.givenUpAtMillis ?? Infinity, attempt.leaseEndsAtMillis)
          if (attempt.stage === "written" && steadyMillis >= givenUp + policy.drainMillis)
            attempt.stage = "over"
        }
        return
      }
      case "refuseSession": {
        const generation = records[operation.account]!.context.session?.generation ?? 1
        const { code } = operation
        takeMessage(
          operation.account,
          code === null
            ? { type: "sessionUnavailable", generation }
            : { type: "sessionRefused", generation, code }
        )
        return
      }
      case "resume":
        takeMessage(operation.account, { type: "resume" })
        return
      case "replaceCredentials":
        takeMessage(operation.account, {
          type: "replaceCredentials",
          fingerprint: fingerprint(operation.account, supplied[operation.account]!)
        })
        return
      case "liftLock":
        // An operator who tells the truth, and support that lifts no sooner than the drain after the last attempt; what is
        // answered, and what other accounts do, between the lift and the word is the schedule's.
        if (takeMessage(operation.account, { type: "observe" }).state !== "locked") return
        if (flying.some((attempt) => attempt.stage === "reserved" || attempt.stage === "written")) {
          events.push({ _tag: "Lifted" })
          takeMessage(operation.account, { type: "confirmLockLifted" })
          return
        }
        events.push({ _tag: "Lifted" })
        confirming = operation.account
        return
    }
  }

  for (const operation of given.operations) perform(operation)
}
