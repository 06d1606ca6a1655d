/**
 * The embedded store: one SQLite file, durable and private.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Location } from "../../schemas/Credentials.js"
import { type AccountKey, AuthStore } from "./AuthStore.js"
import { AuthStoreError, storeErrorOf } from "./AuthStoreError.js"
import { type Rekeyed, rekeySql } from "./rekey.js"
import * as SqlStore from "./SqlStore.js"
import { lastMigration, tokensMigration } from "./sql/migrations.js"
import {
  inspect as inspectSql,
  type Inspection,
  inspectLocation as inspectLocationSql,
  type LocationInspection
} from "./sql/readOnly.js"
import { outsideTransactions } from "./sql/transactions.js"
import { isUnexpanded, notExpanded } from "./sql/unexpanded.js"
import { storeFailure } from "./storeFailure.js"
import * as StoreKey from "./StoreKey.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The file. The file and its folders are created if they are missing. The file gets mode 0600, new folders 0700. */
  readonly filename: string
  /**
   * The keys that session keys and tokens are sealed under. Default: those of `NUMBER_STORE_KEY` and
   * `NUMBER_STORE_KEY_OLD` in the configuration. Without them a key is made once and kept beside the file, in
   * `<filename>.key` with mode 0600.
   */
  readonly storeKey?: StoreKey.KeyRing | undefined
}

const misconfigured = (detail: string): AuthStoreError =>
  new AuthStoreError({ reason: "misconfigured", detail })

const reasonOf = (error: PlatformError): string => (error._tag === "SystemError" ? error.reason : error._tag)

/** Prepares the file before SQLite opens it: SQLite gives the WAL and shared-memory files the mode of the main file. */
const prepareFile = (
  filename: string
): Effect.Effect<void, AuthStoreError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    // The driver would open a database in memory, which forgets the count, or another file.
    if (filename !== filename.trim() || filename === "" || filename === ":memory:") {
      return yield* misconfigured(`"${filename}" is not the name of a file`)
    }
    if (isUnexpanded(filename)) return yield* misconfigured(`the file is ${filename}: ${notExpanded}`)
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(path.dirname(filename), { recursive: true, mode: 0o700 })
    yield* Effect.scoped(fs.open(filename, { flag: "a", mode: 0o600 }))
    yield* fs.chmod(filename, 0o600)
    yield* Effect.forEach([`${filename}-wal`, `${filename}-shm`, keyFileOf(filename)], (beside) =>
      Effect.whenEffect(fs.chmod(beside, 0o600), fs.exists(beside))
    )
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "AuthStoreError"
        ? error
        : misconfigured(`the file ${filename} cannot be made or opened (${reasonOf(error)})`)
    )
  )

const keyFileOf = (filename: string): string => `${filename}.key`

/** The key in the key file; none if there is no such file. */
const readKeyFile = (
  filename: string
): Effect.Effect<Option.Option<StoreKey.StoreKey>, AuthStoreError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const keyFile = keyFileOf(filename)
    const text = yield* Effect.asSome(fs.readFileString(keyFile)).pipe(
      Effect.catchAll((error) =>
        error._tag === "SystemError" && error.reason === "NotFound"
          ? Effect.succeedNone
          : new AuthStoreError({
              reason: "misconfigured",
              detail: `the key file ${keyFile} cannot be read (${reasonOf(error)})`,
              advice: "Let this user read it: no other key opens the secrets that are sealed under this key"
            })
      )
    )
    if (Option.isNone(text)) return Option.none()
    return yield* Either.match(StoreKey.decodeStoreKey(text.value), {
      onRight: Effect.succeedSome,
      onLeft: () =>
        new AuthStoreError({
          reason: "unreadable",
          detail: `the key file ${keyFile} does not hold the base64 of 32 bytes`,
          advice:
            "Put it back from a backup. If there is no backup, remove the file, so that a new key is made, and delete the sealed secrets with number-auth rekey --discard; the count and the record of refused tokens stay the same"
        })
    })
  })

/**
 * Makes the key file, whole or not at all: it is written under another name, and then linked. Linking fails if a key
 * file exists. So of processes that start together, one makes the file, and all read it.
 */
const makeKeyFile = (
  filename: string
): Effect.Effect<void, AuthStoreError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const keyFile = keyFileOf(filename)
    const draft = `${keyFile}.${globalThis.crypto.randomUUID()}`
    const text = new TextEncoder().encode(`${Redacted.value(yield* StoreKey.generate)}\n`)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(draft, { flag: "wx", mode: 0o600 })
        yield* file.writeAll(text)
        yield* file.sync
      })
    ).pipe(
      Effect.zipRight(fs.link(draft, keyFile)),
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
        () => Effect.void
      ),
      Effect.mapError((error) =>
        misconfigured(
          `the key file ${keyFile} cannot be made (${reasonOf(error)}); NUMBER_STORE_KEY may hold the key instead`
        )
      ),
      Effect.ensuring(Effect.ignore(fs.remove(draft)))
    )
    // A sealed secret must not outlive its key, so the folder is synced too, if the system allows it.
    yield* Effect.scoped(
      Effect.flatMap(fs.open(path.dirname(keyFile), { flag: "r" }), (folder) => folder.sync)
    ).pipe(Effect.ignore)
  })

