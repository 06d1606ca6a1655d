/**
 * Every state that one account and its ledger can reach: the pure core under every message of its alphabet,
 * walked with `xstate/graph`. A state of the logic is the state of the core, in its canonical form, and the
 * knowledge of the outside: the attempts that may still be settled, and the attempts whose end was stored
 * without a confirmation, so that it is stored again.
 *
 * The walk ends because the form is finite. Sequence numbers are compressed to their order, and times to over
 * or not (each passes by an event of its own). The options limit the tokens, and the attempts that the
 * outside remembers. See `CanonicalForm` for why that is honest.
 */
import { fromTransition } from "xstate"
import { getAdjacencyMap } from "xstate/graph"
import type { AuthCore, CoreState, Message, OutcomeFacts } from "../../src/machine/AuthCore.js"
import * as Ledger from "../../src/machine/Ledger.js"
import type { Policy } from "../../src/machine/Policy.js"
import { emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import * as Form from "../model/CanonicalForm.js"
import { makeCheck } from "../model/CoreInvariants.js"

export interface Options {
  readonly makeAuthCore: (policy: Policy) => AuthCore
  readonly defaultPolicy: Policy
  readonly policy: Partial<Policy>
  /** How many tokens the account has. */
  readonly tokens: number
  /** How many attempts the outside remembers at a time. */
  readonly attempts: number
  /** How many sessions may be left to other processes. */
  readonly elsewhere: number
  /** Whether the end of an attempt may be stored without a confirmation, and so again. */
  readonly repeats: boolean
  /** The only invariant to look for. Default: all. */
  readonly watch?: string
  /** The walk stops, unfinished, once this is false. Default: it goes on. */
  readonly mayGoOn?: () => boolean
}

/** The walks that end soon, and together reach every state of the chart. */
export const coreWalks = {
  /** The whole alphabet, sessions of other processes and ends that are stored twice, for one attempt at a time. */
  small: {
    policy: { limit: 1, flapLimit: 2 },
    tokens: 1,
    attempts: 1,
    elsewhere: 1,
    repeats: true
  },
  tokens: { policy: { limit: 1, flapLimit: 1 }, tokens: 2, attempts: 1, elsewhere: 0, repeats: true },
  /** Two attempts, of which one may be given up while the other goes on. */
  overlap: { policy: { limit: 2, flapLimit: 1 }, tokens: 1, attempts: 2, elsewhere: 0, repeats: false },
  continues: {
    policy: { limit: 2, flapLimit: 1, lostAttempts: "continue" },
    tokens: 1,
    attempts: 1,
    elsewhere: 0,
    repeats: true
  }
} as const satisfies Record<string, Omit<Options, "makeAuthCore" | "defaultPolicy">>

const outcomes: ReadonlyArray<OutcomeFacts> = [
  { _tag: "accepted", tokenEndsAtMillis: null, lockReported: false },
  { _tag: "accepted", tokenEndsAtMillis: 1, lockReported: false },
  { _tag: "accepted", tokenEndsAtMillis: null, lockReported: true },
  { _tag: "refused", detail: "" },
  { _tag: "lockedOut", detail: "", errorCode: null },
  { _tag: "faulted", detail: "", errorCode: 1 },
  { _tag: "faulted", detail: "", errorCode: null },
  { _tag: "lost", detail: "" },
  { _tag: "unsent", detail: "" }
]

/** An attempt that the outside remembers; `ended` is the outcome that was stored without a confirmation. */
interface Remembered extends Form.KnownAttempt {
  readonly token: number
  readonly ended: number | null
}

interface World extends CoreState {
  readonly known: ReadonlyArray<Remembered>
  readonly next: number
}

type Passing = "lease" | "drain" | "session" | "freshness" | "token"

type Event =
  | { readonly type: "request"; readonly token: number }
  | { readonly type: "withdraw"; readonly id: number }
  | { readonly type: "end"; readonly id: number; readonly outcome: number; readonly isConfirmed: boolean }
  | { readonly type: "forget"; readonly id: number }
  | { readonly type: "refuse"; readonly generation: number; readonly code: 5030 | 5050 }
  | { readonly type: "unavailable"; readonly generation: number }
  | { readonly type: "replace"; readonly token: number }
  | { readonly type: "resume" | "liftLock" | "observe" }
  | { readonly type: "pass"; readonly kind: Passing; readonly id: number }

export interface Walk {
  readonly states: number
  readonly transitions: number
  readonly greatestCount: number
  readonly charts: ReadonlySet<string>
  /** Whether every state that can be reached was seen. */
  readonly isComplete: boolean
  /** The first invariant that broke, and the events that led there. */
  readonly broken: { readonly name: string; readonly path: ReadonlyArray<string> } | null
}

const account = Form.accountCode(0)

class Broken extends Error {
  readonly state: string
  readonly event: string
  constructor(name: string, state: string, event: string) {
    super(name)
    this.state = state
    this.event = event
  }
}

class CutOff extends Error {}

export const walk = (options: Options): Walk => {
  const policy: Policy = {
    ...options.defaultPolicy,
    leaseMillis: 1,
    drainMillis: 1,
    sessionLifetimeMillis: 1,
    flapWindowMillis: 1,
    tokenWarningMillis: 1,
    ...options.policy
  }
  const check = makeCheck(policy)
  const core = options.makeAuthCore(policy)
  const size: Form.Size = {
    accounts: 1,
    tokens: options.tokens,
    flapLimit: policy.flapLimit,
    mergesNeedy: false
  }

  const write = (world: World): string => {
    const known = world.known.slice().sort((one, other) => one.id - other.id)
    const form = Form.writeCore(world.ledger, [world], known, [0], size)
    for (const { ended, id, token } of known) {
      form.numbers.push(form.idOf(id), form.tokenOf(0, token), ended === null ? 0 : ended + 1)
    }
    return Form.formOf(form.numbers)
  }
  const read = (form: string): World => {
    const { accounts, end, ledger, next } = Form.readCore(form, size)
    const known: Array<Remembered> = []
    for (let at = end; at < form.length; at += 3) {
      const ended = form.charCodeAt(at + 2)
      known.push({
        account: 0,
        id: form.charCodeAt(at),
        token: form.charCodeAt(at + 1),
        canSucceed: ended === 0 || outcomes[ended - 1]!._tag === "accepted",
        ended: ended === 0 ? null : ended - 1
      })
    }
    return { ledger, ...accounts[0]!, known, next }
  }

  const eventsOf = (world: World): ReadonlyArray<Event> => {
    const { context, known, ledger } = world
    const events: Array<Event> = [{ type: "resume" }, { type: "liftLock" }, { type: "observe" }]
    for (let token = 0; token < options.tokens; token++) {
      if (known.length < options.attempts) events.push({ type: "request", token })
      events.push({ type: "replace", token })
    }
    for (const { ended, id } of known) {
      events.push({ type: "withdraw", id }, { type: "forget", id })
      outcomes.forEach((_, outcome) => {
        if (ended !== null && ended !== outcome) return
        events.push({ type: "end", id, outcome, isConfirmed: true })
        if (options.repeats) events.push({ type: "end", id, outcome, isConfirmed: false })
      })
    }
    // 0: a session older than any that is remembered.
    const generations = [context.session, ...context.sessionsElsewhere].map((each) => each?.generation ?? 0)
    for (const generation of new Set([0, ...generations])) {
      events.push({ type: "refuse", generation, code: 5030 }, { type: "refuse", generation, code: 5050 })
    }
    if (context.session !== null && context.sessionsElsewhere.length < options.elsewhere) {
      events.push({ type: "unavailable", generation: context.session.generation })
    }
    for (const mark of ledger.marks) {
      if (mark.status === "inFlight" && mark.leaseEndsAtMillis > Form.now)
        events.push({ type: "pass", kind: "lease", id: mark.attempt })
      if (mark.status === "lost" && mark.drainsAtMillis > Form.now)
        events.push({ type: "pass", kind: "drain", id: mark.attempt })
    }
    for (const each of [
      ...(context.session === null ? [] : [context.session]),
      ...context.sessionsElsewhere
    ]) {
      const { expiresAtMillis, generation } = each
      if (expiresAtMillis > Form.now) events.push({ type: "pass", kind: "session", id: generation })
      if (Form.isFresh(each)) events.push({ type: "pass", kind: "freshness", id: generation })
    }
    if (context.tokenEnd !== null && context.tokenEnd.atMillis > Form.now)
      events.push({ type: "pass", kind: "token", id: 0 })
    return events
  }

  const passed = (world: World, kind: Passing, id: number): World => {
    const { context, ledger } = world
    const marks = ledger.marks.map((mark) =>
      mark.attempt !== id
        ? mark
        : kind === "lease" && mark.status === "inFlight"
          ? { ...mark, leaseEndsAtMillis: Form.now }
          : kind === "drain" && mark.status === "lost"
            ? { ...mark, drainsAtMillis: Form.now }
            : mark
    )
    if (kind === "freshness") return { ...world, context: Form.aged(context, id) }
    const expire = <S extends NonNullable<World["context"]["session"]>>(session: S): S =>
      kind === "session" && session.generation === id ? { ...session, expiresAtMillis: Form.now } : session
    return {
      ...world,
      ledger: { ...ledger, marks },
      context: {
        ...context,
        session: context.session === null ? null : expire(context.session),
        sessionsElsewhere: context.sessionsElsewhere.map(expire),
        tokenEnd:
          context.tokenEnd !== null && kind === "token"
            ? { ...context.tokenEnd, atMillis: Form.now }
            : context.tokenEnd
      }
    }
  }

  const messageOf = (world: World, event: Exclude<Event, { type: "pass" | "forget" }>): Message => {
    switch (event.type) {
      case "request":
        return {
          type: "request",
          fingerprint: Form.fingerprintOf(event.token),
          claim: Form.claimOf(world.next)
        }
      case "withdraw":
        return { type: "withdraw", claim: Form.claimOf(event.id) }
      case "end": {
        const { token } = world.known.find(({ id }) => id === event.id)!
        return {
          type: "attemptEnded",
          attempt: event.id,
          fingerprint: Form.fingerprintOf(token),
          outcome: outcomes[event.outcome]!
        }
      }
      case "refuse":
        return { type: "sessionRefused", generation: event.generation, code: event.code }
      case "unavailable":
        return { type: "sessionUnavailable", generation: event.generation }
      case "replace":
        return { type: "replaceCredentials", fingerprint: Form.fingerprintOf(event.token) }
      case "resume":
        return { type: "resume" }
      case "liftLock":
        return { type: "confirmLockLifted" }
      case "observe":
        return { type: "observe" }
    }
  }

  const { mayGoOn = () => true } = options
  let greatestCount = 0
  let transitions = 0
  const charts = new Set<string>()

  const after = (form: string, event: Event): string => {
    transitions += 1
    if (transitions % 1000 === 0 && !mayGoOn()) throw new CutOff()
    const world = read(form)
    if (event.type === "pass") return write(passed(world, event.kind, event.id))
    if (event.type === "forget")
      return write({ ...world, known: world.known.filter(({ id }) => id !== event.id) })
    const message = messageOf(world, event)
    const moment = { sequence: world.next, nowMillis: Form.now }
    const step = core.step(world, account, message, moment)
    const name = check(world, account, message, moment, step).find(
      (each) => options.watch === undefined || options.watch === each
    )
    if (name !== undefined) throw new Broken(name, form, JSON.stringify(event))
    const { failures, inFlight } = Ledger.counts(step.ledger, account).location
    if (step.decision._tag === "send") greatestCount = Math.max(greatestCount, failures + inFlight)
    charts.add(step.state)
    let known = world.known
    if (event.type === "request" && step.decision._tag === "send") {
      known = [
        ...known,
        { id: step.decision.attempt, account: 0, token: event.token, canSucceed: true, ended: null }
      ]
    }
    if (event.type === "end") {
      const { isConfirmed, outcome } = event
      known = known.flatMap((each) =>
        each.id !== event.id
          ? [each]
          : isConfirmed
            ? []
            : [{ ...each, canSucceed: outcomes[outcome]!._tag === "accepted", ended: outcome }]
      )
    }
    return write({ ledger: step.ledger, state: step.state, context: step.context, known, next: 0 })
  }

  const start = write({
    ledger: emptyLedgerRecord,
    state: emptyAccountRecord.state,
    context: emptyAccountRecord.context,
    known: [],
    next: 0
  })
  const origins = new Map<string, readonly [string, string]>()
  const logic = fromTransition(
    (context: { readonly form: string }, event: Event) => {
      const form = after(context.form, event)
      if (!origins.has(form) && form !== start) origins.set(form, [context.form, JSON.stringify(event)])
      return { form }
    },
    { form: start }
  )

  try {
    const graph = getAdjacencyMap(logic, {
      serializeState: ({ context }) => context.form,
      serializeEvent: (event) => JSON.stringify(event),
      events: ({ context }) => eventsOf(read(context.form)) as Array<Event>
    })
    const nodes = Object.values(graph)
    return { states: nodes.length, transitions, greatestCount, charts, isComplete: true, broken: null }
  } catch (error) {
    const unfinished = { states: origins.size, transitions, greatestCount, charts, isComplete: false }
    if (error instanceof CutOff) return { ...unfinished, broken: null }
    if (!(error instanceof Broken)) throw error
    const path = [error.event]
    for (let at = origins.get(error.state); at !== undefined; at = origins.get(at[0])) path.unshift(at[1])
    return { ...unfinished, broken: { name: error.message, path } }
  }
}
