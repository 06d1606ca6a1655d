/**
 * What every store promises, in memory and in a database; its words, and what it writes.
 */
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  ConfigError,
  ConfigProvider,
  Context,
  Effect,
  Either,
  Exit,
  Layer,
  Logger,
  Option,
  Redacted
} from "effect"
import { Fiber, PubSub, Stream, TestClock } from "effect"
import type { Location, Token } from "../../../src/schemas/Credentials.js"
import {
  type AccountRecord,
  emptyAccountRecord,
  emptyLedgerRecord
} from "../../../src/schemas/StoredRecord.js"
import * as AuthStore from "../../../src/services/AuthStore.js"
import { seal } from "../../../src/services/internal/sealing.js"
import { assertShowsNone } from "../../support/leaks.js"
import { idOf, key, keyText, other, otherToken, ring } from "../../support/secrets.js"
import { goodToken } from "../../support/stack.js"
import { authenticated, ledger, sessionKey } from "../../support/stored.js"

type Store = AuthStore.AuthStore["Type"]

const elsewhere: AuthStore.AccountKey = { ...key, location: "elsewhere" as Location }
const tokenOf = (text: string): Token => Redacted.make(text) as Token

/** A record with its key in plain sight: assertions take one Redacted for another. */
const plain = ({ sessionKey: redacted, ...record }: AccountRecord) => ({
  ...record,
  sessionKey: redacted === null ? null : Redacted.value(redacted)
})

/** Writes both, and gives the number that was drawn. */
const write = (store: Store, at: AuthStore.AccountKey = key) =>
  store.transact(at, ({ moment }) => [moment.sequence, { ledger, account: authenticated }])

const database = Effect.map(
  Layer.build(SqliteClient.layer({ filename: ":memory:" })),
  Context.get(SqlClient.SqlClient)
)

const onDatabase = (sql: SqlClient.SqlClient, options: AuthStore.SqlOptions = { storeKey: ring(1) }) =>
  Effect.provideService(AuthStore.makeSql(options), SqlClient.SqlClient, sql)

/** What is warned of. */
const warnings = () => {
  const told: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (logLevel.label === "WARN") told.push(String(message))
  })
  return { told, layer: Logger.replace(Logger.defaultLogger, logger) }
}

describe.each([
  ["memory", AuthStore.makeMemory],
  ["a database", Effect.flatMap(database, (sql) => onDatabase(sql))]
] as const)("a store in %s", (_, makeStore) => {
  it.scoped("has nothing at first, as of now", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const store = yield* makeStore
      assert.deepStrictEqual(yield* store.read(key), {
        moment: { sequence: 0, nowMillis: 1_700_000_000_000 },
        ledger: emptyLedgerRecord,
        account: emptyAccountRecord
      })
      assert.isTrue(Option.isNone(yield* store.readToken(key)))
    })
  )

  it.scoped("draws the next number of the location for each transaction that writes, and for no other", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      yield* TestClock.setTime(7000)
      const seen: Array<unknown> = []
      for (const at of [key, other, elsewhere, key]) {
        assert.strictEqual(
          yield* store.transact(at, (stored) => {
            seen.push(stored.moment)
            return ["looked", null]
          }),
          "looked"
        )
        seen.push(yield* write(store, at))
      }
      const at = (sequence: number) => [{ sequence, nowMillis: 7000 }, sequence]
      assert.deepStrictEqual(seen, [at(1), at(2), at(1), at(3)].flat())
      assert.strictEqual((yield* store.read(other)).moment.sequence, 3)
    })
  )

  it.scoped("hands a transaction what was written, the ledger to all accounts and a record to its own", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      yield* write(store)
      const seen = (at: AuthStore.AccountKey) =>
        Effect.map(
          store.transact(at, (stored) => [stored, null]),
          ({ account, ledger: its }) => [its, plain(account)]
        )
      const read = (at: AuthStore.AccountKey) =>
        Effect.map(store.read(at), ({ account, ledger: its }) => [its, plain(account)])
      for (const look of [seen, read]) {
        assert.deepStrictEqual(yield* look(key), [ledger, plain(authenticated)])
        assert.deepStrictEqual(yield* look(other), [ledger, plain(emptyAccountRecord)])
        assert.deepStrictEqual(yield* look(elsewhere), [emptyLedgerRecord, plain(emptyAccountRecord)])
      }
    })
  )

  it.scoped("dies of what a decision throws, and writes nothing", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      const mistake = new Error("a mistake")
      const exit = yield* Effect.exit(
        store.transact(key, () => {
          throw mistake
        })
      )
      assert(Exit.isFailure(exit))
      assert.strictEqual(Option.getOrNull(Cause.dieOption(exit.cause)), mistake)
      assert.strictEqual((yield* store.read(key)).moment.sequence, 0)
      assert.strictEqual(yield* write(store), 1)
    })
  )

  it.scoped("keeps a token for each account at each location, in place of the one before", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      yield* store.writeToken(key, tokenOf(goodToken))
      yield* store.writeToken(elsewhere, tokenOf(otherToken))
      const kept = (at: AuthStore.AccountKey) =>
        Effect.map(store.readToken(at), (token) => Option.getOrNull(Option.map(token, Redacted.value)))
      assert.deepStrictEqual(
        [yield* kept(key), yield* kept(other), yield* kept(elsewhere)],
        [goodToken, null, otherToken]
      )
      yield* store.writeToken(key, tokenOf(otherToken))
      assert.strictEqual(yield* kept(key), otherToken)
    })
  )

  it.scoped("tells of the number that a location has drawn, now and when it has drawn another", () =>
    Effect.gen(function* () {
      const store = yield* makeStore
      yield* write(store)
      const seen: Array<number> = []
      yield* Effect.fork(
        Stream.runForEach(store.changes(key.location), (sequence) => Effect.sync(() => seen.push(sequence)))
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [1])
      yield* write(store, elsewhere)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [1])
      yield* write(store, other)
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(seen, [1, 2])
    })
  )
})

