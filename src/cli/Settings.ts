/**
 * The settings of the command. They come from flags, else from the environment, else from their defaults.
 */
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  type AccountCode,
  decodeAccountCode,
  decodeLocation,
  decodeToken,
  type Location
} from "../schemas/Credentials.js"
import type { InvalidInput } from "../schemas/InvalidInput.js"
import { decodeStoreUrl, defaultStore, type StoreTarget } from "../services/store/storeTarget.js"
import { decodeBaseUrl, defaultBaseUrl } from "../services/wire/NumberTransport.js"
import { InvalidSetting } from "./InvalidSetting.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly account: AccountCode
  readonly location: Location
  readonly baseUrl: string
  readonly store: StoreTarget
  readonly attemptTimeout: Duration.Duration
  readonly limit: number
}

/**
 * The flags of every command that uses an account. Their values are the text that was typed.
 *
 * @since 0.1.0
 * @category options
 */
export const flags = {
  account: Options.text("account").pipe(
    Options.optional,
    Options.withDescription("The account code, such as EP9116875. Environment: NUMBER_ACCOUNT_CODE.")
  ),
  location: Options.text("location").pipe(
    Options.optional,
    Options.withDescription(
      "Your name for the egress IP. Everything that shares the IP must use the same name and the same store. Default: default. Environment: NUMBER_LOCATION."
    )
  ),
  baseUrl: Options.text("base-url").pipe(
    Options.optional,
    Options.withDescription(`Number's base URL. Default: ${defaultBaseUrl}. Environment: NUMBER_BASE_URL.`)
  ),
  store: Options.text("store").pipe(
    Options.optional,
    Options.withDescription(
      "Where the location's count and the session are kept: file:… names an SQLite file, postgres://… a PostgreSQL database (give a password only in the environment: the process list shows the command line). Default: a file in the user's state folder. Environment: NUMBER_STORE_URL."
    )
  ),
  attemptTimeout: Options.text("attempt-timeout").pipe(
    Options.optional,
    Options.withDescription(
      'How long an attempt may take before it is given up as lost, such as "30 seconds", the default. Environment: NUMBER_ATTEMPT_TIMEOUT.'
    )
  ),
  limit: Options.text("limit").pipe(
    Options.optional,
    Options.withDescription(
      "The most unsuccessful attempts in a row that the location may make: 1 to 5. Default: 5 (Number locks at 6). Environment: NUMBER_LIMIT."
    )
  )
}

/**
 * The flag of the commands that may make an attempt.
 *
 * @since 0.1.0
 * @category options
 */
export const tokenFlag: Options.Options<Option.Option<string>> = Options.text("token-file").pipe(
  Options.optional,
  Options.withDescription(
    "A file that holds the token. Environment, with the token itself: NUMBER_TOKEN. There is no flag for the token: the process list shows the command line."
  )
)

/**
 * @since 0.1.0
 * @category models
 */
export type Flags = { readonly [Name in keyof typeof flags]: Option.Option<string> }

/** An empty variable counts as not set: a compose file gives one for a variable without a value. */
const environment = (name: string): Effect.Effect<Option.Option<string>> =>
  Config.option(Config.string(name)).pipe(
    Effect.orElseSucceed(() => Option.none<string>()),
    Effect.map(Option.filter((value) => value.trim() !== ""))
  )

interface Source {
  readonly setting: string
  readonly flag: string | null
}

const missing = ({ flag, setting }: Source, expected: string): InvalidSetting =>
  new InvalidSetting({ setting, flag, problem: "missing", expected })

const malformed = ({ flag, setting }: Source, expected: string): InvalidSetting =>
  new InvalidSetting({ setting, flag, problem: "malformed", expected })

const decodeDuration = (text: string): Either.Either<Duration.Duration, string> =>
  Duration.decodeUnknown(text.trim()).pipe(
    Option.filter((duration) => Duration.isFinite(duration) && Duration.toMillis(duration) >= 1),
    Either.fromOption(() => "a duration of 1 milli or more, such as 30 seconds, 500 millis or 2 minutes")
  )

const decodeLimit = (text: string): Either.Either<number, string> =>
  /^[1-5]$/.test(text.trim())
    ? Either.right(Number(text))
    : Either.left("a whole number from 1 to 5 (Number locks the IP at 6)")

