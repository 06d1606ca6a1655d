/**
 * The commands of `number-auth`.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text as readAll } from "node:stream/consumers"
import * as InspectServer from "../inspect/InspectServer.js"
import * as Recorder from "../inspect/Recorder.js"
import * as StoreFollower from "../inspect/StoreFollower.js"
import { refusalIn } from "../schemas/Answers.js"
import { decodeAccountCode, decodeToken } from "../schemas/Credentials.js"
import { fromTrace, type TransitionRecord } from "../schemas/TransitionRecord.js"
import { AuthNotifier } from "../services/session/AuthNotifier.js"
import type { Rekeyed } from "../services/store/rekey.js"
import { CredentialError, CredentialProvider, layerConfig } from "../services/session/CredentialProvider.js"
import { isCallUrl } from "../services/wire/http/baseUrl.js"
import { readJsonAnswer } from "../services/calls/internal/jsonAnswer.js"
import { fateOf } from "../services/wire/http/fate.js"
import * as NumberAuth from "../services/session/NumberAuth.js"
import * as NumberTransport from "../services/wire/NumberTransport.js"
import { SessionRefused } from "../services/session/SessionRefusal.js"
import * as SqliteStore from "../services/store/SqliteStore.js"
import * as Store from "../services/store/Store.js"
import { shownStore, storeSecrets, type StoreTarget } from "../services/store/storeTarget.js"
import * as NumberEmulator from "../testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../testing/NumberEmulatorServer.js"
import * as Simulation from "../testing/Simulation.js"
import * as SimulationTrace from "../testing/SimulationTrace.js"
import { CallRefused, CallUnknown, CallUnreachable } from "./RequestError.js"
import { examine, exitCodeOfFindings, type Finding, findingsText, settingFinding } from "./Doctor.js"
import { type CommandError, ExitCode } from "./ExitCode.js"
import { InvalidSetting } from "./InvalidSetting.js"
import { ProblemsFound } from "./ProblemsFound.js"
import { Output } from "./Output.js"
import { PromiseBroken } from "./PromiseBroken.js"
import { type StatusReport, statusJson, statusText } from "./Report.js"
import {
  type Flags,
  flags,
  readInspectSecret,
  readLimit,
  readLocation,
  readSettings,
  readStore,
  readToken,
  type Settings,
  tokenFlag
} from "./Settings.js"

/**
 * The error of a command, with the status after it, if that is known.
 *
 * @since 0.1.0
 * @category errors
 */
export class Failure extends Data.TaggedError("Failure")<{
  readonly error: CommandError
  readonly report: Option.Option<StatusReport>
}> {}

// -----------------------------------------------------------------------------
// the services of a command
// -----------------------------------------------------------------------------

const json = Options.boolean("json").pipe(
  Options.withDescription("Make the last line of standard output one JSON object, errors too.")
)

const portOf = (description: string) =>
  Options.integer("port").pipe(
    Options.filterMap(
      (port) => (port >= 0 && port <= 65_535 ? Option.some(port) : Option.none()),
      "--port takes a whole number from 0 to 65535"
    ),
    Options.withDefault(0),
    Options.withDescription(description)
  )

/** Prints each notice on standard error. {@link Output} prints a text once, even if the command's error repeats it. */
const layerNotifier: Layer.Layer<AuthNotifier, never, Output> = Layer.effect(
  AuthNotifier,
  Effect.map(Output, (output) => ({ notify: ({ message }) => output.say(message) }))
)

/** The credential provider of the commands that make no attempt. It has no token. */
const layerNoToken = Layer.succeed(CredentialProvider, {
  get: () => Effect.fail(new CredentialError({ detail: "this command makes no attempt" })),
  put: () => Effect.fail(new CredentialError({ detail: "this command keeps no token" }))
})

