/**
 * The embedded store on real files.
 */
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import { HttpClient } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Redacted, Ref, Scope, Stream } from "effect"
import { vi } from "vitest"
import type { AccountCode, Location } from "../../src/schemas/Credentials.js"
import { emptyAccountRecord, emptyLedgerRecord } from "../../src/schemas/StoredRecord.js"
import * as AuthStore from "../../src/services/AuthStore.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as SqliteStore from "../../src/services/SqliteStore.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { settled } from "../support/core.js"
import { assertShowsNone } from "../support/leaks.js"
import { observed } from "../support/observed.js"
import { account, environment, goodToken, ip, makeWorld } from "../support/stack.js"
import { authenticated, sessionKey } from "../support/stored.js"
import { withoutUmask } from "../support/umask.js"

/** What these tests use of the driver's own connection. */
interface Connection {
  readonly name: string
  readonly exec: (source: string) => void
  readonly close: () => void
  readonly pragma: (source: string, options: { readonly simple: true }) => unknown
  readonly prepare: (source: string) => {
    readonly all: () => ReadonlyArray<unknown>
    readonly get: () => Record<string, unknown>
    readonly run: (...parameters: ReadonlyArray<unknown>) => unknown
  }
}

/** The very driver that @effect/sql-sqlite-node loads. */
const Database = createRequire(createRequire(import.meta.url).resolve("@effect/sql-sqlite-node"))(
  "better-sqlite3"
) as { new (filename: string): Connection; readonly prototype: Connection }

const key: AuthStore.AccountKey = { location: "default" as Location, account: account as AccountCode }

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
)
const file = Effect.map(folder, (path) => Path.join(path, "auth.sqlite"))

const open = (filename: string) =>
  Layer.build(SqliteStore.layer({ filename }).pipe(Layer.provide(NodeContext.layer))).pipe(
    Effect.map(Context.get(AuthStore.AuthStore))
  )

/** Writes a mark, so that the number that the transaction drew stays drawn. */
const draw = (store: AuthStore.AuthStore["Type"], at: AuthStore.AccountKey = key) =>
  store.transact(at, ({ account: record, ledger, moment }) => [
    moment.sequence,
    { ledger: { ...ledger, marks: [settled(moment.sequence, moment.sequence)] }, account: record }
  ])

