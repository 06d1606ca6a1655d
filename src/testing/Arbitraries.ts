/**
 * Arbitraries of the values that cross the library's borders, made from its schemas: Number's answers, events of the
 * chart, faults, and credentials. For property tests with the fast-check that Effect carries (`effect/FastCheck`).
 *
 * Secrets are made up, and look so: a token begins with `7E577E57` ("test", "test"), a session key with `5E5510`.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type { AuthEvent } from "../machine/AuthMachine.js"
import {
  AuthenticateAnswer,
  type AuthenticateResult,
  RefusalCode,
  SoapAuthenticateResult
} from "../schemas/Answers.js"
import * as Credentials from "../schemas/Credentials.js"
import { AttemptId, Claim } from "../schemas/StoredRecord.js"
import type { Answer } from "../services/wire/NumberTransport.js"
import { plainFaults } from "./internal/plainFaults.js"
import { Fault } from "./NumberEmulator.js"

const hex = (prefix: string, length: number): FastCheck.Arbitrary<string> =>
  FastCheck.stringMatching(new RegExp(`^[0-9A-F]{${length - prefix.length}}$`)).map((rest) => prefix + rest)

// -----------------------------------------------------------------------------
// credentials
// -----------------------------------------------------------------------------

/**
 * Account codes: 2 upper-case letters and 7 digits.
 *
 * @since 0.1.0
 * @category credentials
 */
export const accountCode: FastCheck.Arbitrary<Credentials.AccountCode> = Arbitrary.make(
  Credentials.AccountCode
)

/**
 * Tokens as text: 32 hexadecimal characters, for the emulator and for settings. None is a real token.
 *
 * @since 0.1.0
 * @category credentials
 */
export const tokenText: FastCheck.Arbitrary<string> = hex("7E577E57", 32)

/**
 * {@link tokenText}, Redacted, as the library takes it.
 *
 * @since 0.1.0
 * @category credentials
 */
export const token: FastCheck.Arbitrary<Credentials.Token> = tokenText.map(
  Schema.decodeSync(Credentials.Token)
)

/**
 * Session keys of the length of every documented sample, 42 hexadecimal characters, Redacted.
 *
 * @since 0.1.0
 * @category credentials
 */
export const sessionKey: FastCheck.Arbitrary<Credentials.SessionKey> = hex("5E5510", 42).map(
  Schema.decodeSync(Credentials.SessionKey)
)

/**
 * An account and a token for it.
 *
 * @since 0.1.0
 * @category credentials
 */
export const credentials: FastCheck.Arbitrary<{
  readonly account: Credentials.AccountCode
  readonly token: Credentials.Token
}> = FastCheck.record({ account: accountCode, token })

/**
 * Names of egress addresses.
 *
 * @since 0.1.0
 * @category credentials
 */
export const location: FastCheck.Arbitrary<Credentials.Location> = Arbitrary.make(Credentials.Location)

// -----------------------------------------------------------------------------
// answers to an attempt
// -----------------------------------------------------------------------------

/**
 * Answers to `Authenticate` over one wire, by their meaning.
 *
 * - `accepted`: a session key, and no report of a lock.
 * - `refused`: `AuthSuccess` false, and no report of a lock.
 * - `faulted`: `FunctionOk` false, an unsuccessful status, or a malformed body.
 * - `locked`: refused, with `IsLockedOut` true.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answers {
  readonly accepted: FastCheck.Arbitrary<Answer>
  readonly refused: FastCheck.Arbitrary<Answer>
  readonly faulted: FastCheck.Arbitrary<Answer>
  readonly locked: FastCheck.Arbitrary<Answer>
  /** Any of them. */
  readonly any: FastCheck.Arbitrary<Answer>
}

/** A text or null. The text has no spaces at its ends, since SOAP would not keep them. */
const said = FastCheck.option(FastCheck.string({ maxLength: 40 }).map((text) => text.trim()))

/** A time in milliseconds, from 2000 to 2100. Times beyond these do not occur in answers. */
const moment = FastCheck.integer({ min: 946_684_800, max: 4_102_444_800 }).map((seconds) => seconds * 1000)

const errorCode = FastCheck.integer({ min: 0, max: 9999 })

const struct = <A>(given: { readonly [K in keyof A]: FastCheck.Arbitrary<A[K]> }): FastCheck.Arbitrary<A> =>
  FastCheck.record(given)

