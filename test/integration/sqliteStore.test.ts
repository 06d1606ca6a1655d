/**
 * The embedded store on real files: it is private and durable, and rejects files that it cannot use.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { vi } from "vitest"
import { assertShowsNone } from "../support/leaks.js"
import { key } from "../support/secrets.js"
import { type Connection, Database, file, folder, openSqlite as open } from "../support/sqlite.js"
import { draw, sessionKey } from "../support/stored.js"
import { withoutUmask } from "../support/umask.js"

const isRoot = process.getuid?.() === 0

describe("SqliteStore", () => {
  it.scopedLive(
    "is private: mode 0600 for the file, its WAL and its shared memory, 0700 for new folders",
    () =>
      Effect.gen(function* () {
        const filename = Path.join(yield* folder, "new", "folders", "auth.sqlite")
        const store = yield* withoutUmask(open(filename))
        yield* draw(store)
        for (const suffix of ["", "-wal", "-shm"]) {
          assert.strictEqual(Fs.statSync(filename + suffix).mode & 0o777, 0o600, suffix)
        }
        for (const path of [Path.dirname(filename), Path.dirname(Path.dirname(filename))]) {
          assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o700)
        }
      })
  )

  it.scopedLive("makes a file private if other users could read it", () =>
    Effect.gen(function* () {
      const filename = yield* file
      Fs.writeFileSync(filename, "", { mode: 0o644 })
      Fs.chmodSync(filename, 0o644)
      yield* Effect.flatMap(open(filename), (store) => draw(store))
      for (const suffix of ["", "-wal", "-shm"]) {
        assert.strictEqual(Fs.statSync(filename + suffix).mode & 0o777, 0o600, suffix)
      }
    })
  )

  it.scopedLive(
    "makes the WAL and the shared memory that another process has open private if others could read them",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const one = yield* open(filename)
        yield* draw(one)
        for (const suffix of ["-wal", "-shm"]) Fs.chmodSync(filename + suffix, 0o644)
        yield* Effect.flatMap(open(filename), (store) => draw(store))
        for (const suffix of ["-wal", "-shm"]) {
          assert.strictEqual(Fs.statSync(filename + suffix).mode & 0o777, 0o600, suffix)
        }
      })
  )

  it.scopedLive("is durable: every connection that writes is in WAL mode with synchronous FULL", () =>
    Effect.gen(function* () {
      const filename = yield* file
      // The settings of the store's connection can be read on that connection only: catch it as it is used.
      const connections = new Set<Connection>()
      const prepare = Database.prototype.prepare
      const spy = vi.spyOn(Database.prototype, "prepare").mockImplementation(function (
        this: Connection,
        source: string
      ) {
        connections.add(this)
        return prepare.call(this, source)
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => spy.mockRestore()))
      yield* Effect.flatMap(open(filename), (store) => draw(store))
      assert.strictEqual(connections.size, 1)
      for (const db of connections) {
        assert.strictEqual(db.name, filename)
        assert.strictEqual(db.pragma("synchronous", { simple: true }), 2)
        assert.strictEqual(db.pragma("journal_mode", { simple: true }), "wal")
        assert.isAtMost(db.pragma("busy_timeout", { simple: true }) as number, 100)
      }
    })
  )
})

describe("for a SqliteStore,", () => {
  const failing = (filename: string) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const result = yield* open(filename).pipe(
        Effect.flatMap((store) => store.read(key)),
        Scope.extend(scope),
        Effect.flip
      )
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(result._tag, "AuthStoreError")
      assertShowsNone(result, sessionKey)
      for (const words of ["INSERT", "SELECT", "UPDATE", "number_auth_"]) {
        assert.notInclude(result.message, words)
      }
      return result
    })

  it.scopedLive("a file that is not a database is unreadable, and stays as it is", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const text = `This is no database. ${"x".repeat(5000)}`
      Fs.writeFileSync(filename, text)
      const error = yield* failing(filename)
      assert.strictEqual(error.reason, "unreadable")
      assert.include(error.message, filename)
      assert.strictEqual(Fs.readFileSync(filename, "utf8"), text)
    })
  )

  it.scopedLive("a database whose pages are damaged is unreadable", () =>
    Effect.gen(function* () {
      const filename = yield* file
      yield* Effect.scoped(Effect.flatMap(open(filename), (store) => draw(store)))
      const bytes = Fs.readFileSync(filename)
      bytes.fill(0xff, 4096)
      Fs.writeFileSync(filename, bytes)
      assert.strictEqual((yield* failing(filename)).reason, "unreadable")
    })
  )

  it.scopedLive(
    "a folder in place of the file, a file in place of a folder and an invalid name are misconfigured",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        Fs.writeFileSync(Path.join(path, "file"), "")
        for (const [filename, why] of [
          [path, "BadResource"],
          [Path.join(path, "file", "auth.sqlite"), "AlreadyExists"],
          [Path.join(path, "not\0a name"), "BadArgument"]
        ] as const) {
          assert.deepInclude(yield* failing(filename), {
            reason: "misconfigured",
            detail: `the file ${filename} cannot be made or opened (${why})`
          })
        }
      })
  )

  it.scopedLive("names that SQLite takes for a database in memory or another file are misconfigured", () =>
    Effect.gen(function* () {
      const before = Fs.readdirSync(".")
      for (const filename of ["", ":memory:", " :memory: ", " ", " auth.sqlite"]) {
        assert.deepInclude(yield* failing(filename), {
          reason: "misconfigured",
          detail: `"${filename}" is not the name of a file`
        })
      }
      assert.deepStrictEqual(Fs.readdirSync("."), before)
    })
  )

  it.scopedLive("a folder without write permission is misconfigured", () =>
    Effect.gen(function* () {
      const path = yield* folder
      Fs.chmodSync(path, 0o500)
      // Root may write everywhere, except in a file system such as /proc.
      const closed = isRoot ? "/proc/self" : path
      assert.strictEqual((yield* failing(Path.join(closed, "auth.sqlite"))).reason, "misconfigured")
    })
  )
})