const raw = <A>(filename: string, use: (db: Connection) => A): A => {
  const db = new Database(filename)
  try {
    return use(db)
  } finally {
    db.close()
  }
}

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

  it.scopedLive("makes a file private that others could read", () =>
    Effect.gen(function* () {
      const filename = yield* file
      Fs.writeFileSync(filename, "", { mode: 0o644 })
      Fs.chmodSync(filename, 0o644)
      yield* Effect.flatMap(open(filename), draw)
      for (const suffix of ["", "-wal", "-shm"]) {
        assert.strictEqual(Fs.statSync(filename + suffix).mode & 0o777, 0o600, suffix)
      }
    })
  )

  it.scopedLive(
    "makes a WAL and a shared memory private that another process has open, and others could read",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const one = yield* open(filename)
        yield* draw(one)
        for (const suffix of ["-wal", "-shm"]) Fs.chmodSync(filename + suffix, 0o644)
        yield* Effect.flatMap(open(filename), draw)
        for (const suffix of ["-wal", "-shm"]) {
          assert.strictEqual(Fs.statSync(filename + suffix).mode & 0o777, 0o600, suffix)
        }
      })
  )

  it.scopedLive("is durable: every connection that writes is in WAL mode with synchronous FULL", () =>
    Effect.gen(function* () {
      const filename = yield* file
      // What the store's own connection has set can be asked on that connection only: catch it as it is used.
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
      yield* Effect.flatMap(open(filename), draw)
      assert.strictEqual(connections.size, 1)
      for (const db of connections) {
        assert.strictEqual(db.name, filename)
        assert.strictEqual(db.pragma("synchronous", { simple: true }), 2)
        assert.strictEqual(db.pragma("journal_mode", { simple: true }), "wal")
        assert.isAtMost(db.pragma("busy_timeout", { simple: true }) as number, 100)
      }
    })
  )

  it.scopedLive("survives reopening: ledger, record and key are there, and the numbers go on", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const ledger = { ...emptyLedgerRecord, marks: [settled(1, 1)], lockReportedAt: 1 }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open(filename)
          yield* store.transact(key, () => [null, { ledger, account: authenticated }])
        })
      )
      const store = yield* open(filename)
      const stored = yield* store.read(key)
      assert.strictEqual(stored.moment.sequence, 1)
      assert.deepStrictEqual(stored.ledger, ledger)
      assert.strictEqual(Redacted.value(stored.account.sessionKey!), sessionKey)
      assert.deepStrictEqual(stored.account.context, authenticated.context)
      assert.strictEqual(yield* draw(store), 2)
    })
  )

  it.scopedLive("keeps locations apart, and accounts of one location under one ledger", () =>
    Effect.gen(function* () {
      const store = yield* Effect.flatMap(file, open)
      const other = { ...key, account: "EP0000002" as AccountCode }
      const elsewhere = { ...key, location: "elsewhere" as Location }
      yield* store.transact(key, ({ ledger }) => [null, { ledger, account: authenticated }])
      assert.deepStrictEqual((yield* store.read(other)).account, emptyAccountRecord)
      assert.strictEqual((yield* store.read(other)).moment.sequence, 1)
      assert.strictEqual((yield* store.read(elsewhere)).moment.sequence, 0)
      assert.strictEqual(yield* draw(store, other), 2)
      assert.strictEqual(yield* draw(store, elsewhere), 1)
      assert.lengthOf((yield* store.read(key)).ledger.marks, 1)
    })
  )

  it.scopedLive("writes nothing and draws no number for a transaction that changes nothing", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const store = yield* open(filename)
      yield* draw(store)
      assert.strictEqual(yield* store.transact(key, ({ moment }) => [moment.sequence, null]), 2)
      assert.strictEqual((yield* store.read(key)).moment.sequence, 1)
      assert.strictEqual(yield* draw(store), 2)
    })
  )

  it.scopedLive(
    "shows one connection what another wrote, and no number twice: 2 x 200 at once lose none",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const one = yield* open(filename)
        const two = yield* open(filename)
        yield* draw(one)
        assert.strictEqual((yield* two.read(key)).moment.sequence, 1)
        const add = (store: AuthStore.AuthStore["Type"]) =>
          store.transact(key, ({ account: record, ledger, moment }) => [
            moment.sequence,
            {
              ledger: { ...ledger, marks: [...ledger.marks, settled(moment.sequence, moment.sequence)] },
              account: record
            }
          ])
        const sequences = yield* Effect.all(
          Array.from({ length: 400 }, (_, n) => add(n % 2 === 0 ? one : two)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(new Set(sequences).size, 400)
        const stored = yield* one.read(key)
        assert.strictEqual(stored.moment.sequence, 401)
        assert.lengthOf(stored.ledger.marks, 401)
      })
  )

  it.scopedLive("is migrated once by eight layers that open a fresh file at once", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const stores = yield* Effect.all(
        Array.from({ length: 8 }, () => open(filename)),
        { concurrency: "unbounded" }
      )
      const sequences = yield* Effect.forEach(stores, (store) => draw(store), { concurrency: "unbounded" })
      assert.strictEqual(new Set(sequences).size, 8)
      const rows = raw(filename, (db) => db.prepare("SELECT migration_id FROM number_auth_migrations").all())
      assert.deepStrictEqual(rows, [{ migration_id: 1 }, { migration_id: 2 }])
    })
  )

  it.scopedLive("changes emits what it finds, and again for the write of another connection", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const one = yield* open(filename)
      const two = yield* open(filename)
      const seen = yield* Ref.make<ReadonlyArray<number>>([])
      const first = yield* Deferred.make<void>()
      const watching = yield* one.changes(key.location).pipe(
        Stream.tap((sequence) => Ref.update(seen, (known) => [...known, sequence])),
        Stream.tap(() => Deferred.succeed(first, undefined)),
        Stream.take(2),
        Stream.runDrain,
        Effect.fork
      )
      yield* Deferred.await(first)
      yield* draw(two, { ...key, location: "elsewhere" as Location })
      yield* draw(two)
      yield* Fiber.join(watching).pipe(Effect.timeout("5 seconds"))
      assert.deepStrictEqual(yield* Ref.get(seen), [0, 1])
    })
  )
})