const layerAuth = (settings: Settings, credentials: Layer.Layer<CredentialProvider>) =>
  NumberAuth.layer(settings).pipe(
    Layer.provide(
      Layer.mergeAll(
        Store.layer(settings.store),
        NumberTransport.layerRest(settings),
        layerNotifier,
        credentials
      )
    ),
    Layer.provide(NodeHttpClient.layer)
  )

type Environment = Output | FileSystem.FileSystem | Path.Path

const reportOf = (auth: NumberAuth.NumberAuth["Type"], settings: Settings) =>
  Effect.map(Effect.all({ status: auth.status, now: DateTime.now }), (now): StatusReport => ({
    ...now,
    store: settings.store
  }))

/** Runs a command with the services of the settings. Its failure carries the status after it, if that can be read. */
const withAuth = <A>(
  settings: Settings,
  credentials: Layer.Layer<CredentialProvider>,
  use: (auth: NumberAuth.NumberAuth["Type"]) => Effect.Effect<A, CommandError, Output>
): Effect.Effect<A, Failure, Environment> =>
  Effect.flatMap(NumberAuth.NumberAuth, (auth) =>
    use(auth).pipe(
      Effect.catchAll((error) =>
        (error._tag === "AuthStoreError" ? Effect.succeedNone : Effect.option(reportOf(auth, settings))).pipe(
          Effect.flatMap((report) => new Failure({ error, report }))
        )
      )
    )
  ).pipe(
    Effect.provide(layerAuth(settings, credentials)),
    Effect.mapError((error) =>
      error._tag === "Failure" ? error : new Failure({ error, report: Option.none() })
    )
  )

const failing = <A, R>(effect: Effect.Effect<A, CommandError, R>): Effect.Effect<A, Failure, R> =>
  Effect.mapError(effect, (error) => new Failure({ error, report: Option.none() }))

const hideSecretsOf = (store: StoreTarget) =>
  Effect.flatMap(Output, (output) => Effect.forEach(storeSecrets(store), output.hide, { discard: true }))

/** Reads the settings, and hides the store's password from all output. */
const settingsOf = (given: Flags) =>
  failing(readSettings(given)).pipe(Effect.tap(({ store }) => hideSecretsOf(store)))

/** Reads the token, and hides it from all output. */
const tokenOf = (file: Option.Option<string>) =>
  readToken(file).pipe(
    Effect.tap((token) => Effect.flatMap(Output, (output) => output.hide(token))),
    Effect.map((token) => layerConfig(Config.succeed(token)))
  )

/** Explains after a signal why the command does not end at once: an attempt may be in flight. */
const explainInterrupt =
  (settings: Settings) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Output> =>
    Effect.onInterrupt(effect, () =>
      Effect.flatMap(Output, (output) =>
        output.say(
          `Interrupted. An attempt that is under way is settled first. This takes ${Duration.format(settings.attemptTimeout)} at most, and 15 seconds more if the store is away. An attempt that is cut off would count against the location.`
        )
      )
    )

// -----------------------------------------------------------------------------
// login, status, resume, lock-lifted
// -----------------------------------------------------------------------------

const printStatus = (
  auth: NumberAuth.NumberAuth["Type"],
  settings: Settings,
  more: { readonly text: string; readonly json: Readonly<Record<string, unknown>> } = { text: "", json: {} }
) =>
  Effect.gen(function* () {
    const output = yield* Output
    const report = yield* reportOf(auth, settings)
    yield* output.result(statusText(report) + more.text, { ...statusJson(report), ...more.json })
  })

const login = Command.make(
  "login",
  {
    ...flags,
    tokenFile: tokenFlag,
    showKey: Options.boolean("show-key").pipe(
      Options.withDescription(
        "Print the session key too. Anyone who has it can act as the account from this IP."
      )
    ),
    json
  },
  ({ showKey, tokenFile, ...given }) =>
    Effect.gen(function* () {
      const settings = yield* settingsOf(given)
      const credentials = yield* failing(tokenOf(tokenFile))
      yield* withAuth(settings, credentials, (auth) =>
        Effect.gen(function* () {
          const key = Redacted.value(yield* explainInterrupt(settings)(auth.sessionKey))
          // The session outlives this command only in the store.
          yield* auth.settled
          yield* printStatus(
            auth,
            settings,
            showKey ? { text: `\n  key      ${key}`, json: { sessionKey: key } } : undefined
          )
        })
      )
    })
).pipe(
  Command.withDescription(
    "Obtain a session, or find the one that is held. Makes one attempt at most, and none with a token that Number refused before."
  )
)

