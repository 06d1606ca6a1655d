/**
 * Secrets in a SQLite store, on real files.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Error as PlatformError, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Deferred, Effect, Either, Fiber, Layer, Option, Redacted } from "effect"
import type { Token } from "../../src/schemas/Credentials.js"
import * as AuthStore from "../../src/services/store/AuthStore.js"
import * as SqlStore from "../../src/services/store/SqlStore.js"
import * as SqliteStore from "../../src/services/store/SqliteStore.js"
import * as StoreKey from "../../src/services/store/StoreKey.js"
import { assertHoldsNone } from "../support/canary.js"
import { assertShowsNone } from "../support/leaks.js"
import { goodToken, makeWorld } from "../support/stack.js"
import { type Connection, file as filename, raw as rawIn } from "../support/sqlite.js"
import { withoutUmask } from "../support/umask.js"
import {
  noConfiguration,
  key,
  other,
  otherToken,
  keyText,
  ring,
  idOf,
  type Place,
  start,
  inTheEnd,
  twoSessions,
  attempts,
  behaves
} from "../support/secrets.js"

const openFile = (file: string, storeKey?: StoreKey.KeyRing, provider = noConfiguration) =>
  Layer.build(
    SqliteStore.layer({ filename: file, storeKey }).pipe(
      Layer.provide(NodeContext.layer),
      Layer.provide(provider)
    )
  ).pipe(Effect.map(Context.get(AuthStore.AuthStore)))

/** The same on a file system with changed operations. */
const openOn = (
  file: string,
  change: (fs: FileSystem.FileSystem) => Partial<FileSystem.FileSystem>,
  storeKey?: StoreKey.KeyRing
) =>
  Layer.build(
    SqliteStore.layer({ filename: file, storeKey }).pipe(
      Layer.provide(
        Layer.effect(
          FileSystem.FileSystem,
          Effect.map(FileSystem.FileSystem, (fs) => ({ ...fs, ...change(fs) }))
        ).pipe(Layer.provideMerge(NodeContext.layer))
      ),
      Layer.provide(noConfiguration)
    )
  ).pipe(Effect.map(Context.get(AuthStore.AuthStore)))

const configured = (values: Readonly<Record<string, string>>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))

const keyFiles = (file: string): ReadonlyArray<string> =>
  Fs.readdirSync(Path.dirname(file)).filter((name) => name.includes(".key"))

const onFile = (file: string): Place => {
  const raw = <A>(use: (db: Connection) => A): Promise<A> => Promise.resolve().then(() => rawIn(file, use))
  return {
    open: (keys) => openFile(file, keys),
    rekey: (storeKey, discard) =>
      SqliteStore.rekey({ filename: file, storeKey, discard }).pipe(
        Effect.provide(NodeContext.layer),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
      ),
    documentOf: ({ account: code }, table = "number_auth_account") =>
      raw((db) =>
        String(db.prepare(`SELECT document FROM ${table} WHERE account = ?`).get(code)["document"])
      ),
    write: ({ account: code }, document, table = "number_auth_account") =>
      raw((db) => {
        db.prepare(`UPDATE ${table} SET document = ? WHERE account = ?`).run(document, code)
      }),
    bytes: () =>
      Promise.resolve(
        Buffer.concat(
          ["", "-wal", "-shm"]
            .map((suffix) => file + suffix)
            .filter((each) => Fs.existsSync(each))
            .map((each) => Fs.readFileSync(each))
        )
      )
  }
}

