/**
 * A model of the world, to walk: processes, store, network, Number and people around the pure core, which is the real
 * one.
 *
 * - **Processes** each ask for a session, and make the attempt that the core permits. Each transaction of a process is
 *   one step of the model, and a process may stop for good between any two steps. Processes do as `NumberAuth` does:
 *   they store an outcome until the store confirms it, and give back a reservation that was not confirmed. A request
 *   that is sent may still arrive: it is on its way, or its process is slow to write it. A process that finds its lease
 *   ended before it writes reports the attempt as unsent.
 * - **The store** takes one transaction at a time, whole or not at all. A transaction may hold although its process
 *   gets no confirmation. A transaction that does not hold changes nothing, and so is not a step.
 * - **The network** delivers a message at any time or never, and not twice. An answer may come long after its lease. A
 *   gateway may answer in Number's place, while Number works on the request, or although Number never will.
 * - **Number** counts on its own for the address that a request came from, under one reading of its documentation. It
 *   may give any answer. It works on a request until the drain is over, and not after.
 * - **Time**: leases and drains run out in every order, and a transaction notes each end. Before that transaction, an
 *   end can only forbid something, so no other moment has to be tried. Sessions end by refusal only, since the core
 *   treats their end by the clock in the same way. Clocks that are set are left to the schedules of the services. Where a 5050
 *   is possible, sessions also come of age.
 * - **People** resume, bring tokens, and say that a lock was lifted only when it was: Number's count is zero, and
 *   nothing was counted since.
 *
 * Accounts are interchangeable, and so are processes and the tokens of an account. Any process may come with any token.
 * The number of processes is the number of attempts that may be under way or on their way at once: each may be followed
 * by any number of others.
 */
import {
  type AuthCore,
  type Decision,
  makeAuthCore,
  type Message,
  type Step
} from "../../src/machine/AuthCore.js"
import { defaultPolicy, type Policy } from "../../src/machine/Policy.js"
import { emptyAccountRecord, emptyLedgerRecord, type LedgerRecord } from "../../src/schemas/StoredRecord.js"
import * as Form from "./CanonicalForm.js"
import { makeCheck } from "./CoreInvariants.js"
import type { Model, Question, Transition } from "./Explorer.js"

/**
 * A reading of the points that Number's documentation leaves open.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reading {
  readonly counting: "ip" | "ipAndAccount"
  readonly successClears: "all" | "own"
  readonly faultsCount: boolean
}

/**
 * A world's size, its policy, and the reading by which Number counts.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly reading: Reading
  /** Number locks at the next failure after this many. */
  readonly limit: number
  readonly lostAttempts: Policy["lostAttempts"]
  readonly successClears: Policy["successClears"]
  /** How many processes may be in the middle of an attempt at once. */
  readonly processes: number
  readonly tokens: number
  /** How often the address of the location changes: to another address, and back, and so on. */
  readonly addressMoves: number
  /** The codes with which Number refuses sessions. */
  readonly refusals: ReadonlyArray<5030 | 5050>
  /**
   * Whether each process keeps the key of its session to itself, as it does if the store has no key to seal with.
   * Another process then needs a session of its own. At most one session that is used elsewhere is remembered.
   */
  readonly keysApart: boolean
  /** Whether Number reports locks, as it does when other software of the address fails. */
  readonly reportsLocks: boolean
  /** Whether a gateway may answer with a fault (status 502 or 504, say) while Number still works on the request. */
  readonly gatewayAnswers: boolean
  /** Whether a transaction may hold although the store does not confirm it. */
  readonly losesConfirmations: boolean
}

/**
 * The answers that Number may give.
 *
 * @since 0.1.0
 * @category models
 */
export type Answer = "accepted" | "refused" | "faulted" | "lockedOut"

/** The outcome that a process stores for its attempt. `faultedByGateway`: a gateway answered, and not Number. */
type End = Answer | "faultedByGateway" | "lost" | "unsent"

const ends: ReadonlyArray<End> = [
  "accepted",
  "refused",
  "faulted",
  "lockedOut",
  "faultedByGateway",
  "lost",
  "unsent"
]