const status = Command.make("status", { ...flags, json }, (given) =>
  Effect.gen(function* () {
    const settings = yield* settingsOf(given)
    yield* withAuth(settings, layerNoToken, (auth) => printStatus(auth, settings))
  })
).pipe(
  Command.withDescription(
    "Show the state of the account and the location's count. Sends nothing, needs no token, and exits 0 in every state."
  )
)

const resume = Command.make("resume", { ...flags, json }, (given) =>
  Effect.gen(function* () {
    const settings = yield* settingsOf(given)
    yield* withAuth(settings, layerNoToken, (auth) =>
      Effect.zipRight(auth.resume, printStatus(auth, settings))
    )
  })
).pipe(
  Command.withDescription(
    "After an abort, unless Number refused the token: allow one more attempt, at the next login. Sends nothing and needs no token. The count stays the same."
  )
)

const lockLifted = Command.make("lock-lifted", { ...flags, json }, (given) =>
  Effect.gen(function* () {
    const settings = yield* settingsOf(given)
    yield* withAuth(settings, layerNoToken, (auth) =>
      Effect.zipRight(auth.confirmLockLifted, printStatus(auth, settings))
    )
  })
).pipe(
  Command.withDescription(
    "Confirm that Number's support has lifted the lock and set the count of the IP to zero. If this is not true, the next attempts can lock the location. Sends nothing and needs no token."
  )
)

// -----------------------------------------------------------------------------
// rekey
// -----------------------------------------------------------------------------

const rekeyedText = ({ discarded, keyId, resealed, unchanged }: Rekeyed, store: StoreTarget): string =>
  [
    `${shownStore(store)}: all sealed secrets are now sealed under the store key with id ${keyId}.`,
    `  sealed again  ${resealed}`,
    `  unchanged     ${unchanged}`,
    `  discarded     ${discarded}`,
    "When every process has the new key as NUMBER_STORE_KEY, run this again. After that, the old key is no longer needed."
  ].join("\n")

const rekey = Command.make(
  "rekey",
  {
    store: flags.store,
    discard: Options.boolean("discard").pipe(
      Options.withDescription(
        "Delete the sessions and tokens that no key opens. The next login of such an account makes an attempt, and its token must be supplied again. The count and the record of refused tokens stay the same."
      )
    ),
    json
  },
  (given) =>
    Effect.gen(function* () {
      const output = yield* Output
      const store = yield* failing(readStore(given.store))
      yield* hideSecretsOf(store)
      const { discard } = given
      const rekeyed = yield* failing(
        store._tag === "sqlite"
          ? SqliteStore.rekey({ ...store, discard })
          : Effect.flatMap(Store.loadPgStore, (PgStore) => PgStore.rekey({ ...store, discard }))
      )
      yield* output.result(rekeyedText(rekeyed, store), { ...rekeyed, store: shownStore(store) })
    })
).pipe(
  Command.withDescription(
    "Seal every stored session key and token again, under NUMBER_STORE_KEY. The command opens them with NUMBER_STORE_KEY_OLD (several keys, separated by commas) or with the key file. It may be interrupted and started again. Sends nothing and needs no token."
  )
)

// -----------------------------------------------------------------------------
// doctor
// -----------------------------------------------------------------------------

