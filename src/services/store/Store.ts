/**
 * The store of a program: the one that `NUMBER_STORE_URL` names, and else the file that the command `number-auth` uses, too.
 * So everything that follows the defaults has one ledger. Loads only the driver that the URL needs.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import type { AuthStore } from "./AuthStore.js"
import { AuthStoreError } from "./AuthStoreError.js"
import { configuredStore, type StoreTarget } from "./storeTarget.js"

export { configuredStore, decodeStoreUrl, defaultStore, shownStore, type StoreTarget } from "./storeTarget.js"

const missing = (engine: string, driver: string) => (): AuthStoreError =>
  new AuthStoreError({
    reason: "misconfigured",
    detail: `${engine} needs the package ${driver}, which is not installed or does not load`,
    advice: `Install it: npm install ${driver}. If it is there, build it for this version of Node.js: npm rebuild`
  })

/**
 * The module of the PostgreSQL store, loaded on demand: its driver is an optional peer.
 *
 * @since 0.2.0
 * @category drivers
 */
export const loadPgStore = Effect.tryPromise({
  try: () => import("./PgStore.js"),
  catch: missing("PostgreSQL", "@effect/sql-pg")
})

/**
 * The module of the SQLite store, loaded on demand: its driver is an optional peer.
 *
 * @since 0.2.0
 * @category drivers
 */
export const loadSqliteStore = Effect.tryPromise({
  try: () => import("./SqliteStore.js"),
  catch: missing("SQLite", "@effect/sql-sqlite-node")
})

/**
 * The store at a place.
 *
 * @since 0.2.0
 * @category layers
 */
export const layer = (
  store: StoreTarget
): Layer.Layer<AuthStore, AuthStoreError, FileSystem.FileSystem | Path.Path> =>
  store._tag === "sqlite"
    ? Layer.unwrapEffect(Effect.map(loadSqliteStore, (SqliteStore) => SqliteStore.layer(store)))
    : Layer.unwrapEffect(Effect.map(loadPgStore, (PgStore) => PgStore.layer(store)))

/**
 * The store that `NUMBER_STORE_URL` names: `file:` and a path (`file:///var/lib/number-auth.sqlite`), or
 * `postgres://user:password@host:port/database`. Default: `number-auth.sqlite` in the state folder of the user, as for
 * the command `number-auth`. Session keys are sealed under `NUMBER_STORE_KEY`; a file has a key file of its own without it.
 *
 * @since 0.2.0
 * @category layers
 */
export const layerConfig = (): Layer.Layer<
  AuthStore,
  AuthStoreError | InvalidInput,
  FileSystem.FileSystem | Path.Path
> => Layer.unwrapEffect(Effect.map(configuredStore, layer))
