/**
 * `number-auth inspect`, run in this process, on a store that is in use.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Ref } from "effect"
import { randomBytes } from "node:crypto"
import * as fc from "effect/FastCheck"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { Writable } from "node:stream"
import { main } from "../../../src/cli/main.js"
import * as Output from "../../../src/cli/Output.js"
import { NumberAuth } from "../../../src/services/session/NumberAuth.js"
import * as AuthStore from "../../../src/services/store/AuthStore.js"
import { SessionRefused } from "../../../src/services/session/SessionRefusal.js"
import * as SqliteStore from "../../../src/services/store/SqliteStore.js"
import { asProperty, type LockoutFound } from "../../../src/testing/LockoutProperty.js"
import * as Simulation from "../../../src/testing/Simulation.js"
import * as SimulationTrace from "../../../src/testing/SimulationTrace.js"
import { account, badToken, makeWorld, start } from "../../support/stack.js"

process.env["NUMBER_STORE_KEY"] = randomBytes(32).toString("base64")

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-inspect-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
)

const begin = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const texts = { stdout: "", stderr: "" }
    const into = (name: keyof typeof texts): Writable =>
      new Writable({
        write: (chunk, _, done) => {
          texts[name] += String(chunk)
          done()
        }
      })
    const output = Output.make({ json: true, stdout: into("stdout"), stderr: into("stderr") })
    const fiber = yield* Effect.forkScoped(
      main({
        argv: ["node", "number-auth", "inspect", ...args, "--json"],
        version: "0.0.0",
        signal: () => "SIGINT",
        output
      })
    )
    return { texts, fiber }
  })

/** Starts the inspector, and waits until it has printed its address. */
const inspecting = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { fiber, texts } = yield* begin(...args)
    while (texts.stdout === "") yield* Effect.sleep("10 millis")
    const printed = JSON.parse(texts.stdout)
    const get = (path: string) =>
      Effect.promise(() => fetch(`${printed.url}${path}`).then((response) => response.json()))
    return { fiber, texts, printed, get }
  })

/** The exit code and the output of a command that ends by itself. */
const refused = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { fiber, texts } = yield* begin(...args)
    const code = yield* Fiber.join(fiber)
    return { code, ...JSON.parse(texts.stdout) }
  })

interface Shown {
  readonly accounts: ReadonlyArray<{ readonly account: string; readonly to: string; readonly limit: number }>
}