describe("a SqliteStore whose file another program has locked", () => {
  it.scopedLive(
    "is told of in ten seconds, to all who wait",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const store = yield* open(filename)
        yield* draw(store)
        const other = yield* Effect.acquireRelease(
          Effect.sync(() => new Database(filename)),
          (db) => Effect.sync(() => db.close())
        )
        other.exec("BEGIN IMMEDIATE")
        const [duration, errors] = yield* Effect.timed(
          Effect.forEach([1, 2, 3, 4], () => Effect.flip(draw(store)), { concurrency: "unbounded" })
        )
        other.exec("ROLLBACK")
        assert.isBelow(Duration.toMillis(duration), 15_000)
        for (const { reason } of errors) assert.strictEqual(reason, "unavailable")
        assert.strictEqual(yield* draw(store), 2)
      }),
    60_000
  )
})

describe("SqliteStore on what it cannot use", () => {
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

  it.scopedLive(
    "a damaged document is unreadable, in every way to use it, and its bytes stay as they are",
    () =>
      Effect.gen(function* () {
        const documents: ReadonlyArray<readonly [string, string]> = [
          ["number_auth_account", `{"version":1,"state":"authenticated","sessionKey":"${sessionKey}"`],
          ["number_auth_account", `{"version":2,"sessionKey":"${sessionKey}"}`],
          ["number_auth_account", ""],
          ["number_auth_ledger", '{"version":1,"marks":[{"status":"forgiven"}],"lockReportedAt":null}'],
          ["number_auth_ledger", '{"version":2}'],
          ["number_auth_ledger", "null"]
        ]
        for (const [table, document] of documents) {
          const filename = yield* file
          const store = yield* open(filename)
          yield* store.transact(key, ({ ledger }) => [
            null,
            { ledger: { ...ledger, marks: [settled(1, 1)] }, account: authenticated }
          ])
          raw(filename, (db) => db.prepare(`UPDATE ${table} SET document = ?`).run(document))
          const bytes = () =>
            raw(filename, (db) => [
              db.prepare("SELECT * FROM number_auth_ledger").all(),
              db.prepare("SELECT * FROM number_auth_account").all()
            ])
          const before = bytes()
          let asked = 0
          for (const use of [
            store.read(key),
            store.transact(key, ({ account: record, ledger }) => {
              asked += 1
              return [null, { ledger: { ...ledger }, account: { ...record } }]
            })
          ]) {
            const error = yield* Effect.flip(use)
            assert.strictEqual(error.reason, "unreadable")
            assert.include(error.message, "have Number's support reset")
            assertShowsNone(error, sessionKey)
          }
          assert.strictEqual(asked, 0)
          assert.deepStrictEqual(bytes(), before)
          assert.strictEqual((yield* failing(filename)).reason, "unreadable")
        }
      })
  )

  it.scopedLive("a file that a newer version migrated is unreadable, and stays as it is", () =>
    Effect.gen(function* () {
      const filename = yield* file
      yield* Effect.scoped(Effect.flatMap(open(filename), draw))
      raw(filename, (db) =>
        db.prepare("INSERT INTO number_auth_migrations (migration_id, name) VALUES (99, 'future')").run()
      )
      const error = yield* failing(filename)
      assert.strictEqual(error.reason, "unreadable")
      assert.match(error.message, /newer version/)
      assert.strictEqual(
        raw(filename, (db) => db.prepare("SELECT sequence FROM number_auth_ledger").get()["sequence"]),
        1
      )
    })
  )

  it.scopedLive("a file that is no database is unreadable, and stays as it is", () =>
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
      yield* Effect.scoped(Effect.flatMap(open(filename), draw))
      const bytes = Fs.readFileSync(filename)
      bytes.fill(0xff, 4096)
      Fs.writeFileSync(filename, bytes)
      assert.strictEqual((yield* failing(filename)).reason, "unreadable")
    })
  )

  it.scopedLive(
    "a folder in the place of the file, a file in the place of a folder, and no name are misconfigured",
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

  it.scopedLive("a folder that may not be written is misconfigured", () =>
    Effect.gen(function* () {
      const path = yield* folder
      Fs.chmodSync(path, 0o500)
      // Root may write everywhere, save where there is no file system to write to.
      const closed = isRoot ? "/proc/self" : path
      assert.strictEqual((yield* failing(Path.join(closed, "auth.sqlite"))).reason, "misconfigured")
    })
  )
})

