/**
 * An observer that keeps what it sees, so that people can look at it: the newest record of every account, and the way there.
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
  /** How many records are kept besides the newest of each account, which always is; the oldest go first. Default 20,000. */
  readonly capacity?: number | undefined
}

/**
 * What people were told, and of which account.
 *
 * @since 0.1.0
 * @category models
 */
export interface SeenNotice extends RecordedNotice, AccountKey {
  readonly sequence: number
  readonly atMillis: number
}

/**
 * When an attempt was made: when its reservation was recorded, or where that was not, when its mark was first seen.
 *
 * @since 0.1.0
 * @category models
 */
export interface SeenAttempt extends Sighting {
  readonly location: Location
}

/**
 * The records that there are. They outlive neither the process nor the layer: what has to last is in the store.
 *
 * @since 0.1.0
 * @category services
 */
export class Recorder extends Context.Tag("effect-number-auth/inspect/Recorder")<
  Recorder,
  {
    /** Where the records come from: a program that runs, a store that is read, or a trace. */
    readonly source: "live" | "store" | "trace"
    /** What it is that is shown, in a few words. */
    readonly title: string
    /** Takes a record. One that it has already is left out. */
    readonly record: AuthObserver.Observer
    /** The newest record of each account. */
    readonly accounts: Effect.Effect<ReadonlyArray<TransitionRecord>>
    /** What is kept of one account, in the order of the transactions. */
    readonly records: (key: AccountKey) => Effect.Effect<ReadonlyArray<TransitionRecord>>
    /** All that is kept, location by location, in the order of the transactions. */
    readonly all: Effect.Effect<ReadonlyArray<TransitionRecord>>
    /** The last hundred notices, the newest first. */
    readonly notices: Effect.Effect<ReadonlyArray<SeenNotice>>
    /** When the attempts were made that the marks of these records stand for. */
    readonly attemptsOf: (records: ReadonlyArray<TransitionRecord>) => ReadonlyArray<SeenAttempt>
    /** What is recorded from the moment on at which this is run. Who is too slow misses some. */
    readonly changes: Effect.Effect<Stream.Stream<TransitionRecord>, never, Scope.Scope>
    /** The time of what is shown, in epoch milliseconds: of a trace it is that of its last record. */
    readonly nowMillis: Effect.Effect<number>
    /** Why nothing new may come, in words; null where all is well. */
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
    // Whose record is the oldest. It has one entry for every record but one of each account.
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
        // Two fibers may have stored in one order and show in the other.
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
 * Records every `NumberAuth` that is built below it.
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
 * A recorder that has the records of a trace, all of them.
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
