/**
 * `number-auth doctor`: reports each problem and its remedy, and touches nothing.
 */
import { Effect, Exit, Scope } from "effect"
import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, inject, it } from "vitest"
import * as NumberEmulator from "../../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../../src/testing/NumberEmulatorServer.js"
import { type Postgres, startPostgres } from "../support/postgres.js"
import { runHere } from "./command.js"
import { lastJson, start } from "./start.js"

const account = "EP9116875"
const goodToken = "2148B239CF6846BDA5D141BF4A4CFBE8"
const badToken = (n: number): string => `BAD0${n.toString(16).toUpperCase().padStart(28, "0")}`

interface World {
  readonly emulator: NumberEmulator.NumberEmulator["Type"]
  readonly folder: string
  readonly store: string
  readonly env: Readonly<Record<string, string>>
}

type Found = Record<
  string,
  { readonly result: string; readonly detail: string; readonly todo: string | null }
>

const Database = createRequire(createRequire(import.meta.url).resolve("@effect/sql-sqlite-node"))(
  "better-sqlite3"
) as new (filename: string) => { readonly exec: (source: string) => void; readonly close: () => void }

/** The files on the disk, by content and mode. SQLite's shared memory file is left out: it comes and goes. */
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    Fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => !name.endsWith("-shm"))
      .map((name) => {
        const path = Path.join(folder, name)
        const stat = Fs.statSync(path)
        const content = stat.isFile() ? createHash("sha256").update(Fs.readFileSync(path)).digest("hex") : ""
        return [name, `${(stat.mode & 0o777).toString(8)} ${stat.size === 0 ? "empty" : content}`] as const
      })
      .filter(([name, content]) => !(name.endsWith("-wal") && content.endsWith("empty")))
  )

