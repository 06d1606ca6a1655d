/** SQLite files for tests, and the driver itself, to look at them past the store. */
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import { NodeContext } from "@effect/platform-node"
import { Context, Effect, Layer, type Scope } from "effect"
import { AuthStore, type AuthStoreError } from "../../src/services/store/AuthStore.js"
import * as SqliteStore from "../../src/services/store/SqliteStore.js"

/** The part of the driver's connection that tests use. */
export interface Connection {
  readonly name: string
  readonly exec: (source: string) => void
  readonly close: () => void
  readonly pragma: (source: string, options: { readonly simple: true }) => unknown
  readonly prepare: (source: string) => {
    readonly all: (...parameters: ReadonlyArray<unknown>) => ReadonlyArray<Record<string, unknown>>
    readonly get: (...parameters: ReadonlyArray<unknown>) => Record<string, unknown>
    readonly run: (...parameters: ReadonlyArray<unknown>) => unknown
  }
}

/** The very driver that @effect/sql-sqlite-node loads. */
export const Database = createRequire(createRequire(import.meta.url).resolve("@effect/sql-sqlite-node"))(
  "better-sqlite3"
) as { new (filename: string): Connection; readonly prototype: Connection }

/** Uses a file past the store, on a connection of its own. */
export const raw = <A>(filename: string, use: (db: Connection) => A): A => {
  const db = new Database(filename)
  try {
    return use(db)
  } finally {
    db.close()
  }
}

/** A file system in memory, if the system has one: the store waits for the disk at each of its writes. */
const memory = "/dev/shm"
const parent = Fs.existsSync(memory) ? memory : Os.tmpdir()

/** A folder of the test's own, deleted at its end. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(parent, "number-auth-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
)

/** The name of a file that is not there yet, in a folder of the test's own. */
export const file = Effect.map(folder, (path) => Path.join(path, "auth.sqlite"))

/** The store on a file. If no key is given, it makes a key file beside the database. */
export const openSqlite = (
  filename: string,
  options: Partial<SqliteStore.Options> = {}
): Effect.Effect<AuthStore["Type"], AuthStoreError, Scope.Scope> =>
  Layer.build(SqliteStore.layer({ filename, ...options }).pipe(Layer.provide(NodeContext.layer))).pipe(
    Effect.map(Context.get(AuthStore))
  )
