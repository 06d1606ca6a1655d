/**
 * Authenticate.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Reply } from "./answers.js"
import { answerOfFault, authenticateResult, said, thisUser, usDate } from "./answers.js"
import type { CountEvent, Reading } from "./count.js"
import type { Fault } from "./faults.js"
import type { Request } from "./requests.js"
import { readCredentials } from "./requests.js"
import { SESSION_LIFE, isSameToken } from "./rules.js"
import type { Outcome, State, TokenRecord } from "./state.js"

const eventOf = (outcome: Outcome, account: string, faultsCount: boolean): Option.Option<CountEvent> => {
  switch (outcome) {
    case "accepted":
      return Option.some({ _tag: "Successful", account })
    case "malformed":
    case "faulted":
      return faultsCount ? Option.some({ _tag: "Unsuccessful", account }) : Option.none()
    default:
      return Option.some({ _tag: "Unsuccessful", account })
  }
}

export const eventsOf = (state: State, ip: string): Array<CountEvent> => {
  const known = state.events.get(ip)
  if (known !== undefined) return known
  const fresh: Array<CountEvent> = []
  state.events.set(ip, fresh)
  return fresh
}

const hexOfAscii = (text: string): string =>
  Array.from(text, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("")

export const hexOfNumber = (n: number, digits: number): string =>
  n.toString(16).padStart(digits, "0").slice(-digits)

/** A session key: 42 hexadecimal characters, built like the documented samples. The sequence makes every key new. */
const sessionKey = (input: {
  readonly luck: string
  readonly sequence: number
  readonly record: TokenRecord
}): string => {
  const accountId = String(input.record.accountId).padStart(5, "0").slice(-5)
  const tokenId = String(input.record.id).padStart(6, "0").slice(-6)
  return `${input.luck}${hexOfNumber(input.sequence, 6)}${hexOfAscii(`${accountId}A${tokenId}`)}`.toUpperCase()
}

export interface Call extends Request {
  readonly ip: string
  readonly nowMillis: number
  /** 12 random hexadecimal characters. */
  readonly luck: string
}

const findToken = (tokens: ReadonlyMap<string, TokenRecord>, sent: string): Option.Option<TokenRecord> => {
  for (const [known, record] of tokens) {
    if (isSameToken(sent, known)) return Option.some(record)
  }
  return Option.none()
}

const reasonOf = (outcome: Outcome): string => {
  switch (outcome) {
    case "accepted":
    case "malformed":
    case "faulted":
      return ""
    case "unknownAccount":
      return "Account not found"
    case "wrongToken":
      return "Invalid Token"
    case "revokedToken":
      return "Token has been revoked"
    case "expiredToken":
      return "Token has expired"
    case "locked":
    case "lockReported":
      return "IP Address is locked out, please contact support"
  }
}

/** What an Authenticate call names, as far as the emulator knows it. */
interface Named {
  readonly isWellFormed: boolean
  readonly account: string
  readonly token: string
  readonly isKnownAccount: boolean
  readonly record: Option.Option<TokenRecord>
  readonly isExpired: boolean
}

const namedIn = (state: State, call: Call): Named => {
  const credentials = readCredentials(call.incoming)
  const account = Option.match(credentials, { onNone: () => "", onSome: (sent) => sent.AcctCode })
  const token = Option.match(credentials, { onNone: () => "", onSome: (sent) => sent.Token })
  const tokens = Option.fromNullable(state.accounts.get(account))
  const record = Option.flatMap(tokens, (known) => findToken(known, token))
  const isExpired = Option.exists(record, ({ expiresAtMillis }) =>
    Option.exists(expiresAtMillis, (at) => call.nowMillis >= at)
  )
  return {
    isWellFormed: Option.isSome(credentials),
    account,
    token,
    isKnownAccount: Option.isSome(tokens),
    record,
    isExpired
  }
}

const judge = (named: Named, fault: Fault, isFaulted: boolean, isLocked: boolean): Outcome => {
  if (isFaulted) return "faulted"
  if (fault._tag === "ReportLock") return "lockReported"
  if (!named.isWellFormed) return "malformed"
  if (isLocked) return "locked"
  if (!named.isKnownAccount) return "unknownAccount"
  if (Option.isNone(named.record)) return "wrongToken"
  if (named.record.value.isRevoked) return "revokedToken"
  return named.isExpired ? "expiredToken" : "accepted"
}

const faultAnswerTo = (account: string, fault: Fault): Option.Option<Reply> =>
  answerOfFault(fault, (errCode, errMsg) =>
    authenticateResult({
      functionOk: false,
      authSuccess: false,
      errCode,
      errMsg,
      respMsg: "",
      sessKey: "",
      user: thisUser({ account, record: Option.none(), isExpired: false, isLockedOut: false })
    })
  )

/** Opens a session, and gives the answer with its key. */
const accept = (state: State, call: Call, account: string, sequence: number, record: TokenRecord): Reply => {
  const key = sessionKey({ luck: call.luck, sequence, record })
  const expiresAtMillis = call.nowMillis + Duration.toMillis(SESSION_LIFE)
  state.sessions.set(key, { account, ip: call.ip, expiresAtMillis })
  return said(
    authenticateResult({
      functionOk: true,
      authSuccess: true,
      errCode: 0,
      errMsg: "",
      respMsg: `SessKey Expires|${usDate(expiresAtMillis)}`,
      sessKey: key,
      user: thisUser({ account, record: Option.some(record), isExpired: false, isLockedOut: false })
    })
  )
}

/** Processes one Authenticate call: the outcome, then its event in the IP's list, then the log, then the answer. */
export const authenticate = (state: State, reading: Reading, call: Call, fault: Fault): Reply => {
  const named = namedIn(state, call)
  const { account, isExpired, record, token } = named
  const events = eventsOf(state, call.ip)
  const faultAnswer = faultAnswerTo(account, fault)
  const outcome = judge(named, fault, Option.isSome(faultAnswer), reading.standingNow(events).isLocked)

  Option.map(eventOf(outcome, account, reading.faultsCount), (event) => events.push(event))
  const sequence = state.calls.length + 1
  const { ip, nowMillis: atMillis } = call
  state.calls.push({ sequence, atMillis, ip, account, token: Redacted.make(token), outcome })

  if (Option.isSome(faultAnswer)) return faultAnswer.value
  if (outcome === "malformed") return { _tag: "BadRequest" }
  if (outcome === "accepted" && Option.isSome(record)) {
    return accept(state, call, account, sequence, record.value)
  }
  const isLockedOut = outcome === "lockReported" || reading.standingNow(events).isLocked
  return said(
    authenticateResult({
      functionOk: true,
      authSuccess: false,
      errCode: 0,
      errMsg: "",
      respMsg: reasonOf(outcome),
      sessKey: "",
      user: thisUser({ account, record, isExpired, isLockedOut })
    }),
    outcome === "locked" ? reading.lockedStatus : 200
  )
}