const resultOf = (given: {
  readonly functionOk: boolean
  readonly authSuccess: boolean | null
  readonly sessionKey: FastCheck.Arbitrary<Credentials.SessionKey | null>
  readonly errorCode: FastCheck.Arbitrary<number | null>
  readonly isLockedOut: FastCheck.Arbitrary<boolean | null>
  readonly isUserNamed: boolean
}): FastCheck.Arbitrary<AuthenticateResult> => {
  const user = struct({ ExpirationDate: FastCheck.option(moment), IsLockedOut: given.isLockedOut })
  return FastCheck.tuple(
    // The documentation spells it in both ways.
    FastCheck.constantFrom({ FunctionOk: given.functionOk }, { FunctionOK: given.functionOk }),
    struct({
      AuthSuccess: FastCheck.constant(given.authSuccess),
      ErrCode: given.errorCode,
      ErrMsg: said,
      RespMsg: said,
      SessKey: given.sessionKey,
      ThisUser: given.isUserNamed ? user : FastCheck.option(user)
    })
  ).map(([functionOk, rest]) => ({ ...functionOk, ...rest }))
}

const notLockedOut = FastCheck.constantFrom(false, false, null)
const noKey = FastCheck.constant(null)

const results = {
  accepted: resultOf({
    functionOk: true,
    authSuccess: true,
    sessionKey,
    errorCode: FastCheck.constantFrom(0, null),
    isLockedOut: notLockedOut,
    isUserNamed: false
  }),
  refused: resultOf({
    functionOk: true,
    authSuccess: false,
    sessionKey: noKey,
    errorCode: FastCheck.constantFrom(0, null),
    isLockedOut: notLockedOut,
    isUserNamed: false
  }),
  functionNotOk: resultOf({
    functionOk: false,
    authSuccess: null,
    sessionKey: noKey,
    errorCode: FastCheck.option(errorCode),
    isLockedOut: notLockedOut,
    isUserNamed: false
  }),
  locked: resultOf({
    functionOk: true,
    authSuccess: false,
    sessionKey: noKey,
    errorCode: FastCheck.constantFrom(0, null),
    isLockedOut: FastCheck.constant(true),
    isUserNamed: true
  })
}

/** Bodies of gateways, and bodies that are cut off. None has the documented form. */
const otherBody = FastCheck.constantFrom(
  "",
  "null",
  "{}",
  "[]",
  "Bad Request",
  "<html><body>502 Bad Gateway</body></html>",
  '{"AuthenticateResult":null}',
  '{"AuthenticateResult":{"FunctionOk":tr',
  "<s:Envelope",
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>'
)

const failedStatus = FastCheck.constantFrom(301, 400, 401, 403, 404, 429, 500, 502, 503, 504)

const answersOver = (write: (result: AuthenticateResult) => FastCheck.Arbitrary<string>): Answers => {
  const ok = (result: FastCheck.Arbitrary<AuthenticateResult>): FastCheck.Arbitrary<Answer> =>
    result.chain(write).map((body) => ({ status: 200, body }))
  const accepted = ok(results.accepted)
  const refused = ok(results.refused)
  const locked = ok(results.locked)
  const faulted = FastCheck.oneof(
    ok(results.functionNotOk),
    FastCheck.record({ status: FastCheck.constant(200), body: otherBody }),
    FastCheck.record({ status: failedStatus, body: otherBody }),
    // An unsuccessful status is a fault even if the body is that of a success.
    FastCheck.tuple(accepted, failedStatus).map(([answer, status]) => ({ ...answer, status }))
  )
  return { accepted, refused, faulted, locked, any: FastCheck.oneof(accepted, refused, faulted, locked) }
}

/**
 * Answers over REST, as `AuthenticateAnswer` encodes them.
 *
 * @since 0.1.0
 * @category answers
 */
export const restAnswers: Answers = answersOver((result) =>
  FastCheck.constant(Schema.encodeSync(AuthenticateAnswer)({ AuthenticateResult: result }))
)

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const elementsOf = (fields: object): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => {
      const content = typeof value === "object" ? elementsOf(value as object) : escapeXml(String(value))
      return `<a:${name}>${content}</a:${name}>`
    })
    .join("")