describe("in a SQLite file,", () => {
  behaves(Effect.map(filename, onFile))

  it.scopedLive("without a key the store makes a key file of its own, which is private and complete", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const place = onFile(file)
      const { one, world } = yield* withoutUmask(twoSessions(place, undefined))
      assert.strictEqual(Fs.statSync(`${file}.key`).mode & 0o777, 0o600)
      const text = Fs.readFileSync(`${file}.key`, "utf8")
      assert.isTrue(Either.isRight(StoreKey.decodeStoreKey(text)))
      assert.deepStrictEqual(
        Fs.readdirSync(Path.dirname(file)).filter((name) => name.includes(".key")),
        ["auth.sqlite.key"]
      )
      // The key file stays, and the next process uses it.
      Fs.chmodSync(`${file}.key`, 0o644)
      const auth = yield* start(world, yield* place.open())
      assert.strictEqual(Redacted.value(yield* auth.sessionKey), one)
      assert.strictEqual(Fs.readFileSync(`${file}.key`, "utf8"), text)
      assert.strictEqual(Fs.statSync(`${file}.key`).mode & 0o777, 0o600)
      assertHoldsNone(yield* inTheEnd(place.bytes), "the store", {
        token: goodToken,
        "session key": one,
        "store key": text.trim()
      })
    })
  )

  it.scopedLive("sixteen stores that open a fresh file together agree on one key", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const stores = yield* Effect.all(
        Array.from({ length: 16 }, () => openFile(file)),
        { concurrency: "unbounded" }
      )
      const world = yield* makeWorld()
      const keys = yield* Effect.forEach(
        stores,
        (store) => Effect.flatMap(start(world, store), (auth) => auth.sessionKey),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(keys.map(Redacted.value)).size, 1)
      assert.strictEqual(yield* attempts(world), 1)
      assert.lengthOf(
        Fs.readdirSync(Path.dirname(file)).filter((name) => name.includes(".key")),
        1
      )
    })
  )

  it.scopedLive("a store that looked for the key file before another made it uses that key file", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const world = yield* makeWorld()
      const hasLooked = yield* Deferred.make<void>()
      const isMade = yield* Deferred.make<void>()
      const slow = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (fs) => {
          const last = <A, E>(effect: Effect.Effect<A, E>) =>
            Deferred.succeed(hasLooked, undefined).pipe(
              Effect.zipRight(Deferred.await(isMade)),
              Effect.zipRight(effect)
            )
          return {
            ...fs,
            link: (from, to) => last(fs.link(from, to)),
            rename: (from, to) => last(fs.rename(from, to))
          } satisfies FileSystem.FileSystem
        })
      ).pipe(Layer.provideMerge(NodeContext.layer))
      const late = yield* Layer.build(
        SqliteStore.layer({ filename: file }).pipe(Layer.provide(slow), Layer.provide(noConfiguration))
      ).pipe(Effect.map(Context.get(AuthStore.AuthStore)), Effect.fork)
      yield* Deferred.await(hasLooked)
      const first = yield* openFile(file)
      const one = Redacted.value(yield* (yield* start(world, first)).sessionKey)
      yield* Deferred.succeed(isMade, undefined)
      const second = yield* start(world, yield* Fiber.join(late))
      assert.strictEqual(Redacted.value(yield* second.sessionKey), one)
      assert.strictEqual(yield* attempts(world), 1)
    })
  )

  it.scopedLive("a configured key wins, and the key file still opens the records that it sealed", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const place = onFile(file)
      const { one } = yield* twoSessions(place, undefined)
      const provider = Layer.setConfigProvider(
        ConfigProvider.fromMap(new Map([["NUMBER_STORE_KEY", keyText(5)]]))
      )
      const store = yield* openFile(file, undefined, provider)
      assert.strictEqual(Redacted.value((yield* store.read(key)).account.sessionKey!), one)
      assert.deepInclude(yield* place.rekey(ring(5)), { keyId: idOf(5), resealed: 2 })
      Fs.rmSync(`${file}.key`)
      assert.strictEqual(Redacted.value((yield* store.read(key)).account.sessionKey!), one)
    })
  )

  it.scopedLive("a damaged, missing or unreadable key file is reported, and no attempt is spent", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const { one, world } = yield* twoSessions(onFile(file), undefined)
      const text = Fs.readFileSync(`${file}.key`, "utf8")
      Fs.writeFileSync(`${file}.key`, text.slice(0, 20))
      const damaged = yield* Effect.flip(openFile(file))
      assert.strictEqual(damaged.reason, "unreadable")
      assert.include(damaged.message, `${file}.key`)
      assertShowsNone(damaged, text.slice(0, 20))
      Fs.rmSync(`${file}.key`)
      Fs.mkdirSync(`${file}.key`)
      assert.strictEqual((yield* Effect.flip(openFile(file))).reason, "misconfigured")
      Fs.rmdirSync(`${file}.key`)
      // No new key file is made in its place: it would open nothing, and look as if all were well.
      const id = Option.getOrThrow(Either.getRight(StoreKey.decodeStoreKey(text))).id
      for (const lost of [
        yield* Effect.flip(openFile(file)),
        yield* Effect.flip(onFile(file).rekey(undefined))
      ]) {
        assert.strictEqual(lost.reason, "unreadable")
        assert.include(lost.message, `the secrets in ${file} are sealed under the store key with id ${id}`)
        assert.include(lost.message, "number-auth rekey --discard")
      }
      assert.isFalse(Fs.existsSync(`${file}.key`))
      // With a given key the store opens, and the error comes when a record does not open.
      const given = yield* start(world, yield* openFile(file, ring(1)))
      assert.strictEqual((yield* Effect.flip(given.sessionKey))._tag, "AuthStoreError")
      assert.strictEqual(yield* attempts(world), 2)
      Fs.writeFileSync(`${file}.key`, text)
      const again = yield* start(world, yield* openFile(file))
      assert.strictEqual(Redacted.value(yield* again.sessionKey), one)
    })
  )

  it.scopedLive("the error about a key file names its defect and the remedy", () =>
    Effect.gen(function* () {
      const file = yield* filename
      yield* twoSessions(onFile(file), undefined)
      const text = Fs.readFileSync(`${file}.key`, "utf8")
      Fs.writeFileSync(`${file}.key`, text.slice(0, 20))
      const damaged = yield* Effect.flip(openFile(file))
      assert.strictEqual(damaged.detail, `the key file ${file}.key does not hold the base64 of 32 bytes`)
      assert.match(damaged.message, /Put it back from a backup\..* number-auth rekey --discard; the count/)
      Fs.rmSync(`${file}.key`)
      Fs.mkdirSync(`${file}.key`)
      const closed = yield* Effect.flip(openFile(file))
      assert.strictEqual(closed.detail, `the key file ${file}.key cannot be read (BadResource)`)
      assert.match(closed.message, /Let this user read it: no other key opens the secrets that are sealed/)
    })
  )

  it.scopedLive("a damaged key file does not matter if a given key opens all records", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const { one } = yield* twoSessions(onFile(file), ring(1))
      Fs.writeFileSync(`${file}.key`, "no key")
      const store = yield* openFile(file, ring(1))
      assert.strictEqual(Redacted.value((yield* store.read(key)).account.sessionKey!), one)
      assert.strictEqual(Fs.readFileSync(`${file}.key`, "utf8"), "no key")
    })
  )

  it.scopedLive(
    "a key file that cannot be made is reported with the alternative, and leaves no draft behind",
    () =>
      Effect.gen(function* () {
        const file = yield* filename
        // A file system without links, such as some that are mounted from elsewhere.
        const error = yield* Effect.flip(
          openOn(file, () => ({
            link: (from) =>
              new PlatformError.SystemError({
                reason: "PermissionDenied",
                module: "FileSystem",
                method: "link",
                pathOrDescriptor: from
              })
          }))
        )
        assert.strictEqual(error.reason, "misconfigured")
        assert.strictEqual(
          error.detail,
          `the key file ${file}.key cannot be made (PermissionDenied); NUMBER_STORE_KEY may hold the key instead`
        )
        assert.deepStrictEqual(keyFiles(file), [])
        // The advice is right: with a key, no key file is needed.
        yield* openFile(file, undefined, configured({ NUMBER_STORE_KEY: keyText(1) }))
        assert.deepStrictEqual(keyFiles(file), [])
      })
  )

  it.scopedLive("a key file that is removed as soon as it is made is reported", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const error = yield* Effect.flip(
        openOn(file, (fs) => ({ link: (from, to) => Effect.zipRight(fs.link(from, to), fs.remove(to)) }))
      )
      assert.strictEqual(error.reason, "misconfigured")
      assert.strictEqual(error.detail, `the key file ${file}.key has disappeared`)
    })
  )

  it.scopedLive("a key file is synced before it gets its name, and its folder before it is used", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const steps: Array<string> = []
      yield* openOn(file, (fs) => ({
        open: (path, options) =>
          Effect.map(fs.open(path, options), (opened) =>
            Object.defineProperty(opened, "sync", {
              value: Effect.tap(opened.sync, () => {
                steps.push(`sync of ${path === Path.dirname(file) ? "the folder" : "a file in it"}`)
              })
            })
          ),
        link: (from, to) => Effect.tap(fs.link(from, to), () => steps.push("link"))
      }))
      assert.deepStrictEqual(steps, ["sync of a file in it", "link", "sync of the folder"])
      // A folder that cannot be synced does not keep the store from starting.
      const other = yield* filename
      yield* openOn(other, (fs) => ({
        open: (path, options) =>
          path === Path.dirname(other)
            ? new PlatformError.SystemError({
                reason: "PermissionDenied",
                module: "FileSystem",
                method: "open",
                pathOrDescriptor: path
              })
            : fs.open(path, options)
      }))
      assert.deepStrictEqual(keyFiles(other), ["auth.sqlite.key"])
    })
  )

  it.scopedLive("the keys of a file are the given ones and the key file's; asking makes no key file", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const keys = (storeKey?: StoreKey.KeyRing, values: Readonly<Record<string, string>> = {}) =>
        SqliteStore.keys({ filename: file, storeKey }).pipe(
          Effect.map(({ current, older }) => ({
            current: Option.getOrNull(current)?.id ?? null,
            older: older.map(({ id }) => id)
          })),
          Effect.provide([NodeContext.layer, configured(values)])
        )
      assert.deepStrictEqual(yield* keys(), { current: null, older: [] })
      assert.deepStrictEqual(yield* keys(undefined, { NUMBER_STORE_KEY_OLD: keyText(2) }), {
        current: null,
        older: [idOf(2)]
      })
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(file)), [])
      Fs.writeFileSync(`${file}.key`, keyText(3))
      assert.deepStrictEqual(yield* keys(), { current: idOf(3), older: [] })
      assert.deepStrictEqual(yield* keys(undefined, { NUMBER_STORE_KEY_OLD: keyText(2) }), {
        current: idOf(3),
        older: [idOf(2)]
      })
      assert.deepStrictEqual(
        yield* keys(undefined, { NUMBER_STORE_KEY: keyText(1), NUMBER_STORE_KEY_OLD: keyText(2) }),
        { current: idOf(1), older: [idOf(2), idOf(3)] }
      )
      // Given keys come before configured ones.
      assert.deepStrictEqual(yield* keys(ring(4, 5), { NUMBER_STORE_KEY: keyText(1) }), {
        current: idOf(4),
        older: [idOf(5), idOf(3)]
      })
    })
  )

  it.scopedLive("an older key that opens nothing does not replace a lost key file", () =>
    Effect.gen(function* () {
      const file = yield* filename
      yield* twoSessions(onFile(file), undefined)
      Fs.rmSync(`${file}.key`)
      const error = yield* Effect.flip(
        openFile(file, undefined, configured({ NUMBER_STORE_KEY_OLD: keyText(2) }))
      )
      assert.strictEqual(error.reason, "unreadable")
      assert.include(error.message, "that key was not supplied")
      assert.deepStrictEqual(keyFiles(file), [])
    })
  )

  it.scopedLive("a lost key file is replaced only after the records that it sealed are discarded", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const { world } = yield* twoSessions(onFile(file), undefined)
      yield* Effect.scoped(
        Effect.flatMap(openFile(file), (store) => store.writeToken(other, Redacted.make(otherToken) as Token))
      )
      Fs.rmSync(`${file}.key`)
      const { discarded } = yield* onFile(file).rekey(undefined, true)
      assert.strictEqual(discarded, 3)
      const auth = yield* start(world, yield* openFile(file))
      yield* auth.sessionKey
      assert.strictEqual(yield* attempts(world), 3)
      // A key that was given, and is now among the older ones, is not lost.
      const given = yield* filename
      const sealed = yield* twoSessions(onFile(given), ring(1))
      assert.strictEqual((yield* Effect.flip(openFile(given))).reason, "unreadable")
      assert.isFalse(Fs.existsSync(`${given}.key`))
      const older = yield* Layer.build(
        SqliteStore.layer({ filename: given }).pipe(
          Layer.provide(NodeContext.layer),
          Layer.provide(
            Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["NUMBER_STORE_KEY_OLD", keyText(1)]])))
          )
        )
      ).pipe(Effect.map(Context.get(AuthStore.AuthStore)))
      assert.strictEqual(Redacted.value((yield* older.read(key)).account.sessionKey!), sealed.one)
      assert.isTrue(Fs.existsSync(`${given}.key`))
      // A kept token alone is a reason, too.
      const token = yield* filename
      yield* Effect.scoped(
        Effect.flatMap(openFile(token), (store) => store.writeToken(key, Redacted.make(goodToken) as Token))
      )
      Fs.rmSync(`${token}.key`)
      assert.strictEqual((yield* Effect.flip(openFile(token))).reason, "unreadable")
    })
  )
})

describe("a SQLite database of the user's own client", () => {
  it.scopedLive("keeps no session key unless it is given a store key", () =>
    Effect.gen(function* () {
      const file = yield* filename
      const world = yield* makeWorld()
      const client = yield* Layer.build(SqliteClient.layer({ filename: file }))
      const build = (provider: ReadonlyMap<string, string>) =>
        Layer.build(SqlStore.layer).pipe(
          Effect.map(Context.get(AuthStore.AuthStore)),
          Effect.provide(client),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(provider)))
        )
      const one = Redacted.value(yield* (yield* start(world, yield* build(new Map()))).sessionKey)
      assertHoldsNone(yield* inTheEnd(onFile(file).bytes), "the store", { "session key": one })
      assert.isNull(JSON.parse(yield* inTheEnd(() => onFile(file).documentOf(key))).sessionKey)
      yield* (yield* start(world, yield* build(new Map([["NUMBER_STORE_KEY", keyText(1)]])))).sessionKey
      const { sessionKey } = JSON.parse(yield* inTheEnd(() => onFile(file).documentOf(key)))
      assert.strictEqual(sessionKey.keyId, idOf(1))
      assert.isFalse(Fs.existsSync(`${file}.key`))
    })
  )
})