const read = <A>(
  source: Source,
  flag: Option.Option<string>,
  decode: (text: string) => Either.Either<A, string | InvalidInput>,
  otherwise: Effect.Effect<A, InvalidSetting>
): Effect.Effect<A, InvalidSetting> =>
  Effect.flatMap(environment(source.setting), (value) =>
    Option.match(
      Option.orElse(flag, () => value),
      {
        onNone: () => otherwise,
        onSome: (text) =>
          Either.mapLeft(decode(text), (error) =>
            malformed(source, typeof error === "string" ? error : error.expected)
          )
      }
    )
  )

/**
 * Reads the store. Touches no disk.
 *
 * @since 0.1.0
 * @category constructors
 */
export const readStore = (flag: Option.Option<string>): Effect.Effect<StoreTarget, InvalidSetting> => {
  const store: Source = { setting: "NUMBER_STORE_URL", flag: "--store" }
  return read(
    store,
    flag,
    (text) => decodeStoreUrl(text, process.cwd()),
    Effect.mapError(defaultStore, ({ expected }) => missing(store, expected))
  )
}

/**
 * Reads the location. Touches no disk.
 *
 * @since 0.1.0
 * @category constructors
 */
export const readLocation = (flag: Option.Option<string>): Effect.Effect<Location, InvalidSetting> =>
  read(
    { setting: "NUMBER_LOCATION", flag: "--location" },
    flag,
    decodeLocation,
    Effect.orDie(decodeLocation("default"))
  )

/**
 * Reads the limit. Touches no disk.
 *
 * @since 0.1.0
 * @category constructors
 */
export const readLimit = (flag: Option.Option<string>): Effect.Effect<number, InvalidSetting> =>
  read({ setting: "NUMBER_LIMIT", flag: "--limit" }, flag, decodeLimit, Effect.succeed(5))

/**
 * Reads the secret that the inspector asks for, from `NUMBER_INSPECT_SECRET`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const readInspectSecret: Effect.Effect<Option.Option<Redacted.Redacted>> = Effect.map(
  environment("NUMBER_INSPECT_SECRET"),
  Option.map(Redacted.make)
)

/**
 * Reads the settings. Touches no disk.
 *
 * @since 0.1.0
 * @category constructors
 */
export const readSettings = (given: Flags): Effect.Effect<Settings, InvalidSetting> => {
  const account: Source = { setting: "NUMBER_ACCOUNT_CODE", flag: "--account" }
  const baseUrl: Source = { setting: "NUMBER_BASE_URL", flag: "--base-url" }
  const attemptTimeout: Source = { setting: "NUMBER_ATTEMPT_TIMEOUT", flag: "--attempt-timeout" }
  return Effect.all({
    account: read(
      account,
      given.account,
      decodeAccountCode,
      missing(account, "2 letters and 7 digits, such as EP9116875")
    ),
    location: readLocation(given.location),
    baseUrl: read(baseUrl, given.baseUrl, decodeBaseUrl, Effect.succeed(defaultBaseUrl)),
    store: readStore(given.store),
    attemptTimeout: read(
      attemptTimeout,
      given.attemptTimeout,
      decodeDuration,
      Effect.succeed(Duration.seconds(30))
    ),
    limit: readLimit(given.limit)
  })
}

const tokenForm = "32 hexadecimal characters, as the Client Admin Portal shows them"

/**
 * Reads the token from the file that `--token-file` names, else from `NUMBER_TOKEN`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const readToken = (
  file: Option.Option<string>
): Effect.Effect<Redacted.Redacted, InvalidSetting, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    // The path is not shown: a user may have typed the token itself instead of a path.
    const source: Source = Option.isSome(file)
      ? { setting: "--token-file", flag: null }
      : { setting: "NUMBER_TOKEN", flag: "--token-file" }
    const text = Option.isSome(file)
      ? yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(file.value)).pipe(
          Effect.mapError(() => malformed(source, `the path of a file that can be read and holds the token`))
        )
      : Option.getOrElse(yield* environment("NUMBER_TOKEN"), () => "")
    if (text.trim() === "") return yield* missing(source, tokenForm)
    yield* Either.mapLeft(decodeToken(text), () => malformed(source, tokenForm))
    return Redacted.make(text.trim())
  })
