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
import { RefusalCode } from "../schemas/Answers.js"
import * as Credentials from "../schemas/Credentials.js"
import { AttemptId, Claim } from "../schemas/StoredRecord.js"
import { hex, moment } from "./internal/answerArbitraries.js"
import { plainFaults } from "./internal/plainFaults.js"
import { Fault } from "./NumberEmulator.js"

export { type Answers, restAnswers, sessionKey, soapAnswers } from "./internal/answerArbitraries.js"

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
  event("attempt.lockedOut", failed),
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
