/**
 * Canonical forms: one name for all states of the pure core that behave alike, so that an exhaustive walk over them
 * ends.
 *
 * A form is a string of small numbers. It describes the state of the core and the attempts outside of it that may still
 * be settled, and can be read back. It leaves the following out, and stays honest:
 *
 * - **Sequence numbers** are only compared with each other, and each new one is greater. So the form keeps their order
 *   and not their distance. The number at which a mark settled answers only two questions: which of the attempts that
 *   can still succeed began after it, and whether it came after the report of a lock. An id that cannot be named any
 *   more may be any other id.
 * - **Times** are only compared with now, so a lease, a drain, a session and a token's end are over or they are not.
 *   The walk decides which one is over first: it tries every order, even those that no clock would give.
 * - **Claims** name one reservation each, as ids do.
 * - **Lists** of marks and of fingerprints are only searched, so they are sets. Fingerprints are only compared, and
 *   tokens that have the same history are interchangeable.
 * - **Texts and dates of aborts** are for people. The core asks only two things about an abort: was it a refusal of the
 *   credentials, and was it for the last attempt that was given up. It asks only one thing about the reason for which a mark settled: was its attempt lost.
 * - **Flaps** past their limit are equivalent to the limit.
 *
 * A test checks that a form is honest: a step from a state and a step from its form lead to states of one form.
 */
import type { CoreState } from "../../src/machine/AuthCore.js"
import type { AccountCode, Fingerprint } from "../../src/schemas/Credentials.js"
import type { AbortReason, AuthContext, Claim, Mark, Session } from "../../src/schemas/StoredRecord.js"
import { StateName } from "../../src/schemas/StoredRecord.js"

/**
 * An account as the core stores it.
 *
 * @since 0.1.0
 * @category models
 */
export type Account = Pick<CoreState, "state" | "context">

/**
 * An attempt that something outside the core can name: a process, or a message on its way.
 *
 * @since 0.1.0
 * @category models
 */
export interface KnownAttempt {
  readonly id: number
  /** The index of its account. */
  readonly account: number
  /** The number of its token, from 0; null if it will not be named again. */
  readonly token: number | null
  /** Whether its success may still be reported. */
  readonly canSucceed: boolean
}

/**
 * The size of the world.
 *
 * @since 0.1.0
 * @category models
 */
export interface Size {
  readonly accounts: number
  /** Tokens of each account. */
  readonly tokens: number
  readonly flapLimit: number
  /**
   * Whether `expired` and `unauthorized` are written as `unauthenticated`. The three are one part of the chart under
   * three names.
   */
  readonly mergesNeedy: boolean
}

/**
 * The time that all others are compared with. It does not move: a form says of each time whether it is over.
 *
 * @since 0.1.0
 * @category constants
 */
export const now = 0

const accountCodes = [
  "EP0000001",
  "EP0000002",
  "EP0000003"
] as ReadonlyArray<string> as ReadonlyArray<AccountCode>

const fingerprints = Array.from({ length: 4 }, (_, token) => `${token}`.padStart(64, "0") as Fingerprint)

const pending = 1
const over = 0
/** When a session was obtained that is no longer fresh, in a policy whose `flapWindowMillis` is 1. */
const longAgo = -1

/**
 * Whether a 5050 for this session would be a sign of two addresses.
 *
 * @since 0.1.0
 * @category queries
 */
export const isFresh = ({ obtainedAtMillis }: Session): boolean => obtainedAtMillis > longAgo

/**
 * The context once its sessions, or the one of `generation` only, have served for long.
 *
 * @since 0.1.0
 * @category transitions
 */
export const aged = (context: AuthContext, generation?: number): AuthContext => {
  const age = (session: Session): Session =>
    generation === undefined || session.generation === generation
      ? { ...session, obtainedAtMillis: longAgo }
      : session
  return {
    ...context,
    session: context.session === null ? null : age(context.session),
    sessionsElsewhere: context.sessionsElsewhere.map(age)
  }
}

/**
 * The number of a state's name.
 *
 * @since 0.1.0
 * @category queries
 */
export const stateNumber = (name: StateName): number => stateIndex.get(name)!

/**
 * The account code of an index.
 *
 * @since 0.1.0
 * @category constructors
 */
export const accountCode = (account: number): AccountCode => accountCodes[account]!

/**
 * The fingerprint of an account's token.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fingerprintOf = (token: number): Fingerprint => fingerprints[token]!

/**
 * The number of the token that has this fingerprint.
 *
 * @since 0.1.0
 * @category queries
 */
export const tokenOf = (fingerprint: Fingerprint): number => fingerprint.charCodeAt(63) - 48