/** The phase of an attempt's process. An {@link End} was stored, and is not confirmed. */
type Phase = "unconfirmed" | "sending" | "gone" | End

const phases: ReadonlyArray<Phase> = ["unconfirmed", "sending", "gone", ...ends]

/**
 * The message of an attempt that is on its way: its request or the answer. `sentBefore`: from the address before the
 * change.
 */
type OnItsWay = "nothing" | "sent" | "sentBefore" | Answer

const waysOf: ReadonlyArray<OnItsWay> = [
  "nothing",
  "sent",
  "sentBefore",
  "accepted",
  "refused",
  "faulted",
  "lockedOut"
]

interface Attempt extends Form.KnownAttempt {
  readonly phase: Phase
  readonly way: OnItsWay
}

/** The failures of each account that no success has cleared. */
type Count = readonly [number, number]

interface World {
  readonly ledger: LedgerRecord
  readonly accounts: ReadonlyArray<Form.Account>
  readonly attempts: ReadonlyArray<Attempt>
  /** How often the address has changed. */
  readonly moves: number
  /** Whether Number's support has set the count to zero, and nothing was counted since. */
  readonly isLifted: boolean
  readonly count: Count
  /** The count of the address before the change. */
  readonly countBefore: Count
  readonly next: number
  /** The forms of ledger and accounts, if the world was read from its form. */
  readonly forms: { readonly ledger: string; readonly accounts: ReadonlyArray<string> } | null
}

/**
 * One step of the world.
 *
 * @since 0.1.0
 * @category models
 */
export type Event =
  | {
      readonly type: "request"
      readonly account: number
      readonly token: number
      readonly decision: Decision["_tag"]
      readonly attempt: number
      readonly isConfirmed: boolean
    }
  | { readonly type: "crash"; readonly account: number; readonly attempt: number }
  | {
      readonly type: "work"
      readonly account: number
      readonly attempt: number
      readonly answer: Answer
      readonly isBefore: boolean
    }
  | {
      readonly type: "end"
      readonly account: number
      readonly attempt: number
      readonly end: End
      readonly isConfirmed: boolean
      readonly isRepeated: boolean
    }
  | {
      readonly type: "withdraw"
      readonly account: number
      readonly attempt: number
      readonly isConfirmed: boolean
    }
  | {
      readonly type: "leaseEnds" | "drainEnds"
      readonly account: number
      readonly attempt: number
      readonly observer: number
    }
  | { readonly type: "observe" | "resume" | "confirmLifted"; readonly account: number }
  | {
      readonly type: "refuseSession"
      readonly account: number
      readonly code: 5030 | 5050
      /** Whether another process has the key of the session. */
      readonly isElsewhere: boolean
    }
  | { readonly type: "keyMissing" | "sessionsAge"; readonly account: number }
  | { readonly type: "replace"; readonly account: number; readonly token: number }
  | { readonly type: "lift" | "moveAddress" }

/**
 * The kinds of transition that questions of liveness may use. `fair`: it happens by itself if all is well.
 * `people`: people bring it about.
 *
 * @since 0.1.0
 * @category constants
 */
export const kinds = { fair: 1, people: 2 } as const

/**
 * The property that this library is for.
 *
 * @since 0.1.0
 * @category constants
 */
export const neverLockedOut = "the backend never counts more than the limit"

const size: Form.Size = { accounts: 2, tokens: 0, flapLimit: 2, mergesNeedy: true }
const both = [0, 1] as const

/** An attempt. Its token is forgotten when its process is gone; phase and way decide whether it can succeed. */
const attemptOf = (
  id: number,
  account: number,
  token: number | null,
  phase: Phase,
  way: OnItsWay
): Attempt => ({
  id,
  account,
  token: phase === "gone" ? null : token,
  phase,
  way,
  canSucceed: phase === "accepted" || (phase === "sending" && (isSent(way) || way === "accepted"))
})

const isSent = (way: OnItsWay): way is "sent" | "sentBefore" => way === "sent" || way === "sentBefore"

