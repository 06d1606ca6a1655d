/**
 * Lets others look on: what every transaction that was stored did to an account.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CoreState } from "../../machine/AuthCore.js"
import type { AuthEvent } from "../../machine/AuthMachine.js"
import { countsForLocation, type Moment } from "../../machine/Ledger.js"
import type { StateName } from "../../schemas/StoredRecord.js"
import type { RecordedEvent, TransitionRecord } from "../../schemas/TransitionRecord.js"
import type { AuthNotice } from "./AuthNotifier.js"
import type { AccountKey } from "../store/AuthStore.js"

/**
 * Is shown each transaction that changed something once it is stored, and before its attempt is sent. It must be quick.
 * What it throws is dropped.
 *
 * @since 0.1.0
 * @category models
 */
export type Inspector = (record: TransitionRecord) => void

/**
 * Who looks on at each `NumberAuth` that is built below it. Nobody, unless a layer says otherwise: then nothing is
 * recorded either.
 *
 * @since 0.1.0
 * @category services
 */
export class AuthInspector extends Context.Reference<AuthInspector>()("effect-number-auth/AuthInspector", {
  defaultValue: (): Inspector | null => null
}) {}

/**
 * Lets an inspector look on, besides those that do so already.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (inspector: Inspector): Layer.Layer<AuthInspector> =>
  Layer.effect(
    AuthInspector,
    Effect.map(AuthInspector, (present) =>
      present === null
        ? inspector
        : (record) => {
            show(present, record)
            inspector(record)
          }
    )
  )

/**
 * Shows a record, whatever comes of it: who looks on disturbs nothing.
 *
 * @since 0.1.0
 * @category running
 */
export const show = (inspector: Inspector, record: TransitionRecord): void => {
  try {
    inspector(record)
  } catch {
    // Not logged either: what it throws is not ours, and may hold anything.
  }
}

/** Only what is named here is told. */
const eventOf = (event: AuthEvent): RecordedEvent => ({
  type: event.type,
  ...("attempt" in event ? { attempt: event.attempt } : {}),
  ...("generation" in event ? { generation: event.generation } : {}),
  ...("detail" in event ? { detail: event.detail } : {})
})

/**
 * What a transaction did.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transition {
  readonly key: AccountKey
  readonly moment: Moment
  readonly limit: number
  readonly from: StateName
  readonly after: CoreState
  readonly events: ReadonlyArray<AuthEvent>
  readonly notices: ReadonlyArray<AuthNotice>
}

/**
 * Puts down what may be told of a transaction.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeRecord = ({
  after: { context, ledger, state },
  events,
  from,
  key,
  limit,
  moment,
  notices
}: Transition): TransitionRecord => ({
  version: 1,
  location: key.location,
  account: key.account,
  sequence: moment.sequence,
  atMillis: moment.nowMillis,
  from,
  to: state,
  events: events.map(eventOf),
  limit,
  // What is cleared for the location, and another account's, counts for neither: there may be any number of those.
  marks: ledger.marks.filter((mark) => countsForLocation(mark) || mark.account === key.account),
  lockReported: ledger.lockReportedAt !== null,
  attempt: context.attempt?.id ?? null,
  session:
    context.session === null
      ? null
      : {
          generation: context.session.generation,
          obtainedAtMillis: context.session.obtainedAtMillis,
          expiresAtMillis: context.session.expiresAtMillis
        },
  abort:
    context.abort === null
      ? null
      : {
          reason: context.abort.reason,
          attempt: context.abort.attempt,
          detail: context.abort.detail,
          atMillis: context.abort.atMillis
        },
  tokenEndsAtMillis: context.tokenEnd?.atMillis ?? null,
  notices: notices.map(({ message, notice }) => ({ kind: notice.kind, message }))
})
