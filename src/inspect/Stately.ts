/**
 * An observer that shows accounts in Stately's inspector, by the manual interface of `@statelyai/inspect`. It sends
 * only content of the records. The statechart runs as a pure function inside transactions, so XState has no actor to
 * inspect.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type { StateName } from "../schemas/StoredRecord.js"
import type { RecordedEvent, TransitionRecord } from "../schemas/TransitionRecord.js"
import * as AuthObserver from "../services/session/AuthObserver.js"
import { config } from "./Chart.js"

/**
 * An account as XState's `ActorRefLike`, with the chart that Stately draws. It takes no events.
 *
 * @since 0.1.0
 * @category models
 */
export interface Actor {
  readonly id: string
  readonly sessionId: string
  readonly logic: { readonly config: unknown }
  readonly send: () => void
  readonly getSnapshot: () => Snapshot
}

/**
 * An account as Stately shows it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  readonly status: "active"
  /** The state in XState's form: `"authenticated"`, `{ expired: "idle" }`. */
  readonly value: string | Readonly<Record<string, string>>
  readonly context: Readonly<Record<string, unknown>>
}

/**
 * The methods of an inspector of `@statelyai/inspect` that are used here. `createInspector`, `createBrowserInspector`,
 * `createWebSocketInspector` and others make one.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatelyInspector {
  actor(actor: Actor, snapshot: Snapshot): void
  event(actor: Actor, event: { readonly type: string }): void
  snapshot(actor: Actor, snapshot: Snapshot, info: { event: { readonly type: string } }): void
}

const valueOf = (name: StateName): Snapshot["value"] => {
  const [state, child] = name.split(".") as [string, string | undefined]
  return child === undefined ? state : { [state]: child }
}

/** Only the fields that are named here and in {@link snapshotOf} are sent. */
const eventOf = ({ attempt, detail, generation, type }: RecordedEvent) => ({
  type,
  ...(attempt === undefined ? {} : { attempt }),
  ...(generation === undefined ? {} : { generation }),
  ...(detail === undefined ? {} : { detail })
})

const snapshotOf = (record: TransitionRecord, state: StateName): Snapshot => ({
  status: "active",
  value: valueOf(state),
  context: {
    location: record.location,
    account: record.account,
    sequence: record.sequence,
    atMillis: record.atMillis,
    limit: record.limit,
    marks: record.marks,
    lockReported: record.lockReported,
    attempt: record.attempt,
    session: record.session,
    abort: record.abort,
    tokenEndsAtMillis: record.tokenEndsAtMillis
  }
})

/**
 * Sends each account's records to Stately's inspector: the account as an actor, the events, and a snapshot after them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (stately: StatelyInspector): AuthObserver.Observer => {
  const actors = new Map<string, Actor>()
  return (record) => {
    const after = snapshotOf(record, record.to)
    const name = `${record.location}/${record.account}`
    let actor = actors.get(name)
    if (actor === undefined) {
      actor = {
        id: name,
        sessionId: name,
        logic: { config },
        send: () => {},
        getSnapshot: () => after
      }
      actors.set(name, actor)
      stately.actor(actor, snapshotOf(record, record.from))
    }
    const events = record.events.map(eventOf)
    for (const event of events) stately.event(actor, event)
    stately.snapshot(actor, after, { event: events.at(-1) ?? { type: "" } })
  }
}

/**
 * The observer as a layer. Stately's inspector shows each `NumberAuth` that is built on it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (stately: StatelyInspector): Layer.Layer<AuthObserver.AuthObserver> =>
  AuthObserver.layer(make(stately))
