/**
 * The promises of every store: one contract, for memory, SQLite and PostgreSQL. If an engine cannot keep a
 * promise, its description says so, and then the contract asks for the opposite.
 */
import type { SqlClient } from "@effect/sql"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, type Layer, Option, Redacted, type Scope, Stream } from "effect"
import type { AccountCode, Location } from "../../src/schemas/Credentials.js"
import { emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import type { AccountKey, AuthStore, AuthStoreError } from "../../src/services/store/AuthStore.js"
import { settled } from "./core.js"
import { eventually } from "./eventually.js"
import { key, other, otherToken } from "./secrets.js"
import { goodToken } from "./stack.js"
import { authenticated, draw, elsewhere, ledger, plain, tokenOf, write } from "./stored.js"
import { databaseContract } from "./databaseContract.js"

export type Store = AuthStore["Type"]

/** A place for stores, with nothing in it yet. */
export interface Place {
  /** Opens a store there, as a process does. */
  readonly open: Effect.Effect<Store, AuthStoreError, Scope.Scope>
}

/** A place that can be accessed without the store, too. */
export interface DatabasePlace extends Place {
  /** Runs a statement past the store. */
  readonly sql: (statement: string) => Effect.Effect<ReadonlyArray<Record<string, unknown>>>
  /** A client of the test's own. */
  readonly client: Layer.Layer<SqlClient.SqlClient, unknown>
}

interface AnyEngine {
  readonly name: string
  /** The owner of the clock that moments take their time from. */
  readonly clock: "process" | "database"
  /** How many transactions, and how many readers, come at once. */
  readonly crowd: number
}

/** Keeps its records as long as the store is open, and no other process sees them. */
export interface MemoryEngine extends AnyEngine {
  readonly isDurable: false
  readonly makePlace: Effect.Effect<Place, never, Scope.Scope>
}

/** Keeps its records for every process that opens the place, now or later. */
export interface DatabaseEngine extends AnyEngine {
  readonly isDurable: true
  readonly makePlace: Effect.Effect<DatabasePlace, never, Scope.Scope>
  /** The time within which another process learns of half of all changes. */
  readonly tellsWithinMillis: number
  /** How long it looks for changes more often than it does later. */
  readonly looksOftenMillis: number
}

export type Engine = MemoryEngine | DatabaseEngine

export const opened = (engine: Engine): Effect.Effect<Store, AuthStoreError, Scope.Scope> =>
  Effect.flatMap(engine.makePlace, ({ open }) => open)

/** The sequence numbers of a location's changes, as they come. */
export const watch = (store: Store, location: Location = key.location) => {
  const seen: Array<number> = []
  return store.changes(location).pipe(
    Stream.runForEach((sequence) => Effect.sync(() => seen.push(sequence))),
    Effect.forkScoped,
    Effect.as(seen)
  )
}

const real = Clock.make()
/** Runs an effect at a time that only this process believes in. */
const at =
  (nowMillis: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withClock(
      effect,
      Object.assign(Object.create(real) as Clock.Clock, {
        unsafeCurrentTimeMillis: () => nowMillis,
        currentTimeMillis: Effect.succeed(nowMillis)
      })
    )

const moments = (engine: Engine) => {
  it.scopedLive("is empty at first", () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      assert.deepStrictEqual(yield* at(1_700_000_000_000)(store.read(key)), {
        moment: { sequence: 0, nowMillis: 1_700_000_000_000 },
        ledger: emptyLedgerRecord,
        account: emptyAccountRecord
      })
      assert.isTrue(Option.isNone(yield* store.readToken(key)))
    })
  )

  it.scopedLive(`takes the time from the clock of the ${engine.clock}`, () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      const times = yield* at(7000)(
        Effect.all([
          store.transact(key, ({ moment }) => [moment.nowMillis, { ledger, account: authenticated }]),
          Effect.map(store.read(key), ({ moment }) => moment.nowMillis)
        ])
      )
      if (engine.clock === "process") assert.deepStrictEqual(times, [7000, 7000])
      else for (const time of times) assert.approximately(time, Date.now(), 60_000)
    })
  )

  it.scopedLive("draws the location's next sequence number only for a transaction that writes", () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      const seen: Array<number> = []
      for (const whose of [key, other, elsewhere, key]) {
        const looked = yield* store.transact(whose, ({ moment }) => {
          seen.push(moment.sequence)
          return ["looked", null]
        })
        assert.strictEqual(looked, "looked")
        seen.push(yield* write(store, whose))
      }
      assert.deepStrictEqual(seen, [1, 1, 2, 2, 1, 1, 3, 3])
      assert.strictEqual((yield* store.read(other)).moment.sequence, 3)
      assert.strictEqual((yield* store.read(elsewhere)).moment.sequence, 1)
    })
  )

  it.scopedLive("dies with the error that a decision throws, writes nothing and draws no number", () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      const mistake = new Error("a mistake")
      const exit = yield* Effect.exit(
        store.transact(key, () => {
          throw mistake
        })
      )
      // It is a mistake in the code, and not a store that is away: waiting does not help.
      assert(exit._tag === "Failure" && Cause.isDieType(exit.cause), String(exit))
      assert.strictEqual(exit.cause.defect, mistake)
      assert.strictEqual((yield* store.read(key)).moment.sequence, 0)
      assert.strictEqual(yield* write(store), 1)
    })
  )
}