/**
 * A model of a world, with the means to retrace a path through it.
 *
 * @since 0.1.0
 * @category models
 */
export interface WorldModel extends Model<Event> {
  readonly options: Options
  /** The events that lead through these states, with the ids and accounts that they have when nothing is renamed. */
  readonly retrace: (
    path: ReadonlyArray<string>
  ) => ReadonlyArray<{ readonly event: Event; readonly count: number }>
  /** For tests of the form itself: the initial world, the steps of any world, and its form. */
  readonly start: World
  readonly stepsOf: (
    world: World
  ) => ReadonlyArray<{ readonly world: World; readonly event: Event; readonly broken: string | null }>
  readonly formOf: (world: World) => string
}

interface Taken {
  readonly step: Step
  /** Whether the step changes nothing. Then nothing is written. */
  readonly isSame: boolean
  readonly broken: string | null
}

interface Next {
  readonly event: Event
  readonly world: World
  readonly broken: string | null
  readonly kinds: number
}

/**
 * Builds the model of a world.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): WorldModel => {
  const { reading } = options
  const policy: Policy = {
    ...defaultPolicy,
    limit: options.limit,
    lostAttempts: options.lostAttempts,
    successClears: options.successClears,
    leaseMillis: 1,
    drainMillis: 1,
    sessionLifetimeMillis: 1,
    flapWindowMillis: 1,
    flapLimit: size.flapLimit
  }
  const core: AuthCore = makeAuthCore(policy)
  const check = makeCheck(policy)
  const worldSize: Form.Size = { ...size, tokens: options.tokens }

  // ---------------------------------------------------------------------------
  // forms
  // ---------------------------------------------------------------------------

  const total = (count: Count): number =>
    reading.counting === "ip" ? count[0] + count[1] : Math.max(count[0], count[1])

  const written = (world: World, order: readonly [number, number]): string => {
    const form = Form.writeCore(world.ledger, world.accounts, world.attempts, order, worldSize)
    const attempts = world.attempts.slice().sort((one, other) => form.idOf(one.id) - form.idOf(other.id))
    for (const { account, id, phase, token, way } of attempts) {
      form.numbers.push(
        form.placeOf(account),
        form.idOf(id),
        form.tokenOf(account, token),
        phases.indexOf(phase),
        waysOf.indexOf(way)
      )
    }
    // The account of a failure matters only if failures are counted or cleared by account.
    const isByAccount = reading.counting === "ipAndAccount" || reading.successClears === "own"
    const counted = ([one, other]: Count): ReadonlyArray<number> =>
      !isByAccount ? [one + other, 0] : order[0] === 0 ? [one, other] : [other, one]
    // The other address's count matters only if a request from there is on its way, or the location can still move.
    const isBeforeOpen =
      world.moves < options.addressMoves || attempts.some(({ way }) => way === "sentBefore")
    form.numbers.push(
      world.moves,
      world.isLifted ? 1 : 0,
      ...counted(world.count),
      ...counted(isBeforeOpen ? world.countBefore : [0, 0])
    )
    return Form.formOf(form.numbers)
  }

  /** A rough number of an account, to distinguish accounts quickly. It does not depend on their order. */
  const glance = (world: World, account: number): number => {
    const { context, state } = world.accounts[account]!
    let sum = Form.stateNumber(Form.needyName(state))
    const add = (value: number): void => {
      sum = sum * 8 + value
    }
    add(context.refusedFingerprints.length)
    add(context.abortedFingerprints.length)
    add(
      (context.abort === null ? 0 : 1) + (context.session === null ? 0 : 2) + Math.min(context.flaps, 1) * 4
    )
    const code = Form.accountCode(account)
    let marks = 0
    for (const mark of world.ledger.marks) {
      if (mark.account !== code) continue
      marks +=
        mark.status === "inFlight" ? 1 : mark.status === "lost" ? 8 : mark.clearedForLocation ? 64 : 512
    }
    let ways = 0
    for (const attempt of world.attempts) {
      if (attempt.account === account)
        ways += 1 + phases.indexOf(attempt.phase) * 8 + waysOf.indexOf(attempt.way)
    }
    return (sum * 4096 + marks) * 1024 + ways
  }

  const formOf = (world: World): string => {
    const first = glance(world, 0)
    const second = glance(world, 1)
    if (first !== second) return written(world, first < second ? [0, 1] : [1, 0])
    const one = written(world, [0, 1])
    const other = written(world, [1, 0])
    return one < other ? one : other
  }

  const read = (form: string): World => {
    const { accountForms, accounts, end, ledger, ledgerForm, next } = Form.readCore(form, worldSize)
    const attempts: Array<Attempt> = []
    const tail = form.length - 6
    for (let at = end; at < tail; at += 5) {
      const phase = phases[form.charCodeAt(at + 3)]!
      const way = waysOf[form.charCodeAt(at + 4)]!
      attempts.push(
        attemptOf(form.charCodeAt(at + 1), form.charCodeAt(at), form.charCodeAt(at + 2), phase, way)
      )
    }
    return {
      ledger,
      accounts,
      attempts,
      moves: form.charCodeAt(tail),
      isLifted: form.charCodeAt(tail + 1) === 1,
      count: [form.charCodeAt(tail + 2), form.charCodeAt(tail + 3)],
      countBefore: [form.charCodeAt(tail + 4), form.charCodeAt(tail + 5)],
      next,
      forms: { ledger: ledgerForm, accounts: accountForms }
    }
  }

  // ---------------------------------------------------------------------------
  // the store
  // ---------------------------------------------------------------------------

  const known = new Map<string, Taken>()

  const compute = (world: World, account: number, message: Message, ledger: LedgerRecord): Taken => {
    const before = { ledger, ...world.accounts[account]! }
    const moment = { sequence: world.next, nowMillis: Form.now }
    const code = Form.accountCode(account)
    const step = core.step(before, code, message, moment)
    const isSame =
      ledger === world.ledger &&
      step.ledger === ledger &&
      step.state === before.state &&
      step.context === before.context
    return { step, isSame, broken: check(before, code, message, moment, step)[0] ?? null }
  }

  /** One transaction. `name` identifies the message; `ended` is the attempt whose lease or drain has run out. */
  const take = (
    world: World,
    account: number,
    message: Message,
    name: string,
    ended: number | null = null
  ): Taken => {
    const key =
      world.forms === null
        ? null
        : `${world.forms.ledger}|${world.forms.accounts[account]!}|${account}${name}|${ended ?? ""}`
    const remembered = key === null ? undefined : known.get(key)
    if (remembered !== undefined) return remembered
    const taken = compute(
      world,
      account,
      message,
      ended === null ? world.ledger : hasEnded(world.ledger, ended)
    )
    if (key !== null) known.set(key, taken)
    return taken
  }

  const hasEnded = (ledger: LedgerRecord, id: number): LedgerRecord => ({
    ...ledger,
    marks: ledger.marks.map((mark) =>
      mark.attempt !== id
        ? mark
        : mark.status === "inFlight"
          ? { ...mark, leaseEndsAtMillis: Form.now }
          : mark.status === "lost"
            ? { ...mark, drainsAtMillis: Form.now }
            : mark
    )
  })

  const stored = (world: World, account: number, { step }: Taken, attempts = world.attempts): World => ({
    ...world,
    ledger: step.ledger,
    accounts: world.accounts.map((each, index) =>
      index === account ? { state: step.state, context: step.context } : each
    ),
    attempts,
    next: world.next + 2,
    forms: null
  })

  /** The attempts after one of them has changed. An attempt with neither process nor request is dropped. */
  const changed = (
    { attempts }: World,
    { account, id, token }: Attempt,
    phase: Phase,
    way: OnItsWay
  ): ReadonlyArray<Attempt> => {
    // No process awaits the answer any more.
    const isForgotten = phase === "gone" && !isSent(way)
    return attempts.flatMap((each) =>
      each.id !== id ? [each] : isForgotten ? [] : [attemptOf(id, account, token, phase, way)]
    )
  }

  const confirmations = options.losesConfirmations ? [true, false] : [true]

  // ---------------------------------------------------------------------------
  // steps
  // ---------------------------------------------------------------------------

  const messageOf = (end: End, { id, token }: Attempt): Message => {
    const ended = { type: "attemptEnded", attempt: id, fingerprint: Form.fingerprintOf(token ?? 0) } as const
    switch (end) {
      case "accepted":
        return { ...ended, outcome: { _tag: "accepted", tokenEndsAtMillis: null, lockReported: false } }
      case "refused":
        return { ...ended, outcome: { _tag: "refused", detail: "" } }
      case "lockedOut":
        return { ...ended, outcome: { _tag: "lockedOut", detail: "", errorCode: null } }
      case "faulted":
      case "faultedByGateway": {
        const errorCode = end === "faulted" ? 1 : null
        return { ...ended, outcome: { _tag: "faulted", detail: "", errorCode } }
      }
      case "lost":
        return { ...ended, outcome: { _tag: "lost", detail: "" } }
      case "unsent":
        return { ...ended, outcome: { _tag: "unsent", detail: "" } }
    }
  }

  const countAfter = (count: Count, account: number, answer: Answer): Count => {
    const of = (index: number, value: number): Count => (index === 0 ? [value, count[1]] : [count[0], value])
    if (answer === "accepted") return reading.successClears === "all" ? [0, 0] : of(account, 0)
    return answer === "faulted" && !reading.faultsCount ? count : of(account, count[account]! + 1)
  }

  const answers: ReadonlyArray<Answer> = options.reportsLocks
    ? ["accepted", "refused", "faulted", "lockedOut"]
    : ["accepted", "refused", "faulted"]

  /** The steps in which an attempt's mark becomes durable: its process gets the confirmation, or does not. */
  const reservationsOf = (
    world: World,
    account: number,
    token: number,
    taken: Taken,
    asked: Omit<Extract<Event, { type: "request" }>, "isConfirmed">
  ): ReadonlyArray<Next> =>
    confirmations.map((isConfirmed): Next => {
      const phase = isConfirmed ? "sending" : "unconfirmed"
      const reserved = attemptOf(world.next, account, token, phase, isConfirmed ? "sent" : "nothing")
      return {
        event: { ...asked, isConfirmed },
        world: stored(world, account, taken, [...world.attempts, reserved]),
        broken: taken.broken,
        kinds: isConfirmed ? kinds.fair : 0
      }
    })

  /** The outcome that a process stores when it gives an attempt up. */
  const givenUpAs: End = "lost"

  const stepsOf = (world: World): ReadonlyArray<Next> => {
    const steps: Array<Next> = []
    const { attempts, ledger } = world
    const transaction = (
      account: number,
      message: Message,
      name: string,
      event: Event,
      kind: number,
      ended: number | null = null,
      after: ReadonlyArray<Attempt> = attempts
    ): void => {
      const taken = take(world, account, message, name, ended)
      if (taken.isSame && after === attempts && taken.broken === null) return
      steps.push({ event, world: stored(world, account, taken, after), broken: taken.broken, kinds: kind })
    }

    for (const account of both) {
      const { context, state } = world.accounts[account]!
      for (let token = 0; token < options.tokens; token++) {
        const fingerprint = Form.fingerprintOf(token)
        const claim = Form.claimOf(world.next)
        const taken = take(world, account, { type: "request", fingerprint, claim }, `request${token}`)
        const { decision } = taken.step
        const asked = {
          type: "request",
          account,
          token,
          decision: decision._tag,
          attempt: world.next
        } as const
        if (taken.isSame && taken.broken === null) {
          // Nothing to write.
        } else if (decision._tag !== "send") {
          const event = { ...asked, isConfirmed: true }
          steps.push({ event, world: stored(world, account, taken), broken: taken.broken, kinds: kinds.fair })
        } else if (attempts.length < options.processes) {
          steps.push(...reservationsOf(world, account, token, taken, asked))
        }
        transaction(
          account,
          { type: "replaceCredentials", fingerprint },
          `replace${token}`,
          { type: "replace", account, token },
          kinds.people
        )
      }
      transaction(account, { type: "observe" }, "observe", { type: "observe", account }, kinds.fair)
      if (state === "aborted")
        transaction(account, { type: "resume" }, "resume", { type: "resume", account }, kinds.people)
      if (world.isLifted) {
        const event = { type: "confirmLifted", account } as const
        transaction(account, { type: "confirmLockLifted" }, "confirm", event, kinds.people)
      }
      const { session, sessionsElsewhere } = context
      const sessions = session === null ? sessionsElsewhere : [session, ...sessionsElsewhere]
      for (const { generation } of sessions) {
        const isElsewhere = generation !== session?.generation
        for (const code of options.refusals) {
          const message = { type: "sessionRefused", generation, code } as const
          const event = { type: "refuseSession", account, code, isElsewhere } as const
          transaction(account, message, `refuse${code}:${generation}`, event, 0)
        }
      }
      if (options.keysApart && session !== null && sessionsElsewhere.length === 0) {
        const message = { type: "sessionUnavailable", generation: session.generation } as const
        transaction(account, message, "unavailable", { type: "keyMissing", account }, 0)
      }
      // A 5050 says less about a session that has served for long.
      if (options.refusals.includes(5050) && sessions.some(Form.isFresh)) {
        const aged: World = {
          ...world,
          accounts: world.accounts.map((each, index) =>
            index === account ? { ...each, context: Form.aged(context) } : each
          ),
          forms: null
        }
        steps.push({ event: { type: "sessionsAge", account }, world: aged, broken: null, kinds: 0 })
      }
      if (state === "locked" && !world.isLifted) {
        const lifted: World = { ...world, count: [0, 0], isLifted: true, forms: null }
        steps.push({ event: { type: "lift" }, world: lifted, broken: null, kinds: kinds.people })
      }
    }

    if (world.moves < options.addressMoves) {
      const elsewhere = { sent: "sentBefore", sentBefore: "sent" } as const
      const moved: World = {
        ...world,
        moves: world.moves + 1,
        isLifted: false,
        count: world.countBefore,
        countBefore: world.count,
        attempts: attempts.map((each) => (isSent(each.way) ? { ...each, way: elsewhere[each.way] } : each)),
        forms: null
      }
      steps.push({ event: { type: "moveAddress" }, world: moved, broken: null, kinds: 0 })
    }

    for (const attempt of attempts) {
      const { account, id, phase, way } = attempt
      const become = (next: Phase, nextWay: OnItsWay): World => ({
        ...world,
        attempts: changed(world, attempt, next, nextWay),
        forms: null
      })
      const end = (how: End, wayAfter: OnItsWay, kind: number, isRepeated = false): void => {
        for (const isConfirmed of confirmations) {
          transaction(
            account,
            messageOf(how, attempt),
            `${how}${id}:${attempt.token}`,
            { type: "end", account, attempt: id, end: how, isConfirmed, isRepeated },
            isConfirmed ? kind : 0,
            null,
            changed(world, attempt, isConfirmed ? "gone" : how, wayAfter)
          )
        }
      }

      if (phase !== "gone") {
        const event = { type: "crash", account, attempt: id } as const
        steps.push({ event, world: become("gone", way), broken: null, kinds: 0 })
      }
      switch (phase) {
        case "unconfirmed":
          for (const isConfirmed of confirmations) {
            transaction(
              account,
              { type: "withdraw", claim: Form.claimOf(id) },
              `withdraw${id}`,
              { type: "withdraw", account, attempt: id, isConfirmed },
              isConfirmed ? kinds.fair : 0,
              null,
              changed(world, attempt, isConfirmed ? "gone" : phase, way)
            )
          }
          break
        case "sending":
          if (isSent(way)) end("unsent", "nothing", 0)
          else if (way === "nothing") end("unsent", "nothing", kinds.fair)
          else end(way, "nothing", kinds.fair)
          if (options.gatewayAnswers) end("faultedByGateway", isSent(way) ? way : "nothing", 0)
          end(givenUpAs, isSent(way) ? way : "nothing", 0)
          break
        case "gone":
          break
        default:
          end(phase, way, kinds.fair, true)
      }

      // Number works on a request, whether or not a process still waits for the answer.
      if (isSent(way)) {
        const isBefore = way === "sentBefore"
        for (const answer of answers) {
          const count = countAfter(isBefore ? world.countBefore : world.count, account, answer)
          const worked: World = {
            ...become(phase, phase === "sending" ? answer : "nothing"),
            isLifted: world.isLifted && (isBefore || total(count) === 0),
            ...(isBefore ? { countBefore: count } : { count })
          }
          steps.push({
            event: { type: "work", account, attempt: id, answer, isBefore },
            world: worked,
            broken: total(count) > options.limit ? neverLockedOut : null,
            kinds: answer === "accepted" ? kinds.fair : 0
          })
        }
      }
    }

    // Time passes, and a transaction of either account notes it.
    for (const mark of ledger.marks) {
      if (mark.status === "settled") continue
      const id = mark.attempt
      const account = Number(mark.account.slice(2)) - 1
      const attempt = attempts.find((each) => each.id === id)
      const isLease = mark.status === "inFlight"
      // After the drain, Number does not work on the request any more.
      const after =
        attempt === undefined || isLease || !isSent(attempt.way)
          ? attempts
          : changed(world, attempt, attempt.phase, "nothing")
      for (const observer of both) {
        const type = isLease ? "leaseEnds" : "drainEnds"
        const event = { type, account, attempt: id, observer } as const
        transaction(observer, { type: "observe" }, "observe", event, kinds.fair, id, after)
      }
    }
    return steps
  }

  const start: World = {
    ledger: emptyLedgerRecord,
    accounts: both.map(() => ({ state: emptyAccountRecord.state, context: emptyAccountRecord.context })),
    attempts: [],
    moves: 0,
    isLifted: false,
    count: [0, 0],
    countBefore: [0, 0],
    next: 2,
    forms: null
  }

  const countOf = (form: string, at: number): number =>
    total([form.charCodeAt(form.length - at), form.charCodeAt(form.length - at + 1)])

  const accountsOf = (form: string): ReadonlyArray<Form.Account> => Form.readCore(form, worldSize).accounts
  const isAsked = ({ state }: Form.Account): boolean => state === "aborted" || state === "locked"
  const isRefusedAll = ({ context }: Form.Account): boolean =>
    context.refusedFingerprints.length === options.tokens
  const isAuthenticated = ({ state }: Form.Account): boolean => state === "authenticated"

  const questions: ReadonlyArray<Question> = [
    {
      name: "every account comes to be authenticated by itself, or a person has been asked",
      kinds: kinds.fair,
      isWell: (form) => accountsOf(form).every((each) => isAuthenticated(each) || isAsked(each))
    },
    {
      name: "every account comes to be authenticated with the help of people, unless all its tokens were refused",
      kinds: kinds.fair | kinds.people,
      isWell: (form) => accountsOf(form).every((each) => isAuthenticated(each) || isRefusedAll(each))
    }
  ]

  const retrace: WorldModel["retrace"] = (path) => {
    const events: Array<{ event: Event; count: number }> = []
    let world = start
    for (const form of path.slice(1)) {
      const next = stepsOf(world).find((each) => formOf(each.world) === form)
      if (next === undefined) throw new Error("A step cannot be retraced: the canonical form is not honest")
      world = next.world
      events.push({ event: next.event, count: Math.max(total(world.count), total(world.countBefore)) })
    }
    return events
  }

  return {
    options,
    initial: formOf(start),
    transitionsOf: (form): ReadonlyArray<Transition<Event>> =>
      stepsOf(read(form)).map(({ broken, event, kinds, world }) => ({
        event,
        to: formOf(world),
        broken,
        kinds
      })),
    measure: (form) => Math.max(countOf(form, 4), countOf(form, 2)),
    questions,
    retrace,
    start,
    stepsOf,
    formOf
  }
}