/** Prints the findings on standard output. Fails if one is bad; with `--json` the error's object then holds them. */
const tellFindings = (findings: ReadonlyArray<Finding>, about: Readonly<Record<string, unknown>>) =>
  Effect.gen(function* () {
    const output = yield* Output
    const checks = findings.map(({ check, detail, result, todo }) => ({ check, result, detail, todo }))
    const exitCode = exitCodeOfFindings(findings)
    if (exitCode === ExitCode.done) {
      return yield* output.result(findingsText(findings), { ...about, checks, exitCode })
    }
    if (!output.json) yield* output.line(findingsText(findings))
    return yield* failing(new ProblemsFound({ checks, exitCode: exitCode as ProblemsFound["exitCode"] }))
  })

const doctor = Command.make("doctor", { ...flags, tokenFile: tokenFlag, json }, ({ tokenFile, ...given }) =>
  Effect.gen(function* () {
    const output = yield* Output
    const settings = yield* Effect.either(readSettings(given))
    const token = yield* Effect.either(readToken(tokenFile))
    if (Either.isRight(token)) yield* output.hide(token.right)
    if (Either.isLeft(settings)) {
      const malformed = Either.isLeft(token) ? [settingFinding("token", token.left)] : []
      return yield* tellFindings([settingFinding("settings", settings.left), ...malformed], {})
    }
    const { account, location, store } = settings.right
    yield* hideSecretsOf(store)
    yield* tellFindings(yield* examine(settings.right, token), {
      account,
      location,
      store: shownStore(store)
    })
  })
).pipe(
  Command.withDescription(
    "Check settings, token, store, clock, network, the location's count and the account, and say what to do. Makes no attempt, sends nothing to Number, and changes nothing in the store. Exits 77 if a person is needed, 78 for settings, 75 if the store or the network cannot be reached."
  )
)

// -----------------------------------------------------------------------------
// request
// -----------------------------------------------------------------------------

/** The longest time of a call, including a renewal. It is longer than any wait of the library by default. */
const callTimeout = "2 minutes"

/**
 * The path of a call, relative to the base URL. `Authenticate` is refused, since the ledger would have no mark of that
 * attempt.
 */
const decodePath = (settings: Settings, path: string): Either.Either<string, InvalidSetting> => {
  const invalid = new InvalidSetting({
    setting: "PATH",
    flag: null,
    problem: "malformed",
    expected:
      "the path of a method below the base URL, such as /Query_Transaction; to authenticate, use number-auth login"
  })
  const relative = `/${path.replace(/^\/+/, "")}`
  return !/^[a-z][a-z0-9+.-]*:/i.test(path) && isCallUrl(settings.baseUrl, `${settings.baseUrl}${relative}`)
    ? Either.right(relative)
    : Either.left(invalid)
}

const parseJson = (text: string): Option.Option<unknown> =>
  Either.getRight(Either.try(() => JSON.parse(text) as unknown))

/** The body of a call. `-` reads it from standard input, since the process list shows the command line. */
const readData = (data: string): Effect.Effect<string, InvalidSetting> => {
  const invalid = new InvalidSetting({
    setting: "--data",
    flag: null,
    problem: "malformed",
    expected: "JSON, or - to read it from standard input"
  })
  return (
    data === "-"
      ? Effect.tryPromise({ try: () => readAll(process.stdin), catch: () => invalid })
      : Effect.succeed(data)
  ).pipe(
    Effect.filterOrFail(
      (text) => Option.isSome(parseJson(text)),
      () => invalid
    )
  )
}

/** The error of a call without a readable answer. The HTTP error itself is not shown: it holds the request. */
const ofHttpError = (
  error: HttpClientError.HttpClientError
): CallUnreachable | CallUnknown | InvalidSetting => {
  const fate = fateOf(error)
  switch (fate._tag) {
    case "unsent":
      return fate.why === "connection"
        ? new CallUnreachable({ detail: fate.detail })
        : new InvalidSetting({
            setting: "PATH",
            flag: null,
            problem: "malformed",
            expected: "the path of a method below the base URL"
          })
    case "answered":
      return new CallUnknown({ detail: `Number answered with HTTP status ${fate.status}`, answer: null })
    case "lost":
      return new CallUnknown({ detail: fate.detail, answer: null })
  }
}

