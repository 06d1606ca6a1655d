/**
 * An AuthStore on a disk that loses power: a journal whose writes reach the disk some time after they were made.
 *
 * A power cut keeps a prefix of the writes that were not yet on the disk. The last write of the prefix may be torn.
 * Recovery then finds that it is incomplete and drops it, as a database does with its journal. An acknowledged write
 * must survive.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { Location, Token } from "../schemas/Credentials.js"
import { emptyAccountRecord, emptyLedgerRecord } from "../schemas/StoredRecord.js"
import type { AccountKey, AuthStore, Stored, Write } from "../services/store/AuthStore.js"

/**
 * How the disk behaves.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The time that a write takes to reach the disk, in milliseconds. Called once for each write. */
  readonly syncMillis: () => number
  /**
   * The share of the writes not yet on the disk that a power cut keeps: from 0, none, to 1, all. Called once for each
   * cut.
   */
  readonly survives: () => number
  /**
   * When the store acknowledges a write. `whenDurable`, the default, is the contract of AuthStore. `beforeDurable` is a
   * store that answers too early, to show the consequences.
   */
  readonly acknowledges?: "whenDurable" | "beforeDurable" | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface SimulatedDisk {
  readonly store: AuthStore["Type"]
  /** The number of writes that the store was given. */
  readonly writes: () => number
  /**
   * Cuts the power. Returns how many of the writes not yet on the disk were kept, torn and lost. All processes must be
   * dead before.
   */
  readonly cutPower: () => { readonly kept: number; readonly torn: number; readonly lost: number }
}

interface Entry {
  readonly key: AccountKey
  readonly sequence: number
  readonly write: Exclude<Write, null>
  /** The share of it that is on the disk, from 0 to 1. */
  written: number
}

/** What the store holds. */
interface Contents {
  readonly sequences: Map<Location, number>
  readonly ledgers: Map<Location, Stored["ledger"]>
  readonly accounts: Map<string, Stored["account"]>
}

const empty = (): Contents => ({ sequences: new Map(), ledgers: new Map(), accounts: new Map() })

const nameOf = ({ account, location }: AccountKey): string => `${location}/${account}`

const apply = ({ key, sequence, write }: Entry, to: Contents): void => {
  to.sequences.set(key.location, sequence)
  to.ledgers.set(key.location, write.ledger)
  to.accounts.set(nameOf(key), write.account)
}

const replace = (target: Contents, source: Contents): void => {
  for (const name of ["sequences", "ledgers", "accounts"] as const) {
    const map: Map<string, unknown> = target[name]
    map.clear()
    for (const [key, value] of source[name]) map.set(key, value)
  }
}

/** The writes that are not certainly on the disk, and the contents with and without them. */
const makeJournal = ({ survives }: Options) => {
  const entries: Array<Entry> = []
  const current = empty()
  /** The contents after all writes that are certainly on the disk. Folding them into it keeps the journal short. */
  const durable = empty()
  let writes = 0
  return {
    current,
    writes: () => writes,
    add: (entry: Entry): void => {
      entries.push(entry)
      writes += 1
      apply(entry, current)
    },
    /** The journal is written in order: once a write is on the disk, all writes before it are on the disk too. */
    synced: (entry: Entry): void => {
      for (const each of entries.splice(0, entries.indexOf(entry) + 1)) apply(each, durable)
    },
    cutPower: () => {
      const unsynced = entries.splice(0)
      const left = survives() * unsynced.length
      for (const [index, entry] of unsynced.entries()) entry.written = Math.min(Math.max(left - index, 0), 1)
      const kept = unsynced.filter(({ written }) => written === 1)
      const torn = unsynced.filter(({ written }) => written > 0 && written < 1)
      for (const entry of kept) apply(entry, durable)
      replace(current, durable)
      return { kept: kept.length, torn: torn.length, lost: unsynced.length - kept.length - torn.length }
    }
  }
}

const makeStore = (
  { acknowledges, syncMillis }: Options,
  { add, current, synced }: ReturnType<typeof makeJournal>,
  changed: PubSub.PubSub<Location>
): AuthStore["Type"] => {
  const tokens = new Map<string, Token>()
  const sequenceOf = (location: Location): number => current.sequences.get(location) ?? 0
  const storedAt = (key: AccountKey, sequence: number, nowMillis: number): Stored => ({
    moment: { sequence, nowMillis },
    ledger: current.ledgers.get(key.location) ?? emptyLedgerRecord,
    account: current.accounts.get(nameOf(key)) ?? emptyAccountRecord
  })
  return {
    transact: (key, decide) =>
      Effect.gen(function* () {
        const nowMillis = yield* Clock.currentTimeMillis
        const sequence = sequenceOf(key.location) + 1
        const [result, write] = decide(storedAt(key, sequence, nowMillis))
        if (write === null) return result
        const entry: Entry = { key, sequence, write, written: 0 }
        add(entry)
        const sync = Effect.map(Effect.sleep(syncMillis()), () => synced(entry))
        yield* acknowledges === "beforeDurable" ? Effect.forkDaemon(sync) : sync
        yield* PubSub.publish(changed, key.location)
        return result
      }),
    read: (key) =>
      Effect.map(Clock.currentTimeMillis, (nowMillis) => storedAt(key, sequenceOf(key.location), nowMillis)),
    changes: (location) =>
      Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(changed), (subscription) =>
          Stream.concat(Stream.make(location), Stream.fromQueue(subscription)).pipe(
            Stream.filter((changedLocation) => changedLocation === location),
            Stream.map(sequenceOf)
          )
        )
      ),
    readToken: (key) => Effect.sync(() => Option.fromNullable(tokens.get(nameOf(key)))),
    writeToken: (key, token) => Effect.sync(() => void tokens.set(nameOf(key), token))
  }
}

/**
 * Makes a disk with an empty journal.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<SimulatedDisk> =>
  Effect.map(PubSub.sliding<Location>(1024), (changed) => {
    const journal = makeJournal(options)
    return {
      store: makeStore(options, journal, changed),
      writes: journal.writes,
      cutPower: journal.cutPower
    }
  })
