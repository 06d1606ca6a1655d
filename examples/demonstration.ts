/**
 * The main job, shown: `npm start`.
 *
 * Starts the Number emulator as a real HTTP server, points the real library at it, and drives both through what locks
 * locations out in practice. Each step says what was promised, and compares it with what the emulator itself counted.
 * Ends with exit code 0, or with 1 where anything was not as promised.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { AuthNotifier, CredentialProvider, Credentials, NumberAuth, NumberTransport } from "../src/index.js"
import * as SqliteStore from "../src/services/store/SqliteStore.js"
import * as NumberEmulator from "../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../src/testing/NumberEmulatorServer.js"

const account = "EP9116875"
/** The egress IP, as Number sees it, before and after the provider of the line gave it another. */
const [firstIp, secondIp] = ["203.0.113.7", "203.0.113.8"] as const
const goodToken = "2148B239CF6846BDA5D141BF4A4CFBE8"
const newToken = "9F0C2D5B7A6E4183B1C2D3E4F5061728"
const badToken = (n: number): string => n.toString(16).toUpperCase().padStart(32, "0")

// -----------------------------------------------------------------------------
// what is printed, and what is checked
// -----------------------------------------------------------------------------

const colors = process.stdout.isTTY && process.env["NO_COLOR"] === undefined
const paint =
  (code: number) =>
  (text: string): string =>
    colors ? `\u001b[${code}m${text}\u001b[0m` : text
const [bold, dim, green, red] = [paint(1), paint(2), paint(32), paint(31)]

/** Breaks a text into lines of 96 characters at most, each behind the indent. */
const wrapped = (text: string, indent: string): string =>
  text
    .split(" ")
    .reduce<ReadonlyArray<string>>((lines, word) => {
      const last = lines.at(-1)
      return last === undefined || last.length + word.length + 1 > 96 - indent.length
        ? [...lines, word]
        : [...lines.slice(0, -1), `${last} ${word}`]
    }, [])
    .map((line) => indent + line)
    .join("\n")

let steps = 0
let facts = 0
const broken: Array<string> = []

const step = (title: string, promise: string) =>
  Effect.suspend(() => {
    steps += 1
    return Console.log(`\n${bold(`${steps}. ${title}`)}\n${dim(wrapped(`Promised: ${promise}`, "   "))}`)
  })

/** A fact: what it is about, what was found, and what was promised. */
const check = <A extends string | number | boolean>(about: string, found: A, promised: A) =>
  Effect.suspend(() => {
    facts += 1
    if (found === promised) return Console.log(`   ${green("ok")}  ${about}: ${found}`)
    broken.push(`step ${steps}, ${about}: ${found}, and not ${promised}`)
    return Console.log(`   ${red("NOT AS PROMISED")}  ${about}: ${found}, and not ${promised}`)
  })

// -----------------------------------------------------------------------------
// the library, as an application would use it
// -----------------------------------------------------------------------------

interface World {
  readonly emulator: NumberEmulator.NumberEmulator["Type"]
  readonly baseUrl: string
  readonly filename: string
  /** What the application's secret store holds at the moment. */
  readonly token: Ref.Ref<string>
  readonly notices: Ref.Ref<ReadonlyArray<AuthNotifier.AuthNotice>>
}

const layerCredentials = (world: World) =>
  Layer.succeed(CredentialProvider.CredentialProvider, {
    get: () => Effect.flatMap(Ref.get(world.token), Credentials.decodeToken),
    put: (_, token) => Ref.set(world.token, Redacted.value(token))
  })

const layerNotifier = (world: World) =>
  Layer.succeed(AuthNotifier.AuthNotifier, {
    notify: (notice) => Ref.update(world.notices, (notices) => [...notices, notice])
  })

const layerAuth = (world: World) =>
  NumberAuth.layer({ account, location: "shop-7", baseUrl: world.baseUrl }).pipe(
    Layer.provide(
      Layer.mergeAll(
        SqliteStore.layer({ filename: world.filename }),
        NumberTransport.layerRest({ baseUrl: world.baseUrl }),
        layerCredentials(world),
        layerNotifier(world)
      )
    ),
    Layer.provide(NodeHttpClient.layer)
  )

/** One life of the application: all layers are built anew, and closed when it ends. Only the SQLite file outlives it. */
const life = <A, E, R>(world: World, use: (auth: NumberAuth.NumberAuth["Type"]) => Effect.Effect<A, E, R>) =>
  Effect.provide(Effect.flatMap(NumberAuth.NumberAuth, use), layerAuth(world))