/** The answer, if Number carried the call out; else the error of a refused session or of the verdict. */
const judge = (
  status: number,
  text: string
): Either.Either<unknown, CallRefused | CallUnknown | SessionRefused> => {
  const { head, json, verdict } = readJsonAnswer({ status, text }, null, identity)
  const answer: unknown = Option.getOrElse(json, () => text)
  const refusal = refusalIn(answer)
  if (Option.isSome(refusal)) return Either.left(new SessionRefused({ code: refusal.value }))
  switch (verdict._tag) {
    case "carriedOut":
      return Either.right(answer)
    case "notCarriedOut":
      return Either.left(
        new CallRefused({ detail: `FunctionOk is false, ErrCode is ${head.ErrCode ?? "none"}`, answer })
      )
    case "unknown":
      return Either.left(new CallUnknown({ detail: verdict.detail, answer }))
  }
}

const readAnswer = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.flatMap(response.text, (text) => judge(response.status, text))

const answerText = (answer: unknown): string =>
  typeof answer === "string" ? answer : JSON.stringify(answer, null, 2)

const request = Command.make(
  "request",
  {
    path: Args.text({ name: "path" }).pipe(
      Args.withDescription("The method's path below the base URL, such as /Query_Transaction.")
    ),
    data: Options.text("data").pipe(
      Options.withDefault("{}"),
      Options.withDescription(
        "The call's body, as JSON. Use - to read it from standard input, so that the process list does not show it. Default: {}."
      )
    ),
    ...flags,
    tokenFile: tokenFlag,
    json
  },
  ({ data, path, tokenFile, ...given }) =>
    Effect.gen(function* () {
      const output = yield* Output
      const settings = yield* settingsOf(given)
      const url = yield* failing(decodePath(settings, path))
      const credentials = yield* failing(tokenOf(tokenFile))
      const body = yield* failing(readData(data))
      yield* withAuth(settings, credentials, (auth) =>
        Effect.gen(function* () {
          // The session is obtained before the call, so that its failure is not taken for a failure of the call.
          yield* explainInterrupt(settings)(auth.sessionKey)
          const answer = yield* auth.httpClient
            .execute(
              HttpClientRequest.post(url).pipe(
                HttpClientRequest.acceptJson,
                HttpClientRequest.bodyText(body, "application/json")
              )
            )
            .pipe(
              Effect.flatMap(readAnswer),
              Effect.catchTags({
                RequestError: (error) => Effect.fail(ofHttpError(error)),
                ResponseError: (error) => Effect.fail(ofHttpError(error)),
                // The body is text, which can always be sent again.
                RequestNotReplayable: Effect.die
              }),
              Effect.timeoutFail({
                duration: callTimeout,
                onTimeout: () =>
                  new CallUnknown({ detail: `no answer came within ${callTimeout}`, answer: null })
              }),
              // A renewal during the call may have brought another key, which is hidden too.
              Effect.ensuring(Effect.ignore(Effect.flatMap(auth.sessionKey, output.hide))),
              Effect.tapError((error) =>
                "answer" in error && error.answer !== null && !output.json
                  ? output.line(answerText(error.answer))
                  : Effect.void
              )
            )
          yield* output.result(answerText(answer), Predicate.isRecord(answer) ? answer : { answer })
        })
      )
    })
).pipe(
  Command.withDescription(
    "Send one call with the session key in the header SessKey and print Number's answer. If Number refuses the key, it is renewed, and the call is sent once more."
  )
)

// -----------------------------------------------------------------------------
// emulator
// -----------------------------------------------------------------------------

/** Samples from Number's documentation (`number-api.md`, section "Values"). Only the emulator accepts them. */
const sample = { account: "EP9116875", token: "2148B239CF6846BDA5D141BF4A4CFBE8" }

