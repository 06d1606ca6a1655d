/**
 * An AuthStore on a disk that loses power: a journal whose writes reach the disk some time after they were made.
 *
 * A power cut leaves a prefix of what was not yet on the disk. The last write of it may be torn: then recovery finds that
 * it is not whole, and drops it, as the journal of a database does. What was acknowledged must be in the prefix.
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
  /** How long a write takes to be on the disk, in milliseconds. Asked for each. */
  readonly syncMillis: () => number
  /** How much of what was not on the disk a power cut leaves: from 0, nothing, to 1, all. */
  readonly survives: () => number
  /**
   * `whenDurable`, the contract of AuthStore and the default; or `beforeDurable`, a store that answers too early, for
   * showing what becomes of it.
   */
  readonly acknowledges?: "whenDurable" | "beforeDurable" | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface SimulatedDisk {
  readonly store: AuthStore["Type"]
  /** How many writes it was given. */
  readonly writes: () => number
  /** The power goes. Says what became of writes that were not on the disk. All processes have to be dead by then. */
  readonly cutPower: () => { readonly kept: number; readonly torn: number; readonly lost: number }
}

interface Entry {
  readonly key: AccountKey
  readonly sequence: number
  readonly write: Exclude<Write, null>
  /** How much of it is on the disk, from 0 to 1. */
  written: number
}

/**
 * Makes a disk with an empty journal.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<SimulatedDisk> =>
  Effect.map(PubSub.sliding<Location>(1024), (changed) => {
    const journal: Array<Entry> = []
    let writes = 0
    const sequences = new Map<Location, number>()
    const ledgers = new Map<Location, Stored["ledger"]>()
    const accounts = new Map<string, Stored["account"]>()
    const tokens = new Map<string, Token>()
    const nameOf = ({ account, location }: AccountKey): string => `${location}/${account}`

    /** What is on the disk for certain is folded into this, so that the journal stays short. */
    const durable = { sequences: new Map(sequences), ledgers: new Map(ledgers), accounts: new Map(accounts) }

    const apply = ({ key, sequence, write }: Entry, to: typeof durable): void => {
      to.sequences.set(key.location, sequence)
      to.ledgers.set(key.location, write.ledger)
      to.accounts.set(nameOf(key), write.account)
    }
    const current = { sequences, ledgers, accounts }

    /** A journal is written in its order: what stands before a write that is on the disk is on it, too. */
    const synced = (entry: Entry): void => {
      const end = journal.indexOf(entry)
      for (const each of journal.splice(0, end + 1)) apply(each, durable)
    }

    const storedAt = (key: AccountKey, sequence: number, nowMillis: number): Stored => ({
      moment: { sequence, nowMillis },
      ledger: ledgers.get(key.location) ?? emptyLedgerRecord,
      account: accounts.get(nameOf(key)) ?? emptyAccountRecord
    })

    const store: AuthStore["Type"] = {
      transact: (key, decide) =>
        Effect.gen(function* () {
          const nowMillis = yield* Clock.currentTimeMillis
          const sequence = (sequences.get(key.location) ?? 0) + 1
          const [result, write] = decide(storedAt(key, sequence, nowMillis))
          if (write === null) return result
          const entry: Entry = { key, sequence, write, written: 0 }
          journal.push(entry)
          writes += 1
          apply(entry, current)
          const sync = Effect.map(Effect.sleep(options.syncMillis()), () => synced(entry))
          yield* options.acknowledges === "beforeDurable" ? Effect.forkDaemon(sync) : sync
          yield* PubSub.publish(changed, key.location)
          return result
        }),
      read: (key) =>
        Effect.map(Clock.currentTimeMillis, (nowMillis) =>
          storedAt(key, sequences.get(key.location) ?? 0, nowMillis)
        ),
      changes: (location) =>
        Stream.unwrapScoped(
          Effect.map(PubSub.subscribe(changed), (subscription) =>
            Stream.concat(Stream.make(location), Stream.fromQueue(subscription)).pipe(
              Stream.filter((changedLocation) => changedLocation === location),
              Stream.map(() => sequences.get(location) ?? 0)
            )
          )
        ),
      readToken: (key) => Effect.sync(() => Option.fromNullable(tokens.get(nameOf(key)))),
      writeToken: (key, token) => Effect.sync(() => void tokens.set(nameOf(key), token))
    }

    return {
      store,
      writes: () => writes,
      cutPower: () => {
        const unsynced = journal.splice(0)
        const left = options.survives() * unsynced.length
        for (const [index, entry] of unsynced.entries())
          entry.written = Math.min(Math.max(left - index, 0), 1)
        const kept = unsynced.filter(({ written }) => written === 1)
        const torn = unsynced.filter(({ written }) => written > 0 && written < 1)
        for (const entry of kept) apply(entry, durable)
        for (const name of ["sequences", "ledgers", "accounts"] as const) {
          const target: Map<string, unknown> = current[name]
          target.clear()
          for (const [key, value] of durable[name]) target.set(key, value)
        }
        return {
          kept: kept.length,
          torn: torn.length,
          lost: unsynced.length - kept.length - torn.length
        }
      }
    }
  })
