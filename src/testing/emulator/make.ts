/**
 * Makes an emulator.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { raw } from "./answers.js"
import { eventsOf } from "./authenticate.js"
import { control } from "./control.js"
import type { Standing, Reading } from "./count.js"
import { makeStandings, standingOf } from "./count.js"
import { canonical } from "./methods.js"
import { emulatorNow, receiveWith } from "./receive.js"
import { lastSegments } from "./requests.js"
import type { Options, Rules } from "./rules.js"
import { isAccountCode, isToken } from "./rules.js"
import { NumberEmulator } from "./service.js"
import { DEFAULT_SOAP_ACTION_PREFIX, DEFAULT_SOAP_NAMESPACE } from "./soap.js"
import type { Incoming, State, Summary, TokenRecord } from "./state.js"
import { initialState } from "./state.js"

const addTokenTo = (
  state: State,
  input: {
    readonly account: string
    readonly token: string
    readonly nowMillis: number
    readonly expiresAtMillis: number | undefined
  }
): void => {
  const tokens = state.accounts.get(input.account) ?? new Map<string, TokenRecord>()
  state.accounts.set(input.account, tokens)
  const known = tokens.get(input.token)
  const accountId = 205 + Array.from(state.accounts.keys()).indexOf(input.account)
  tokens.set(input.token, {
    id: known?.id ?? 2547 + state.tokensMade,
    accountId,
    createdAtMillis: known?.createdAtMillis ?? input.nowMillis,
    expiresAtMillis: Option.fromNullable(input.expiresAtMillis),
    isRevoked: false
  })
  state.tokensMade += 1
}

const expireSessionsOf = (state: State, account: string | undefined, nowMillis: number): number => {
  const live = Array.from(state.sessions).filter(
    ([, session]) =>
      session.expiresAtMillis > nowMillis && (account === undefined || session.account === account)
  )
  for (const [key, session] of live) {
    state.sessions.set(key, { ...session, expiresAtMillis: Number.NEGATIVE_INFINITY })
  }
  return live.length
}

const summaryOf = (state: State, reading: Reading, nowMillis: number): Summary => {
  const standings = Array.from(state.events, ([ip, events]) => ({ ip, ...standingOf(events, reading) }))
  return {
    nowMillis,
    requestsSeen: state.requestsSeen,
    authenticateCalls: state.calls.length,
    counts: Object.fromEntries(standings.map(({ count, ip }) => [ip, count])),
    peaks: Object.fromEntries(standings.map(({ ip, peak }) => [ip, peak])),
    locks: standings.filter(({ isLocked }) => isLocked).map(({ ip }) => ip),
    calls: state.calls.map(({ account, atMillis, ip, outcome, sequence }) => ({
      sequence,
      atMillis,
      ip,
      account,
      outcome
    })),
    executions: Array.from(state.executions),
    pendingFaults: state.authenticateFaults.length + state.methodFaults.length
  }
}

const dieUnless = (holds: boolean, message: string): Effect.Effect<void> =>
  holds ? Effect.void : Effect.dieMessage(message)

type Emulator = Context.Tag.Service<typeof NumberEmulator>

/** Accounts, tokens, sessions and locks. */
const accountsOf = (
  state: State
): Pick<Emulator, "addToken" | "revokeToken" | "expireSessions" | "liftLock"> => ({
  addToken: Effect.fn("NumberEmulator.addToken")(function* (account, token, tokenOptions) {
    yield* dieUnless(isAccountCode(account), "An account code is 2 letters and 7 digits")
    yield* dieUnless(isToken(token), "A token is 32 hexadecimal characters")
    const nowMillis = yield* emulatorNow(state)
    addTokenTo(state, { account, token, nowMillis, expiresAtMillis: tokenOptions?.expiresAtMillis })
  }),
  revokeToken: (account, token) =>
    Effect.sync(() => {
      const tokens = state.accounts.get(account)
      const record = tokens?.get(token)
      if (record !== undefined) tokens?.set(token, { ...record, isRevoked: true })
    }),
  expireSessions: (account) =>
    Effect.map(emulatorNow(state), (nowMillis) => expireSessionsOf(state, account, nowMillis)),
  liftLock: (ip) =>
    Effect.sync(() => {
      eventsOf(state, ip).push({ _tag: "Lifted" })
    })
})

