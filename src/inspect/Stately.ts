/**
 * Shows accounts in the inspector of Stately, by the manual interface of `@statelyai/inspect`: what the records tell, and
 * nothing else. The statechart runs as a pure function inside transactions, so there is no actor of XState's to inspect.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type { StateName } from "../schemas/StoredRecord.js"
import type { RecordedEvent, TransitionRecord } from "../schemas/TransitionRecord.js"
import * as AuthObserver from "../services/session/AuthObserver.js"
import { config } from "./Chart.js"

/**
 * What stands for an account: XState's `ActorRefLike`, with the chart that Stately draws. It takes no events.
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
  /** As XState has it: `"authenticated"`, `{ expired: "idle" }`. */
  readonly value: string | Readonly<Record<string, string>>
  readonly context: Readonly<Record<string, unknown>>
}

/**
 * What is used of an inspector of `@statelyai/inspect`: `createInspector`, `createBrowserInspector`, `createWebSocketInspector`
 * and others make one.
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

/** Only what is named here is sent, and in {@link snapshotOf}. */
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
 * Sends each account's records to an inspector of Stately: the account as an actor, its events, and how it stood after them.
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
 * Shows an inspector of Stately each `NumberAuth` that is built below it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (stately: StatelyInspector): Layer.Layer<AuthObserver.AuthObserver> =>
  AuthObserver.layer(make(stately))
