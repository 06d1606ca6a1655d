import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Either, Layer, Option, Redacted } from "effect"
import { inspect } from "node:util"
import { type Flags, readSettings } from "../../../src/cli/Settings.js"
import {
  configuredStore,
  decodeStoreUrl,
  shownStore,
  stateFolder,
  storeSecrets
} from "../../../src/services/store/storeTarget.js"

const none: Flags = {
  account: Option.none(),
  location: Option.none(),
  baseUrl: Option.none(),
  store: Option.none(),
  attemptTimeout: Option.none(),
  limit: Option.none()
}

const environment = (variables: Readonly<Record<string, string>>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

describe("stateFolder", () => {
  const host = { platform: "linux", home: "/home/a", xdgStateHome: undefined, localAppData: undefined }

  it("is where the platform keeps state", () => {
    assert.strictEqual(stateFolder(host), "/home/a/.local/state/effect-number-auth")
    assert.strictEqual(
      stateFolder({ ...host, platform: "darwin" }),
      "/home/a/Library/Application Support/effect-number-auth"
    )
    const windows = { ...host, platform: "win32", home: "C:\\Users\\a" }
    assert.strictEqual(stateFolder(windows), "C:\\Users\\a\\AppData\\Local\\effect-number-auth")
    assert.strictEqual(stateFolder({ ...windows, localAppData: "D:\\x" }), "D:\\x\\effect-number-auth")
  })

  it("follows an absolute XDG_STATE_HOME and ignores a relative one", () => {
    assert.strictEqual(stateFolder({ ...host, xdgStateHome: "/s" }), "/s/effect-number-auth")
    assert.strictEqual(stateFolder({ ...host, xdgStateHome: "s" }), "/home/a/.local/state/effect-number-auth")
  })
})

describe("decodeStoreUrl", () => {
  it("reads absolute and relative file URLs", () => {
    for (const [url, path] of [
      ["file:///var/lib/n.sqlite", "/var/lib/n.sqlite"],
      ["file:/var/lib/n.sqlite", "/var/lib/n.sqlite"],
      ["FILE:///a%20b/n.sqlite", "/a b/n.sqlite"],
      [" file:n.sqlite ", "/work/n.sqlite"],
      ["file:../n.sqlite", "/n.sqlite"]
    ] as const) {
      assert.deepStrictEqual(decodeStoreUrl(url, "/work"), Either.right({ _tag: "sqlite", filename: path }))
    }
  })

  it("reads PostgreSQL URLs, and shows them without password and parameters", () => {
    for (const [url, shown] of [
      ["postgres://user:secret%40secret@db:5433/number?sslmode=require", "postgres://user@db:5433/number"],
      [" postgresql://db/number ", "postgres://db/number"],
      ["postgres:///number?host=/run/postgresql&password=secretsecret", "postgres:///number"],
      ["postgresql://user:secretsecret@/number?host=/cloudsql/p:r:i", "postgres://user@/number"]
    ] as const) {
      const target = decodeStoreUrl(url, "/work")
      if (Either.isLeft(target) || target.right._tag !== "postgres") return assert.fail(url)
      assert.strictEqual(Redacted.value(target.right.url), url.trim())
      assert.strictEqual(shownStore(target.right), shown)
      assert.notInclude(JSON.stringify(target) + inspect(target, { depth: 9 }), "secret")
    }
  })

  it("reads a password that storeSecrets gives both encoded and decoded", () => {
    const target = decodeStoreUrl("postgres://user:secret%40secret@db/number", "/work")
    assert.deepStrictEqual(storeSecrets(Either.getOrThrow(target)).map(Redacted.value), [
      "secret%40secret",
      "secret@secret"
    ])
  })

  it("refuses other schemes and malformed URLs, and does not show the value", () => {
    for (const url of [
      "postgres://user:secret@db",
      "postgres://user:secret@db/",
      "postgres://user:se#cret@db/secret",
      "postgres:secret",
      "mysql://user:secret@db/number",
      "/var/lib/secret.sqlite",
      "sqlite:secret.sqlite",
      "file://host/secret.sqlite",
      "file:///secret/",
      "file:///secret?mode=memory",
      "file:///secret%2Fsecret",
      "file:",
      "file:~/secret.sqlite",
      "file:///~/secret.sqlite",
      "file:~user/secret.sqlite",
      "file:%7E/secret.sqlite",
      "file:$HOME/secret.sqlite",
      "file:///var/${NAME}/secret.sqlite",
      ":memory:",
      ""
    ]) {
      const refused = decodeStoreUrl(url, "/work")
      assert.isTrue(Either.isLeft(refused), url)
      assert.notInclude(JSON.stringify(refused), "secret")
    }
  })
})

describe("configuredStore", () => {
  const from = (variables: Readonly<Record<string, string>>) =>
    Effect.provide(Effect.either(configuredStore), environment(variables))

  it.effect("is the store that NUMBER_STORE_URL names, and else a file in the state folder", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* from({ NUMBER_STORE_URL: "file:///a/b.sqlite" }),
        Either.right({ _tag: "sqlite", filename: "/a/b.sqlite" })
      )
      for (const NUMBER_STORE_URL of ["", " "]) {
        assert.deepStrictEqual(
          yield* from({ NUMBER_STORE_URL, XDG_STATE_HOME: "/s" }),
          Either.right({ _tag: "sqlite", filename: "/s/effect-number-auth/number-auth.sqlite" })
        )
      }
    })
  )

  it.effect(
    "is refused with the setting's name and the form that is expected, and does not show the value",
    () =>
      Effect.gen(function* () {
        for (const NUMBER_STORE_URL of ["file:~/secret.sqlite", "mysql://secret"]) {
          const refused = yield* from({ NUMBER_STORE_URL })
          assert(Either.isLeft(refused))
          assert.strictEqual(refused.left.field, "NUMBER_STORE_URL")
          assert.notInclude(refused.left.message, "secret")
        }
        assert.include(
          Either.getOrThrow(Either.flip(yield* from({ NUMBER_STORE_URL: "file:~/x" }))).message,
          "~ and $ are not expanded"
        )
      })
  )

  it.effect("is refused if the home folder is no absolute path: each working folder would have a count", () =>
    Effect.gen(function* () {
      const { HOME } = process.env
      process.env["HOME"] = "somewhere"
      const refused = yield* from({})
      if (HOME === undefined) delete process.env["HOME"]
      else process.env["HOME"] = HOME
      assert(Either.isLeft(refused))
      assert.include(refused.left.message, "no home folder")
    })
  )
})