describe.concurrent("number-auth doctor", () => {
  const { cli } = inject("programs")
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await startPostgres()
  }, 120_000)
  afterAll(() => postgres?.end(), 60_000)

  const inWorld = async (use: (world: World) => Promise<void>): Promise<void> => {
    const scope = Effect.runSync(Scope.make())
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-doctor-"))
    try {
      const emulator = await Effect.runPromise(Scope.extend(NumberEmulator.make(), scope))
      await Effect.runPromise(emulator.addToken(account, goodToken))
      const { url } = await Effect.runPromise(Scope.extend(NumberEmulatorServer.serve(emulator), scope))
      const store = Path.join(folder, "state", "number-auth.sqlite")
      await use({
        emulator,
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

  /** `asProcess`: as a process of its own. The tests use it once for each exit code, and for a killed store. */
  const run = async (
    world: World,
    args: ReadonlyArray<string>,
    env: Record<string, string> = {},
    asProcess = false
  ) => {
    const all = { ...world.env, ...env }
    const ran = await (asProcess ? start([process.execPath, cli, ...args], all).ended : runHere(args, all))
    for (const secret of [goodToken, "BAD0000"]) assert.notInclude(ran.stdout + ran.stderr, secret)
    return ran
  }

  /** Runs doctor, asserts that nothing was sent and nothing was changed, and returns its findings by name. */
  const doctor = async (world: World, env: Record<string, string> = {}, asProcess = false) => {
    const before = contents(world.folder)
    const seen = await Effect.runPromise(world.emulator.requestsSeen)
    const ran = await run(world, ["doctor", "--json"], env, asProcess)
    assert.deepStrictEqual(contents(world.folder), before)
    assert.strictEqual(await Effect.runPromise(world.emulator.requestsSeen), seen)
    const json = lastJson(ran)
    assert.strictEqual(json.exitCode, ran.code, ran.stderr)
    const found: Found = Object.fromEntries(
      (json.checks as ReadonlyArray<{ check: string }>).map((each) => [each.check, each])
    ) as never
    const results = Object.fromEntries(Object.entries(found).map(([check, { result }]) => [check, result]))
    return { code: ran.code, json, found, results }
  }

  const allOk = {
    settings: "ok",
    token: "ok",
    store: "ok",
    files: "ok",
    key: "ok",
    clock: "ok",
    network: "ok",
    ledger: "ok",
    account: "ok"
  }

  it("finds a new installation fit for a first login, and makes no file", () =>
    inWorld(async (world) => {
      const { code, found, json, results } = await doctor(world, {}, true)
      assert.deepStrictEqual([code, results], [0, { ...allOk, store: "warn" }])
      assert.deepStrictEqual([json.account, json.location], [account, "default"])
      assert.match(found["store"]!.detail, /is new/)
      assert.match(found["account"]!.detail, /next login makes one attempt/)
      assert.deepStrictEqual(Fs.readdirSync(world.folder), [])
    }))

  it("finds no problem after a login, in JSON and in text", () =>
    inWorld(async (world) => {
      await run(world, ["login"])
      const { code, found, results } = await doctor(world)
      assert.deepStrictEqual([code, results], [0, allOk])
      assert.match(found["account"]!.detail, /A session is held, until \d{4}-.*makes no attempt/)
      const text = await run(world, ["doctor"], {}, true)
      assert.strictEqual(text.code, 0)
      assert.strictEqual(text.stderr, "")
      assert.match(text.stdout, /^ok {4}settings {2}Account EP9116875 at location default, limit 5/m)
      assert.match(
        text.stdout,
        /^ok {4}network {3}http:\/\/127\.0\.0\.1:\d+ accepts a connection\. Nothing was sent\.$/m
      )
    }))

  it("leaves the last writes of a killed process in the write-ahead log", () =>
    inWorld(async (world) => {
      await run(world, ["login"])
      // The files as a killed SQLite leaves them.
      const killed = Path.join(world.folder, "killed")
      Fs.mkdirSync(killed, { mode: 0o700 })
      const db = new Database(world.store)
      db.exec("UPDATE number_auth_ledger SET sequence = sequence + 7")
      for (const suffix of ["", "-wal", ".key"]) {
        Fs.copyFileSync(world.store + suffix, Path.join(killed, `auth.sqlite${suffix}`))
        Fs.chmodSync(Path.join(killed, `auth.sqlite${suffix}`), 0o600)
      }
      db.close()
      assert.isAbove(Fs.statSync(Path.join(killed, "auth.sqlite-wal")).size, 0)
      const env = { NUMBER_STORE_URL: `file://${killed}/auth.sqlite` }
      const { code, results } = await doctor(world, env, true)
      assert.deepStrictEqual([code, results], [0, allOk])
    }))

  it("names files that other users may read, and does not change them", () =>
    inWorld(async (world) => {
      await run(world, ["login"])
      Fs.chmodSync(world.store, 0o644)
      Fs.chmodSync(Path.dirname(world.store), 0o777)
      const { code, found, results } = await doctor(world)
      assert.deepStrictEqual([code, results], [0, { ...allOk, files: "warn" }])
      for (const open of [`${world.store} (0644)`, `${Path.dirname(world.store)} (0777)`]) {
        assert.include(found["files"]!.detail, open)
      }
      assert.match(found["files"]!.todo!, /chmod 600/)
    }))

  it("exits with 77 for a refused token, and with 0 once another token is supplied", () =>
    inWorld(async (world) => {
      const env = { NUMBER_TOKEN: badToken(1) }
      assert.strictEqual((await run(world, ["login"], env)).code, 77)
      const refused = await doctor(world, env, true)
      assert.strictEqual(refused.code, 77)
      assert.deepStrictEqual(refused.results, { ...allOk, token: "bad", ledger: "warn", account: "bad" })
      assert.match(refused.found["token"]!.detail, /^Number refused the supplied token\./)
      assert.match(refused.found["ledger"]!.detail, /1 of 5 .* attempt 1 of EP9116875 was refused/)
      assert.match(refused.found["account"]!.todo!, /new token/)

      const replaced = await doctor(world)
      assert.deepStrictEqual([replaced.code, replaced.results], [0, { ...allOk, ledger: "warn" }])
      assert.match(replaced.found["account"]!.detail, /supplied token is another one\. The next login/)
      const text = await run(world, ["doctor"], env)
      assert.strictEqual(text.code, 77)
      assert.match(text.stdout, /^bad {3}account .*\n {16}To do: Create a new token/m)
      assert.match(text.stderr, /^number-auth: Problems found: token, account\./)
    }))

  it("exits with 77 for a lock, and says how it is lifted", () =>
    inWorld(async (world) => {
      const limit = { NUMBER_LIMIT: "2" }
      for (const n of [1, 2]) await run(world, ["login"], { ...limit, NUMBER_TOKEN: badToken(n) })
      const { code, found, results } = await doctor(world, limit)
      assert.deepStrictEqual([code, results], [77, { ...allOk, ledger: "bad", account: "bad" }])
      assert.match(found["ledger"]!.todo!, /support has lifted the lock.*number-auth lock-lifted/)
    }))

  it("exits with 77 for a lost attempt, and says that resume allows another", () =>
    inWorld(async (world) => {
      await Effect.runPromise(world.emulator.inject(NumberEmulator.Fault.StallAnswer))
      await run(world, ["login"], { NUMBER_ATTEMPT_TIMEOUT: "3 seconds" })
      const { code, found, results } = await doctor(world)
      assert.deepStrictEqual([code, results], [77, { ...allOk, ledger: "warn", account: "bad" }])
      assert.match(found["ledger"]!.detail, /got no answer from Number itself, and Number may work on it/)
      assert.match(found["account"]!.todo!, /number-auth resume/)
    }))

  it("warns of a token that ends soon", () =>
    inWorld(async (world) => {
      await Effect.runPromise(
        world.emulator.addToken(account, goodToken, { expiresAtMillis: Date.now() + 9 * 24 * 3_600_000 })
      )
      await run(world, ["login"])
      const { code, found, results } = await doctor(world)
      assert.deepStrictEqual([code, results], [0, { ...allOk, token: "warn" }])
      assert.match(found["token"]!.todo!, /new token .* before then/)
    }))

  it("exits with 75 if Number's host cannot be reached, and makes no attempt if it can", () =>
    inWorld(async (world) => {
      const { code, found, results } = await doctor(world, { NUMBER_BASE_URL: "http://127.0.0.1:1" }, true)
      assert.deepStrictEqual([code, results], [75, { ...allOk, store: "warn", network: "bad" }])
      assert.match(found["network"]!.detail, /ECONNREFUSED\. An attempt would not be sent/)
      // No byte of HTTP is sent: the listener sees a connection that opens and closes.
      const heard: Array<Buffer> = []
      let connections = 0
      const server = Net.createServer((socket) => {
        connections += 1
        socket.on("data", (data) => heard.push(data))
        socket.on("error", () => {})
      })
      const port = await new Promise<number>((resolve) =>
        server.listen(0, "127.0.0.1", () => resolve((server.address() as Net.AddressInfo).port))
      )
      const silent = await doctor(world, { NUMBER_BASE_URL: `http://127.0.0.1:${port}` })
      server.close()
      assert.deepStrictEqual([silent.code, connections, heard], [0, 1, []])
      // No token is sent to a server without a certificate.
      const noTls = await doctor(world, {
        NUMBER_BASE_URL: world.env["NUMBER_BASE_URL"]!.replace("http:", "https:")
      })
      assert.deepStrictEqual([noTls.code, noTls.results["network"]], [75, "bad"])
    }))

  it("exits with 78 for wrong settings, each with its expected form, and for an unusable store", () =>
    inWorld(async (world) => {
      const limit = await doctor(world, { NUMBER_LIMIT: "6", NUMBER_TOKEN: "" }, true)
      assert.deepStrictEqual([limit.code, limit.results], [78, { settings: "bad", token: "bad" }])
      assert.match(limit.found["settings"]!.detail, /NUMBER_LIMIT/)
      assert.match(limit.found["token"]!.todo!, /32 hexadecimal/)
      const noToken = await doctor(world, { NUMBER_TOKEN: "" })
      assert.deepStrictEqual([noToken.code, noToken.results], [78, { ...allOk, token: "bad", store: "warn" }])
      Fs.writeFileSync(Path.join(world.folder, "file"), "")
      const noFolder = await doctor(world, { NUMBER_STORE_URL: `file://${world.folder}/file/x.sqlite` })
      assert.deepStrictEqual([noFolder.code, noFolder.results["store"]], [78, "bad"])
      const key = await doctor(world, { NUMBER_STORE_KEY: "short" })
      assert.deepStrictEqual([key.code, key.results["key"]], [78, "bad"])
    }))

  it("exits with 77 for a store that is damaged, or sealed under a key that is not supplied", () =>
    inWorld(async (world) => {
      await run(world, ["login"])
      Fs.renameSync(`${world.store}.key`, `${world.store}.kept`)
      const key = await doctor(world)
      assert.deepStrictEqual([key.code, key.results], [77, { ...allOk, key: "bad" }])
      assert.match(
        key.found["key"]!.detail,
        /are sealed under the store key with id [0-9a-f]{16}, which is missing/
      )
      Fs.writeFileSync(
        world.store,
        "this is no database, and longer than a header of one hundred bytes".repeat(99)
      )
      const damaged = await doctor(world)
      assert.deepStrictEqual([damaged.code, damaged.results["store"]], [77, "bad"])
    }))

  it("predicts why the next login fails: a torn, unreadable or lost key file, or a store of a newer version", () =>
    inWorld(async (world) => {
      // Nothing is sealed yet, and nothing can be.
      const folder = Path.dirname(world.store)
      Fs.mkdirSync(folder, { mode: 0o700 })
      Fs.writeFileSync(`${world.store}.key`, "torn", { mode: 0o600 })
      const torn = await doctor(world)
      assert.deepStrictEqual([torn.code, torn.results["key"]], [77, "bad"])
      assert.match(torn.found["key"]!.detail, /does not hold the base64 of 32 bytes/)
      assert.strictEqual((await run(world, ["login"])).code, torn.code)
      Fs.rmSync(`${world.store}.key`)
      await run(world, ["login"])
      const beside = { NUMBER_ACCOUNT_CODE: "EP0000002" }
      assert.strictEqual((await doctor(world, beside)).code, 0)
      Fs.renameSync(`${world.store}.key`, `${world.store}.kept`)
      const lost = await doctor(world, beside)
      assert.deepStrictEqual([lost.code, lost.results["key"]], [77, "bad"])
      assert.match(lost.found["key"]!.detail, /secrets of other accounts are sealed under/)
      assert.strictEqual((await run(world, ["login"], beside)).code, 77)
      Fs.mkdirSync(`${world.store}.key`)
      const closed = await doctor(world)
      assert.deepStrictEqual([closed.code, closed.results["key"]], [78, "bad"])
      assert.match(closed.found["key"]!.todo!, /no other key opens the secrets that are sealed under/)
      Fs.rmdirSync(`${world.store}.key`)
      Fs.renameSync(`${world.store}.kept`, `${world.store}.key`)
      const db = new Database(world.store)
      db.exec("INSERT INTO number_auth_migrations (migration_id, name) VALUES (99, 'future')")
      db.close()
      const newer = await doctor(world)
      assert.deepStrictEqual([newer.code, newer.results["store"]], [77, "bad"])
      assert.match(newer.found["store"]!.detail, /newer version/)
      assert.strictEqual((await run(world, ["login"])).code, newer.code)
    }))

  it("predicts why a login on PostgreSQL fails: only an old key, a role without the rights, or a read-only server", () =>
    inWorld(async (world) => {
      const own = await postgres.database()
      const role = `doctor_${Math.random().toString(36).slice(2)}`
      const asRole = new URL(own.url)
      asRole.username = role
      asRole.password = "hidden-password"
      try {
        const key = Buffer.alloc(32, 7).toString("base64")
        const env = { NUMBER_STORE_URL: own.url, NUMBER_STORE_KEY: key }
        const fails = async (more: Record<string, string>, check: string, code: number, words: RegExp) => {
          const found = await doctor(world, { ...env, ...more })
          assert.deepStrictEqual([found.code, found.results[check]], [code, "bad"], check)
          assert.match(found.found[check]!.detail, words)
          assert.notInclude(JSON.stringify(found.json), "hidden-password")
          const login = await run(world, ["login"], { ...env, ...more })
          assert.strictEqual(login.code, code, login.stderr)
        }
        await fails({ NUMBER_STORE_KEY: "", NUMBER_STORE_KEY_OLD: key }, "key", 78, /NUMBER_STORE_KEY is not/)
        await own.query(`CREATE ROLE ${role} LOGIN PASSWORD 'hidden-password'`)
        await own.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        await fails({ NUMBER_STORE_URL: asRole.href }, "store", 78, /may not create tables/)
        assert.strictEqual((await run(world, ["login"], env)).code, 0)
        await own.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`)
        await fails(
          { NUMBER_STORE_URL: asRole.href },
          "store",
          78,
          /may not read and write number_auth_ledger, number_auth_account, number_auth_token/
        )
        await own.query(`GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO ${role}`)
        assert.strictEqual((await doctor(world, { ...env, NUMBER_STORE_URL: asRole.href })).code, 0)
        await own.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`)
        await fails({ NUMBER_STORE_URL: asRole.href }, "store", 75, /takes no writes/)
      } finally {
        await own.query(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`).catch(() => {})
        await own.end()
      }
    }))

  it("checks a PostgreSQL that is new, in use and unavailable (75), and compares the clocks", () =>
    inWorld(async (world) => {
      const env = { NUMBER_STORE_URL: postgres.url, NUMBER_LOCATION: "doctor" }
      const tables = () =>
        postgres.query("SELECT count(*)::int AS n FROM pg_tables WHERE tablename LIKE 'number_auth%'")
      const fresh = await doctor(world, env)
      const { files: _, ...without } = allOk
      assert.deepStrictEqual([fresh.code, fresh.results], [0, { ...without, store: "warn", key: "warn" }])
      assert.deepStrictEqual(await tables(), [{ n: 0 }])
      const key = { ...env, NUMBER_STORE_KEY: Buffer.alloc(32, 7).toString("base64") }
      assert.strictEqual((await run(world, ["login"], key)).code, 0)
      const rows = () => postgres.query("SELECT * FROM number_auth_ledger, number_auth_account")
      const before = await rows()
      const used = await doctor(world, key, true)
      assert.deepStrictEqual([used.code, used.results], [0, without])
      assert.match(
        used.found["clock"]!.detail,
        /^The database's clock is \d+ ms (behind|ahead of) this host's\.$/
      )
      assert.match(used.found["account"]!.detail, /^A session is held, until/)
      assert.deepStrictEqual(await rows(), before)
      // A process without a store key cannot use the session of another process.
      const keyless = { ...env, NUMBER_LOCATION: "keyless" }
      assert.strictEqual((await run(world, ["login"], keyless)).code, 0)
      const alone = await doctor(world, keyless)
      assert.deepStrictEqual([alone.code, alone.results], [0, { ...without, key: "warn" }])
      assert.match(alone.found["account"]!.detail, /by another process.* next login makes one attempt/)
      const away = await doctor(world, {
        ...key,
        NUMBER_STORE_URL: "postgres://user:hidden-password@127.0.0.1:1/x"
      })
      assert.deepStrictEqual([away.code, away.results["store"], away.results["network"]], [75, "bad", "ok"])
      assert.notInclude(JSON.stringify(away.json), "hidden-password")
    }))
})