describe("a store in a database", () => {
  it.scoped(
    "looks for changes every 200 milliseconds, or as often as it is told, or when it is notified",
    () =>
      Effect.gen(function* () {
        const sql = yield* database
        const notified = yield* PubSub.unbounded<Location>()
        const watch = (options: Omit<AuthStore.SqlOptions, "storeKey">) =>
          Effect.gen(function* () {
            const seen: Array<number> = []
            const store = yield* onDatabase(sql, { storeKey: ring(1), ...options })
            yield* Effect.fork(
              Stream.runForEach(store.changes(key.location), (sequence) =>
                Effect.sync(() => seen.push(sequence))
              )
            )
            return seen
          })
        const usual = yield* watch({})
        const seldom = yield* watch({ pollInterval: "2 seconds" })
        const told = yield* watch({
          pollInterval: "1 hour",
          notifications: (location) =>
            Stream.filter(Stream.fromPubSub(notified), (changed) => changed === location)
        })
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual([usual, seldom, told], [[0], [0], [0]])
        yield* write(yield* onDatabase(sql))
        yield* TestClock.adjust("198 millis")
        assert.deepStrictEqual(usual, [0])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual([usual, seldom, told], [[0, 1], [0], [0]])
        yield* PubSub.publish(notified, elsewhere.location)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(told, [0])
        yield* PubSub.publish(notified, key.location)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual([usual, seldom, told], [[0, 1], [0], [0, 1]])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(seldom, [0, 1])
        // What has not changed is not told of again.
        assert.deepStrictEqual(usual, [0, 1])
      })
  )

  it.scoped("is quiet about changes while it is away, and speaks again when it is back", () =>
    Effect.gen(function* () {
      const sql = yield* database
      const store = yield* onDatabase(sql)
      yield* write(store)
      const seen: Array<number> = []
      const watching = yield* Effect.fork(
        Stream.runForEach(store.changes(key.location), (sequence) => Effect.sync(() => seen.push(sequence)))
      )
      yield* TestClock.adjust("1 second")
      yield* sql`ALTER TABLE number_auth_ledger RENAME TO away`
      yield* TestClock.adjust("1 second")
      assert.isNull(watching.unsafePoll())
      yield* sql`ALTER TABLE away RENAME TO number_auth_ledger`
      yield* write(store)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [1, 2])
      yield* Fiber.interrupt(watching)
    })
  )

  it.scoped("writes no more than what a transaction changed", () =>
    Effect.gen(function* () {
      const sql = yield* database
      const store = yield* onDatabase(sql)
      yield* store.transact(key, ({ account, ledger: its }) => [null, { account, ledger: its }])
      assert.deepStrictEqual(yield* sql`SELECT sequence, document FROM number_auth_ledger`, [
        { sequence: 1, document: null }
      ])
      assert.deepStrictEqual(yield* sql`SELECT * FROM number_auth_account`, [])
      yield* store.transact(key, ({ account }) => [null, { account, ledger }])
      assert.deepStrictEqual(yield* sql`SELECT * FROM number_auth_account`, [])
      const [{ document }] = (yield* sql<{ document: string }>`SELECT document FROM number_auth_ledger`) as [
        { document: string }
      ]
      assert.deepStrictEqual(JSON.parse(document), ledger)
      yield* store.transact(key, ({ ledger: its }) => [null, { account: authenticated, ledger: its }])
      assert.deepStrictEqual(yield* sql`SELECT sequence, document FROM number_auth_ledger`, [
        { sequence: 3, document }
      ])
    })
  )

  it.scoped("warns once where it has no key, says what that means, and is silent where it has one", () =>
    Effect.gen(function* () {
      const { layer, told } = warnings()
      yield* Effect.flatMap(database, (sql) => onDatabase(sql)).pipe(Effect.provide(layer))
      assert.deepStrictEqual(told, [])
      const store = yield* Effect.flatMap(database, (sql) => onDatabase(sql, {})).pipe(Effect.provide(layer))
      yield* Effect.provide(write(store), layer)
      assert.deepStrictEqual(told, [
        "NUMBER_STORE_KEY is not set: session keys and tokens are not stored, and each process, and each start of one, makes an attempt of its own to obtain a session. The store holds the count, the state and fingerprints. To share one session, set NUMBER_STORE_KEY to the base64 of 32 random bytes wherever the store is used."
      ])
    })
  )

  it.scoped("without a key keeps tokens and session keys in the memory of this process", () =>
    Effect.gen(function* () {
      const sql = yield* database
      const { layer } = warnings()
      const store = yield* Effect.provide(onDatabase(sql, {}), layer)
      yield* write(store)
      yield* store.writeToken(key, tokenOf(goodToken))
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.readToken(key))), goodToken)
      assert.deepStrictEqual(plain((yield* store.read(key)).account), plain(authenticated))
      assert.deepStrictEqual(yield* sql`SELECT * FROM number_auth_token`, [])
      const another = yield* Effect.provide(onDatabase(sql, {}), layer)
      assert.isTrue(Option.isNone(yield* another.readToken(key)))
      assert.isNull((yield* another.read(key)).account.sessionKey)
    })
  )

  it.scoped("has the key that is configured", () =>
    Effect.gen(function* () {
      const sql = yield* database
      const { layer, told } = warnings()
      const store = yield* Layer.build(AuthStore.layerSql).pipe(
        Effect.map(Context.get(AuthStore.AuthStore)),
        Effect.provideService(SqlClient.SqlClient, sql),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NUMBER_STORE_KEY", keyText(2)]]))),
        Effect.provide(layer)
      )
      yield* write(store)
      assert.deepStrictEqual(told, [])
      assert.deepStrictEqual(
        plain((yield* (yield* onDatabase(sql, { storeKey: ring(2) })).read(key)).account),
        plain(authenticated)
      )
    })
  )

  it.scoped("says what is damaged, and shows nothing of it", () =>
    Effect.gen(function* () {
      for (const [table, what] of [
        ["number_auth_ledger", "ledger of the location"],
        ["number_auth_account", "record of the account"],
        ["number_auth_token", "token of the account"]
      ] as const) {
        const sql = yield* database
        const store = yield* onDatabase(sql)
        yield* write(store)
        yield* store.writeToken(key, tokenOf(goodToken))
        yield* sql`UPDATE ${sql(table)} SET document = ${`{"torn":"${sessionKey}`}`
        const error = yield* Effect.flip(
          table === "number_auth_token" ? store.readToken(key) : Effect.asVoid(store.read(key))
        )
        assert.deepInclude(error, {
          reason: "unreadable",
          detail: `the ${what} is damaged or was written by another version of this library`
        })
        assertShowsNone(error, sessionKey)
      }
    })
  )

  it.scoped("says which key a secret is sealed under, which were supplied, and what to do without it", () =>
    Effect.gen(function* () {
      const sql = yield* database
      const store = yield* onDatabase(sql)
      yield* write(store)
      yield* store.writeToken(key, tokenOf(goodToken))
      const supply = `Supply the store key with id ${idOf(1)}: as NUMBER_STORE_KEY, or in NUMBER_STORE_KEY_OLD if it was replaced. Where it is lost, `
      const things = [
        [
          "session key",
          (from: Store) => from.read(key),
          "number-auth rekey --discard gives up the sealed session, and the next login makes an attempt; the count and what was refused stay as they are"
        ],
        [
          "token",
          (from: Store) => from.readToken(key),
          "number-auth rekey --discard gives up the sealed token, which then has to be supplied again; the count and what was refused stay as they are"
        ]
      ] as const
      for (const [name, use, discard] of things) {
        const whose = `the ${name} of account ${key.account} at location default`
        const unknown = yield* Effect.flip<unknown, AuthStore.AuthStoreError, never>(
          use(yield* onDatabase(sql, { storeKey: ring(2, 3) }))
        )
        assert.deepInclude(unknown, {
          reason: "unreadable",
          detail: `${whose} is sealed under the store key with id ${idOf(1)}, which was not supplied (supplied: ${idOf(2)}, ${idOf(3)})`,
          advice: supply + discard
        })
        // The other account's, which opens nowhere else.
        yield* write(store, other)
        yield* store.writeToken(other, tokenOf(otherToken))
        const table = sql(name === "token" ? "number_auth_token" : "number_auth_account")
        yield* sql`UPDATE ${table} SET document = (SELECT document FROM ${table} WHERE account = ${other.account})
          WHERE account = ${key.account}`
        const broken = yield* Effect.flip<unknown, AuthStore.AuthStoreError, never>(
          use(yield* onDatabase(sql))
        )
        assert.deepInclude(broken, {
          reason: "unreadable",
          detail: `${whose} is not as it was sealed: the record is torn, was changed, or belongs to another account`,
          advice: `Find out what changed the store. Then ${discard}`
        })
      }
      // Without any key at all.
      const none = yield* Effect.flip(
        Effect.flatMap(onDatabase(sql, {}), (keyless) => keyless.read(other)).pipe(
          Effect.provide(warnings().layer)
        )
      )
      assert.include(none.detail, `which was not supplied (supplied: none)`)
    })
  )
})