describe("number-auth inspect", { timeout: 300_000 }, () => {
  it.scopedLive("shows the current state of a store and its changes, but no secret", () =>
    Effect.gen(function* () {
      const filename = Path.join(yield* folder, "number.sqlite")
      const { fiber, get, printed, texts } = yield* inspecting(
        "--store",
        `file:${filename}`,
        "--location",
        "shop",
        "--limit",
        "3"
      )
      assert.deepInclude(printed, { source: "store", title: `location shop in file://${filename}` })
      while (texts.stderr === "") yield* Effect.sleep("10 millis")
      assert.include(texts.stderr, `There is no store at ${filename} yet.`)
      assert.isFalse(Fs.existsSync(filename))

      const store = Context.get(
        yield* Layer.build(SqliteStore.layer({ filename }).pipe(Layer.provide(NodeContext.layer))),
        AuthStore.AuthStore
      )
      const world = { ...(yield* makeWorld()), store }
      const auth = yield* start(world, { location: "shop" })
      yield* auth.sessionKey
      const shows = (state: string) =>
        Effect.gen(function* () {
          while (true) {
            const shown = (yield* get("/accounts")) as Shown
            if (shown.accounts[0]?.to === state) return shown
            yield* Effect.sleep("50 millis")
          }
        })
      assert.deepInclude((yield* shows("authenticated")).accounts[0], { account, limit: 3 })
      yield* Ref.set(world.token, badToken(1))
      yield* world.emulator.expireSessions()
      yield* Effect.exit(auth.withSession(() => Effect.fail(new SessionRefused({ code: 5030 }))))
      yield* shows("aborted")
      const records = yield* get(`/records?location=shop&account=${account}`)
      const text = JSON.stringify(records)
      assert.include(text, '"to":"authenticated"')
      assert.include(text, '"reason":"refused"')
      assert.notMatch(text, /[0-9A-F]{24}/i)

      yield* Fiber.interrupt(fiber)
      assert.strictEqual(texts.stdout.trim().split("\n").length, 1)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("shows the trace of a failure of neverLocksOut, and the trace of a simulated life", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const loop = Effect.flatMap(NumberAuth, (auth) =>
        Effect.retry(
          Effect.tapError(auth.sessionKey, () => Effect.ignore(auth.resume)),
          { times: 3 }
        )
      )
      const check = yield* Effect.promise(() => fc.check(asProperty(loop), { seed: 11, endOnFailure: true }))
      const { records, trace } = check.errorInstance as LockoutFound
      const [found, lived] = [Path.join(at, "lockout.jsonl"), Path.join(at, "life.jsonl")]
      Fs.writeFileSync(found, trace)
      const property = yield* inspecting("--trace", found)
      assert.deepInclude(property.printed, { source: "trace", title: found })
      const ofProperty = yield* Effect.promise(() =>
        fetch(`${property.printed.url}/trace`).then((answer) => answer.text())
      )
      assert.strictEqual(ofProperty.trim().split("\n").length, records.length + 1)

      // The life of this seed has few calls.
      const options = { seed: 14 }
      Fs.writeFileSync(lived, SimulationTrace.toJsonLines(options, 0, Simulation.live(options, 0)))
      const simulator = yield* inspecting("--trace", lived)
      const { accounts } = (yield* simulator.get("/accounts")) as Shown
      assert.isAbove(accounts.length, 0)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("refuses arguments that it cannot use, and a public host without a secret", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const file = Path.join(at, "some.txt")
      Fs.writeFileSync(file, "some text\n")
      const naive = Path.join(at, "naive.jsonl")
      const options = { seed: 1, client: "naive" } as const
      Fs.writeFileSync(naive, SimulationTrace.toJsonLines(options, 0, Simulation.live(options, 0)))
      for (const [args, expected] of [
        [["--trace", Path.join(at, "nothing")], /--trace.*a file that can be read/],
        [["--trace", file], /--trace.*its first line is not that of a trace/],
        [["--trace", naive], /--trace.*the naive client/],
        [["--store", `file:${file}`, "--host", "0.0.0.0"], /--host.*NUMBER_INSPECT_SECRET/],
        [["--store", `file:${file}`, "--port", "99999"], /--port/],
        [["--store", "nowhere"], /--store/],
        [["--limit", "6"], /--limit/]
      ] as const) {
        const { code, message } = yield* refused(...args)
        assert.strictEqual(code, 78, args.join(" "))
        assert.match(message, expected)
      }
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("asks for the secret if one is set, never shows it, and refuses a short one", () =>
    Effect.gen(function* () {
      const secret = "an inspector's secret"
      yield* Effect.acquireRelease(
        Effect.sync(() => (process.env["NUMBER_INSPECT_SECRET"] = secret)),
        () => Effect.sync(() => delete process.env["NUMBER_INSPECT_SECRET"])
      )
      const at = yield* folder
      const { printed, texts } = yield* inspecting(
        "--host",
        "0.0.0.0",
        "--store",
        `file:${Path.join(at, "s.sqlite")}`
      )
      const url = `http://127.0.0.1:${printed.port}/accounts`
      const statusOf = (headers: Record<string, string>) =>
        Effect.promise(() => fetch(url, { headers }).then(({ status }) => status))
      assert.strictEqual(yield* statusOf({}), 401)
      const authorization = `Basic ${Buffer.from(`me:${secret}`).toString("base64")}`
      assert.strictEqual(yield* statusOf({ authorization }), 200)
      assert.notInclude(texts.stdout + texts.stderr, secret)
      process.env["NUMBER_INSPECT_SECRET"] = "short"
      const { code, message } = yield* refused("--store", `file:${Path.join(at, "s.sqlite")}`)
      assert.strictEqual(code, 78)
      assert.match(message, /NUMBER_INSPECT_SECRET.*at least 16 characters/)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