const emulatorText = (url: string, variables: Readonly<Record<string, string>>): string =>
  [
    `# The Number emulator listens on ${url}, on this machine only. Test values, no secrets. Ctrl-C ends it.`,
    "# In another terminal:",
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${value}`),
    "#   number-auth login",
    `#   number-auth request /Echo --data '{"amount": 1}'`,
    "# Control it by POST. Each answer shows the emulator's own count:",
    `#   curl -sX POST ${url}/_emulator/state`,
    `#   curl -sX POST ${url}/_emulator/expireSessions`,
    `#   curl -sX POST ${url}/_emulator/inject -d '{"faults": [{"_tag": "StallAnswer"}]}'`
  ].join("\n")

const emulator = Command.make(
  "emulator",
  {
    port: portOf("The port on the loopback address; 0, the default, takes a free one."),
    account: Options.text("account").pipe(
      Options.withDefault(sample.account),
      Options.withDescription(`The account that it knows. Default: ${sample.account}.`)
    ),
    token: Options.text("token").pipe(
      Options.withDefault(sample.token),
      Options.withDescription(
        "The token that it accepts: a test value, never a real one. Default: the documented sample."
      )
    ),
    json
  },
  ({ account, port, token }) =>
    Effect.gen(function* () {
      const output = yield* Output
      const invalid = (flag: string, expected: string) =>
        new InvalidSetting({ setting: flag, flag: null, problem: "malformed", expected })
      const code = yield* failing(
        Either.mapLeft(decodeAccountCode(account), ({ expected }) => invalid("--account", expected))
      )
      const test = Redacted.value(
        yield* failing(Either.mapLeft(decodeToken(token), ({ expected }) => invalid("--token", expected)))
      )
      const backend = yield* NumberEmulator.make()
      yield* backend.addToken(code, test)
      const address = yield* failing(
        NumberEmulatorServer.serve(backend, { port }).pipe(
          Effect.mapError(() => invalid("--port", "a port that is free and allowed, or 0 for any"))
        )
      )
      const variables = {
        NUMBER_BASE_URL: address.url,
        NUMBER_ACCOUNT_CODE: code,
        NUMBER_TOKEN: test,
        // A ledger of its own: the emulator's count starts at zero, and must not mix with that of a real location.
        NUMBER_LOCATION: `emulator-${address.port}`
      }
      yield* output.result(emulatorText(address.url, variables), {
        url: address.url,
        port: address.port,
        account: code,
        token: test,
        location: variables.NUMBER_LOCATION,
        environment: variables
      })
      yield* Effect.never
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Run the Number emulator as an HTTP server on this machine, and print the environment variables to use it with. It counts and locks as Number does."
  )
)

// -----------------------------------------------------------------------------
// simulate
// -----------------------------------------------------------------------------

const figuresText = ({ figures, seed }: Simulation.Report): string =>
  [
    `Simulated ${figures.years.toFixed(1)} years of one location each, from seed ${seed}: ${figures.lockouts} lockouts.`,
    `${figures.attempts} attempts, ${figures.renewals} sessions, ${figures.calls} calls, ${figures.crashes} crashes.`,
    `Greatest count of the backend: ${figures.greatestCount}; ${figures.yearsAtTheLimit} years reached their limit.`,
    ...Object.entries(figures.faults)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, times]) => `  ${String(times).padStart(6)}  ${kind}`)
  ].join("\n")

/** Writes the trace of a life that broke a promise, draws the life's end, and fails. */
const brokenPromise = (
  life: Simulation.Life & { readonly violation: Simulation.Violation },
  options: Simulation.Options,
  path: string
) =>
  Effect.gen(function* () {
    const output = yield* Output
    const fileSystem = yield* FileSystem.FileSystem
    const { violation } = life
    const isWritten = yield* Effect.isSuccess(
      fileSystem.writeFileString(path, SimulationTrace.toJsonLines(options, violation.life, life))
    )
    // The diagram begins on a new line, since `say` puts the program's name before its text.
    yield* output.say(
      `The events that led to it, as a Mermaid diagram:\n${SimulationTrace.toSequenceDiagram(life)}`
    )
    return yield* failing(
      Either.left(
        new PromiseBroken({
          ...violation,
          trace: isWritten ? path : null,
          isNaive: options.client === "naive"
        })
      )
    )
  })

