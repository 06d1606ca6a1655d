/**
 * Observers of what happens to accounts: each sees every change that was stored.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CoreState } from "../../machine/AuthCore.js"
import type { AuthEvent } from "../../machine/AuthEvent.js"
import { countsForLocation, type Moment } from "../../machine/Ledger.js"
import type { StateName } from "../../schemas/StoredRecord.js"
import type { RecordedEvent, TransitionRecord } from "../../schemas/TransitionRecord.js"
import type { AuthNotice } from "./AuthNotifier.js"
import type { AccountKey } from "../store/AuthStore.js"

/**
 * Sees each change once it is stored, and before its attempt is sent. It must be quick. An error that it throws is dropped.
 *
 * @since 0.1.0
 * @category models
 */
export type Observer = (record: TransitionRecord) => void

/**
 * The observer of each `NumberAuth` that is built below it. Default: none, and nothing is recorded.
 *
 * @since 0.1.0
 * @category services
 */
export class AuthObserver extends Context.Reference<AuthObserver>()("effect-number-auth/AuthObserver", {
  defaultValue: (): Observer | null => null
}) {}

/**
 * Adds an observer to those that are there.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (observer: Observer): Layer.Layer<AuthObserver> =>
  Layer.effect(
    AuthObserver,
    Effect.map(AuthObserver, (present) =>
      present === null
        ? observer
        : (record) => {
            observe(present, record)
            observer(record)
          }
    )
  )

/**
 * Gives a record to an observer. An observer disturbs nothing.
 *
 * @since 0.1.0
 * @category running
 */
export const observe = (observer: Observer, record: TransitionRecord): void => {
  try {
    observer(record)
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
