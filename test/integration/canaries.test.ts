/**
 * Attempts and calls at trace level with all that tells of them on, searched for every secret that they had.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { HttpClientRequest } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Either, Layer, Redacted, Schema } from "effect"
import { AuthStore } from "../../src/services/AuthStore.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as NumberClient from "../../src/services/NumberClient.js"
import * as SessionSignature from "../../src/services/SessionSignature.js"
import * as SqliteStore from "../../src/services/SqliteStore.js"
import * as StoreKey from "../../src/services/StoreKey.js"
import { Fault, type MethodFault } from "../../src/testing/NumberEmulator.js"
import { searchFor } from "../support/canary.js"
import { showings } from "../support/leaks.js"
import { account, goodToken, makeWorld, start, type World } from "../support/stack.js"
import { makeTold, type Told, telling } from "../support/telemetry.js"
import { wires } from "../support/wires.js"

const otherToken = "7C31E08F5AD94B62910EF8A3D7B5264C"
const hmacSecret = "7D55DBB3D691C9E0FDF341E4AB38C3C9"
const storeKey = Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 71 + 19) & 255)).toString("base64")
/** No secret of the library's: written on purpose, so that each channel is known to be searched. */
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
  Fault.StallAnswer,
  Fault.ReportLock
]

const record = (told: Told, value: unknown) => told.add("errors and results", ...showings(value))

describe("secret canaries", () => {
  it("are in nothing that is told, printed or stored", { timeout: 240_000 }, async () => {
    const told = makeTold()
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
          record(told, key)
          if (Either.isRight(key)) {
            secrets[`session key ${Object.keys(secrets).length}`] = Redacted.value(key.right)
          }
        })
      )

    const told_ = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.tap(Effect.either(effect), (result) =>
        Effect.zipRight(
          Effect.sync(() => record(told, result)),
          Effect.logError("it came to", result)
        )
      )

    const oneLife = (world: World, location: string, wire: (typeof wires)[number]) =>
      Effect.gen(function* () {
        const options = { location, attemptTimeout: "500 millis", leaseDuration: "20 seconds" } as const
        const auth = yield* start(world, options, undefined, wire)
        yield* noteKey(auth)
        for (const step of [auth.status, auth.resume, auth.confirmLockLifted]) yield* told_(step)
        yield* told_(auth.replaceCredentials(`${goodToken}00`))
        yield* told_(auth.replaceCredentials(otherToken))
        yield* noteKey(auth)
      }).pipe(Effect.scoped, Effect.withSpan("a life"))

    const calls = (world: World) =>
      Effect.gen(function* () {
        const auth = yield* start(world, { location: "calls" })
        yield* noteKey(auth)
        const key = Redacted.value(yield* auth.sessionKey)
        const signature = yield* SessionSignature.make({ secret: Redacted.make(hmacSecret), deviceId: "1" })
        const echo = NumberClient.method("Echo", Schema.Struct({ n: Schema.Int }), Schema.Struct({}), {
          signature: true
        })
        const faults: ReadonlyArray<MethodFault> = [
          Fault.Pass,
          Fault.Status(500, `<html>${key}</html>`),
          Fault.Body(key),
          Fault.FunctionNotOk(7, `key ${key.toLowerCase()} is bad`),
          Fault.Refuse,
          Fault.DropRequest,
          Fault.DropAnswer,
          Fault.CutBody
        ]
        for (const fault of faults) {
          yield* world.emulator.injectMethod(fault)
          yield* told_(
            echo({ n: 1 }).pipe(
              Effect.provideService(NumberAuth.NumberAuth, auth),
              Effect.provideService(SessionSignature.SessionSignature, signature)
            )
          )
        }
        yield* world.emulator.injectMethod(Fault.DropRequest)
        yield* told_(auth.httpClientWith({ signature }).execute(HttpClientRequest.post("/Echo")))
        yield* world.emulator.expireSessions()
        yield* told_(auth.httpClient.execute(HttpClientRequest.post("/Echo")))
        yield* noteKey(auth)
      }).pipe(Effect.scoped, Effect.withSpan("calls"))

    const plant = Effect.gen(function* () {
      yield* Effect.annotateCurrentSpan("planted", planted)
      yield* Effect.logTrace(planted)
      record(told, new Error(planted))
      told.add("metrics", planted)
      return yield* Effect.fail(new Error(planted))
    }).pipe(Effect.withSpan("the canary that is planted"), Effect.ignore)

    const everything = Effect.gen(function* () {
      const store = yield* Layer.build(
        SqliteStore.layer({ filename, storeKey: ring }).pipe(Layer.provide(NodeContext.layer))
      ).pipe(Effect.map(Context.get(AuthStore)))
      for (const wire of wires) {
        for (const [n, fault] of attemptFaults.entries()) {
          const world = { ...(yield* makeWorld()), store }
          yield* world.emulator.addToken(account, otherToken)
          yield* world.emulator.inject(fault)
          yield* oneLife(world, `${wire.name}-${n}`, wire)
        }
      }
      yield* calls({ ...(yield* makeWorld()), store })
      yield* plant
      // While it is open, so that what is in the -wal is not yet gone from there.
      for (const name of Fs.readdirSync(folder)) {
        told.add("files of the store", Fs.readFileSync(Path.join(folder, name)))
      }
    }).pipe(Effect.scoped)

    try {
      await Effect.runPromise(telling(told)(everything))
      const sessionKeys = Object.keys(secrets).filter((name) => name.startsWith("session key"))
      assert.isAbove(sessionKeys.length, 20)
      const find = searchFor({ ...secrets, planted })
      const figures: Record<string, { texts: number; bytes: number; hits: number }> = {}
      const leaks: Array<string> = []
      const unseen: Array<string> = []
      for (const [channel, texts] of told.channels) {
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
        if (!isSeen && channel !== "files of the store") unseen.push(channel)
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
      assert.deepStrictEqual(
        unseen.filter((channel) => !/metrics$/.test(channel)),
        []
      )
      assert.isAbove(figures["files of the store"]!.bytes, 10_000)
    } finally {
      Fs.rmSync(folder, { recursive: true, force: true })
    }
  })
})
