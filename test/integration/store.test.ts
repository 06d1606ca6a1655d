import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer, Logger } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import type { AccountCode, Location } from "../../src/schemas/Credentials.js"
import { AuthStore, layerMemory } from "../../src/services/store/AuthStore.js"
import * as SqliteStore from "../../src/services/store/SqliteStore.js"
import * as Store from "../../src/services/store/Store.js"

/** The texts that an effect logs, and its result. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const texts: Array<string> = []
    const logger = Logger.make<unknown, void>(({ message }) => void texts.push(String(message)))
    return Effect.map(
      Effect.provide(effect, Logger.replace(Logger.defaultLogger, logger)),
      (result) => [texts.join("\n"), result] as const
    )
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-store-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
)
const key = { location: "shop" as Location, account: "EP9116875" as AccountCode }
/** Draws the next number of the location. */
const draw = (store: AuthStore["Type"]) =>
  store.transact(key, ({ account, ledger, moment }) => [moment.sequence, { account, ledger }])

describe("Store.layerConfig", () => {
  const open = (variables: Readonly<Record<string, string>>) =>
    Layer.build(Store.layerConfig()).pipe(
      Effect.map(Context.get(AuthStore)),
      Effect.provide(NodeContext.layer),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
    )

  it.scoped(
    "is the file that NUMBER_STORE_URL names, or the default of the command: one ledger for all",
    () =>
      Effect.gen(function* () {
        const at = yield* folder
        const file = Path.join(at, "effect-number-auth", "number-auth.sqlite")
        assert.strictEqual(yield* draw(yield* open({ XDG_STATE_HOME: at })), 1)
        assert.isTrue(Fs.existsSync(file))
        assert.strictEqual(yield* draw(yield* open({ NUMBER_STORE_URL: `file://${file}` })), 2)
        assert.deepStrictEqual(
          yield* Effect.provide(
            Store.configuredStore,
            Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["XDG_STATE_HOME", at]])))
          ),
          {
            _tag: "sqlite",
            filename: file
          }
        )
      })
  )

  it.scoped("fails for a URL that it cannot use, and makes nothing", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const error = yield* Effect.flip(open({ XDG_STATE_HOME: at, NUMBER_STORE_URL: "file:~/auth.sqlite" }))
      assert.deepInclude(error, { _tag: "InvalidInput", field: "NUMBER_STORE_URL" })
      assert.isEmpty(Fs.readdirSync(at))
      assert.isFalse(Fs.existsSync("~"))
    })
  )
})

describe("SqliteStore.layer", () => {
  it.scoped("refuses a file name that a shell would have expanded, and makes nothing", () =>
    Effect.gen(function* () {
      for (const filename of ["~/auth.sqlite", "$HOME/auth.sqlite", "/tmp/${NAME}/auth.sqlite"]) {
        const error = yield* Effect.flip(
          Effect.provide(Layer.build(SqliteStore.layer({ filename })), NodeContext.layer)
        )
        assert.deepInclude(error, { _tag: "AuthStoreError", reason: "misconfigured" })
        assert.include(error.message, "not expanded")
      }
      assert.isFalse(Fs.existsSync("~"))
      assert.isFalse(Fs.existsSync("$HOME"))
    })
  )
})

describe("AuthStore.layerMemory", () => {
  const built = Effect.map(Layer.build(Layer.fresh(layerMemory)), Context.get(AuthStore))

  it.scoped(
    "is one ledger for the process, however often it is built, and warns of what a restart forgets",
    () =>
      Effect.gen(function* () {
        const first = yield* draw(yield* built)
        const [text, second] = yield* logged(Effect.flatMap(built, draw))
        assert.strictEqual(second, first + 1)
        assert.include(text, "a restart sets it to zero")
      })
  )

  it.scoped("warns of other threads, and of other processes of a cluster", () =>
    Effect.gen(function* () {
      process.env["NODE_UNIQUE_ID"] = "1"
      const [text] = yield* logged(built)
      delete process.env["NODE_UNIQUE_ID"]
      assert.include(text, "Other processes of the cluster have another count")
    })
  )
})
