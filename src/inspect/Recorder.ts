/**
 * An observer that keeps the records it sees, so that people can inspect them: the newest one of every account, and
 * older ones up to a capacity.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MutableQueue from "effect/MutableQueue"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Location } from "../schemas/Credentials.js"
import type { RecordedNotice, TransitionRecord } from "../schemas/TransitionRecord.js"
import * as AuthObserver from "../services/session/AuthObserver.js"
import type { AccountKey } from "../services/store/AuthStore.js"
import { sight, type Sighting, type Sightings } from "./internal/sightings.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The number of records that are kept besides the newest of each account, which is always kept. The oldest are
   * dropped first. Default 20,000.
   */
  readonly capacity?: number | undefined
}

/**
 * A notice, with its account and time.
 *
 * @since 0.1.0
 * @category models
 */
export interface SeenNotice extends RecordedNotice, AccountKey {
  readonly sequence: number
  readonly atMillis: number
}

/**
 * The time of an attempt: that of its recorded reservation or, without one, that of the first record with its mark.
 *
 * @since 0.1.0
 * @category models
 */
export interface SeenAttempt extends Sighting {
  readonly location: Location
}

/**
 * The kept records. They are lost with the process or the layer; the store holds everything that must last.
 *
 * @since 0.1.0
 * @category services
 */
export class Recorder extends Context.Tag("effect-number-auth/inspect/Recorder")<
  Recorder,
  {
    /** The origin of the records: a running program, a store that is read, or a trace. */
    readonly source: "live" | "store" | "trace"
    /** A short title of the records. */
    readonly title: string
    /** Keeps a record. A record that it already has is ignored. */
    readonly record: AuthObserver.Observer
    /** The newest record of each account. */
    readonly accounts: Effect.Effect<ReadonlyArray<TransitionRecord>>
    /** The kept records of one account, in the order of the transactions. */
    readonly records: (key: AccountKey) => Effect.Effect<ReadonlyArray<TransitionRecord>>
    /** All kept records, location by location, in the order of the transactions. */
    readonly all: Effect.Effect<ReadonlyArray<TransitionRecord>>
    /** The last hundred notices, the newest first. */
    readonly notices: Effect.Effect<ReadonlyArray<SeenNotice>>
    /** The times of the attempts whose marks are in these records. */
    readonly attemptsOf: (records: ReadonlyArray<TransitionRecord>) => ReadonlyArray<SeenAttempt>
    /** Subscribes to the records that are kept from now on. A subscriber that is too slow misses some. */
    readonly changes: Effect.Effect<Stream.Stream<TransitionRecord>, never, Scope.Scope>
    /** The current time, in epoch milliseconds. For a trace it is the latest time of its records. */
    readonly nowMillis: Effect.Effect<number>
    /** Why no new record may come, in words; null if all is well. */
    readonly trouble: SubscriptionRef.SubscriptionRef<string | null>
  }
>() {}

const inOrder = (one: TransitionRecord, other: TransitionRecord): number =>
  one.location === other.location ? one.sequence - other.sequence : one.location < other.location ? -1 : 1

/**
 * Builds a recorder.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options & {
    readonly source?: Recorder["Type"]["source"] | undefined
    readonly title?: string | undefined
  } = {}
): Effect.Effect<Recorder["Type"]> =>
  Effect.gen(function* () {
    const { capacity = 20_000, source = "live", title = "this program" } = options
    const kept = new Map<string, Array<TransitionRecord>>()
    // The lists of the accounts, in the order in which they drop their oldest record. Each list has one entry for every
    // record but one.
    const order = MutableQueue.unbounded<Array<TransitionRecord>>()
    const trouble = yield* SubscriptionRef.make<string | null>(null)
    const published = yield* PubSub.sliding<TransitionRecord>(16_384)
    const sightings = new Map<Location, Sightings>()
    const notices: Array<SeenNotice> = []
    let lastMillis = 0

    const see = (given: TransitionRecord): void => {
      const ofLocation = sightings.get(given.location) ?? new Map<number, Sighting>()
      sightings.set(given.location, ofLocation)
      sight(ofLocation, given)
      for (const attempt of ofLocation.keys()) {
        if (ofLocation.size <= capacity) break
        ofLocation.delete(attempt)
      }
      const { account, atMillis, location, sequence } = given
      notices.unshift(
        ...given.notices.map((notice) => ({ ...notice, account, location, sequence, atMillis })).reverse()
      )
      notices.splice(100)
    }

    const forgetOldest = (): void => {
      while (MutableQueue.length(order) > capacity) MutableQueue.poll(order, [])?.shift()
    }

    const record: AuthObserver.Observer = (given) => {
      const name = `${given.location} ${given.account}`
      const records = kept.get(name)
      if (records === undefined) kept.set(name, [given])
      else {
        // Two fibers may store their changes in one order and report them in the other.
        let index = records.length
        while (index > 0 && records[index - 1]!.sequence > given.sequence) index -= 1
        if (records[index - 1]?.sequence === given.sequence) return
        records.splice(index, 0, given)
        MutableQueue.offer(order, records)
        forgetOldest()
      }
      see(given)
      lastMillis = Math.max(lastMillis, given.atMillis)
      published.unsafeOffer(given)
    }

    return {
      source,
      title,
      record,
      accounts: Effect.sync(() => Array.from(kept.values(), (records) => records.at(-1)!)),
      records: ({ account, location }) => Effect.sync(() => [...(kept.get(`${location} ${account}`) ?? [])]),
      all: Effect.sync(() => [...kept.values()].flat().sort(inOrder)),
      notices: Effect.sync(() => [...notices]),
      attemptsOf: (records) => {
        const found = new Map<Sighting, SeenAttempt>()
        for (const { location, marks } of records) {
          for (const { attempt } of marks) {
            const sighting = sightings.get(location)?.get(attempt)
            if (sighting !== undefined) found.set(sighting, { location, ...sighting })
          }
        }
        return [...found.values()]
      },
      changes: Stream.fromPubSub(published, { scoped: true }),
      nowMillis: source === "trace" ? Effect.sync(() => lastMillis) : Clock.currentTimeMillis,
      trouble
    }
  })

/**
 * A recorder as a layer. It records every `NumberAuth` that is built on it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Recorder | AuthObserver.AuthObserver> =>
  Layer.unwrapEffect(
    Effect.map(make(options), (recorder) =>
      Layer.merge(Layer.succeed(Recorder, recorder), AuthObserver.layer(recorder.record))
    )
  )

/**
 * A recorder that keeps all records of a trace.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofTrace = (
  records: Iterable<TransitionRecord>,
  title: string
): Effect.Effect<Recorder["Type"]> =>
  Effect.tap(make({ source: "trace", title, capacity: Infinity }), (recorder) =>
    Effect.sync(() => {
      for (const record of records) recorder.record(record)
    })
  )