/** The records that a transaction is handed, and the records that are read. */
const handed = (store: Store, whose: AccountKey): Effect.Effect<ReadonlyArray<unknown>, AuthStoreError> =>
  Effect.map(Effect.all([store.transact(whose, (stored) => [stored, null]), store.read(whose)]), (both) =>
    both.map(({ account, ledger: its }) => [its, plain(account)])
  )

const records = (engine: Engine) => {
  it.scopedLive("keeps a ledger for each location, and under it a record for each account", () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      const nowhere: AccountKey = { ...key, location: "nowhere" as Location }
      yield* draw(store, elsewhere)
      yield* write(store)
      const none = plain(emptyAccountRecord)
      const drawn = { ...emptyLedgerRecord, marks: [settled(1, 1)] }
      for (const [whose, both] of [
        [key, [ledger, plain(authenticated)]],
        [other, [ledger, none]],
        [elsewhere, [drawn, none]],
        [nowhere, [emptyLedgerRecord, none]]
      ] as const) {
        assert.deepStrictEqual(yield* handed(store, whose), [both, both])
      }
      yield* draw(store, other)
      const { account, ledger: its } = yield* store.read(key)
      assert.deepStrictEqual(plain(account), plain(authenticated))
      assert.deepStrictEqual(
        its.marks.map(({ attempt }) => attempt),
        [2]
      )
    })
  )

  it.scopedLive("keeps one token for each account at each location: a new token replaces the old", () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      yield* store.writeToken(key, tokenOf(goodToken))
      yield* store.writeToken(elsewhere, tokenOf(otherToken))
      const kept = (whose: AccountKey) =>
        Effect.map(store.readToken(whose), (token) => Option.getOrNull(Option.map(token, Redacted.value)))
      assert.deepStrictEqual(
        [yield* kept(key), yield* kept(other), yield* kept(elsewhere)],
        [goodToken, null, otherToken]
      )
      yield* store.writeToken(key, tokenOf(otherToken))
      assert.strictEqual(yield* kept(key), otherToken)
    })
  )

  it.scopedLive("emits the latest sequence number of a location, at first and after each change", () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      yield* write(store)
      const seen = yield* watch(store)
      yield* eventually(Effect.sync(() => seen.length > 0))
      assert.deepStrictEqual(seen, [1])
      yield* write(store, elsewhere)
      yield* write(store, other)
      yield* eventually(Effect.sync(() => seen.length > 1))
      assert.deepStrictEqual(seen, [1, 2])
    })
  )

  it.scopedLive(`serves ${engine.crowd} transactions that come at once in turn, and as many readers`, () =>
    Effect.gen(function* () {
      const store = yield* opened(engine)
      const crowd = Array.from({ length: engine.crowd }, (_, n) => n)
      const codeOf = (n: number) => `EP${String(n % 50).padStart(7, "0")}` as AccountCode
      const [sequences] = yield* Effect.all(
        [
          Effect.forEach(crowd, (n) => draw(store, { ...key, account: codeOf(n) }), {
            concurrency: "unbounded"
          }),
          Effect.forEach(crowd, () => store.read(key), { concurrency: "unbounded" })
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        [...sequences].sort((one, two) => one - two),
        crowd.map((n) => n + 1)
      )
    })
  )
}

const reopening = (engine: Engine) => {
  const title = engine.isDurable
    ? "is durable: after reopening, ledger, record and token are there, and the numbers go on"
    : "has forgotten everything when it is opened again, and counts from zero"
  it.scopedLive(title, () =>
    Effect.gen(function* () {
      const { open } = yield* engine.makePlace
      yield* Effect.scoped(
        Effect.flatMap(open, (store) =>
          Effect.zipRight(write(store), store.writeToken(key, tokenOf(goodToken)))
        )
      )
      const store = yield* open
      const { account, ledger: its, moment } = yield* store.read(key)
      const token: string | null = Option.getOrNull(Option.map(yield* store.readToken(key), Redacted.value))
      assert.deepStrictEqual(
        { sequence: moment.sequence, ledger: its, account: plain(account), token },
        engine.isDurable
          ? { sequence: 1, ledger, account: plain(authenticated), token: goodToken }
          : { sequence: 0, ledger: emptyLedgerRecord, account: plain(emptyAccountRecord), token: null }
      )
      assert.strictEqual(yield* draw(store), engine.isDurable ? 2 : 1)
    })
  )
}

/** Tests on an engine every promise of a store. */
export const storeContract = (engine: Engine): void => {
  describe(`a store in ${engine.name}`, () => {
    moments(engine)
    records(engine)
    reopening(engine)
    if (engine.isDurable) databaseContract(engine)
  })
}