/**
 * Answers over SOAP 1.1, as `SoapAuthenticateResult` encodes them: in an `AuthenticateResponse`, or as an
 * `api_AuthResponse`.
 *
 * @since 0.1.0
 * @category answers
 */
export const soapAnswers: Answers = answersOver((result) => {
  const fields = `xmlns:a="urn:test">${elementsOf(Schema.encodeSync(SoapAuthenticateResult)(result))}`
  const envelope = (content: string): string =>
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${content}</s:Body></s:Envelope>`
  return FastCheck.constantFrom(
    envelope(
      `<AuthenticateResponse xmlns="http://tempuri.org/"><AuthenticateResult ${fields}</AuthenticateResult></AuthenticateResponse>`
    ),
    envelope(`<api_AuthResponse ${fields}</api_AuthResponse>`)
  )
})

// -----------------------------------------------------------------------------
// events of the chart
// -----------------------------------------------------------------------------

const attempt: FastCheck.Arbitrary<AttemptId> = FastCheck.integer({ min: 1, max: 9 }).map((id) =>
  AttemptId.make(id)
)

const fingerprint = Arbitrary.make(Credentials.Fingerprint)
const claim = Arbitrary.make(Claim)
const refusalCode = Arbitrary.make(RefusalCode)
const detail = FastCheck.string({ maxLength: 40 })

const event = <Type extends AuthEvent["type"], Event extends Extract<AuthEvent, { readonly type: Type }>>(
  type: Type,
  fields: { readonly [K in Exclude<keyof Event, "type">]: FastCheck.Arbitrary<Event[K]> }
): FastCheck.Arbitrary<AuthEvent> =>
  FastCheck.record({ type: FastCheck.constant(type), ...fields }) as unknown as FastCheck.Arbitrary<AuthEvent>

const failed = { attempt, fingerprint, detail, nowMillis: moment }

/**
 * Events of the statechart. Attempts and generations are from 1 to 9, so that events in a row often refer to the same
 * one.
 *
 * @since 0.1.0
 * @category events
 */
export const machineEvent: FastCheck.Arbitrary<AuthEvent> = FastCheck.oneof(
  event("attempt.reserved", { attempt, fingerprint, claim }),
  event("attempt.accepted", {
    attempt,
    fingerprint,
    nowMillis: moment,
    tokenEndsAtMillis: FastCheck.option(moment)
  }),
  event("attempt.refused", failed),
  event("attempt.faulted", failed),
  event("attempt.lost", failed),
  event("attempt.unsent", { attempt }),
  refusalCode.chain((code) =>
    code === 5030
      ? event("session.expired", { generation: attempt })
      : event("session.unauthorized", { generation: attempt, nowMillis: moment })
  ),
  event("session.unavailable", { generation: attempt }),
  event("credentials.replaced", { fingerprint }),
  event("credentials.barred", {
    reason: FastCheck.constantFrom("barred", "expired"),
    fingerprint,
    detail,
    nowMillis: moment
  }),
  event("attempt.resumed", {}),
  event("lock.reported", {}),
  event("ledger.full", {}),
  event("lock.lifted", { by: FastCheck.constantFrom("operator", "other") })
)

// -----------------------------------------------------------------------------
// faults of the emulator
// -----------------------------------------------------------------------------

/**
 * One fault of the emulator. Number works on a delayed request within 4 minutes, before the default drain of 5 minutes
 * is over: the library's promise assumes that. Answers are delayed for up to 10 minutes.
 *
 * @since 0.1.0
 * @category faults
 */
export const fault: FastCheck.Arbitrary<Fault> = FastCheck.oneof(
  FastCheck.constantFrom(...plainFaults),
  FastCheck.nat({ max: 240 }).map((seconds) => Fault.DelayRequest(Duration.seconds(seconds))),
  FastCheck.nat({ max: 600 }).map((seconds) => Fault.DelayAnswer(Duration.seconds(seconds)))
)

/**
 * Faults for the next attempts, in order, with passes in between: for `NumberEmulator.inject`.
 *
 * @since 0.1.0
 * @category faults
 */
export const faultSchedule: FastCheck.Arbitrary<ReadonlyArray<Fault>> = FastCheck.array(
  FastCheck.oneof(FastCheck.constant<Fault>(Fault.Pass), fault),
  { maxLength: 10 }
)
