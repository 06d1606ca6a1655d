/**
 * A follower of a store: it records the store's changes from outside the programs that use it. It sees results, not
 * events. Of several changes between two looks it sees only the last.
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
  /** `Policy.limit` of the programs that use the store. The store does not hold it. Default 5. */
  readonly limit?: number | undefined
  /** The pause between two looks. Default: 1 second. */
  readonly every?: Duration.DurationInput | undefined
}

interface Seen {
  readonly document: string
  readonly state: StateName
}

/** The accounts with a mark that was added, removed or changed. */
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
 * Looks at a location repeatedly, and records each account that has changed. The first look records every account. The
 * message of a failed look is the recorder's `trouble` until a look succeeds. It runs until it is interrupted.
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
