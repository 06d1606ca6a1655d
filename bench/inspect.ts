/**
 * What it costs a renewal (5030, an attempt, a new session) to be looked at.
 *
 *     npm run bench:inspect
 *
 * Three programs take turns in one process, each a `NumberAuth` over the emulator and a store: one that nobody looks at,
 * the same once more, as a measure of the noise, and one with a recorder whose page is open. `BENCH_ROUNDS` sets how many
 * renewals of each are timed.
 */
import * as Fs from "node:fs"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { HttpClient } from "@effect/platform"
import { NodeContext, NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Logger, LogLevel, Redacted } from "effect"
import * as InspectServer from "../src/inspect/InspectServer.js"
import * as Recorder from "../src/inspect/Recorder.js"
import type { Token } from "../src/schemas/Credentials.js"
import * as AuthNotifier from "../src/services/session/AuthNotifier.js"
import * as AuthStore from "../src/services/store/AuthStore.js"
import { CredentialProvider } from "../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../src/services/session/NumberAuth.js"
import * as NumberTransport from "../src/services/wire/NumberTransport.js"
import { SessionRefused } from "../src/services/session/SessionRefusal.js"
import * as SqliteStore from "../src/services/store/SqliteStore.js"
import * as NumberEmulator from "../src/testing/NumberEmulator.js"

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 500)
const account = "EP9116875"
const token = "2148B239CF6846BDA5D141BF4A4CFBE8"
const baseUrl = "https://number.test/v1"

/** A program of its own, whose renewal is the effect. */
const makeProgram = (
  store: Layer.Layer<AuthStore.AuthStore, unknown>,
  inspected: Layer.Layer<never, unknown>
) =>
  Effect.gen(function* () {
    const emulator = yield* NumberEmulator.make()
    yield* emulator.addToken(account, token)
    const http = Layer.succeed(HttpClient.HttpClient, NumberEmulator.httpClient(emulator, "203.0.113.7"))
    const auth = Context.get(
      yield* Layer.build(
        NumberAuth.layer({ account, baseUrl }).pipe(
          Layer.provide(NumberTransport.layerRest({ baseUrl })),
          Layer.provide([http, store, AuthNotifier.layerLog]),
          Layer.provide(
            Layer.succeed(CredentialProvider, {
              get: () => Effect.succeed(Redacted.make(token) as Token),
              put: () => Effect.void
            })
          ),
          Layer.provide(inspected)
        )
      ),
      NumberAuth.NumberAuth
    )
    yield* auth.sessionKey
    let isFirst = true
    return Effect.suspend(() => {
      isFirst = true
      return auth.withSession(() => {
        const refuses = isFirst
        isFirst = false
        return refuses ? Effect.fail(new SessionRefused({ code: 5030 })) : Effect.void
      })
    })
  })

/** A recorder, served, with one page open that reads what comes. */
const watched = Layer.unwrapScoped(
  Effect.gen(function* () {
    const server = Http.createServer()
    const context = yield* Layer.build(
      InspectServer.layer().pipe(
        Layer.provide(NodeHttpServer.layerServer(() => server, { port: 0, host: "127.0.0.1" })),
        Layer.provideMerge(Recorder.layer())
      )
    )
    const { port } = server.address() as Net.AddressInfo
    yield* Effect.async<void>((resume) => {
      Http.get(`http://127.0.0.1:${port}/events`, { agent: false }, (response) => {
        response.resume()
        resume(Effect.void)
      }).on("error", () => {})
    })
    return Layer.succeedContext(context)
  })
)

const median = (times: ReadonlyArray<number>): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!

const measure = (name: string, store: () => Layer.Layer<AuthStore.AuthStore, unknown>) =>
  Effect.gen(function* () {
    const programs = yield* Effect.all([
      makeProgram(store(), Layer.empty),
      makeProgram(store(), Layer.empty),
      makeProgram(store(), watched)
    ])
    const times = programs.map((): Array<number> => [])
    for (let round = -50; round < rounds; round++) {
      for (let turn = 0; turn < programs.length; turn++) {
        // Who goes first changes, so that what one leaves to be cleared up meets each of them.
        const index = (turn + round + 50) % programs.length
        const began = process.hrtime.bigint()
        yield* programs[index]!
        if (round >= 0) times[index]!.push(Number(process.hrtime.bigint() - began) / 1e6)
      }
    }
    const [alone, again, looked] = times.map(median) as [number, number, number]
    console.log(
      `${name.padEnd(7)} a renewal ${alone.toFixed(3)} ms; the same once more ${(again / alone).toFixed(3)} times; ` +
        `recorded, with a page open, ${(looked / alone).toFixed(3)} times (medians of ${rounds})`
    )
  }).pipe(Effect.scoped)

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-bench-"))
let files = 0
const sqlite = () =>
  SqliteStore.layer({ filename: Path.join(folder, `${files++}.sqlite`) }).pipe(
    Layer.provide(NodeContext.layer)
  )

await Effect.runPromise(
  Effect.zipRight(
    measure("memory", () => Layer.effect(AuthStore.AuthStore, AuthStore.makeMemory)),
    measure("SQLite", sqlite)
  ).pipe(
    Effect.ensuring(Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))),
    Logger.withMinimumLogLevel(LogLevel.None)
  ) as Effect.Effect<void>
)
process.exit(0)
