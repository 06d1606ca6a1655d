/**
 * Shows what happens in a store, without being part of any program that uses it. It sees results, not events, and of two
 * changes in quick succession only the second.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { AccountCode, Location } from "../schemas/Credentials.js"
import type { Mark, StateName } from "../schemas/StoredRecord.js"
import { makeRecord } from "../services/session/AuthObserver.js"
import { decodeAccount } from "../services/store/sql/documents.js"
import type { LocationInspection } from "../services/store/sql/readOnly.js"
import type { Recorder } from "./Recorder.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly location: Location
  /** `Policy.limit` of those who use the store, which does not know it. Default 5. */
  readonly limit?: number | undefined
  /** How often to look. Default: once a second. */
  readonly every?: Duration.DurationInput | undefined
}

interface Seen {
  readonly document: string
  readonly state: StateName
}

/** Whose mark is in one of them and not in the other, or has changed. */
const ownersOfChanged = (
  before: ReadonlyArray<Mark>,
  after: ReadonlyArray<Mark>
): ReadonlySet<AccountCode> => {
  const texts = (marks: ReadonlyArray<Mark>) => new Set(marks.map((mark) => JSON.stringify(mark)))
  const [known, present] = [texts(before), texts(after)]
  return new Set(
    [...before, ...after]
      .filter((mark) => !known.has(JSON.stringify(mark)) || !present.has(JSON.stringify(mark)))
      .map(({ account }) => account)
  )
}

/**
 * Looks at a location again and again, and records what has changed since; at first, how each account stands. Why a look
 * failed is the recorder's `trouble` until one succeeds. It goes on until it is interrupted.
 *
 * @since 0.1.0
 * @category running
 */
export const follow = (
  recorder: Recorder["Type"],
  look: Effect.Effect<LocationInspection, { readonly message: string }>,
  options: Options
): Effect.Effect<never> => {
  const { every = "1 second", limit = 5, location } = options
  const seen = new Map<AccountCode, Seen>()
  let marks: ReadonlyArray<Mark> = []

  const lookOnce = Effect.gen(function* () {
    const { accounts, ledger, moment } = yield* look
    const owners = ownersOfChanged(marks, ledger.marks)
    for (const [account, document] of accounts) {
      const before = seen.get(account)
      if (before?.document === document && !owners.has(account)) continue
      const { context, state } = yield* decodeAccount(document)
      seen.set(account, { document, state })
      recorder.record(
        makeRecord({
          key: { location, account },
          moment,
          limit,
          from: before?.state ?? state,
          after: { ledger, state, context },
          events: [],
          notices: []
        })
      )
    }
    marks = ledger.marks
    yield* SubscriptionRef.set(recorder.trouble, null)
  })

  return lookOnce.pipe(
    Effect.catchAll(({ message }) => SubscriptionRef.set(recorder.trouble, message)),
    Effect.repeat(Schedule.spaced(every)),
    Effect.zipRight(Effect.never)
  )
}