/**
 * The keys of a store with these options: the given ones, and the one in the key file, which still opens secrets that
 * it sealed before a key was given. `current` is none if no key was given and there is no key file. Creates nothing.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const keys = (
  options: Options
): Effect.Effect<StoreKey.ConfiguredKeys, AuthStoreError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { current, older } =
      options.storeKey === undefined
        ? yield* SqlStore.configuredKeys
        : { current: Option.some(options.storeKey.current), older: options.storeKey.older }
    if (Option.isNone(current)) return { current: yield* readKeyFile(options.filename), older }
    // Ignore a damaged key file here. If a secret is sealed under its key, opening that secret fails and names the
    // key's id.
    const kept = yield* Effect.orElseSucceed(readKeyFile(options.filename), () => Option.none())
    return { current, older: [...older, ...Option.toArray(kept)] }
  })

/** The ids of the keys that secrets in the file are sealed under. A torn record adds none. */
const sealingKeys: Effect.Effect<ReadonlyArray<string>, AuthStoreError, SqlClient.SqlClient> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    if ((yield* lastMigration) < tokensMigration) return []
    const rows = yield* sql<{ key: string }>`SELECT DISTINCT key FROM (
        SELECT iif(json_valid(document), json_extract(document, '$.sessionKey.keyId'), NULL) AS key
        FROM number_auth_account
        UNION ALL
        SELECT iif(json_valid(document), json_extract(document, '$.token.keyId'), NULL) FROM number_auth_token
      ) WHERE key IS NOT NULL`
    return rows.map(({ key }) => key)
  }
).pipe(outsideTransactions, Effect.mapError(storeErrorOf))

/**
 * The key ring of a file. If there is no key, one is made. If secrets are sealed under a lost key, that needs
 * `isLossAccepted`.
 */
const keyRing = (options: Options, isLossAccepted = false) =>
  Effect.gen(function* () {
    const { filename } = options
    const found = yield* keys(options)
    if (Option.isSome(found.current)) return { current: found.current.value, older: found.older }
    // A secret that is sealed under a supplied older key is not lost with the key file.
    const missing = isLossAccepted
      ? undefined
      : (yield* sealingKeys).find((id) => !found.older.some((key) => key.id === id))
    if (missing === undefined) yield* makeKeyFile(filename)
    const current = yield* Effect.flatMap(readKeyFile(filename), (made) =>
      Effect.mapError(made, () =>
        missing === undefined
          ? misconfigured(`the key file ${keyFileOf(filename)} has disappeared`)
          : new AuthStoreError({
              reason: "unreadable",
              detail: `the secrets in ${filename} are sealed under the store key with id ${missing}, there is no key file ${keyFileOf(filename)}, and that key was not supplied`,
              advice: `Put the key file back, or supply the key as NUMBER_STORE_KEY or in NUMBER_STORE_KEY_OLD. If it is lost, number-auth rekey --discard makes a new one and deletes the sealed secrets: the next login of those accounts makes an attempt; the count and the record of refused tokens stay the same`
            })
      )
    )
    return { current, older: found.older }
  })

const configure = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Every commit is on the disk before it returns. The driver's busy time-out blocks the event loop, so it is 5 ms.
  yield* sql`PRAGMA synchronous = FULL`
  yield* sql`PRAGMA busy_timeout = 5`
}).pipe(outsideTransactions)

const clientOf = ({ filename }: Options) =>
  SqliteClient.layer({ filename }).pipe(
    Layer.tap((context) => Effect.provide(configure, context)),
    // The driver throws if it cannot open the file.
    Layer.catchAllCause((cause) => {
      const { detail, reason } = storeFailure(Cause.squash(cause))
      return Layer.fail(new AuthStoreError({ reason, detail: `${filename} cannot be opened, ${detail}` }))
    }),
    Layer.provide(Layer.effectDiscard(prepareFile(filename)))
  )

/**
 * The store in a SQLite file, in WAL mode with `synchronous = FULL`. Many processes of one machine may share it. Do not
 * put it on a network file system: its locks do not hold. Session keys are sealed ({@link Options}).
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<AuthStore, AuthStoreError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    AuthStore,
    Effect.flatMap(keyRing(options), (storeKey) => SqlStore.make({ storeKey }))
  ).pipe(Layer.provide(clientOf(options)))

/**
 * Seals all secrets of a file anew, as `rekeySql` does. If another key is given, the key in the key file is one of the
 * older keys. An existing key file is not changed.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const rekey = (
  options: Options & { readonly discard?: boolean | undefined }
): Effect.Effect<Rekeyed, AuthStoreError, FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(keyRing(options, options.discard), (storeKey) =>
    rekeySql({ storeKey, discard: options.discard })
  ).pipe(Effect.provide(clientOf(options)))

/**
 * Inspects the file as it is, opened read-only. Creates and changes nothing, except that SQLite may leave its empty
 * `-wal` and `-shm` files beside it. Fails if there is no such file.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const inspect = (
  { filename }: Pick<Options, "filename">,
  key: AccountKey
): Effect.Effect<Inspection, AuthStoreError> =>
  lookAt(
    filename,
    Effect.zipWith(inspectSql(key), sealingKeys, (inspection, ids) => ({ ...inspection, sealedInAll: ids }))
  )

/**
 * Inspects a location and all its accounts in a file, as {@link inspect} does.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const inspectLocation = (
  { filename }: Pick<Options, "filename">,
  location: Location
): Effect.Effect<LocationInspection, AuthStoreError> => lookAt(filename, inspectLocationSql(location))

const lookAt = <A>(
  filename: string,
  look: Effect.Effect<A, AuthStoreError, SqlClient.SqlClient>
): Effect.Effect<A, AuthStoreError> =>
  // The pragma for WAL mode would write to the file, so it is disabled.
  Effect.provide(look, SqliteClient.layer({ filename, readonly: true, disableWAL: true })).pipe(
    // The driver throws if it cannot open the file.
    Effect.catchAllCause((cause) => storeErrorOf(Cause.squash(cause)))
  )
