/**
 * Arbitraries of Number's answers to an attempt.
 */
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { AuthenticateAnswer, type AuthenticateResult, SoapAuthenticateResult } from "../../schemas/Answers.js"
import * as Credentials from "../../schemas/Credentials.js"
import type { Answer } from "../../services/wire/NumberTransport.js"

/** Upper-case hexadecimal text of a length, which begins with a prefix. */
export const hex = (prefix: string, length: number): FastCheck.Arbitrary<string> =>
  FastCheck.stringMatching(new RegExp(`^[0-9A-F]{${length - prefix.length}}$`)).map((rest) => prefix + rest)

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
 * Answers to `Authenticate` over one wire, by their meaning.
 *
 * - `accepted`: a session key, and no report of a lock.
 * - `refused`: `AuthSuccess` false, and no report of a lock.
 * - `faulted`: `FunctionOk` false, an unsuccessful status, or a malformed body.
 * - `locked`: no session, and `IsLockedOut` true.
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
export const moment = FastCheck.integer({ min: 946_684_800, max: 4_102_444_800 }).map(
  (seconds) => seconds * 1000
)

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
