/**
 * Attempts and calls with all logs, spans and metrics on. Their whole output is searched for every secret
 * that they had.
 */
import * as Fs from "node:fs"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { inspect } from "node:util"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { NodeContext, NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  Config,
  ConfigProvider,
  Context,
  Effect,
  Either,
  Exit,
  Layer,
  Metric,
  Redacted,
  Ref,
  Schema,
  Scope
} from "effect"
import { inject } from "vitest"
import * as InspectServer from "../../src/inspect/InspectServer.js"
import * as Recorder from "../../src/inspect/Recorder.js"
import { makeAuthCore } from "../../src/machine/AuthCore.js"
import { makeAuthMachine } from "../../src/machine/AuthMachine.js"
import type { AccountCode, Location, Token } from "../../src/schemas/Credentials.js"
import { decodePostedTokens } from "../../src/schemas/PostedTokens.js"
import { AuthObserver } from "../../src/services/session/AuthObserver.js"
import { AuthNotifier } from "../../src/services/session/AuthNotifier.js"
import { AuthStore } from "../../src/services/store/AuthStore.js"
import * as CredentialProvider from "../../src/services/session/CredentialProvider.js"
import { SharedByAccounts } from "../../src/services/session/internal/SharedByAccounts.js"
import * as NumberAccounts from "../../src/services/session/NumberAccounts.js"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"
import * as NumberClient from "../../src/services/calls/NumberClient.js"
import { NumberTransport } from "../../src/services/wire/NumberTransport.js"
import { SessionRefused } from "../../src/services/session/SessionRefusal.js"
import * as SessionSignature from "../../src/services/session/SessionSignature.js"
import * as SoapClient from "../../src/services/calls/SoapClient.js"
import * as SqliteStore from "../../src/services/store/SqliteStore.js"
import * as StoreKey from "../../src/services/store/StoreKey.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { Fault, type MethodFault } from "../../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../../src/testing/NumberEmulatorServer.js"
import { lastJson, start as startProcess } from "../process/start.js"
import { searchFor } from "../support/canary.js"
import { showings } from "../support/leaks.js"
import { record as makeRecord } from "../support/records.js"
import {
  account,
  baseUrl,
  environment,
  goodToken,
  ip,
  makeWorld,
  start,
  type World
} from "../support/stack.js"
import { makeOutput, type Output, recording } from "../support/telemetry.js"
import { soap, soapFault, wires } from "../support/wires.js"

const otherToken = "7C31E08F5AD94B62910EF8A3D7B5264C"
const hmacSecret = "7D55DBB3D691C9E0FDF341E4AB38C3C9"
const storeKey = Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 71 + 19) & 255)).toString("base64")
/** Not a secret of the library. It is written on purpose, to prove that each channel is searched. */
const planted = "5EC8E7A94F0D4B2C8A6137D5E2F9B041"

const attemptFaults: ReadonlyArray<Fault> = [
  Fault.Pass,
  Fault.Status(500, `<html>${goodToken}</html>`),
  Fault.Body(goodToken),
  Fault.FunctionNotOk(1, `token ${goodToken} ${goodToken.toLowerCase()}`),
  Fault.Refuse,
  Fault.DropRequest,
  Fault.DropAnswer,
  Fault.CutBody,
  Fault.StallRequest,
  Fault.StallAnswer,
  Fault.DelayRequest("10 millis"),
  Fault.DelayAnswer("10 millis"),
  Fault.HugeBody(1_048_577),
  Fault.ReportLock
]

/** The schema of a call's answer. Fields outside of it are not passed on. */
const Answer = Schema.Struct({ AcctCode: Schema.optional(Schema.String) })

