/**
 * The secrets that a store seals under its keys, its errors if a key is missing, and the source of its keys.
 */
import { SqlClient } from "@effect/sql"
import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigError, ConfigProvider, Context, Effect, Either, Layer, Option, Redacted } from "effect"
import * as AuthStore from "../../../../src/services/store/AuthStore.js"
import * as SqlStore from "../../../../src/services/store/SqlStore.js"
import { seal } from "../../../../src/services/store/sql/sealing.js"
import { assertShowsNone } from "../../../support/leaks.js"
import { idOf, key, keyText, other, otherToken, ring } from "../../../support/secrets.js"
import { onSql, sqlInMemory, warnings } from "../../../support/sqlInMemory.js"
import { goodToken } from "../../../support/stack.js"
import type { Store } from "../../../support/storeContract.js"
import { authenticated, plain, sessionKey, tokenOf, write } from "../../../support/stored.js"

const assertSays = (text: string | undefined, ...parts: ReadonlyArray<string>): void => {
  for (const part of parts) assert.include(text, part)
}

describe("a store in a database", () => {
  it.scoped("warns once if it has no key, with the consequences, and is silent if it has one", () =>
    Effect.gen(function* () {
      const { layer, texts } = warnings()
      yield* Effect.flatMap(sqlInMemory, (sql) => onSql(sql)).pipe(Effect.provide(layer))
      assert.deepStrictEqual(texts, [])
      const store = yield* Effect.flatMap(sqlInMemory, (sql) => onSql(sql, {})).pipe(Effect.provide(layer))
      yield* Effect.provide(write(store), layer)
      assert.lengthOf(texts, 1)
      assertSays(texts[0], "NUMBER_STORE_KEY is not set", "makes an attempt of its own", "32 random bytes")
    })
  )

  it.scoped("keeps tokens and session keys in the memory of this process if it has no key", () =>
    Effect.gen(function* () {
      const sql = yield* sqlInMemory
      const { layer } = warnings()
      const store = yield* Effect.provide(onSql(sql, {}), layer)
      yield* write(store)
      yield* store.writeToken(key, tokenOf(goodToken))
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.readToken(key))), goodToken)
      assert.deepStrictEqual(plain((yield* store.read(key)).account), plain(authenticated))
      assert.deepStrictEqual(yield* sql`SELECT * FROM number_auth_token`, [])
      const another = yield* Effect.provide(onSql(sql, {}), layer)
      assert.isTrue(Option.isNone(yield* another.readToken(key)))
      assert.isNull((yield* another.read(key)).account.sessionKey)
    })
  )

  it.scoped("seals under the configured key", () =>
    Effect.gen(function* () {
      const sql = yield* sqlInMemory
      const { layer, texts } = warnings()
      const store = yield* Layer.build(SqlStore.layer).pipe(
        Effect.map(Context.get(AuthStore.AuthStore)),
        Effect.provideService(SqlClient.SqlClient, sql),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NUMBER_STORE_KEY", keyText(2)]]))),
        Effect.provide(layer)
      )
      yield* write(store)
      assert.deepStrictEqual(texts, [])
      assert.deepStrictEqual(
        plain((yield* (yield* onSql(sql, { storeKey: ring(2) })).read(key)).account),
        plain(authenticated)
      )
    })
  )

  it.scoped("names the damaged record, and shows nothing of it", () =>
    Effect.gen(function* () {
      for (const [table, record] of [
        ["number_auth_ledger", "ledger of the location"],
        ["number_auth_account", "record of the account"],
        ["number_auth_token", "token of the account"]
      ] as const) {
        const sql = yield* sqlInMemory
        const store = yield* onSql(sql)
        yield* write(store)
        yield* store.writeToken(key, tokenOf(goodToken))
        yield* sql`UPDATE ${sql(table)} SET document = ${`{"torn":"${sessionKey}`}`
        const error = yield* Effect.flip(
          table === "number_auth_token" ? store.readToken(key) : Effect.asVoid(store.read(key))
        )
        assert.deepInclude(error, {
          reason: "unreadable",
          detail: `the ${record} is damaged or was written by another version of this library`
        })
        assertShowsNone(error, sessionKey)
      }
    })
  )

  it.scoped("names the key that a secret is sealed under, the supplied keys, and the next step", () =>
    Effect.gen(function* () {
      const sql = yield* sqlInMemory
      const store = yield* onSql(sql)
      yield* write(store)
      yield* store.writeToken(key, tokenOf(goodToken))
      const things = [
        ["session key", (from: Store) => from.read(key), ["deletes the sealed session", "makes an attempt"]],
        ["token", (from: Store) => from.readToken(key), ["deletes the sealed token", "supplied again"]]
      ] as const
      const failing = (
        use: (from: Store) => Effect.Effect<unknown, AuthStore.AuthStoreError>,
        ...keys: Array<number>
      ) => Effect.flatMap(onSql(sql, { storeKey: ring(...keys) }), (from) => Effect.flip(use(from)))
      for (const [name, use, discard] of things) {
        const label = `the ${name} of account ${key.account} at location default`
        const unknown = yield* failing(use, 2, 3)
        assert.strictEqual(unknown.reason, "unreadable")
        const supplied = `not supplied (supplied: ${idOf(2)}, ${idOf(3)})`
        assertSays(unknown.detail, label, `sealed under the store key with id ${idOf(1)}`, supplied)
        assertSays(unknown.advice, `Supply the store key with id ${idOf(1)}`, ...discard, "count")
        // The other account's secret, which opens nowhere else.
        yield* write(store, other)
        yield* store.writeToken(other, tokenOf(otherToken))
        const table = sql(name === "token" ? "number_auth_token" : "number_auth_account")
        yield* sql`UPDATE ${table} SET document = (SELECT document FROM ${table} WHERE account = ${other.account})
          WHERE account = ${key.account}`
        const broken = yield* failing(use, 1)
        assert.strictEqual(broken.reason, "unreadable")
        assertSays(broken.detail, label, "does not open")
        assertSays(broken.advice, "Find out what changed the store", ...discard)
      }
      // Without any key at all.
      const none = yield* Effect.flip(
        Effect.flatMap(onSql(sql, {}), (keyless) => keyless.read(other)).pipe(
          Effect.provide(warnings().layer)
        )
      )
      assertSays(none.detail, "not supplied (supplied: none)")
    })
  )
})