const simulate = Command.make(
  "simulate",
  {
    seed: Options.integer("seed").pipe(
      Options.optional,
      Options.withDescription("The seed of all random events. Default: a new one each time; it is printed.")
    ),
    years: Options.integer("years").pipe(
      Options.withDefault(10),
      Options.withDescription("How many years to simulate, of one location each. Default: 10.")
    ),
    naive: Options.boolean("naive").pipe(
      Options.withDescription("Use a naive client that retries, and see it lock the location.")
    ),
    trace: Options.text("trace").pipe(
      Options.withDefault("simulation-trace.jsonl"),
      Options.withDescription("The file that gets the trace if a promise is broken.")
    ),
    replay: Options.text("replay").pipe(
      Options.optional,
      Options.withDescription("Replay the life in such a trace, and say whether the result is the same.")
    ),
    json
  },
  ({ naive, replay, seed: given, trace, years }) =>
    Effect.gen(function* () {
      const output = yield* Output
      const invalid = (flag: string, expected: string) =>
        new InvalidSetting({ setting: flag, flag: null, problem: "malformed", expected })
      if (Option.isSome(replay)) {
        const fileSystem = yield* FileSystem.FileSystem
        const text = yield* failing(
          Effect.mapError(fileSystem.readFileString(replay.value), () =>
            invalid("--replay", "a file that can be read")
          )
        )
        const { differsAt, life } = yield* failing(
          Either.mapLeft(SimulationTrace.replay(text), () =>
            invalid("--replay", "a trace that number-auth simulate has written")
          )
        )
        return yield* output.result(
          [
            differsAt === null
              ? "The replay is identical to the trace, to the last byte."
              : `The replay differs from line ${differsAt} on: another version of this program wrote the trace, or the file was changed.`,
            SimulationTrace.toSequenceDiagram(life)
          ].join("\n"),
          { differsAt, violation: life.violation, figures: life.figures }
        )
      }
      if (years < 1) return yield* failing(Either.left(invalid("--years", "1 or more")))
      const seed = yield* Option.match(given, {
        onNone: () => Random.nextIntBetween(0, 0x7fffffff),
        onSome: Effect.succeed
      })
      const options: Simulation.Options = { seed, client: naive ? "naive" : "library" }
      const report = yield* Simulation.simulate({ ...options, years })
      if (report.broken !== null) return yield* brokenPromise(report.broken, options, trace)
      yield* output.result(figuresText(report), { seed, ...report.figures })
    })
).pipe(
  Command.withDescription(
    "Simulate years of a location on virtual time, with crashes, faults, clocks and people, against the emulator. Needs no settings, opens no store, and sends nothing."
  )
)

// -----------------------------------------------------------------------------
// inspect
// -----------------------------------------------------------------------------

/** Reads the records of a trace file. A trace of the simulator is replayed to obtain them; other traces hold them. */
const readTrace = (path: string) =>
  Effect.gen(function* () {
    const invalid = (expected: string) =>
      new InvalidSetting({ setting: "--trace", flag: null, problem: "malformed", expected })
    const fileSystem = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(fileSystem.readFileString(path), () =>
      invalid("a file that can be read")
    )
    const lived: Array<TransitionRecord> = []
    if (Either.isRight(SimulationTrace.replay(text, (record) => void lived.push(record)))) {
      return lived.length > 0
        ? lived
        : yield* invalid("a trace of the library (this one is of the naive client, without a statechart)")
    }
    return yield* Either.mapLeft(fromTrace(text), (why) =>
      invalid(`a trace of a program, a property test or number-auth simulate (${why})`)
    )
  })