/**
 * The claim of the request that would reserve the attempt of this id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const claimOf = (id: number): Claim => id.toString(16) as Claim

/**
 * A sequence number greater than all others of a form, with room for the one before it.
 *
 * @since 0.1.0
 * @category queries
 */
export const nextSequence = (anchors: number): number => 4 * (anchors + 2)

const accountIndex = (code: AccountCode): number => code.charCodeAt(8) - 49

const stateNames = StateName.literals
const stateIndex = new Map<string, number>(stateNames.map((name, index) => [name, index]))

/**
 * The name of a state, with `expired` and `unauthorized` written as `unauthenticated`.
 *
 * @since 0.1.0
 * @category queries
 */
export const needyName = (state: StateName): StateName =>
  state.endsWith(".idle")
    ? "unauthenticated.idle"
    : state.endsWith(".attempting")
      ? "unauthenticated.attempting"
      : state

type Reservation = NonNullable<AuthContext["attempt"]>

const isRefusal = (reason: AbortReason): boolean => reason === "refused" || reason === "barred"

/** 0: none. 1: of an attempt that is over. 2: a refusal. 3: of the last attempt that was given up. */
const abortForm = (abort: AuthContext["abort"], lostAttempt: Reservation | null): number => {
  if (abort === null) return 0
  if (isRefusal(abort.reason)) return 2
  return lostAttempt !== null && abort.attempt === lostAttempt.id ? 3 : 1
}

const sessionsOf = ({ session, sessionsElsewhere }: AuthContext): ReadonlyArray<Session> =>
  session === null ? sessionsElsewhere : [session, ...sessionsElsewhere]

/**
 * A form under construction: the part of the core, and the names that the rest of the form has to use.
 *
 * @since 0.1.0
 * @category models
 */
export interface CoreForm {
  /** The numbers of the form so far. The rest is added to them. */
  readonly numbers: Array<number>
  /** The name of an id that is known outside the core. */
  readonly idOf: (id: number) => number
  /** The name of a token. */
  readonly tokenOf: (account: number, token: number | null) => number
  /** The place of an account. */
  readonly placeOf: (account: number) => number
}

/**
 * Writes the state of the core. `order` lists the accounts in the order in which they are written. Accounts are
 * interchangeable: to get one form for all orders, take the least.
 *
 * @since 0.1.0
 * @category constructors
 */
