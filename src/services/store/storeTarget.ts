/**
 * Where a store lies: the URL that names it, and the file that is the default.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Url from "node:url"
import { InvalidInput } from "../../schemas/InvalidInput.js"
import { isUnexpanded, notExpanded } from "./sql/unexpanded.js"
import { parsePostgresUrl, postgresUrlForm } from "./sql/postgresUrl.js"

/**
 * The store: an SQLite file or a PostgreSQL database. The URL of the database may hold a password.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreTarget =
  | { readonly _tag: "sqlite"; readonly filename: string }
  | { readonly _tag: "postgres"; readonly url: Redacted.Redacted }

const sqliteForm =
  "file: and the path of an SQLite file, such as file:///var/lib/number-auth/number-auth.sqlite"
const storeForm = `${sqliteForm}, or postgres://user:password@host:port/database`

/**
 * Reads a store URL: `file:` and a path, absolute (`file:///var/lib/number.sqlite`) or relative to the working folder
 * (`file:number.sqlite`), or `postgres://…`. Gives the absolute path or the URL, or the expected form.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeStoreUrl = (text: string, workingFolder: string): Either.Either<StoreTarget, string> => {
  const trimmed = text.trim()
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(trimmed)?.[1]?.toLowerCase()
  if (scheme === "postgres" || scheme === "postgresql") {
    return parsePostgresUrl(trimmed) !== null
      ? Either.right({ _tag: "postgres", url: Redacted.make(trimmed) })
      : Either.left(postgresUrlForm)
  }
  if (scheme !== "file") return Either.left(storeForm)
  const base = Url.pathToFileURL(`${workingFolder}/`)
  if (!URL.canParse(trimmed, base.href)) return Either.left(sqliteForm)
  const url = new URL(trimmed, base)
  const path = Either.getOrElse(
    Either.try(() => decodeURIComponent(trimmed)),
    () => trimmed
  ).replace(/^file:/i, "")
  if (isUnexpanded(path)) return Either.left(`${sqliteForm}; ${notExpanded}`)
  const isFile = url.host === "" && url.search === "" && url.hash === "" && !url.pathname.endsWith("/")
  return isFile
    ? Either.mapBoth(
        Either.try(() => Url.fileURLToPath(url)),
        { onLeft: () => sqliteForm, onRight: (filename) => ({ _tag: "sqlite" as const, filename }) }
      )
    : Either.left(sqliteForm)
}

/**
 * The store as it may be shown: the URL of the file, or that of the database without password and parameters.
 *
 * @since 0.1.0
 * @category text
 */
export const shownStore = (store: StoreTarget): string => {
  if (store._tag === "sqlite") return Url.pathToFileURL(store.filename).href
  const { host, url } = parsePostgresUrl(Redacted.value(store.url))!
  return `postgres://${url.username === "" ? "" : `${url.username}@`}${host}${url.pathname}`
}

/**
 * The parts of the store's address that must never be shown: the passwords of its URL. A password of fewer than 12
 * characters is left out, since it may be part of any word. No text shows it anyway.
 *
 * @since 0.1.0
 * @category text
 */
export const storeSecrets = (store: StoreTarget): ReadonlyArray<Redacted.Redacted> => {
  if (store._tag === "sqlite") return []
  const { url } = parsePostgresUrl(Redacted.value(store.url))!
  const { password } = url
  const decoded = Either.getOrElse(
    Either.try(() => decodeURIComponent(password)),
    () => password
  )
  return [password, decoded, url.searchParams.get("password") ?? ""]
    .filter((secret) => secret.length >= 12)
    .map((secret) => Redacted.make(secret))
}

/**
 * The folder for state that outlives a restart and is not a setting. It is below `%LOCALAPPDATA%` on Windows. Elsewhere
 * it is below `$XDG_STATE_HOME`; without that, below `~/Library/Application Support` on macOS and `~/.local/state` on
 * other systems.
 *
 * @since 0.1.0
 * @category paths
 */
export const stateFolder = (host: {
  readonly platform: string
  readonly home: string
  readonly xdgStateHome: string | undefined
  readonly localAppData: string | undefined
}): string => {
  if (host.platform === "win32") {
    return Path.win32.join(
      host.localAppData ?? Path.win32.join(host.home, "AppData", "Local"),
      "effect-number-auth"
    )
  }
  // The specification of XDG_STATE_HOME says to ignore a relative path.
  if (host.xdgStateHome !== undefined && Path.posix.isAbsolute(host.xdgStateHome)) {
    return Path.posix.join(host.xdgStateHome, "effect-number-auth")
  }
  return host.platform === "darwin"
    ? Path.posix.join(host.home, "Library", "Application Support", "effect-number-auth")
    : Path.posix.join(host.home, ".local", "state", "effect-number-auth")
}

/** An empty variable counts as not set: a compose file gives one for a variable without a value. */
const environment = (name: string): Effect.Effect<Option.Option<string>> =>
  Config.option(Config.string(name)).pipe(
    Effect.orElseSucceed(() => Option.none<string>()),
    Effect.map(Option.filter((value) => value.trim() !== ""))
  )

const noHome = new InvalidInput({
  field: "NUMBER_STORE_URL",
  expected: `${sqliteForm}, since this user has no home folder`
})

/**
 * The store that everything uses which names none: a file in the state folder of the user, for programs and the command
 * alike. Fails if that is no absolute path, since then each working folder would have a count of its own.
 *
 * @since 0.2.0
 * @category config
 */
export const defaultStore: Effect.Effect<StoreTarget, InvalidInput> = Effect.gen(function* () {
  const home = yield* Effect.try({ try: () => Os.homedir(), catch: () => noHome })
  const folder = stateFolder({
    platform: Os.platform(),
    home,
    xdgStateHome: Option.getOrUndefined(yield* environment("XDG_STATE_HOME")),
    localAppData: Option.getOrUndefined(yield* environment("LOCALAPPDATA"))
  })
  if (!Path.isAbsolute(folder)) return yield* noHome
  return { _tag: "sqlite", filename: Path.join(folder, "number-auth.sqlite") }
})

/**
 * The store that `NUMBER_STORE_URL` names, or {@link defaultStore}. Touches no disk.
 *
 * @since 0.2.0
 * @category config
 */
export const configuredStore: Effect.Effect<StoreTarget, InvalidInput> = Effect.flatMap(
  environment("NUMBER_STORE_URL"),
  Option.match({
    onNone: () => defaultStore,
    onSome: (text) =>
      Either.mapLeft(
        decodeStoreUrl(text, Path.resolve()),
        (expected) => new InvalidInput({ field: "NUMBER_STORE_URL", expected })
      )
  })
)
