/**
 * The service that keeps ledger and records, and the store in memory.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { globalValue } from "effect/GlobalValue"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { Moment } from "../../machine/Ledger.js"
import type { AccountCode, Location, Token } from "../../schemas/Credentials.js"
import {
  type AccountRecord,
  emptyAccountRecord,
  emptyLedgerRecord,
  type LedgerRecord
} from "../../schemas/StoredRecord.js"
import type { AuthStoreError } from "./AuthStoreError.js"
import { tokensInMemory } from "./sql/accountSecrets.js"

export { AuthStoreError } from "./AuthStoreError.js"

/**
 * The key of a record: an account at a location.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountKey {
  readonly location: Location
  readonly account: AccountCode
}

/**
 * The ledger of a location and the record of one of its accounts, as of a moment.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stored {
  readonly moment: Moment
  readonly ledger: LedgerRecord
  readonly account: AccountRecord
}

/**
 * The part of `Stored` that a transaction writes; null if it changes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export type Write = Pick<Stored, "ledger" | "account"> | null

/**
 * Keeps one ledger per location and one record per account.
 *
 * @since 0.1.0
 * @category services
 */
export class AuthStore extends Context.Tag("effect-number-auth/AuthStore")<
  AuthStore,
  {
    /**
     * Reads, decides and writes in one atomic transaction. The transaction draws the location's next sequence number,
     * and gives it back if it writes nothing. Transactions of a location never overlap. `decide` is pure. When the
     * effect succeeds, the write is durable. When it fails, the write may have happened all the same. The effect must
     * end by itself: callers may run it uninterruptibly.
     */
    readonly transact: <A>(
      key: AccountKey,
      decide: (stored: Stored) => readonly [A, Write]
    ) => Effect.Effect<A, AuthStoreError>
    /**
     * Reads without drawing a number. It sees every transaction that has ended. The moment's sequence is that of the last
     * transaction.
     */
    readonly read: (key: AccountKey) => Effect.Effect<Stored, AuthStoreError>
    /**
     * Emits the location's last sequence number: now, and whenever any process has drawn another. Never fails: while
     * the store is unavailable, it emits nothing.
     */
    readonly changes: (location: Location) => Stream.Stream<number>
    /**
     * The token that is kept for an account, if any. It is sealed as session keys are. If the store has no store key,
     * the token is kept only in the memory of this process.
     */
    readonly readToken: (key: AccountKey) => Effect.Effect<Option.Option<Token>, AuthStoreError>
    /** Keeps a token for an account, in place of the one before. */
    readonly writeToken: (key: AccountKey, token: Token) => Effect.Effect<void, AuthStoreError>
  }
>() {}

/**
 * A store in memory of its own: for tests, each of which wants a ledger that no other has touched. A program takes
 * {@link layerMemory}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemory: Effect.Effect<AuthStore["Type"]> = Effect.gen(function* () {
  const locations = new Map<
    Location,
    { sequence: number; ledger: LedgerRecord; accounts: Map<AccountCode, AccountRecord> }
  >()
  const changed = yield* PubSub.sliding<Location>(1024)
  const tokens = tokensInMemory()

  const locationOf = (location: Location) => {
    const found = locations.get(location) ?? {
      sequence: 0,
      ledger: emptyLedgerRecord,
      accounts: new Map<AccountCode, AccountRecord>()
    }
    locations.set(location, found)
    return found
  }
  const storedAt = (key: AccountKey, moment: Moment): Stored => ({
    moment,
    ledger: locationOf(key.location).ledger,
    account: locationOf(key.location).accounts.get(key.account) ?? emptyAccountRecord
  })

  return {
    transact: (key, decide) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
        const location = locationOf(key.location)
        const sequence = location.sequence + 1
        const [result, write] = decide(storedAt(key, { sequence, nowMillis }))
        if (write === null) return Effect.succeed(result)
        location.sequence = sequence
        location.ledger = write.ledger
        location.accounts.set(key.account, write.account)
        return Effect.as(PubSub.publish(changed, key.location), result)
      }),
    read: (key) =>
      Effect.map(Clock.currentTimeMillis, (nowMillis) =>
        storedAt(key, { sequence: locationOf(key.location).sequence, nowMillis })
      ),
    changes: (location) =>
      Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(changed), (subscription) =>
          Stream.concat(Stream.make(location), Stream.fromQueue(subscription)).pipe(
            Stream.filter((changedLocation) => changedLocation === location),
            Stream.map(() => locationOf(location).sequence)
          )
        )
      ),
    ...tokens
  }
})

/** Made once for the process, even if it has loaded this module twice. */
const ofProcess = Effect.sync(() =>
  globalValue("effect-number-auth/AuthStore/ofProcess", () => Effect.runSync(makeMemory))
)

const atStake =
  "The count of unsuccessful attempts is only in the memory of this process: a restart sets it to zero, so a bad token in a crash loop can lock the location. Use a store that outlives the process (Store.layerConfig of effect-number-auth/store), or makeMemory in a test"

/** The part of Node.js that says whether this is the only thread and the only process. Other platforms have none. */
interface Host {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly getBuiltinModule?: (name: string) => { readonly isMainThread?: boolean } | undefined
}

/** The others that have a memory of their own; null if this is the only one, as far as can be seen. */
const othersOf = (host: Host | undefined): "threads" | "processes of the cluster" | null => {
  if (host?.env?.["NODE_UNIQUE_ID"] !== undefined) return "processes of the cluster"
  return host?.getBuiltinModule?.("node:worker_threads")?.isMainThread === false ? "threads" : null
}

/**
 * The store in memory: one ledger for the whole process, however often the layer is built. For one process that may forget
 * its ledger. **After a restart its count starts at zero, so a crash loop can lock the location.** A warning says so.
 * Threads, and the processes of a cluster, would each have a ledger of their own: that is warned of, too.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<AuthStore> = Layer.effect(
  AuthStore,
  Effect.gen(function* () {
    const others = othersOf((globalThis as { readonly process?: Host }).process)
    const each =
      others === null
        ? ""
        : ` Other ${others} have another count: six in a row come together from all of them.`
    yield* Effect.logWarning(`${atStake}.${each}`)
    return yield* ofProcess
  })
)