describe("what is stored", () => {
  it.scoped("is sealed as what it is, for ever: other versions find it by that", () =>
    Effect.gen(function* () {
      const sql = yield* database
      const store = yield* onDatabase(sql)
      const sealed = (what: "sessionKey" | "token", generation: number | null, text: string) =>
        seal(ring(1), { ...key, what, generation }, Redacted.make(text))
      const record = {
        version: 2,
        state: "authenticated",
        context: authenticated.context,
        sessionKey: yield* sealed("sessionKey", 1, sessionKey)
      }
      yield* sql`INSERT INTO number_auth_ledger (location, sequence) VALUES (${key.location}, 1)`
      yield* sql`INSERT INTO number_auth_account VALUES (${key.location}, ${key.account}, ${JSON.stringify(record)})`
      const token = (text: string) =>
        Effect.flatMap(
          sealed("token", null, text),
          (box) => sql`INSERT OR REPLACE INTO number_auth_token
            VALUES (${key.location}, ${key.account}, ${JSON.stringify({ version: 1, token: box })})`
        )
      yield* token(goodToken)
      assert.deepStrictEqual(plain((yield* store.read(key)).account), plain(authenticated))
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.readToken(key))), goodToken)
      // What opens, and is no token, was not sealed by this library.
      yield* token("no token")
      const error = yield* Effect.flip(store.readToken(key))
      assert.strictEqual(error.reason, "unreadable")
      assert.include(error.detail, "is not as it was sealed")
      assertShowsNone(error, "no token")
    })
  )

  it.scoped("is rolled back where the commit fails, which is told of, and the store goes on", () =>
    Effect.gen(function* () {
      const sql = yield* database
      const store = yield* onDatabase(sql)
      yield* write(store)
      yield* sql`CREATE TABLE parent (id INTEGER PRIMARY KEY)`
      yield* sql`CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`
      yield* sql`CREATE TRIGGER orphan AFTER UPDATE ON number_auth_ledger BEGIN INSERT INTO child VALUES (1); END`
      yield* sql`PRAGMA foreign_keys = ON`
      const error = yield* Effect.flip(write(store))
      assert.deepInclude(error, {
        reason: "unavailable",
        detail: "the database said SQLITE_CONSTRAINT_FOREIGNKEY"
      })
      yield* sql`DROP TRIGGER orphan`
      assert.strictEqual((yield* store.read(key)).moment.sequence, 1)
      assert.strictEqual(yield* write(store), 2)
    })
  )
})