/** Every fault that a call can meet, with everything that a backend can echo. */
const methodFaults = (key: string, body: string): ReadonlyArray<MethodFault> => [
  Fault.Pass,
  Fault.Status(500, `<html>${key}</html>`),
  Fault.Status(200, body),
  Fault.Body(key),
  Fault.FunctionNotOk(7, `key ${key.toLowerCase()} is bad`),
  Fault.FunctionNotOk(7, `key ${key.replace(/..(?=.)/g, "$&-")} is bad`),
  Fault.Refuse,
  Fault.DropRequest,
  Fault.DropAnswer,
  Fault.StallRequest,
  Fault.StallAnswer,
  Fault.DelayRequest("10 millis"),
  Fault.DelayAnswer("10 millis"),
  Fault.HugeBody(1_048_577),
  Fault.CutBody
]

/** A client that echoes the session key in the headers of every answer, also of the one that grants it. */
const echoing = (inner: HttpClient.HttpClient): HttpClient.HttpClient => {
  let key = ""
  return HttpClient.make((request) =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* inner.execute(request)
      const body = yield* text
      key = /[0-9A-F]{42}/.exec(body)?.[0] ?? key
      const echoed = {
        "content-type": headers["content-type"]!,
        "x-echo": key,
        etag: `"${key.toLowerCase()}"`
      }
      return HttpClientResponse.fromWeb(request, new Response(body, { status, headers: echoed }))
    }).pipe(Effect.withTracerEnabled(false))
  )
}

const record = (output: Output, value: unknown) => output.add("errors and results", ...showings(value))

/** The live page, over its server, with its event stream read from the first record on. */
const livePage = (output: Output) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder.make({ capacity: Infinity })
    const server = Http.createServer()
    yield* Layer.build(
      InspectServer.layer().pipe(
        Layer.provide(NodeHttpServer.layerServer(() => server, { port: 0, host: "127.0.0.1" })),
        Layer.provide(Layer.succeed(Recorder.Recorder, recorder))
      )
    )
    const url = `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`
    const get = (path: string) => Effect.promise(() => fetch(`${url}${path}`))
    const text = (path: string) =>
      Effect.flatMap(get(path), (response) => Effect.promise(() => response.text()))
    const events = (yield* get("/events")).body!.getReader()
    let streamed = ""
    yield* Effect.forkScoped(
      Effect.promise(async () => {
        const decoder = new TextDecoder()
        for (let read = await events.read(); !read.done; read = await events.read()) {
          streamed += decoder.decode(read.value, { stream: true })
        }
      })
    )
    /** Reads the page once the stream has sent every record. */
    const look = Effect.gen(function* () {
      recorder.record(makeRecord({ location: planted as Location }))
      yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => streamed.includes(planted) })
      const records = yield* recorder.all
      assert.isAbove(records.length, 100)
      const accounts = new Set(
        records.map(({ account, location }) => `location=${location}&account=${account}`)
      )
      output.add("live page: events", streamed)
      for (const path of ["/", "/page.js", "/page.css", "/accounts", "/trace"]) {
        output.add("live page", yield* text(path))
      }
      for (const asked of accounts) {
        output.add("live page", yield* text(`/records?${asked}`), yield* text(`/sequence?${asked}`))
      }
    })
    return { look, recorder }
  })