describe("a stored secret", () => {
  it.scoped("is sealed under its identity, in the same form for ever, so that other versions open it", () =>
    Effect.gen(function* () {
      const sql = yield* sqlInMemory
      const store = yield* onSql(sql)
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
      // A secret that opens and is no token was not sealed by this library.
      yield* token("no token")
      const error = yield* Effect.flip(store.readToken(key))
      assert.strictEqual(error.reason, "unreadable")
      assert.include(error.detail, "does not open")
      assertShowsNone(error, "no token")
    })
  )
})

describe("the configured keys", () => {
  const read = (values: Readonly<Record<string, string>>) =>
    Effect.either(
      Effect.withConfigProvider(
        SqlStore.configuredKeyRing,
        ConfigProvider.fromMap(new Map(Object.entries(values)))
      )
    )

  it.effect("are a ring, or undefined if not set; the errors name the wrong variable", () =>
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
        assert.strictEqual(error.reason, "misconfigured")
        assertSays(error.detail, `${name} is malformed`, "the base64 of 32 random bytes")
      }
      const older = yield* Effect.flip(yield* read({ NUMBER_STORE_KEY_OLD: keyText(2) }))
      assert.strictEqual(older.reason, "misconfigured")
      assertSays(older.detail, "NUMBER_STORE_KEY_OLD is set, and NUMBER_STORE_KEY is not")
      assertSays(older.advice, "Set NUMBER_STORE_KEY too")
    })
  )

  it.effect("are misconfigured, by the first variable's name, if their source is unavailable", () =>
    Effect.gen(function* () {
      const away = ConfigProvider.make({
        load: () => Effect.fail(ConfigError.SourceUnavailable([], keyText(1), Cause.empty)),
        flattened: ConfigProvider.fromMap(new Map()).flattened
      })
      const error = yield* Effect.flip(Effect.withConfigProvider(SqlStore.configuredKeys, away))
      assert.strictEqual(error.reason, "misconfigured")
      assert.match(error.detail, /^NUMBER_STORE_KEY is malformed/)
      assertShowsNone(error, keyText(1))
    })
  )
})