/** A payment, as far as the emulator is concerned; says whether it was carried out. */
const pay = (auth: NumberAuth.NumberAuth["Type"], order: number) =>
  auth.httpClient
    .execute(HttpClientRequest.post("/Sale").pipe(HttpClientRequest.bodyUnsafeJson({ order })))
    .pipe(
      Effect.flatMap((response) => response.json),
      Effect.map((answer) => (answer as { SaleResult: { FunctionOk: boolean } }).SaleResult.FunctionOk)
    )

/** How asking for a session ended: `a session`, or the error's tag. */
const outcome = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(
    Effect.either(effect),
    Either.match({ onLeft: (error) => error._tag, onRight: () => "a session" })
  )

// -----------------------------------------------------------------------------
// the demonstration
// -----------------------------------------------------------------------------

const demonstration = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const emulator = yield* NumberEmulator.make({ ip: firstIp })
  yield* emulator.addToken(account, goodToken)
  const { url } = yield* NumberEmulatorServer.serve(emulator)
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-number-auth-" })
  const world: World = {
    emulator,
    baseUrl: url,
    filename: `${folder}/number-auth.sqlite`,
    token: yield* Ref.make(goodToken),
    notices: yield* Ref.make<ReadonlyArray<AuthNotifier.AuthNotice>>([])
  }
  const attempts = Effect.map(emulator.log, (calls) => calls.length)
  const notified = (kind: AuthNotifier.AuthNotice["notice"]["kind"]) =>
    Effect.map(Ref.get(world.notices), (all) => all.filter(({ notice }) => notice.kind === kind).length)
  const tellLast = Effect.flatMap(Ref.get(world.notices), (all) =>
    Console.log(wrapped(`The person reads: "${all.at(-1)?.message ?? "nothing"}"`, "       "))
  )

  yield* Console.log(
    bold("effect-number-auth: a session with Number, and a location that is never locked out")
  )
  yield* Console.log(`The Number emulator listens on ${url} (real HTTP). It counts on its own.`)
  yield* Console.log(`The store is ${world.filename} (SQLite).`)

  const firstKey = yield* life(world, (auth) =>
    Effect.gen(function* () {
      yield* step("Authenticate", "a hundred callers that ask at once share one attempt and one session key.")
      const keys = yield* Effect.all(
        Array.from({ length: 100 }, () => Effect.map(auth.sessionKey, Redacted.value)),
        { concurrency: "unbounded" }
      )
      yield* check("session keys the callers got", new Set(keys).size, 1)
      yield* check("attempts the emulator saw", yield* attempts, 1)
      yield* check("the emulator's count", yield* emulator.countOf(firstIp), 0)
      return keys[0]!
    })
  )

  yield* life(world, (auth) =>
    Effect.gen(function* () {
      yield* step("Restart", "the new process uses the session that is held, without an attempt.")
      const key = Redacted.value(yield* auth.sessionKey)
      yield* check("same session key as before", key === firstKey, true)
      yield* check("attempts the emulator saw, in all", yield* attempts, 1)
      const { mode } = yield* fs.stat(world.filename)
      yield* check("mode of the store's file", (mode & 0o777).toString(8), "600")

      yield* step(
        "Number expires the key: 5030",
        "one renewal, the refused payment is sent once more, and runs once."
      )
      yield* emulator.expireSessions()
      const seen1 = yield* emulator.requestsSeen
      yield* check("payment 1 carried out", yield* pay(auth, 1), true)
      yield* check("requests: refused, Authenticate, replayed", (yield* emulator.requestsSeen) - seen1, 3)
      yield* check("executions of payment 1", yield* emulator.executionsOf({ order: 1 }), 1)
      yield* check("attempts the emulator saw, in all", yield* attempts, 2)

      yield* step("The IP changes: 5050", "the same, for a key that is bound to another address.")
      yield* emulator.setIp(secondIp)
      const seen2 = yield* emulator.requestsSeen
      yield* check("payment 2 carried out", yield* pay(auth, 2), true)
      yield* check("requests: refused, Authenticate, replayed", (yield* emulator.requestsSeen) - seen2, 3)
      yield* check("executions of payment 2", yield* emulator.executionsOf({ order: 2 }), 1)
      yield* check("attempts the emulator saw, in all", yield* attempts, 3)
      yield* check("the emulator's count", yield* emulator.countOf(secondIp), 0)

      yield* step(
        "The token goes bad while the application runs",
        "fifty payments that need a new session make one attempt; the account is aborted, and a person is told once."
      )
      yield* emulator.revokeToken(account, goodToken)
      yield* emulator.expireSessions()
      const outcomes = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, n) => 100 + n),
        (order) => outcome(pay(auth, order)),
        { concurrency: "unbounded" }
      )
      yield* check(
        "payments that got AuthAborted",
        outcomes.filter((tag) => tag === "AuthAborted").length,
        50
      )
      yield* check("attempts the emulator saw, in all", yield* attempts, 4)
      yield* check("the emulator's count", yield* emulator.countOf(secondIp), 1)
    })
  )
  yield* check("notices that the account was aborted", yield* notified("aborted"), 1)
  yield* tellLast

  yield* step(
    "A supervisor restarts it, ten times, with the same token",
    "a refused token is never sent again, not even by another process."
  )
  const restarts = yield* Effect.forEach(Array.from({ length: 10 }), () =>
    outcome(life(world, (auth) => auth.sessionKey))
  )
  yield* check("starts that got AuthAborted", restarts.filter((tag) => tag === "AuthAborted").length, 10)
  yield* check("attempts the emulator saw, in all", yield* attempts, 4)
  yield* check("the emulator's count", yield* emulator.countOf(secondIp), 1)

  yield* step(
    "Ten more tries with other tokens, all of them bad, some for the second time",
    "none is sent twice, and the library stops itself at five unsuccessful attempts in a row. Number would lock the location at the sixth."
  )
  const [a, b, c, d, e] = [badToken(1), badToken(2), badToken(3), badToken(4), badToken(5)] as const
  const tried = yield* Effect.forEach([a, goodToken, b, a, c, b, d, e, a, goodToken], (token) =>
    Effect.zipRight(Ref.set(world.token, token), outcome(life(world, (auth) => auth.sessionKey)))
  )
  yield* check("tries that brought a session", tried.filter((tag) => tag === "a session").length, 0)
  yield* check("tries that ended with AuthLocked", tried.filter((tag) => tag === "AuthLocked").length, 4)
  yield* check("attempts the emulator saw, in all", yield* attempts, 8)
  yield* check("the emulator's count", yield* emulator.countOf(secondIp), 5)
  yield* check("the location is locked", yield* emulator.isLocked(secondIp), false)
  yield* check("notices that the location stopped", yield* notified("locked"), 1)
  yield* tellLast

  yield* step("Even a good token has to wait", "at the limit nothing is sent, whatever the token.")
  yield* emulator.addToken(account, newToken)
  yield* Ref.set(world.token, newToken)
  yield* check("asking for a session", yield* outcome(life(world, (auth) => auth.sessionKey)), "AuthLocked")
  yield* check("attempts the emulator saw, in all", yield* attempts, 8)

  yield* step(
    "Support resets the count, and the operator says so",
    "the next attempt is made, and payments go through again."
  )
  yield* emulator.liftLock(secondIp)
  yield* life(world, (auth) =>
    Effect.gen(function* () {
      const { state } = yield* auth.confirmLockLifted
      yield* check("state after the operator's word", state, "unauthenticated.idle")
      yield* check("payment 3 carried out", yield* pay(auth, 3), true)
      yield* check("executions of payment 3", yield* emulator.executionsOf({ order: 3 }), 1)
      yield* check("state", (yield* auth.status).state, "authenticated")
    })
  )
  yield* check("attempts the emulator saw, in all", yield* attempts, 9)
  yield* check("the emulator's count", yield* emulator.countOf(secondIp), 0)

  yield* step("What the emulator says of it all", "the location's IP was never locked out.")
  const calls = yield* emulator.log
  const refused = calls
    .filter((call) => call.outcome !== "accepted")
    .map((call) => Redacted.value(call.token))
  yield* check("the highest count of any IP (six locks)", yield* emulator.peak, 5)
  yield* check("IPs that were locked", (yield* emulator.summary).locks.length, 0)
  yield* check(
    "attempts that Number refused because of a lock",
    calls.filter((call) => call.outcome === "locked").length,
    0
  )
  yield* check("refused tokens that were sent twice", refused.length - new Set(refused).size, 0)
  yield* check("calls that were carried out, each once", (yield* emulator.executions).length, 3)
}).pipe(Effect.scoped)

const verdict = Effect.suspend(() =>
  broken.length === 0
    ? Console.log(`\n${green(`As promised: ${steps} steps, ${facts} facts.`)}`)
    : Effect.zipRight(
        Console.error(`\n${red(`NOT AS PROMISED: ${broken.length} things.`)}\n  ${broken.join("\n  ")}`),
        Effect.fail("not as promised")
      )
)

demonstration.pipe(
  // Only the error's tag: an error of the HTTP client holds the request.
  Effect.catchAllCause((cause) =>
    Effect.sync(() => {
      const tag = Option.match(Cause.failureOption(cause), {
        onNone: () => "a defect",
        onSome: (error) => error._tag
      })
      broken.push(`step ${steps} broke off with ${tag}`)
    })
  ),
  Effect.zipRight(verdict),
  // The attempts tell the log what they came to; here the story does.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
