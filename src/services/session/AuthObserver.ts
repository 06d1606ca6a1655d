/**
 * The observers of accounts: each sees every stored change.
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
 * Sees each change after it is stored, and before its attempt is sent. It must be quick. An error that it throws is
 * dropped.
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
 * Adds an observer to the present one.
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
 * Gives a record to an observer, and drops any error that it throws.
 *
 * @since 0.1.0
 * @category running
 */
export const observe = (observer: Observer, record: TransitionRecord): void => {
  try {
    observer(record)
  } catch {
    // Not logged either: the observer's error may hold anything.
  }
}

/** Copies only the fields that are named here. */
const eventOf = (event: AuthEvent): RecordedEvent => ({
  type: event.type,
  ...("attempt" in event ? { attempt: event.attempt } : {}),
  ...("generation" in event ? { generation: event.generation } : {}),
  ...("detail" in event ? { detail: event.detail } : {})
})

/**
 * The change that a transaction stored.
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
 * Makes the record of a transaction, without secrets.
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
  // Omit marks of other accounts that are cleared for the location: they count for neither this account nor the
  // location, and their number has no bound.
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