/** Runs each command as a process of its own, at the lowest log level. */
const commands = async (output: Output, secrets: Record<string, string>, folder: string): Promise<void> => {
  const { cli } = inject("programs")
  const scope = Effect.runSync(Scope.make())
  try {
    const emulator = await Effect.runPromise(Scope.extend(Emulator.make(), scope))
    await Effect.runPromise(emulator.addToken(account, goodToken))
    const { url } = await Effect.runPromise(Scope.extend(NumberEmulatorServer.serve(emulator), scope))
    const env = {
      HOME: folder,
      NUMBER_ACCOUNT_CODE: account,
      NUMBER_TOKEN: goodToken,
      NUMBER_BASE_URL: url,
      NUMBER_STORE_URL: `file://${Path.join(folder, "commands.sqlite")}`,
      NUMBER_STORE_KEY: storeKey
    }
    const run = (args: ReadonlyArray<string>, more = {}) =>
      startProcess([process.execPath, cli, "--log-level", "all", ...args], { ...env, ...more }).ended
    const shown = await run(["login", "--show-key", "--json"])
    const key: string = lastJson(shown).sessionKey
    secrets["session key of the commands"] = key
    // This command shows the key on request. So the search is known to find it.
    assert.isNotEmpty(searchFor({ key })(shown.stdout))
    output.add("command: login --show-key", shown.stderr)
    const echo = Fault.FunctionNotOk(7, `key ${key.toLowerCase()}, token ${goodToken}`)
    const runs: ReadonlyArray<readonly [ReadonlyArray<string>, object?, Emulator.MethodFault?]> = [
      [["status"]],
      [["login", "--json"]],
      [["request", "/Echo", "--data", JSON.stringify({ key, token: goodToken })]],
      [["request", "/Echo"], {}, echo],
      [["request", "/Echo", "--json"], {}, Fault.Status(500, `<html>${key}</html>`)],
      [["request", "/Echo"], {}, Fault.DropAnswer],
      [["rekey"], { NUMBER_STORE_KEY: Buffer.alloc(32, 7).toString("base64") }],
      [["status"], { NUMBER_STORE_KEY: storeKey.slice(1) }],
      [["login"], { NUMBER_TOKEN: `${goodToken}0` }],
      [["doctor"]],
      [["resume"]],
      [["lock-lifted", "--json"]]
    ]
    for (const [args, more, fault] of runs) {
      if (fault !== undefined) await Effect.runPromise(emulator.injectMethod(fault))
      const { stderr, stdout } = await run(args, more)
      assert.isNotEmpty(stdout + stderr)
      output.add(`command: ${args[0]}`, stdout, stderr)
    }
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

describe("secret canaries", () => {
  it("appear in nothing that is logged, traced, printed or stored", { timeout: 240_000 }, async () => {
    const output = makeOutput()
    const secrets: Record<string, string> = {
      token: goodToken,
      "other token": otherToken,
      "HMAC secret": hmacSecret,
      "store key": storeKey
    }
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-canaries-"))
    const filename = Path.join(folder, "auth.sqlite")
    const ring = Either.getOrThrow(StoreKey.decodeKeyRing({ current: Redacted.make(storeKey) }))

    const noteKey = (auth: NumberAuth.NumberAuth["Type"]) =>
      Effect.tap(Effect.either(auth.sessionKey), (key) =>
        Effect.sync(() => {
          record(output, key)
          if (Either.isRight(key)) {
            secrets[`session key ${Object.keys(secrets).length}`] = Redacted.value(key.right)
          }
        })
      )

    const noted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.tap(Effect.either(effect), (result) =>
        Effect.gen(function* () {
          record(output, result)
          yield* Effect.logError("the result is", result)
          // The failure of a fiber without an observer is logged.
          if (Either.isLeft(result)) yield* Effect.forkDaemon(Effect.fail(result.left))
        })
      )

    /** An inspector's view of the core: its snapshots, events and commands. */
    const inspected = SharedByAccounts.of({
      ...SharedByAccounts.defaultValue(),
      coreOf: (policy) => {
        const core = makeAuthCore(policy)
        const machine = makeAuthMachine(policy)
        return {
          policy,
          step: (before, account, message, moment) => {
            const after = core.step(before, account, message, moment)
            const snapshots = [before, after].map(({ context, state }) => {
              const [outer, inner] = state.split(".")
              const value = inner === undefined ? outer! : { [outer!]: inner }
              return machine.resolveState({ value, context })
            })
            output.add(
              "inspector",
              ...[message, before, after, ...snapshots].map((each) => JSON.stringify(each))
            )
            output.add("inspector", inspect([message, after], { depth: 8 }))
            return after
          }
        }
      }
    })

    /** Prints everything that goes into and out of the store. */
    const watched = (store: AuthStore["Type"]): AuthStore["Type"] => ({
      ...store,
      transact: (key, use) =>
        store.transact(key, (stored) => {
          const result = use(stored)
          for (const each of [stored, result[1]]) {
            output.add("records", JSON.stringify(each), inspect(each, { depth: 8, showHidden: true }))
          }
          return result
        })
    })

    const oneLife = (world: World, location: string, wire: (typeof wires)[number]) =>
      Effect.gen(function* () {
        const options = { location, attemptTimeout: "500 millis", leaseDuration: "20 seconds" } as const
        const auth = yield* start(world, options, undefined, wire)
        yield* noteKey(auth)
        for (const step of [auth.status, auth.resume, auth.confirmLockLifted]) yield* noted(step)
        yield* noted(auth.replaceCredentials(`${goodToken}00`))
        yield* noted(auth.replaceCredentials(otherToken))
        yield* noteKey(auth)
      }).pipe(Effect.scoped, Effect.withSpan("a life"))

    const calls = (world: World, location: string, wire: (typeof wires)[number]) =>
      Effect.gen(function* () {
        const client = echoing(Emulator.httpClient(world.emulator, ip))
        const auth = yield* start(world, { location, sessionLifetime: "1 hour" }, client, wire)
        yield* noteKey(auth)
        const key = Redacted.value(yield* auth.sessionKey)
        const signature = yield* SessionSignature.make({ secret: Redacted.make(hmacSecret), deviceId: "1" })
        const echo = NumberClient.method("Echo", Schema.Struct({ n: Schema.Int }), Answer, {
          signature: true
        })
        const soapClient = yield* SoapClient.make({
          endpoint: soap.url("https://number.test"),
          timeout: "300 millis"
        }).pipe(
          Effect.provideService(NumberAuth.NumberAuth, auth),
          Effect.provideService(HttpClient.HttpClient, client)
        )
        for (const fault of methodFaults(key, soapFault(`no ${key}`))) {
          yield* world.emulator.injectMethod(fault)
          yield* noted(soapClient.method("Echo", { n: 1 }, Answer))
        }
        for (const fault of methodFaults(key, `{"EchoResult":{"FunctionOk":true,"${key}":"${key}"}}`)) {
          yield* world.emulator.injectMethod(fault)
          yield* noted(
            echo({ n: 1 }, { timeout: "300 millis" }).pipe(
              Effect.provideService(NumberAuth.NumberAuth, auth),
              Effect.provideService(SessionSignature.SessionSignature, signature)
            )
          )
        }
        yield* world.emulator.injectMethod(Fault.DropRequest)
        yield* noted(auth.httpClientWith({ signature }).execute(HttpClientRequest.post("/Echo")))
        yield* noted(auth.httpClient.execute(HttpClientRequest.post("/Echo")))
        yield* noted(auth.httpClient.get("https://elsewhere.test/"))
        yield* noted(auth.withSession(() => Effect.void))
        yield* world.emulator.expireSessions()
        yield* noted(auth.httpClient.execute(HttpClientRequest.post("/Echo")))
        yield* noteKey(auth)
        yield* noted(auth.withSession(() => new SessionRefused({ code: 5030 })))
        yield* noteKey(auth)
        // Until the library notices that two addresses share the location.
        for (let n = 0; n < 8; n++) {
          yield* noted(auth.withSession(() => new SessionRefused({ code: 5050 })))
          yield* noteKey(auth)
        }
        yield* noted(auth.status)
        yield* noted(auth.resume)
      }).pipe(Effect.scoped, Effect.withSpan("calls"))

    const others = (store: AuthStore["Type"]) =>
      Effect.gen(function* () {
        const world = { ...(yield* makeWorld()), store }
        yield* world.emulator.addToken("EP0000001", otherToken)
        const kept = CredentialProvider.layerStore({ location: "kept" }).pipe(
          Layer.provide(Layer.succeed(AuthStore, store))
        )
        const provider = Context.get(yield* Layer.build(kept), CredentialProvider.CredentialProvider)
        yield* noted(provider.get(account as AccountCode))
        yield* noted(provider.put(account as AccountCode, Redacted.make(goodToken) as Token))
        yield* noted(provider.put("EP0000001" as AccountCode, Redacted.make(otherToken) as Token))
        yield* noted(provider.get(account as AccountCode))
        const accounts = Context.get(
          yield* Layer.build(
            NumberAccounts.layer({ baseUrl, location: "kept", sessionLifetime: "50 millis" }).pipe(
              Layer.provide(Layer.merge(environment(world), kept))
            )
          ),
          NumberAccounts.NumberAccounts
        )
        // By its second use the session has expired by the clock.
        for (const code of [account, "EP0000001", account, "EP0000002"]) {
          yield* noted(accounts.withSession(code, () => Effect.void))
          const auth = yield* Effect.either(accounts.get(code))
          if (Either.isRight(auth)) yield* noteKey(auth.right)
          yield* Effect.sleep("60 millis")
        }
        const posted = { TokenID: "1", AccountCode: account, ExpirationDate: "12/01/2030 10:00:00 AM" }
        for (const token of [goodToken, `${goodToken}0`, `${otherToken} `]) {
          const body = JSON.stringify({ Tokens: [{ ...posted, Token: token }] })
          yield* noted(Effect.suspend(() => decodePostedTokens(body)))
          yield* noted(Effect.suspend(() => decodePostedTokens(body.slice(3))))
        }
        for (const wrong of [`${storeKey}=`, storeKey.slice(0, 40)]) {
          yield* noted(Effect.suspend(() => StoreKey.decodeKeyRing({ current: Redacted.make(wrong) })))
        }
        const configured = CredentialProvider.layerConfig(Config.redacted("TOKEN"))
        yield* noted(
          Effect.flatMap(CredentialProvider.CredentialProvider, ({ get }) =>
            get(account as AccountCode)
          ).pipe(
            Effect.provide(configured),
            Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["TOKEN", `${goodToken}!`]])))
          )
        )
      }).pipe(Effect.scoped, Effect.withSpan("others"))

    /**
     * User code that throws the secrets that it was given. Its errors are the user's concern; logs and spans
     * are ours.
     */
    const careless = Effect.gen(function* () {
      const world = yield* makeWorld()
      const oops = Effect.die(new Error(`oops ${goodToken}`))
      const client = Emulator.httpClient(world.emulator, ip)
      const throwing = HttpClient.make((request) =>
        Effect.die(new Error(JSON.stringify(request), { cause: request }))
      )
      const layers: ReadonlyArray<Layer.Layer<never>> = [
        Layer.succeed(AuthNotifier, { notify: () => oops }),
        Layer.succeed(CredentialProvider.CredentialProvider, { get: () => oops, put: () => oops }),
        Layer.succeed(NumberTransport, { authenticate: () => oops }),
        environment(world, throwing),
        environment(world, Emulator.httpClient(world.emulator, ip).pipe(HttpClient.tap(() => oops)))
      ]
      for (const [n, layer] of layers.entries()) {
        yield* world.emulator.inject(Fault.FunctionNotOk(1, "no"))
        const context = yield* Layer.build(
          NumberAuth.layer({ account, baseUrl, location: `careless-${n}` }).pipe(
            Layer.provide(Layer.merge(environment(world, client), layer)),
            Layer.orDie
          )
        )
        const auth = Context.get(context, NumberAuth.NumberAuth)
        yield* Effect.exit(auth.sessionKey)
        yield* Effect.exit(auth.replaceCredentials(otherToken))
        yield* Effect.exit(auth.status)
      }
      // A client that throws the request, once there is a session to send.
      const thrown = yield* Ref.make(false)
      const fresh = yield* makeWorld()
      const inner = Emulator.httpClient(fresh.emulator, ip)
      const sooner = HttpClient.make((request) =>
        Effect.flatMap(Ref.get(thrown), (isThrown) =>
          isThrown ? Effect.die(new Error(JSON.stringify(request))) : inner.execute(request)
        )
      )
      const auth = yield* start(fresh, { location: "careless" }, sooner)
      yield* noteKey(auth)
      yield* Ref.set(thrown, true)
      yield* Effect.exit(auth.httpClient.post("/Echo"))
      yield* Effect.exit(auth.withSession((key) => Effect.die(new Error(Redacted.value(key)))))
      yield* Effect.exit(auth.withSession((key) => Effect.fail(new Error(Redacted.value(key)))))
    }).pipe(Effect.scoped)

    const plant = Effect.gen(function* () {
      yield* Effect.annotateCurrentSpan("planted", planted)
      yield* Effect.logTrace(planted)
      record(output, new Error(planted))
      output.add("records", planted)
      output.add("inspector", planted)
      yield* Metric.increment(Metric.tagged(Metric.counter("planted"), "canary", planted))
      return yield* Effect.fail(new Error(planted))
    }).pipe(Effect.withSpan("the canary that is planted"), Effect.ignore)

    const everything = Effect.gen(function* () {
      const page = yield* livePage(output)
      const opened = yield* Layer.build(
        SqliteStore.layer({ filename, storeKey: ring }).pipe(Layer.provide(NodeContext.layer))
      ).pipe(Effect.map(Context.get(AuthStore)))
      const store = watched(opened)
      yield* Effect.gen(function* () {
        for (const wire of wires) {
          for (const [n, fault] of attemptFaults.entries()) {
            const world = { ...(yield* makeWorld()), store }
            yield* world.emulator.addToken(account, otherToken)
            yield* world.emulator.inject(fault)
            yield* oneLife(world, `${wire.name}-${n}`, wire)
          }
        }
        for (const wire of wires) {
          yield* calls({ ...(yield* makeWorld()), store }, `calls-${wire.name}`, wire)
        }
        yield* others(store)
        yield* careless
      }).pipe(Effect.provideService(AuthObserver, page.recorder.record))
      yield* page.look
      yield* plant
      yield* opened.transact(
        { location: planted as Location, account: account as AccountCode },
        ({ account, ledger }) => [null, { account, ledger }]
      )
      yield* Effect.sleep("50 millis")
      // While the store is open, since closing it moves the content of the -wal file.
      for (const entry of Fs.readdirSync(folder, { withFileTypes: true })) {
        if (entry.isFile()) output.add("files of the store", Fs.readFileSync(Path.join(folder, entry.name)))
      }
    }).pipe(Effect.scoped, Effect.provideService(SharedByAccounts, inspected))

    try {
      await commands(output, secrets, folder)
      await Effect.runPromise(recording(output)(everything))
      const sessionKeys = Object.keys(secrets).filter((name) => name.startsWith("session key"))
      assert.isAbove(sessionKeys.length, 20)
      const find = searchFor({ ...secrets, planted })
      const figures: Record<string, { texts: number; bytes: number; hits: number }> = {}
      const leaks: Array<string> = []
      const unseen: Array<string> = []
      for (const [channel, texts] of output.channels) {
        let [bytes, hits, isSeen] = [0, 0, false]
        for (const text of texts) {
          bytes += Buffer.byteLength(text)
          for (const { form, secret } of find(text)) {
            if (secret === "planted") isSeen = true
            else {
              hits += 1
              leaks.push(`${channel}: ${secret}, as ${form}`)
            }
          }
        }
        figures[channel] = { texts: texts.length, bytes, hits }
        if (!isSeen && !channel.startsWith("command")) unseen.push(channel)
      }
      console.table(figures)
      Fs.mkdirSync("reports", { recursive: true })
      Fs.writeFileSync(
        "reports/canaries.json",
        JSON.stringify(
          { secrets: Object.keys(secrets).length, channels: figures, hits: leaks.length },
          null,
          2
        )
      )
      assert.deepStrictEqual([...new Set(leaks)], [])
      assert.deepStrictEqual(unseen, [])
    } finally {
      Fs.rmSync(folder, { recursive: true, force: true })
    }
  })
})
