/**
 * The embedded store: one SQLite file, durable and private.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuthStore } from "./AuthStore.js"
import { AuthStoreError, layerSql } from "./AuthStore.js"
import { storeFailure } from "./internal/storeFailure.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The file. It and its folders are created where they are missing; the file gets mode 0600, new folders 0700. */
  readonly filename: string
}

const misconfigured = (detail: string): AuthStoreError =>
  new AuthStoreError({ reason: "misconfigured", detail })

/** SQLite gives the WAL and shared-memory files the mode of the main file, so it has to be right before it is opened. */
const prepareFile = (
  filename: string
): Effect.Effect<void, AuthStoreError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    // The driver takes such names for a database in memory, which would forget the count, or for another file.
    if (filename !== filename.trim() || filename === "" || filename === ":memory:") {
      return yield* misconfigured(`"${filename}" is not the name of a file`)
    }
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(path.dirname(filename), { recursive: true, mode: 0o700 })
    yield* Effect.scoped(fs.open(filename, { flag: "a", mode: 0o600 }))
    yield* fs.chmod(filename, 0o600)
    yield* Effect.forEach([`${filename}-wal`, `${filename}-shm`], (beside) =>
      Effect.whenEffect(fs.chmod(beside, 0o600), fs.exists(beside))
    )
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "AuthStoreError"
        ? error
        : misconfigured(
            `the file ${filename} cannot be made or opened (${error._tag === "SystemError" ? error.reason : error._tag})`
          )
    )
  )

const configure = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Every commit is on the disk before it returns; the busy time-out of the driver would block the event loop.
  yield* sql`PRAGMA synchronous = FULL`
  yield* sql`PRAGMA busy_timeout = 5`
})

/**
 * Keeps ledger and records in a SQLite file, in WAL mode with `synchronous = FULL`: many processes of one machine may
 * share it. Not for a network file system, whose locks do not hold.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<AuthStore, AuthStoreError, FileSystem.FileSystem | Path.Path> => {
  const client = SqliteClient.layer({ filename: options.filename }).pipe(
    Layer.tap((context) => Effect.provide(configure, context)),
    // The driver throws where it cannot open the file.
    Layer.catchAllCause((cause) => {
      const { detail, reason } = storeFailure(Cause.squash(cause))
      return Layer.fail(
        new AuthStoreError({ reason, detail: `${options.filename} cannot be opened, ${detail}` })
      )
    })
  )
  return layerSql.pipe(
    Layer.provide(client),
    Layer.provide(Layer.effectDiscard(prepareFile(options.filename)))
  )
}