describe("the keys that are configured", () => {
  const read = (values: Readonly<Record<string, string>>) =>
    Effect.either(
      Effect.withConfigProvider(
        AuthStore.configuredKeyRing,
        ConfigProvider.fromMap(new Map(Object.entries(values)))
      )
    )

  it.effect("are a ring, or none; what is wrong with them is said without them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), Either.right(undefined))
      const both = yield* read({ NUMBER_STORE_KEY: keyText(1), NUMBER_STORE_KEY_OLD: keyText(2) })
      assert(Either.isRight(both) && both.right !== undefined)
      assert.deepStrictEqual(
        [both.right.current.id, both.right.older.map(({ id }) => id)],
        [idOf(1), [idOf(2)]]
      )
      for (const name of ["NUMBER_STORE_KEY", "NUMBER_STORE_KEY_OLD"]) {
        const error = yield* Effect.flip(yield* read({ [name]: "no key" }))
        assert.deepInclude(error, {
          reason: "misconfigured",
          detail: `${name} does not have the form it should have: the base64 of 32 random bytes, as openssl rand -base64 32 prints them; NUMBER_STORE_KEY_OLD may hold several, separated by commas`
        })
      }
      const older = yield* Effect.flip(yield* read({ NUMBER_STORE_KEY_OLD: keyText(2) }))
      assert.deepInclude(older, {
        reason: "misconfigured",
        detail: "NUMBER_STORE_KEY_OLD is set, and NUMBER_STORE_KEY is not",
        advice:
          "Set NUMBER_STORE_KEY, too, or take NUMBER_STORE_KEY_OLD away where nothing is sealed under it"
      })
    })
  )

  it.effect("are misconfigured by the first name where what they come from cannot be asked", () =>
    Effect.gen(function* () {
      const away = ConfigProvider.make({
        load: () => Effect.fail(ConfigError.SourceUnavailable([], keyText(1), Cause.empty)),
        flattened: ConfigProvider.fromMap(new Map()).flattened
      })
      const error = yield* Effect.flip(Effect.withConfigProvider(AuthStore.configuredKeys, away))
      assert.strictEqual(error.reason, "misconfigured")
      assert.match(error.detail, /^NUMBER_STORE_KEY does not have/)
      assertShowsNone(error, keyText(1))
    })
  )
})

