import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Reactivity from "@effect/experimental/Reactivity"
import { Effect, Exit, Scope } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { assert, describe, inject, it } from "vitest"
import * as NumberEmulator from "../../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../../src/testing/NumberEmulatorServer.js"
import { runHere } from "./command.js"
import { lastJson, type Ran, start } from "./start.js"

const account = "EP9116875"
const goodToken = "2148B239CF6846BDA5D141BF4A4CFBE8"
const badToken = (n: number): string => `BAD0${n.toString(16).toUpperCase().padStart(28, "0")}`
/** The emulator's keys begin with random digits. All of them end with the same digits. */
const keyLike = /[0-9A-F]{18}303032303541303032353437/
const ip = "127.0.0.1"

interface World {
  readonly emulator: NumberEmulator.NumberEmulator["Type"]
  readonly url: string
  readonly folder: string
  readonly store: string
  readonly env: Readonly<Record<string, string>>
}

describe.concurrent("number-auth", () => {
  const { cli } = inject("programs")

  /** Every run is searched for secrets, in each test. */
  const noSecrets = (ran: Ran): Ran => {
    const text = ran.stdout + ran.stderr
    for (const secret of [goodToken, "BAD0000"]) assert.notInclude(text, secret)
    assert.notMatch(text, keyLike)
    // A stack or a rendered cause may hold a request.
    assert.notMatch(text, /\n\s+at .*\(/)
    return ran
  }

  const begin = (world: Pick<World, "env">, args: ReadonlyArray<string>, env = {}, input = "") =>
    start([process.execPath, cli, ...args], { ...world.env, ...env }, input)
  /** Runs it as a process: once for each exit code, and for tests that need several processes. */
  const run = async (world: Pick<World, "env">, args: ReadonlyArray<string>, env = {}, input = "") =>
    noSecrets(await begin(world, args, env, input).ended)

  /** Compares its exit code with that in its JSON. */
  const withJson = (ran: Ran) => {
    const json = lastJson(ran)
    if (ran.code !== 0) assert.strictEqual(json.exitCode, ran.code)
    return { ...ran, json }
  }
  const runJson = async (world: Pick<World, "env">, args: ReadonlyArray<string>, env = {}) =>
    withJson(await run(world, [...args, "--json"], env))

  /** Runs it within this process, which is cheaper: the steps before and after, and the many cases of one kind. */
  const hereJson = async (world: Pick<World, "env">, args: ReadonlyArray<string>, env = {}) =>
    withJson(noSecrets(await runHere([...args, "--json"], { ...world.env, ...env })))

  const inWorld = async (use: (world: World) => Promise<void>): Promise<void> => {
    const scope = Effect.runSync(Scope.make())
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-cli-"))
    try {
      const emulator = await Effect.runPromise(Scope.extend(NumberEmulator.make(), scope))
      await Effect.runPromise(emulator.addToken(account, goodToken))
      const { url } = await Effect.runPromise(Scope.extend(NumberEmulatorServer.serve(emulator), scope))
      const store = Path.join(folder, "state", "number-auth.sqlite")
      await use({
        emulator,
        url,
        folder,
        store,
        env: {
          HOME: folder,
          NUMBER_ACCOUNT_CODE: account,
          NUMBER_TOKEN: goodToken,
          NUMBER_BASE_URL: url,
          NUMBER_STORE_URL: `file://${store}`
        }
      })
    } finally {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      Fs.rmSync(folder, { recursive: true, force: true })
    }
  }

  const attempts = async ({ emulator }: World): Promise<number> =>
    (await Effect.runPromise(emulator.log)).length
  const injectAttempt = (world: World, ...faults: ReadonlyArray<NumberEmulator.Fault>) =>
    Effect.runPromise(world.emulator.inject(...faults))
  const injectMethod = (world: World, ...faults: ReadonlyArray<NumberEmulator.MethodFault>) =>
    Effect.runPromise(world.emulator.injectMethod(...faults))

  it("obtains a session, keeps it in a private file, and shows it without its key", () =>
    inWorld(async (world) => {
      const first = await runJson(world, ["login"])
      assert.strictEqual(first.code, 0)
      const { account: shown, failures, limit, location, state } = first.json
      assert.deepStrictEqual(
        { account: shown, failures, limit, location, state },
        { account, failures: 0, limit: 5, location: "default", state: "authenticated" }
      )
      assert.match(first.json.expiresAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.strictEqual(first.stderr, "")
      assert.strictEqual(Fs.statSync(world.store).mode & 0o777, 0o600)
      assert.strictEqual(Fs.statSync(Path.dirname(world.store)).mode & 0o777, 0o700)

      const again = await hereJson(world, ["login"])
      assert.deepStrictEqual(again.json, first.json)
      const status = await runJson(world, ["status"], { NUMBER_TOKEN: "" })
      assert.deepStrictEqual(status.json, first.json)
      const text = await run(world, ["status"])
      assert.match(text.stdout, /state +authenticated[\s\S]*count +0 of 5 unsuccessful attempts in a row/)
      assert.strictEqual(await attempts(world), 1)
    }))

  it("prints the session key if --show-key asks for it", () =>
    inWorld(async (world) => {
      const ran = await begin(world, ["login", "--show-key", "--json"]).ended
      assert.strictEqual(ran.code, 0)
      assert.match(lastJson(ran).sessionKey, keyLike)
      assert.notInclude(ran.stdout + ran.stderr, goodToken)
    }))

  it("sends a call with the session key, and once more if the key was refused", () =>
    inWorld(async (world) => {
      const first = await runJson(world, ["request", "/Echo", "--data", '{"order":1}'])
      assert.strictEqual(first.code, 0)
      assert.deepStrictEqual(first.json.EchoResult.Echo, { order: 1 })

      await Effect.runPromise(world.emulator.expireSessions())
      // The data comes from standard input, and the answer echoes the token, which must not be shown.
      const second = await run(
        world,
        ["request", "Echo", "--data", "-"],
        {},
        `{"order":2,"note":"${goodToken}"}`
      )
      assert.strictEqual(second.code, 0)
      assert.deepStrictEqual(JSON.parse(second.stdout).EchoResult.Echo, { order: 2, note: "<redacted>" })
      const { executions } = world.emulator
      assert.strictEqual((await Effect.runPromise(executions)).length, 2)
      assert.strictEqual(await attempts(world), 2)
    }))

  it("distinguishes a refused call (1), an unsent call (75) and a call of unknown fate (77)", () =>
    inWorld(async (world) => {
      await hereJson(world, ["login"])
      await injectMethod(world, NumberEmulator.Fault.FunctionNotOk(6724, "no such transaction"))
      const refused = await runJson(world, ["request", "/Query"])
      assert.deepStrictEqual([refused.code, refused.json.error], [1, "CallRefused"])
      assert.strictEqual(refused.json.answer.QueryResult.ErrCode, 6724)

      await injectMethod(world, NumberEmulator.Fault.DropAnswer)
      const unknown = await hereJson(world, ["request", "/Sale"])
      assert.deepStrictEqual([unknown.code, unknown.json.error], [77, "CallUnknown"])

      const unsent = await hereJson(world, ["request", "/Sale", "--base-url", "http://127.0.0.1:1"])
      assert.deepStrictEqual([unsent.code, unsent.json.error], [75, "CallUnreachable"])

      await injectMethod(
        world,
        NumberEmulator.Fault.FunctionNotOk(5050, "refused"),
        NumberEmulator.Fault.FunctionNotOk(5050, "refused again")
      )
      const twice = await hereJson(world, ["request", "/Sale"])
      assert.deepStrictEqual([twice.code, twice.json.error], [75, "SessionRefused"])
      assert.strictEqual(await Effect.runPromise(world.emulator.countOf(ip)), 0)
    }))

  it("makes no attempt outside the ledger: Authenticate cannot be requested", () =>
    inWorld(async (world) => {
      for (const path of ["/Authenticate", "x/../%41uthenticate?y", "https://example.com/Sale"]) {
        const ran = await hereJson(world, ["request", path])
        assert.deepStrictEqual([ran.code, ran.json.setting], [78, "PATH"])
      }
      assert.strictEqual(await attempts(world), 0)
    }))

  it("aborts a bad token with 77, and never sends it again", () =>
    inWorld(async (world) => {
      const env = { NUMBER_TOKEN: badToken(1) }
      const first = await runJson(world, ["login"], env)
      assert.strictEqual(first.code, 77)
      assert.strictEqual(first.json.error, "AuthAborted")
      assert.deepStrictEqual(
        [first.json.state, first.json.account, first.json.failures, first.json.limit, first.json.expiresAt],
        ["aborted", account, 1, 5, null]
      )
      assert.match(first.json.message, /1 of 5 .*Do not restart/)
      // The notice and the error are one text, and it is printed once.
      assert.strictEqual(first.stderr.split("was aborted").length, 2)

      const again = await run(world, ["login"], env)
      assert.strictEqual(again.code, 77)
      assert.strictEqual(again.stdout, "")
      assert.match(again.stderr, /^number-auth: .*Do not restart/)
      const resumed = await hereJson(world, ["resume"])
      assert.deepStrictEqual([resumed.code, resumed.json.error], [77, "AuthRejected"])
      assert.strictEqual(await attempts(world), 1)

      // Another token needs no command of its own.
      assert.strictEqual((await hereJson(world, ["login"])).json.state, "authenticated")
      assert.strictEqual(await attempts(world), 2)
    }))

  it("stops at the limit with 77, until an operator confirms that the lock was lifted", () =>
    inWorld(async (world) => {
      const early = await hereJson(world, ["lock-lifted"])
      assert.deepStrictEqual([early.code, early.json.error], [77, "AuthRejected"])
      for (const n of [1, 2]) {
        await hereJson(world, ["login", "--limit", "2"], { NUMBER_TOKEN: badToken(n) })
      }
      const locked = await runJson(world, ["login"], { NUMBER_LIMIT: "2" })
      assert.strictEqual(locked.code, 77)
      assert.deepStrictEqual(
        [locked.json.error, locked.json.state, locked.json.failures, locked.json.limit, locked.json.lock],
        ["AuthLocked", "locked", 2, 2, "limit"]
      )
      assert.strictEqual(await attempts(world), 2)
      assert.strictEqual((await hereJson(world, ["status"], { NUMBER_LIMIT: "2" })).json.state, "locked")

      const lifted = await hereJson(world, ["lock-lifted"], { NUMBER_LIMIT: "2", NUMBER_TOKEN: "" })
      assert.deepStrictEqual(
        [lifted.code, lifted.json.state, lifted.json.failures],
        [0, "unauthenticated", 0]
      )
      assert.strictEqual(
        (await hereJson(world, ["login"], { NUMBER_LIMIT: "2" })).json.state,
        "authenticated"
      )
    }))

  it("counts a lost attempt, and makes one more after resume", () =>
    inWorld(async (world) => {
      await injectAttempt(world, NumberEmulator.Fault.StallAnswer)
      const lost = await hereJson(world, ["login"], { NUMBER_ATTEMPT_TIMEOUT: "3 seconds" })
      assert.deepStrictEqual([lost.code, lost.json.error, lost.json.failures], [77, "AuthAborted", 1])
      assert.strictEqual(lost.json.abort.reason, "lost")
      assert.strictEqual((await runJson(world, ["login"])).code, 77)
      assert.strictEqual(await attempts(world), 1)

      const resumed = await hereJson(world, ["resume"], { NUMBER_TOKEN: "" })
      assert.deepStrictEqual(
        [resumed.code, resumed.json.state, resumed.json.failures],
        [0, "unauthenticated", 1]
      )
      assert.strictEqual((await hereJson(world, ["login"])).json.state, "authenticated")
      assert.strictEqual(await attempts(world), 2)
      const twice = await hereJson(world, ["resume"])
      assert.deepStrictEqual([twice.code, twice.json.error], [77, "AuthRejected"])
    }))

  it("exits with try again later (75) if Number cannot be reached, and counts nothing", () =>
    inWorld(async (world) => {
      const ran = await runJson(world, ["login", "--base-url", "http://127.0.0.1:1"])
      assert.deepStrictEqual([ran.code, ran.json.error, ran.json.failures], [75, "AuthUnreachable", 0])
      assert.strictEqual(ran.json.state, "unauthenticated")
    }))

  /** Keeps the store from every write, until its result is called. */
  const occupy = async (world: World): Promise<() => Promise<void>> => {
    const scope = Effect.runSync(Scope.make())
    const sql = await Effect.runPromise(
      SqliteClient.make({ filename: world.store }).pipe(Effect.provide(Reactivity.layer), Scope.extend(scope))
    )
    await Effect.runPromise(sql`BEGIN IMMEDIATE`)
    return () => Effect.runPromise(Scope.close(scope, Exit.void))
  }

  it("exits with try again later (75) if the store is busy, and sends nothing", () =>
    inWorld(async (world) => {
      await hereJson(world, ["status"])
      const release = await occupy(world)
      const ran = await runJson(world, ["login"])
      await release()
      assert.deepStrictEqual([ran.code, ran.json.error], [75, "AuthStoreError"])
      assert.strictEqual(await attempts(world), 0)
    }))

  /** A login whose store takes no writes from the middle of the attempt on, for so many seconds. */
  const loginThenOccupied = async (world: World, token: string, seconds: number) => {
    await hereJson(world, ["status"])
    await Effect.runPromise(world.emulator.setDelays({ answer: "500 millis" }))
    const login = hereJson(world, ["login", "--attempt-timeout", "2 seconds"], { NUMBER_TOKEN: token })
    while ((await Effect.runPromise(world.emulator.requestsSeen)) === 0) await sleep(5)
    const release = await occupy(world)
    await sleep(seconds * 1000)
    await release()
    return login
  }

  it("waits until the store has its session, and exits with 0 then", () =>
    inWorld(async (world) => {
      const ran = await loginThenOccupied(world, goodToken, 11)
      assert.deepStrictEqual([ran.code, ran.json.state], [0, "authenticated"])
      const next = await hereJson(world, ["login"])
      assert.deepStrictEqual([next.code, await attempts(world)], [0, 1])
    }))

  it.each([
    ["session", goodToken, "AuthUnstored", /could not be stored.*Number accepted the token/],
    ["refusal", badToken(1), "AuthAborted", /could not be stored.*create a new token/]
  ])(
    "exits with 77 if the store does not take the %s while the lease runs, and says so",
    (_, token, error, words) =>
      inWorld(async (world) => {
        // The lease of 17 seconds, and the last try of 10.
        const ran = await loginThenOccupied(world, token, 24)
        assert.deepStrictEqual([ran.code, ran.json.error], [77, error])
        assert.match(ran.stderr, words)
        assert.strictEqual(await attempts(world), 1)
      })
  )

  it("exits with 78 for a store that it cannot open, and with 77 for a store that it cannot read", () =>
    inWorld(async (world) => {
      Fs.writeFileSync(Path.join(world.folder, "file"), "")
      const noFolder = await hereJson(world, ["login", "--store", `file://${world.folder}/file/x.sqlite`])
      assert.deepStrictEqual([noFolder.code, noFolder.json.error], [78, "AuthStoreError"])

      await hereJson(world, ["login"])
      const scope = Effect.runSync(Scope.make())
      const sql = await Effect.runPromise(
        SqliteClient.make({ filename: world.store }).pipe(
          Effect.provide(Reactivity.layer),
          Scope.extend(scope)
        )
      )
      await Effect.runPromise(sql`UPDATE number_auth_account SET document = '{"version": 2}'`)
      await Effect.runPromise(Scope.close(scope, Exit.void))
      const unreadable = await hereJson(world, ["login"])
      assert.deepStrictEqual([unreadable.code, unreadable.json.error], [77, "AuthStoreError"])
      assert.strictEqual(await attempts(world), 1)
    }))

  it("names each setting that is missing or malformed (78), and leaves nothing on the disk", () =>
    inWorld(async (world) => {
      const cases: ReadonlyArray<
        readonly [setting: string, env: Record<string, string>, args?: Array<string>]
      > = [
        ["NUMBER_ACCOUNT_CODE", { NUMBER_ACCOUNT_CODE: "" }],
        ["NUMBER_ACCOUNT_CODE", {}, ["--account", "EP911"]],
        ["NUMBER_TOKEN", { NUMBER_TOKEN: "" }],
        ["NUMBER_TOKEN", { NUMBER_TOKEN: `${goodToken}0` }],
        ["--token-file", {}, ["--token-file", goodToken]],
        ["NUMBER_LOCATION", { NUMBER_LOCATION: "a b" }],
        ["NUMBER_BASE_URL", { NUMBER_BASE_URL: "http://example.com/" }],
        ["NUMBER_STORE_URL", { NUMBER_STORE_URL: `mysql://user:${goodToken}@db/number` }],
        ["NUMBER_STORE_URL", { NUMBER_STORE_URL: `postgres://user:${goodToken}@db` }],
        ["NUMBER_ATTEMPT_TIMEOUT", { NUMBER_ATTEMPT_TIMEOUT: "30" }],
        ["NUMBER_LIMIT", { NUMBER_LIMIT: "6" }],
        ["--data", {}, ["--data", goodToken]]
      ]
      const check = async ([setting, env, args = []]: (typeof cases)[number]): Promise<void> => {
        const command = setting === "--data" ? ["request", "/Echo"] : ["login"]
        const ran = await hereJson(world, [...command, ...args], env)
        assert.deepStrictEqual([ran.code, ran.json.setting, ran.json.error], [78, setting, "InvalidSetting"])
        assert.match(ran.json.message, new RegExp(`^${setting} .*expected `))
      }
      for (const each of cases) await check(each)
      for (const args of [["login", "--token", goodToken], [goodToken]]) {
        assert.strictEqual((await hereJson(world, args)).code, 78)
      }
      assert.strictEqual((await runJson(world, ["login", goodToken])).code, 78)
      const help = await run(world, ["--help"])
      assert.strictEqual(help.code, 0)
      assert.include(help.stdout, "NUMBER_ACCOUNT_CODE")
      assert.deepStrictEqual(Fs.readdirSync(world.folder), [])
      assert.strictEqual(await attempts(world), 0)
    }))

  it("reports an unavailable PostgreSQL (75) without its password, and sends nothing", () =>
    inWorld(async (world) => {
      const ran = await runJson(world, ["login"], {
        NUMBER_STORE_URL: `postgres://user:${goodToken}@127.0.0.1:1/number`
      })
      assert.deepStrictEqual([ran.code, ran.json.error], [75, "AuthStoreError"])
      assert.strictEqual(await attempts(world), 0)
    }))

  it("takes the token from a file, and prefers flags to the environment", () =>
    inWorld(async (world) => {
      const file = Path.join(world.folder, "token")
      Fs.writeFileSync(file, `${goodToken}\n`, { mode: 0o600 })
      const { json } = await runJson(
        world,
        ["login", "--token-file", file, "--location", "shop-7", "--account", "ep9116875", "--limit", "3"],
        { NUMBER_TOKEN: badToken(1), NUMBER_LOCATION: "other", NUMBER_STORE_URL: "", NUMBER_LIMIT: "4" }
      )
      assert.deepStrictEqual([json.state, json.location, json.limit], ["authenticated", "shop-7", 3])
      // The embedded store is in the folder for the user's state.
      assert.strictEqual(
        json.store,
        `file://${world.folder}/${process.platform === "darwin" ? "Library/Application%20Support" : ".local/state"}/effect-number-auth/number-auth.sqlite`
      )
    }))

  it("settles an attempt that is under way before a signal ends it (143)", () =>
    inWorld(async (world) => {
      await injectAttempt(world, NumberEmulator.Fault.DelayAnswer("2 seconds"))
      const running = begin(world, ["login", "--json"])
      while ((await attempts(world)) === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      running.child.kill("SIGTERM")
      const ran = noSecrets(await running.ended)
      assert.strictEqual(ran.code, 143)
      assert.deepStrictEqual([lastJson(ran).error, lastJson(ran).exitCode], ["Interrupted", 143])
      assert.match(ran.stderr, /settled first/)
      const { json } = await hereJson(world, ["status"])
      assert.deepStrictEqual([json.state, json.failures, json.inFlight], ["authenticated", 0, 0])
    }))

  it("makes one attempt for five processes that start together on an empty store", () =>
    inWorld(async (world) => {
      const all = await Promise.all(Array.from({ length: 5 }, () => runJson(world, ["login"])))
      assert.deepStrictEqual(
        all.map(({ json }) => json.state),
        Array.from({ length: 5 }, () => "authenticated")
      )
      assert.strictEqual(await attempts(world), 1)
    }))

  it("runs the emulator until it is interrupted (130)", () =>
    inWorld(async (world) => {
      const running = begin(world, ["emulator", "--json"])
      const ready = JSON.parse(await running.firstLine)
      const login = await run({ env: { HOME: world.folder } }, ["login", "--json"], ready.environment)
      assert.strictEqual(lastJson(login).location, `emulator-${ready.port}`)
      const state = await fetch(`${ready.url}/_emulator/state`, { method: "POST" })
      assert.strictEqual(((await state.json()) as NumberEmulator.Summary).authenticateCalls, 1)
      running.child.kill("SIGINT")
      const ran = await running.ended
      assert.strictEqual(ran.code, 130)
      assert.deepStrictEqual(lastJson(ran), ready)

      const text = begin(world, ["emulator"])
      assert.match(await text.firstLine, /^# The Number emulator listens on http:\/\/127\.0\.0\.1:\d+/)
      text.child.kill("SIGTERM")
      const { code, stdout } = await text.ended
      assert.strictEqual(code, 143)
      assert.include(stdout, `export NUMBER_ACCOUNT_CODE=${account}\nexport NUMBER_TOKEN=`)
    }))

  it("goes on with the same token after a lock that another program of the IP caused", () =>
    inWorld(async (world) => {
      for (let n = 0; n < 6; n++) {
        await fetch(`${world.url}/Authenticate`, {
          method: "POST",
          body: JSON.stringify({ AcctCode: account, Token: badToken(n) })
        })
      }
      assert.isTrue(await Effect.runPromise(world.emulator.isLocked(ip)))
      const locked = await hereJson(world, ["login"])
      assert.strictEqual(locked.code, 77)
      assert.deepInclude(locked.json, { error: "AuthLocked", lock: "reported", state: "locked" })
      assert.notMatch(locked.stderr + locked.stdout, /create a new token/i)
      const doctor = await hereJson(world, ["doctor"])
      assert.strictEqual(doctor.code, 77)
      assert.notMatch(doctor.stdout, /create a new token/i)
      await Effect.runPromise(world.emulator.liftLock(ip))
      assert.strictEqual((await hereJson(world, ["lock-lifted"])).code, 0)
      const login = await hereJson(world, ["login"])
      assert.deepStrictEqual([login.code, login.json.state, login.json.failures], [0, "authenticated", 0])
      assert.strictEqual(await attempts(world), 8)
    }))

  it("runs in the checkout by npm, and passes the exit code on", () =>
    inWorld(async (world) => {
      const npm = ["npm", "run", "-s", "number-auth", "--"]
      const version = await run(world, ["--version"])
      const { version: expected } = JSON.parse(Fs.readFileSync("package.json", "utf8"))
      assert.deepStrictEqual([version.code, version.stdout.trim()], [0, expected])
      const ran = noSecrets(
        await start([...npm, "login", "--json"], { ...world.env, NUMBER_TOKEN: "" }).ended
      )
      assert.strictEqual(ran.code, 78)
      assert.strictEqual(lastJson(ran).exitCode, 78)
    }))
})