export const writeCore = (
  ledger: CoreState["ledger"],
  accounts: ReadonlyArray<Account>,
  known: ReadonlyArray<KnownAttempt>,
  order: ReadonlyArray<number>,
  size: Size
): CoreForm => {
  const reportedAt = ledger.lockReportedAt
  const placeOf = (account: number): number => order.indexOf(account)
  const canBeNamed = (id: number): boolean => known.some((each) => each.id === id && each.token !== null)
  /** The lost attempt, if its id can still be named. Otherwise its late answer cannot come any more. */
  const lostAttemptOf = ({ lostAttempt }: AuthContext): Reservation | null =>
    lostAttempt !== null && canBeNamed(lostAttempt.id) ? lostAttempt : null

  // Anchors are the attempts and generations that can still be compared or named. A border is a settlement, or the
  // report of a lock, since an attempt began that can still succeed. The order of two anchors is kept if a border lies
  // between them; else it is that of their accounts.
  const borders: Array<number> = []
  const isBorder = (value: number): boolean => known.some(({ canSucceed, id }) => canSucceed && id <= value)
  if (reportedAt !== null && isBorder(reportedAt)) borders.push(reportedAt)
  for (const mark of ledger.marks) {
    if (mark.status === "settled" && isBorder(mark.settledAt)) borders.push(mark.settledAt)
  }
  const anchors: Array<number> = []
  const ranks = new Map<number, number>()
  const name = (id: number, account: number): void => {
    if (ranks.has(id)) return
    let epoch = 0
    for (const border of borders) if (border < id) epoch += 1
    anchors.push(id)
    ranks.set(id, epoch * 4 + placeOf(account))
  }
  const isOf = (id: number, account: number): boolean => ranks.get(id)! % 4 === placeOf(account)
  accounts.forEach(({ context }, account) => {
    const { attempt } = context
    const lostAttempt = lostAttemptOf(context)
    if (attempt !== null) name(attempt.id, account)
    if (lostAttempt !== null) name(lostAttempt.id, account)
    for (const { generation } of sessionsOf(context)) name(generation, account)
  })
  const generations = anchors.slice()
  for (const { account, id } of known) name(id, account)
  for (const mark of ledger.marks)
    if (mark.status !== "settled") name(mark.attempt, accountIndex(mark.account))
  anchors.sort((one, other) => ranks.get(one)! - ranks.get(other)! || one - other)
  const idOf = (id: number): number => 4 * (anchors.indexOf(id) + 1)

  const numbers: Array<number> = [anchors.length]
  const snapped = (value: number): number =>
    isBorder(value) ? 4 * anchors.filter((anchor) => anchor <= value).length : 0
  numbers.push(reportedAt === null ? 0 : snapped(reportedAt) + 1)

  const marks = ledger.marks.map((mark): [number, number, number, number] => {
    const account = placeOf(accountIndex(mark.account))
    switch (mark.status) {
      case "inFlight":
        return [account, mark.leaseEndsAtMillis <= now ? 1 : 0, idOf(mark.attempt), 0]
      case "lost":
        return [account, mark.drainsAtMillis <= now ? 3 : 2, idOf(mark.attempt), 0]
      case "settled": {
        const isAfterReport = reportedAt !== null && mark.settledAt > reportedAt
        // The core asks whether it was lost in two cases: its answer comes, or a lock is lifted that was reported
        // before it settled.
        const isKnown = canBeNamed(mark.attempt)
        const isLost =
          mark.reason === "lost" &&
          (isKnown || (reportedAt !== null && snapped(mark.settledAt) > snapped(reportedAt)))
        return [
          account,
          4 + (isLost ? 2 : 0) + (mark.clearedForLocation ? 1 : 0),
          isKnown ? idOf(mark.attempt) : 0,
          snapped(mark.settledAt) + (isAfterReport && mark.reason !== "lost" ? 2 : 0)
        ]
      }
    }
  })
  marks.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3])
  numbers.push(marks.length)
  let unnamed = 0
  for (const [account, status, id, settledAt] of marks) {
    numbers.push(account, status, id === 0 ? 4 * unnamed++ + 3 : id, settledAt)
  }

  // Tokens are named in the order of their histories.
  const byName = known.slice().sort((one, other) => idOf(one.id) - idOf(other.id))
  const names = accounts.map(({ context }, account) => {
    const histories = Array.from({ length: size.tokens }, () => 0)
    const note = (fingerprint: Fingerprint | undefined, bit: number): void => {
      if (fingerprint !== undefined) histories[tokenOf(fingerprint)]! += bit
    }
    for (const refused of context.refusedFingerprints) note(refused, 1)
    for (const aborted of context.abortedFingerprints) note(aborted, 2)
    note(context.attempt?.fingerprint, 8)
    note(lostAttemptOf(context)?.fingerprint, 16)
    note(context.session?.fingerprint, 32)
    note(context.tokenEnd?.fingerprint, 64)
    context.sessionsElsewhere.forEach(({ fingerprint }, index) => note(fingerprint, 128 << index))
    let bit = 1024
    for (const { account: owner, token } of byName) {
      bit *= 2
      if (owner === account && token !== null) histories[token]! += bit
    }
    const tokens = histories.map((_, token) => token).sort((a, b) => histories[b]! - histories[a]!)
    return histories.map((_, token) => tokens.indexOf(token))
  })
  const nameOf = (account: number, token: number): number => names[account]![token]!

  for (const account of order) {
    const { context, state } = accounts[account]!
    const tokenName = (fingerprint: Fingerprint): number => nameOf(account, tokenOf(fingerprint))
    const bits = (fingerprints: ReadonlyArray<Fingerprint>): number =>
      fingerprints.reduce((set, fingerprint) => set | (1 << tokenName(fingerprint)), 0)
    const reservation = (reserved: Reservation | null): void => {
      numbers.push(
        reserved === null ? 0 : idOf(reserved.id),
        reserved === null ? 0 : tokenName(reserved.fingerprint)
      )
    }
    const session = ({ expiresAtMillis, fingerprint, generation, obtainedAtMillis }: Session): void => {
      const times = (expiresAtMillis <= now ? 1 : 0) + (obtainedAtMillis <= longAgo ? 2 : 0)
      numbers.push(idOf(generation), tokenName(fingerprint), times)
    }
    const { abort, tokenEnd } = context
    const length = numbers.push(0)
    numbers.push(stateIndex.get(size.mergesNeedy ? needyName(state) : state)!)
    if (context.session === null) numbers.push(0)
    else session(context.session)
    reservation(context.attempt)
    reservation(lostAttemptOf(context))
    numbers.push(abortForm(abort, lostAttemptOf(context)))
    numbers.push(bits(context.abortedFingerprints), bits(context.refusedFingerprints))
    numbers.push(
      tokenEnd === null ? 0 : 1 + 2 * tokenName(tokenEnd.fingerprint) + (tokenEnd.atMillis <= now ? 1 : 0)
    )
    numbers.push(Math.min(context.flaps, size.flapLimit))
    numbers.push(
      generations.reduce(
        (greatest, id) =>
          id <= context.addressChangedAt && isOf(id, account) ? Math.max(greatest, idOf(id)) : greatest,
        0
      )
    )
    numbers.push(context.sessionsElsewhere.length)
    context.sessionsElsewhere.forEach(session)
    numbers[length - 1] = numbers.length - length
  }
  return {
    numbers,
    idOf,
    tokenOf: (account, token) => (token === null ? 0 : nameOf(account, token)),
    placeOf
  }
}

