/**
 * The only connection between the core and the store, for one account. It keeps no state.
 */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { AuthCore, CoreState, Message, Step } from "../../../machine/AuthCore.js"
import * as Ledger from "../../../machine/Ledger.js"
import type { SessionKey } from "../../../schemas/Credentials.js"
import type { AttemptId, StateName } from "../../../schemas/StoredRecord.js"
import { AuthAborted, AuthLocked, type Standing } from "../AuthError.js"
import type { AuthStore, AuthStoreError, Stored, Write } from "../../store/AuthStore.js"
import type { Settings } from "./settings.js"

/** A step, with the data that its transaction left in the store, or would leave there. */
export interface Stepped extends Step {
  /** The key of the session; null if there is no session, or if only another process has its key. */
  readonly sessionKey: SessionKey | null
  /** The last sequence number of the location at that time. */
  readonly sequence: number
  /** The store's time. */
  readonly nowMillis: number
  /** The state before the step; null if the step writes nothing. */
  readonly from: StateName | null
}

/** A session key that Number has just given, and the attempt that brought it. */
export interface Accepted {
  readonly attempt: AttemptId
  readonly sessionKey: SessionKey
}

/** The core over the store. */
export interface AccountLedger {
  /**
   * Runs messages through the core in one transaction. When the effect succeeds, all of it is durable. When it fails,
   * it may have been stored all the same.
   */
  readonly transact: (
    messages: ReadonlyArray<Message>,
    options?: {
      readonly accepted?: Accepted | undefined
      /** Receives each step that was decided, before the store has confirmed it. */
      readonly onDecided?: ((step: Step) => void) | undefined
    }
  ) => Effect.Effect<Stepped, AuthStoreError>
  /** Runs messages through the core, over a copy of the stored state. Writes nothing. */
  readonly foresee: (messages: ReadonlyArray<Message>) => Effect.Effect<Stepped, AuthStoreError>
  /** The step that a message would bring right after an earlier step of this process, as far as that one knew. Pure. */
  readonly after: (stepped: Stepped, message: Message, accepted?: Accepted) => Stepped
  /** `AuthStore.changes` of the location. */
  readonly changes: Stream.Stream<number>
  /** How the location stands. `failures` is the greater of the location's count and the account's. */
  readonly standing: (ledger: Ledger.Ledger) => Standing
}

/** How the account's location stands. */
export const standingOf = (
  { account, location, policy }: Pick<Settings, "account" | "location" | "policy">,
  ledger: Ledger.Ledger
): Standing => {
  const counts = Ledger.counts(ledger, account)
  return {
    account,
    location,
    failures: Math.max(counts.location.failures, counts.account.failures),
    limit: policy.limit
  }
}

/** The error of a state in which a person is needed; null in every other state. */
export const personNeeded = (step: CoreState, standing: Standing): AuthAborted | AuthLocked | null => {
  if (step.state === "locked") {
    return new AuthLocked({ standing, reported: step.ledger.lockReportedAt !== null })
  }
  return step.state === "aborted" ? new AuthAborted({ standing, abort: step.context.abort! }) : null
}

/** The session key after a step: the accepted one, the stored one, or none. */
const keyAfter = (
  { context: { session } }: CoreState,
  { account }: Stored,
  accepted: Accepted | undefined
): SessionKey | null => {
  if (session === null) return null
  if (session.generation === accepted?.attempt) return accepted.sessionKey
  return session.generation === account.context.session?.generation ? account.sessionKey : null
}

/** The state of an account in the store, and whether this process has the key of its session. */
export interface Found {
  readonly moment: Ledger.Moment
  readonly ledger: Ledger.Ledger
  readonly account: Pick<CoreState, "state" | "context"> & { readonly hasKey: boolean }
}

/**
 * Runs messages through the core, one after the other. If this process has no key for the session, a request first
 * makes the session unavailable: this process needs a session of its own. Pure.
 */
export const stepThrough = (
  core: AuthCore,
  account: Settings["account"],
  found: Found,
  messages: ReadonlyArray<Message>
): Step => {
  const { context, hasKey, state } = found.account
  let step: Step = {
    ledger: found.ledger,
    state,
    context,
    events: [],
    notices: [],
    decision: { _tag: "done" }
  }
  const take = (message: Message): void => {
    const next = core.step(step, account, message, found.moment)
    step = {
      ...next,
      events: [...step.events, ...next.events],
      notices: [...step.notices, ...next.notices]
    }
  }
  for (const message of messages) {
    const { session } = step.context
    if (message.type === "request" && session !== null && !hasKey) {
      take({ type: "sessionUnavailable", generation: session.generation })
    }
    take(message)
  }
  return step
}

const isUnchanged = (step: Step, { account, ledger }: Stored): boolean =>
  step.ledger === ledger && step.state === account.state && step.context === account.context

/** Makes the ledger of an account. `onStored` runs after each transaction, before the caller goes on. */
export const makeAccountLedger = (given: {
  readonly settings: Settings
  readonly core: AuthCore
  readonly store: AuthStore["Type"]
  readonly onStored: (stepped: Stepped) => Effect.Effect<void>
}): AccountLedger => {
  const { core, onStored, settings, store } = given
  const { account, location } = settings
  const key = { location, account }

  const stepOf = (stored: Stored, messages: ReadonlyArray<Message>, accepted?: Accepted): Stepped => {
    const { ledger, moment, account: record } = stored
    const hasKey = record.sessionKey !== null
    const step = stepThrough(core, account, { ledger, moment, account: { ...record, hasKey } }, messages)
    const { nowMillis, sequence } = stored.moment
    const from = isUnchanged(step, stored) ? null : stored.account.state
    return { ...step, sessionKey: keyAfter(step, stored, accepted), sequence, nowMillis, from }
  }

  return {
    transact: (messages, { accepted, onDecided } = {}) =>
      // No interruption comes between the transaction and its notices.
      Effect.uninterruptibleMask((restore) =>
        Effect.tap(
          restore(
            store.transact(key, (stored): readonly [Stepped, Write] => {
              const step = stepOf(stored, messages, accepted)
              onDecided?.(step)
              // A transaction that writes nothing gives its number back.
              if (step.from === null) return [{ ...step, sequence: step.sequence - 1 }, null]
              const { context, ledger, sessionKey, state } = step
              return [step, { ledger, account: { version: 1, state, context, sessionKey } }]
            })
          ),
          onStored
        )
      ),
    after: ({ context, ledger, nowMillis, sequence, sessionKey, state }, message, accepted) =>
      stepOf(
        {
          moment: { sequence: sequence + 1, nowMillis },
          ledger,
          account: { version: 1, state, context, sessionKey }
        },
        [message],
        accepted
      ),
    foresee: (messages) => Effect.map(store.read(key), (stored) => stepOf(stored, messages)),
    changes: store.changes(location),
    standing: (ledger) => standingOf(settings, ledger)
  }
}