describe("sealing a store anew", () => {
  const rekey = (sql: SqlClient.SqlClient, options: AuthStore.RekeyOptions) =>
    Effect.provideService(AuthStore.rekeySql(options), SqlClient.SqlClient, sql)

  const filled = Effect.gen(function* () {
    const sql = yield* database
    const one = yield* onDatabase(sql)
    yield* write(one)
    yield* one.writeToken(key, tokenOf(goodToken))
    const two = yield* onDatabase(sql, { storeKey: ring(2) })
    yield* write(two, other)
    yield* two.writeToken(other, tokenOf(otherToken))
    return sql
  })

  it.scoped("tells how many were sealed anew and how many were already, and changes nothing else", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      // An account without a session has nothing to be sealed.
      yield* (yield* onDatabase(sql)).transact(elsewhere, () => [
        null,
        { ledger, account: { ...emptyAccountRecord } }
      ])
      const before = yield* sql`SELECT document FROM number_auth_account WHERE location = 'elsewhere'`
      assert.deepStrictEqual(yield* rekey(sql, { storeKey: ring(2, 1) }), {
        keyId: idOf(2),
        resealed: 2,
        unchanged: 3,
        discarded: 0
      })
      assert.deepStrictEqual(
        yield* sql`SELECT document FROM number_auth_account WHERE location = 'elsewhere'`,
        before
      )
      const store = yield* onDatabase(sql, { storeKey: ring(2) })
      const kept: ReadonlyArray<readonly [AuthStore.AccountKey, string]> = [
        [key, goodToken],
        [other, otherToken]
      ]
      for (const [at, token] of kept) {
        assert.deepStrictEqual(plain((yield* store.read(at)).account), plain(authenticated))
        assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.readToken(at))), token)
      }
    })
  )

  it.scoped("does all that can be done, and then says what could not, and names the first", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      const error = yield* Effect.flip(rekey(sql, { storeKey: ring(3, 1) }))
      assert.deepInclude(error, {
        reason: "unreadable",
        detail: `2 of 4 records were left as they are, the others are sealed under the key with id ${idOf(3)}. The first: the session key of account ${other.account} at location default is sealed under the store key with id ${idOf(2)}, which was not supplied (supplied: ${idOf(3)}, ${idOf(1)})`
      })
      assert.match(error.advice!, new RegExp(`^Supply the store key with id ${idOf(2)}: as`))
      const store = yield* onDatabase(sql, { storeKey: ring(3) })
      assert.deepStrictEqual(plain((yield* store.read(key)).account), plain(authenticated))
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.readToken(key))), goodToken)
    })
  )

  it.scoped("gives up what no key opens, if it is told to: the session and the token, and nothing else", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      assert.deepStrictEqual(yield* rekey(sql, { storeKey: ring(3, 1), discard: true }), {
        keyId: idOf(3),
        resealed: 2,
        unchanged: 0,
        discarded: 2
      })
      const store = yield* onDatabase(sql, { storeKey: ring(3) })
      const { account, ledger: its } = yield* store.read(other)
      assert.deepStrictEqual(plain(account), { ...authenticated, sessionKey: null })
      assert.deepStrictEqual(its, ledger)
      assert.isTrue(Option.isNone(yield* store.readToken(other)))
      assert.deepStrictEqual(plain((yield* store.read(key)).account), plain(authenticated))
    })
  )

  it.scoped("leaves what is damaged as it is, also where it may give up, and says so", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      yield* sql`UPDATE number_auth_account SET document = '{' WHERE account = ${key.account}`
      yield* sql`UPDATE number_auth_token SET document = '{' WHERE account = ${key.account}`
      const error = yield* Effect.flip(rekey(sql, { storeKey: ring(2), discard: true }))
      assert.match(
        error.detail,
        /^2 of 4 records were left .* The first: the record of the account is damaged or was written/
      )
      assert.deepStrictEqual(
        yield* sql`SELECT document FROM number_auth_token WHERE account = ${key.account}`,
        [{ document: "{" }]
      )
    })
  )

  it.scoped("says of a token alone that it is damaged, and leaves it", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      yield* sql`UPDATE number_auth_token SET document = '{' WHERE account = ${key.account}`
      const error = yield* Effect.flip(rekey(sql, { storeKey: ring(2, 1) }))
      assert.match(error.detail, /^1 of 4 .* The first: the token of the account is damaged or was written/)
    })
  )

  it.scoped("counts as unchanged what is gone when its turn comes", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      // Another process takes them away as soon as this one begins.
      yield* sql`CREATE TRIGGER gone AFTER UPDATE OF sequence ON number_auth_ledger BEGIN
        DELETE FROM number_auth_account;
        DELETE FROM number_auth_token;
      END`
      assert.deepStrictEqual(yield* rekey(sql, { storeKey: ring(3, 1, 2) }), {
        keyId: idOf(3),
        resealed: 0,
        unchanged: 4,
        discarded: 0
      })
    })
  )

  it.scoped("ends where the database fails, with that failure", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      yield* sql`CREATE TRIGGER no_more BEFORE UPDATE ON number_auth_account BEGIN SELECT RAISE(ABORT, 'no'); END`
      const error = yield* Effect.flip(rekey(sql, { storeKey: ring(3, 1, 2) }))
      assert.deepInclude(error, {
        reason: "unavailable",
        detail: "the database said SQLITE_CONSTRAINT_TRIGGER"
      })
    })
  )
})
