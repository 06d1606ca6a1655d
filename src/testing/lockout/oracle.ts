/**
 * Judges every attempt that reaches the backend: whether a mark in the store stands for it, and whether a person had
 * acted since the token was last sent. The emulator itself judges the count.
 */
import * as Effect from "effect/Effect"
import type { LedgerRecord } from "../../schemas/StoredRecord.js"
import type * as SimulatedLocation from "../internal/SimulatedLocation.js"
import type * as NumberEmulator from "../NumberEmulator.js"
import type { Diagram } from "./diagram.js"
import type { Violation } from "./finding.js"
import { limitOf, type Options } from "./options.js"
import { nameOfAccount } from "./schedule.js"

type Backend = NumberEmulator.NumberEmulator["Type"]

/** The account and token of an Authenticate call, over either wire. */
const attemptIn = ({ body, headers, path }: NumberEmulator.Incoming): readonly [string, string] | null => {
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

const isAccepted = (delivery: NumberEmulator.Delivery): boolean =>
  delivery._tag === "Answered" &&
  delivery.answer.status === 200 &&
  /AuthSuccess(?:"\s*:\s*|>)true/.test(delivery.answer.body)

const inWords = (delivery: NumberEmulator.Delivery): string => {
  if (delivery._tag !== "Answered") return delivery._tag
  return isAccepted(delivery) ? "accepted" : `not accepted (status ${delivery.answer.status})`
}

/** The marks of the last stored ledger of each location. */
export interface Marks {
  readonly onWrite: SimulatedLocation.Options["onWrite"]
  /** Takes a mark for an attempt of the account. False if none is left. */
  readonly take: (account: string) => boolean
}

export const makeMarks = (): Marks => {
  const ledgers = new Map<string, LedgerRecord>()
  const taken = new Set<string>()
  return {
    onWrite: ({ location }, _, { ledger }) => void ledgers.set(location, ledger),
    take: (account) => {
      for (const [location, { marks }] of ledgers) {
        for (const { account: owner, attempt, status } of marks) {
          const id = `${location} ${attempt}`
          if (owner !== account || status === "settled" || taken.has(id)) continue
          taken.add(id)
          return true
        }
      }
      return false
    }
  }
}

/** The tokens of each account that were sent and not accepted since a person last acted. */
const makeUnsuccessful = () => {
  const tokens = new Map<string, Set<string>>()
  return {
    of: (account: string): Set<string> => {
      const known = tokens.get(account) ?? new Set<string>()
      tokens.set(account, known)
      return known
    },
    forget: (account: string): void => tokens.get(account)?.clear(),
    forgetAll: (): void => tokens.forEach((each) => each.clear())
  }
}

export interface Oracle {
  /** The backend as one process reaches it. */
  readonly backendOf: (process: string) => Backend
  /** A person has resumed an account: its tokens may be sent again. */
  readonly resumed: (account: string) => void
  /** Support has lifted the lock: all tokens may be sent again. */
  readonly lifted: () => void
  readonly report: (violation: Violation) => void
  /** The worst violation that was found. */
  readonly worst: () => Violation | null
}

const rank: ReadonlyArray<Violation> = ["unmarked", "retried", "limitPassed"]

export const makeOracle = (
  { accounts, emulator, tokens }: SimulatedLocation.SimulatedLocation,
  marks: Marks,
  { draw }: Diagram,
  options: Options
): Oracle => {
  const unsuccessful = makeUnsuccessful()
  const findsRetries = (options.auth?.lostAttempts ?? "abort") === "abort"
  let worst: Violation | null = null
  const report = (violation: Violation): void => {
    draw(`Note over Number: ${violation}`)
    if (worst === null || rank.indexOf(violation) > rank.indexOf(worst)) worst = violation
  }
  const nameOf = (code: string): string => {
    const index = accounts.indexOf(code)
    return index < 0 ? "another account" : nameOfAccount(index)
  }
  const receive =
    (process: string): Backend["receive"] =>
    (incoming) =>
      Effect.gen(function* () {
        const attempt = attemptIn(incoming)
        if (attempt === null) return yield* emulator.receive(incoming)
        const [account, token] = attempt
        draw(`${process}->>Number: Authenticate, ${nameOf(account)}, token ${tokens.numberOf(token)}`)
        if (!marks.take(account)) report("unmarked")
        const failed = unsuccessful.of(account)
        const wasKnown = failed.has(token)
        if (wasKnown && findsRetries) report("retried")
        failed.add(token)
        const before = yield* emulator.peak
        const delivery = yield* emulator.receive(incoming)
        draw(`Number-->>${process}: ${inWords(delivery)}`)
        if (isAccepted(delivery)) failed.clear()
        else if (delivery._tag === "Refused" && !wasKnown) failed.delete(token)
        const peak = yield* emulator.peak
        if (peak > before) draw(`Note over Number: count ${peak} of ${limitOf(options)}`)
        return delivery
      })
  return {
    backendOf: (process) => ({ ...emulator, receive: receive(process) }),
    resumed: unsuccessful.forget,
    lifted: unsuccessful.forgetAll,
    report,
    worst: () => worst
  }
}