describe("the store's transaction and the caller's own", () => {
  /** A user's own database, and the NumberAuth of a process whose store is a SQLite file. */
  const start = (
    filename: string,
    world: Effect.Effect.Success<ReturnType<typeof makeWorld>>,
    client?: HttpClient.HttpClient
  ) =>
    Effect.gen(function* () {
      const store = yield* open(filename)
      return yield* Layer.build(
        NumberAuth.layer({ account, baseUrl: "https://number.test/v1", waitTimeout: "3 seconds" }).pipe(
          Layer.provide(environment({ ...world, store }, client)),
          Layer.orDie
        )
      ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))
    })

  /** A client that looks at the store's file, from outside, when the request is about to be written. */
  const looking = (filename: string, client: HttpClient.HttpClient, marks: Array<string>) =>
    HttpClient.tapRequest(client, () =>
      Effect.sync(() => {
        marks.push(
          raw(filename, (db) =>
            String(db.prepare("SELECT document FROM number_auth_ledger").get()["document"])
          )
        )
      })
    )

  it.scopedLive(
    "the mark is durable before the attempt is sent, though the caller's transaction rolls back",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const world = yield* makeWorld()
        const marks: Array<string> = []
        const auth = yield* start(
          filename,
          world,
          looking(filename, Emulator.httpClient(world.emulator, ip), marks)
        )
        yield* world.emulator.inject(Emulator.Fault.DropAnswer)
        const sql = Context.get(
          yield* Layer.build(SqliteClient.layer({ filename: yield* file })),
          SqlClient.SqlClient
        )
        yield* sql`CREATE TABLE payments (id TEXT)`
        const exit = yield* Effect.exit(
          sql.withTransaction(Effect.zipRight(sql`INSERT INTO payments VALUES (${"1"})`, auth.sessionKey))
        )
        assert.isTrue(Exit.isFailure(exit))
        assert.deepStrictEqual(yield* sql`SELECT * FROM payments`, [])
        assert.lengthOf(marks, 1)
        assert.include(marks[0], '"inFlight"')
        assert.strictEqual((yield* auth.status).failures, 1)
        const another = yield* start(filename, world)
        assert.strictEqual((yield* another.status).failures, 1)
        assert.strictEqual((yield* Effect.flip(another.sessionKey))._tag, "AuthAborted")
        assert.lengthOf(yield* world.emulator.log, 1)
      })
  )

  it.scopedLive("spans and logs of the database hold neither token nor session key", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const world = yield* makeWorld()
      const [exit, told] = yield* observed(
        Effect.gen(function* () {
          const auth = yield* start(filename, world)
          const sessionKey = yield* auth.sessionKey
          raw(filename, (db) => db.prepare("DROP TABLE number_auth_account").run())
          const error = yield* Effect.flip(auth.status)
          yield* Effect.logError(error)
          assertShowsNone(error, Redacted.value(sessionKey))
          return Redacted.value(sessionKey)
        })
      )
      assert(exit._tag === "Success")
      assert.include(told.names, "sql.transaction")
      assert.isTrue(told.spans.some((text) => text.includes("INSERT INTO number_auth_account")))
      for (const text of [...told.spans, ...told.logs]) {
        for (const secret of [exit.value, goodToken]) assert.notInclude(text, secret)
      }
    })
  )

  it.scopedLive("the session stays, though the caller's transaction rolls back", () =>
    Effect.gen(function* () {
      const filename = yield* file
      const world = yield* makeWorld()
      const auth = yield* start(filename, world)
      const sql = Context.get(
        yield* Layer.build(SqliteClient.layer({ filename: yield* file })),
        SqlClient.SqlClient
      )
      yield* Effect.flip(sql.withTransaction(Effect.zipRight(auth.sessionKey, Effect.fail("no"))))
      yield* (yield* start(filename, world)).sessionKey
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scopedLive(
    "the caller's transaction may be one of the store's own file, as long as it has not written",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const world = yield* makeWorld()
        const auth = yield* start(filename, world)
        const sql = Context.get(yield* Layer.build(SqliteClient.layer({ filename })), SqlClient.SqlClient)
        yield* sql`CREATE TABLE payments (id TEXT)`
        yield* Effect.flip(
          sql.withTransaction(
            sql`SELECT * FROM payments`.pipe(
              Effect.zipRight(auth.sessionKey),
              Effect.zipRight(Effect.fail("no"))
            )
          )
        )
        assert.strictEqual((yield* auth.status).state, "authenticated")
      })
  )

  it.scopedLive(
    "a caller that holds the write lock of the store's own file is told that the store is away",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const world = yield* makeWorld()
        const auth = yield* start(filename, world)
        const sql = Context.get(yield* Layer.build(SqliteClient.layer({ filename })), SqlClient.SqlClient)
        yield* sql`CREATE TABLE payments (id TEXT)`
        const error = yield* Effect.flip(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`INSERT INTO payments VALUES ('1')`
              // Reading does not wait for a writer.
              assert.strictEqual((yield* auth.status).state, "unauthenticated.idle")
              return yield* auth.sessionKey
            })
          )
        )
        assert(error._tag === "AuthStoreError")
        assert.strictEqual(error.reason, "unavailable")
        assert.match(error.message, /SQLITE_BUSY/)
        assert.lengthOf(yield* world.emulator.log, 0)
        yield* auth.sessionKey
        assert.lengthOf(yield* world.emulator.log, 1)
      }),
    40_000
  )

  /** User and store on one SqlClient, which has one connection. */
  const startShared = (world: Effect.Effect.Success<ReturnType<typeof makeWorld>>) =>
    Effect.gen(function* () {
      const client = yield* Layer.build(SqliteClient.layer({ filename: yield* file }))
      const store = yield* Effect.provide(AuthStore.makeSql(), client)
      const auth = yield* Layer.build(
        NumberAuth.layer({ account, baseUrl: "https://number.test/v1", waitTimeout: "3 seconds" }).pipe(
          Layer.provide(environment({ ...world, store })),
          Layer.orDie
        )
      ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))
      return { auth, sql: Context.get(client, SqlClient.SqlClient) }
    })

  it.scopedLive("user and store may share one SqlClient, outside of the user's transactions", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { auth, sql } = yield* startShared(world)
      yield* sql`CREATE TABLE payments (id TEXT)`
      yield* Effect.all(
        [
          auth.sessionKey,
          Effect.flip(
            sql.withTransaction(
              sql`INSERT INTO payments VALUES ('1')`.pipe(
                Effect.zipRight(Effect.sleep("50 millis")),
                Effect.zipRight(Effect.fail("no"))
              )
            )
          )
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* sql`SELECT * FROM payments`, [])
      assert.strictEqual((yield* auth.status).state, "authenticated")
    })
  )

  it.scopedLive(
    "inside a transaction on the store's own connection no attempt is sent before that has ended",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { auth, sql } = yield* startShared(world)
        // The one connection is the caller's until then, so only the caller's own time-out ends the wait.
        const error = yield* Effect.flip(sql.withTransaction(Effect.timeout(auth.sessionKey, "500 millis")))
        assert.strictEqual(error._tag, "TimeoutException")
        assert.lengthOf(yield* world.emulator.log, 0)
        yield* auth.sessionKey
        assert.lengthOf(yield* world.emulator.log, 1)
        // A held key asks the store nothing.
        yield* sql.withTransaction(auth.sessionKey)
        assert.strictEqual((yield* auth.status).failures, 0)
      })
  )
})