describe("readSettings", () => {
  it.effect("takes flags, else the environment, else the defaults", () =>
    Effect.gen(function* () {
      const settings = yield* readSettings({ ...none, limit: Option.some("2") })
      assert.deepStrictEqual(
        {
          ...settings,
          account: String(settings.account),
          location: String(settings.location),
          attemptTimeout: Duration.toMillis(settings.attemptTimeout)
        },
        {
          account: "EP9116875",
          location: "default",
          baseUrl: "https://easypay5.com/APIcardProcNumber/v1.0.0",
          store: { _tag: "sqlite", filename: "/s/effect-number-auth/number-auth.sqlite" },
          attemptTimeout: 500,
          limit: 2
        }
      )
    }).pipe(
      Effect.provide(
        environment({
          NUMBER_ACCOUNT_CODE: "ep9116875",
          NUMBER_ATTEMPT_TIMEOUT: "500 millis",
          NUMBER_LIMIT: "4",
          NUMBER_LOCATION: " ",
          XDG_STATE_HOME: "/s"
        })
      )
    )
  )

  it.effect("names the setting and its expected form, never the value", () =>
    Effect.gen(function* () {
      for (const [setting, value] of [
        ["NUMBER_ATTEMPT_TIMEOUT", "30 secrets"],
        ["NUMBER_ATTEMPT_TIMEOUT", "0 seconds"],
        ["NUMBER_LIMIT", "0"],
        ["NUMBER_LIMIT", "6"],
        ["NUMBER_LIMIT", "2.5"],
        ["NUMBER_LOCATION", "secret secret"],
        ["NUMBER_BASE_URL", "https://secret:secret@number.test/"]
      ] as const) {
        const error = yield* Effect.flip(
          Effect.provide(
            readSettings(none),
            environment({ NUMBER_ACCOUNT_CODE: "EP9116875", [setting]: value })
          )
        )
        assert.strictEqual(error.setting, setting)
        assert.match(error.message, new RegExp(`^${setting} \\(or --[a-z-]+\\) is malformed: expected`))
        assert.notInclude(error.message, "secret")
      }
    })
  )
})