const inspect = Command.make(
  "inspect",
  {
    location: flags.location,
    store: flags.store,
    limit: flags.limit,
    trace: Options.text("trace").pipe(
      Options.optional,
      Options.withDescription(
        "Show a trace file instead of the store: from a recorder, from a failure of neverLocksOut, or from number-auth simulate."
      )
    ),
    port: portOf("The port of the page; 0, the default, takes a free one."),
    host: Options.text("host").pipe(
      Options.withDefault("127.0.0.1"),
      Options.withDescription(
        "The address of the page. Default: 127.0.0.1. An address that other machines can reach needs NUMBER_INSPECT_SECRET."
      )
    ),
    json
  },
  (given) =>
    Effect.gen(function* () {
      const output = yield* Output
      const invalid = (setting: string, expected: string) =>
        new InvalidSetting({ setting, flag: null, problem: "malformed", expected })
      const secret = Option.getOrUndefined(yield* readInspectSecret)
      if (secret !== undefined) yield* output.hide(secret)
      const recorder = Option.isSome(given.trace)
        ? yield* Effect.flatMap(failing(readTrace(given.trace.value)), (records) =>
            Recorder.ofTrace(records, given.trace.pipe(Option.getOrThrow))
          )
        : yield* Effect.gen(function* () {
            const store = yield* failing(readStore(given.store))
            yield* hideSecretsOf(store)
            const location = yield* failing(readLocation(given.location))
            const limit = yield* failing(readLimit(given.limit))
            const title = `location ${location} in ${shownStore(store)}`
            const followed = yield* Recorder.make({ source: "store", title })
            const fileSystem = yield* FileSystem.FileSystem
            const look =
              store._tag === "sqlite"
                ? Effect.if(fileSystem.exists(store.filename), {
                    onTrue: () => SqliteStore.inspectLocation(store, location),
                    onFalse: () => Effect.fail({ message: `There is no store at ${store.filename} yet.` })
                  })
                : Effect.flatMap(Store.loadPgStore, (PgStore) => PgStore.inspectLocation(store, location))
            yield* Effect.forkScoped(StoreFollower.follow(followed, look, { location, limit }))
            yield* followed.trouble.changes.pipe(
              Stream.filter(Predicate.isNotNull),
              Stream.runForEach(output.say),
              Effect.forkScoped
            )
            return followed
          })
      const server = createServer()
      yield* Layer.build(
        InspectServer.layer({ secret }).pipe(
          Layer.provide(NodeHttpServer.layerServer(() => server, given)),
          Layer.provide(Layer.succeed(Recorder.Recorder, recorder))
        )
      ).pipe(
        Effect.mapError((error) =>
          error._tag === "ServeError"
            ? invalid(
                "--port",
                "a port that is free and allowed, or 0 for any, on an address of this machine"
              )
            : error.why === "notLoopback"
              ? invalid("--host", "127.0.0.1, unless NUMBER_INSPECT_SECRET has at least 16 characters")
              : invalid("NUMBER_INSPECT_SECRET", "at least 16 characters")
        ),
        failing
      )
      const { address, family, port } = server.address() as AddressInfo
      const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`
      yield* output.result(`${recorder.title}: ${url}\nThe page is read-only. Ctrl-C ends it.`, {
        url,
        port,
        source: recorder.source,
        title: recorder.title
      })
      yield* Effect.never
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Show the accounts of a location live in a browser: the statechart, the count, the sessions. Reads the store, changes nothing and sends nothing, and needs no token."
  )
)

/**
 * The command with all its subcommands. Its error is a {@link Failure}, or @effect/cli's error about the command line.
 *
 * @since 0.1.0
 * @category constructors
 */
export const numberAuth = Command.make("number-auth").pipe(
  Command.withDescription(
    "Hold a session with the Number payments backend, and never lock the location out."
  ),
  Command.withSubcommands([
    login,
    status,
    doctor,
    request,
    resume,
    lockLifted,
    rekey,
    emulator,
    simulate,
    inspect
  ])
)