/**
 * The part of the core, read back from a form, and the place where the rest begins.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadForm {
  readonly ledger: CoreState["ledger"]
  readonly accounts: ReadonlyArray<Account>
  /** The sequence number that the next transaction draws. */
  readonly next: number
  /** The part of the form that is the ledger, `next` included. */
  readonly ledgerForm: string
  /** The parts that are the accounts. */
  readonly accountForms: ReadonlyArray<string>
  /** The index at which the rest of the form begins. */
  readonly end: number
}

/**
 * Reads back the state of the core.
 *
 * @since 0.1.0
 * @category decoding
 */
export const readCore = (form: string, size: Size): ReadForm => {
  let at = 0
  const read = (): number => form.charCodeAt(at++)
  const next = nextSequence(read())
  const reported = read()
  const marks: Array<Mark> = []
  for (let left = read(); left > 0; left--) {
    const account = accountCode(read())
    const status = read()
    const attempt = read()
    const settledAt = read()
    if (status < 2) {
      const leaseEndsAtMillis = status === 0 ? pending : over
      marks.push({ status: "inFlight", attempt, account, leaseEndsAtMillis })
    } else if (status < 4) {
      marks.push({ status: "lost", attempt, account, drainsAtMillis: status === 2 ? pending : over })
    } else {
      const reason = status >= 6 ? "lost" : "refused"
      marks.push({
        status: "settled",
        attempt,
        account,
        reason,
        settledAt,
        clearedForLocation: status % 2 === 1
      })
    }
  }
  const ledgerForm = form.slice(0, at)

  const setOf = (set: number): ReadonlyArray<Fingerprint> => {
    const all: Array<Fingerprint> = []
    for (let token = 0; token < size.tokens; token++) if (set & (1 << token)) all.push(fingerprintOf(token))
    return all
  }
  const reservation = (): Reservation | null => {
    const id = read()
    const token = read()
    return id === 0 ? null : { id, fingerprint: fingerprintOf(token), claim: claimOf(id) }
  }
  const session = (generation: number): Session => {
    const fingerprint = fingerprintOf(read())
    const times = read()
    return {
      generation,
      fingerprint,
      obtainedAtMillis: times & 2 ? longAgo : now,
      expiresAtMillis: times & 1 ? over : pending
    }
  }
  const accountForms: Array<string> = []
  const accounts = Array.from({ length: size.accounts }, (): Account => {
    const start = at
    at += 1
    const state = stateNames[read()]!
    const generation = read()
    const held = generation === 0 ? null : session(generation)
    const attempt = reservation()
    const lostAttempt = reservation()
    const abort = read()
    const abortedFingerprints = setOf(read())
    const refusedFingerprints = setOf(read())
    const tokenEnd = read()
    const flaps = read()
    const addressChangedAt = read()
    const sessionsElsewhere = Array.from({ length: read() }, () => session(read()))
    accountForms.push(form.slice(start, at))
    return {
      state,
      context: {
        session: held,
        attempt,
        lostAttempt,
        abort:
          abort === 0
            ? null
            : {
                reason: abort === 2 ? "refused" : "faulted",
                attempt: abort === 3 ? lostAttempt!.id : null,
                fingerprint: fingerprintOf(0),
                detail: "",
                atMillis: now
              },
        abortedFingerprints,
        refusedFingerprints,
        tokenEnd:
          tokenEnd === 0
            ? null
            : {
                fingerprint: fingerprintOf((tokenEnd - 1) >> 1),
                atMillis: (tokenEnd - 1) % 2 === 1 ? over : pending
              },
        flaps,
        addressChangedAt,
        sessionsElsewhere
      }
    }
  })
  return {
    ledger: { version: 1, marks, lockReportedAt: reported === 0 ? null : reported },
    accounts,
    next,
    ledgerForm,
    accountForms,
    end: at
  }
}

/**
 * The form of these numbers.
 *
 * @since 0.1.0
 * @category constructors
 */
export const formOf = (numbers: ReadonlyArray<number>): string => {
  let form = ""
  for (const number of numbers) form += String.fromCharCode(number)
  return form
}
