/**
 * Sealing a store anew, under another key.
 */
import { SqlClient } from "@effect/sql"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { emptyAccountRecord } from "../../../../src/schemas/StoredRecord.js"
import type * as AuthStore from "../../../../src/services/store/AuthStore.js"
import * as Rekey from "../../../../src/services/store/rekey.js"
import { idOf, key, other, otherToken, ring } from "../../../support/secrets.js"
import { onSql, sqlInMemory } from "../../../support/sqlInMemory.js"
import { goodToken } from "../../../support/stack.js"
import { authenticated, elsewhere, ledger, plain, tokenOf, write } from "../../../support/stored.js"

describe("sealing a store anew", () => {
  const rekey = (sql: SqlClient.SqlClient, options: Rekey.RekeyOptions) =>
    Effect.provideService(Rekey.rekeySql(options), SqlClient.SqlClient, sql)

  const filled = Effect.gen(function* () {
    const sql = yield* sqlInMemory
    const one = yield* onSql(sql)
    yield* write(one)
    yield* one.writeToken(key, tokenOf(goodToken))
    const two = yield* onSql(sql, { storeKey: ring(2) })
    yield* write(two, other)
    yield* two.writeToken(other, tokenOf(otherToken))
    return sql
  })

  it.scoped("counts the resealed and the unchanged secrets, and changes nothing else", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      // An account without a session has nothing to be sealed.
      yield* (yield* onSql(sql)).transact(elsewhere, () => [
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
      const store = yield* onSql(sql, { storeKey: ring(2) })
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

  it.scoped("reseals all records that it can, then counts the others and names the first of them", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      const error = yield* Effect.flip(rekey(sql, { storeKey: ring(3, 1) }))
      assert.strictEqual(error.reason, "unreadable")
      for (const part of [
        "2 of 4 records cannot be read and were not changed",
        `the others are sealed under the key with id ${idOf(3)}`,
        `The first error: the session key of account ${other.account} at location default is sealed under the store key with id ${idOf(2)}`
      ]) {
        assert.include(error.detail, part)
      }
      assert.match(error.advice!, new RegExp(`^Supply the store key with id ${idOf(2)}: as`))
      const store = yield* onSql(sql, { storeKey: ring(3) })
      assert.deepStrictEqual(plain((yield* store.read(key)).account), plain(authenticated))
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.readToken(key))), goodToken)
    })
  )

  it.scoped("discards, if asked to, the sessions and tokens that no key opens, and nothing else", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      assert.deepStrictEqual(yield* rekey(sql, { storeKey: ring(3, 1), discard: true }), {
        keyId: idOf(3),
        resealed: 2,
        unchanged: 0,
        discarded: 2
      })
      const store = yield* onSql(sql, { storeKey: ring(3) })
      const { account, ledger: its } = yield* store.read(other)
      assert.deepStrictEqual(plain(account), { ...authenticated, sessionKey: null })
      assert.deepStrictEqual(its, ledger)
      assert.isTrue(Option.isNone(yield* store.readToken(other)))
      assert.deepStrictEqual(plain((yield* store.read(key)).account), plain(authenticated))
    })
  )

  it.scoped("leaves damaged records as they are, even if it may discard, and says so", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      yield* sql`UPDATE number_auth_account SET document = '{' WHERE account = ${key.account}`
      yield* sql`UPDATE number_auth_token SET document = '{' WHERE account = ${key.account}`
      const error = yield* Effect.flip(rekey(sql, { storeKey: ring(2), discard: true }))
      assert.match(
        error.detail,
        /^2 of 4 records cannot be read .* The first error: the record of the account is damaged or was written/
      )
      assert.deepStrictEqual(
        yield* sql`SELECT document FROM number_auth_token WHERE account = ${key.account}`,
        [{ document: "{" }]
      )
    })
  )

  it.scoped("reports a damaged token if the account's record is not damaged", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      yield* sql`UPDATE number_auth_token SET document = '{' WHERE account = ${key.account}`
      const error = yield* Effect.flip(rekey(sql, { storeKey: ring(2, 1) }))
      assert.match(
        error.detail,
        /^1 of 4 .* The first error: the token of the account is damaged or was written/
      )
    })
  )

  it.scoped("counts a record as unchanged if it is gone when its turn comes", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      // Another process deletes them as soon as this one begins.
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

  it.scoped("ends with the database's failure if the database fails", () =>
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