/** Time, addresses, delays and faults. */
const circumstancesOf = (
  state: State
): Pick<
  Emulator,
  | "adjustClock"
  | "setClockOffset"
  | "nowMillis"
  | "setIp"
  | "setRefusalStatus"
  | "setDelays"
  | "inject"
  | "injectMethod"
  | "pendingFaults"
> => ({
  adjustClock: (duration) =>
    Effect.sync(() => {
      state.offsetMillis += Duration.toMillis(duration)
    }),
  setClockOffset: (offsetMillis) =>
    Effect.sync(() => {
      state.offsetMillis = offsetMillis
    }),
  nowMillis: emulatorNow(state),
  setIp: (ip) =>
    Effect.sync(() => {
      state.ip = Option.fromNullable(ip)
    }),
  setRefusalStatus: (status) =>
    Effect.sync(() => {
      state.refusalStatus = status
    }),
  setDelays: ({ answer, request }) =>
    Effect.sync(() => {
      state.requestDelay = Duration.decode(request ?? Duration.zero)
      state.answerDelay = Duration.decode(answer ?? Duration.zero)
    }),
  inject: (...faults) =>
    Effect.sync(() => {
      state.authenticateFaults.push(...faults)
    }),
  injectMethod: (...faults) =>
    Effect.sync(() => {
      state.methodFaults.push(...faults)
    }),
  pendingFaults: Effect.sync(() => state.authenticateFaults.length + state.methodFaults.length)
})

/** The counts, and what the emulator was sent. */
const recordsOf = (
  state: State,
  reading: Reading
): Pick<
  Emulator,
  | "standing"
  | "countOf"
  | "peakOf"
  | "peak"
  | "isLocked"
  | "eventsOf"
  | "log"
  | "executions"
  | "executionsOf"
  | "requestsSeen"
  | "summary"
> => {
  const standing = (ip: string): Standing => reading.standingNow(state.events.get(ip) ?? [])
  return {
    standing: (ip) => Effect.sync(() => standing(ip)),
    countOf: (ip) => Effect.sync(() => standing(ip).count),
    peakOf: (ip) => Effect.sync(() => standing(ip).peak),
    peak: Effect.sync(() => Math.max(0, ...Array.from(state.events.keys(), (ip) => standing(ip).peak))),
    isLocked: (ip) => Effect.sync(() => standing(ip).isLocked),
    eventsOf: (ip) => Effect.sync(() => Array.from(state.events.get(ip) ?? [])),
    log: Effect.sync(() => Array.from(state.calls)),
    executions: Effect.sync(() => Array.from(state.executions)),
    executionsOf: (body) =>
      Effect.sync(() => state.executions.filter((_) => canonical(_.body) === canonical(body)).length),
    requestsSeen: Effect.sync(() => state.requestsSeen),
    summary: Effect.map(emulatorNow(state), (nowMillis) => summaryOf(state, reading, nowMillis))
  }
}

const rulesOf = (options: Options): Rules => ({
  counting: options.counting ?? "ip",
  successClears: options.successClears ?? "all",
  faultsCount: options.faultsCount ?? true,
  lockedStatus: options.lockedStatus ?? 200,
  soap: {
    namespace: options.soapNamespace ?? DEFAULT_SOAP_NAMESPACE,
    actionPrefix: options.soapActionPrefix ?? DEFAULT_SOAP_ACTION_PREFIX
  }
})

/**
 * Makes an emulator. Delayed requests are processed until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Emulator, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const rules = rulesOf(options)
    const reading: Reading = { ...rules, standingNow: makeStandings(rules) }
    const state = initialState(options)
    const emulator: Emulator = {
      ...accountsOf(state),
      ...circumstancesOf(state),
      ...recordsOf(state, reading),
      receive: Effect.fn("NumberEmulator.receive")(function* (incoming: Incoming) {
        const { beforeLast, last } = lastSegments(incoming.path)
        if (incoming.method !== "POST") {
          return { _tag: "Answered", answer: raw("Method Not Allowed", 405) }
        }
        return beforeLast === "_emulator"
          ? { _tag: "Answered", answer: yield* control(emulator, last, incoming.body) }
          : yield* receiveWith(state, reading, scope, incoming)
      })
    }
    return emulator
  })

/**
 * An emulator that lives as long as the layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<NumberEmulator> =>
  Layer.scoped(NumberEmulator, make(options))
