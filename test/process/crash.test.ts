/**
 * Many processes on one store, killed at every step of an attempt, on SQLite and PostgreSQL alike. The emulator is a
 * real server, and counts on its own.
 */
import { randomBytes } from "node:crypto"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { NodeHttpClient } from "@effect/platform-node"
import { Config, Context, Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { afterAll, assert, beforeAll, describe, inject, it } from "vitest"
import { AuthNotifier } from "../../src/services/AuthNotifier.js"
import * as CredentialProvider from "../../src/services/CredentialProvider.js"
import * as NumberAuth from "../../src/services/NumberAuth.js"
import * as NumberTransport from "../../src/services/NumberTransport.js"
import * as NumberEmulator from "../../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../../src/testing/NumberEmulatorServer.js"
import { writeFigures } from "../support/figures.js"
import { startPostgres, startServer, type Postgres, type Server } from "../support/postgres.js"
import { lastJson, type Ran, start } from "./start.js"
import { storeLayer } from "./store.js"
import type { Gate, Line, Task } from "./worker.js"

const account = "EP9116875"
const goodToken = "2148B239CF6846BDA5D141BF4A4CFBE8"
const ip = "127.0.0.1"
const { Fault } = NumberEmulator

/** Session keys are shared, so they are sealed; on PostgreSQL that takes a key. */
process.env["NUMBER_STORE_KEY"] = randomBytes(32).toString("base64")
const storeKey = process.env["NUMBER_STORE_KEY"]

/**
 * `CRASH_SEED` makes the same choices again, though what the processes make of them is the machine's; `CRASH_KILLS` sets
 * how many kills each engine gets.
 */
const seed = Number(process.env["CRASH_SEED"] ?? randomBytes(4).readUInt32LE())
const killsPerEngine = Number(process.env["CRASH_KILLS"] ?? 110)

/** mulberry32 */
const randomOf = (from: number) => {
  let state = from >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    chance: (odds: number) => next() < odds,
    pick: <A>(from: ReadonlyArray<A>): A => from[Math.floor(next() * from.length)]!
  }
}
type Random = ReturnType<typeof randomOf>

interface Engine {
  readonly name: "SQLite" | "PostgreSQL"
  /** A store of its own, empty. */
  readonly newStore: (folder: string) => Promise<string>
}

interface World {
  readonly emulator: NumberEmulator.NumberEmulator["Type"]
  readonly url: string
  readonly store: string
  readonly location: string
  readonly settings: Partial<NumberAuth.Options>
  readonly scope: Scope.CloseableScope
}

/**
 * Short enough to be waited for. Lease and drain are still longer than this machine ever makes a process wait: what the
 * promise stands on (README) has to hold here, too.
 */
const leaseMillis = 2500
const drainMillis = 3000
const settings: Partial<NumberAuth.Options> = {
  attemptTimeout: 2000,
  leaseDuration: leaseMillis,
  drainTime: drainMillis,
  waitTimeout: "20 seconds"
}
/** How long a process may take to come where it has to come, on a machine that has much else to do. */
const patienceMillis = 60_000

/** No lease that stands now runs longer, and what was lost with it has drained. */
const allDrainedMillis = leaseMillis + drainMillis + 200

describe.sequential("processes that are killed", () => {
  const programs = inject("programs")
  let postgres: Postgres
  const totals: Array<string> = []
  beforeAll(async () => {
    postgres = await startPostgres()
  }, 120_000)
  afterAll(async () => {
    await postgres?.end()
    console.log([`crash tests, CRASH_SEED=${seed}`, ...totals].join("\n  "))
    writeFigures("crash", { seed, runs: totals })
  }, 60_000)

  const engines: ReadonlyArray<Engine> = [
    { name: "SQLite", newStore: async (folder) => `file://${Path.join(folder, "auth.sqlite")}` },
    { name: "PostgreSQL", newStore: async () => (await postgres.database()).url }
  ]

  const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

  const inWorld = async (
    engine: Pick<Engine, "newStore">,
    use: (world: World) => Promise<void>,
    more: Partial<NumberAuth.Options> = {},
    backend: NumberEmulator.Options = {}
  ): Promise<void> => {
    const scope = Effect.runSync(Scope.make())
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-crash-"))
    try {
      const emulator = await run(Scope.extend(NumberEmulator.make(backend), scope))
      await run(emulator.addToken(account, goodToken))
      const { url } = await run(Scope.extend(NumberEmulatorServer.serve(emulator), scope))
      const store = await engine.newStore(folder)
      await use({ emulator, url, store, location: "default", settings: { ...settings, ...more }, scope })
    } finally {
      await run(Scope.close(scope, Exit.void))
      Fs.rmSync(folder, { recursive: true, force: true })
    }
  }

  /** A worker that is running, and what it said so far. */
  const startWorker = (world: World, task: Partial<Task> = {}) => {
    const full: Task = {
      store: world.store,
      account,
      token: goodToken,
      baseUrl: world.url,
      location: world.location,
      gate: null,
      atGate: "wait",
      mode: "once",
      settings: world.settings,
      ...task
    }
    const running = start([process.execPath, programs.worker], {
      WORKER: JSON.stringify(full),
      NUMBER_STORE_KEY: storeKey
    })
    const lines: Array<Line> = []
    let rest = ""
    const waiting = new Set<() => void>()
    const wake = () => waiting.forEach((each) => each())
    running.child.stdout!.on("data", (text: string) => {
      const parts = (rest + text).split("\n")
      rest = parts.pop()!
      lines.push(...parts.map((part) => JSON.parse(part) as Line))
      wake()
    })
    let over: Ran | null = null
    void running.ended.then((ran) => {
      over = ran
      wake()
    })
    const kill = async (): Promise<Ran> => {
      running.child.kill("SIGKILL")
      return running.ended
    }
    return {
      task: full,
      lines,
      kill,
      ended: running.ended,
      child: running.child,
      /** Waits until the worker said so, or is over; false where it never did. */
      until: async (what: (line: Line) => boolean, forMillis = patienceMillis): Promise<boolean> => {
        const deadline = Date.now() + forMillis
        while (true) {
          if (lines.some(what)) return true
          const leftMillis = deadline - Date.now()
          if (over !== null || leftMillis <= 0) return false
          await Promise.race([new Promise<void>((resolve) => waiting.add(resolve)), sleep(leftMillis)])
        }
      },
      /** What came of its call. It has to end, and by itself. */
      result: async () => {
        const ran = await Promise.race([running.ended, sleep(patienceMillis, null, { ref: false })])
        if (ran === null) {
          await kill()
          return assert.fail(`A worker did not end: ${JSON.stringify(lines)}`)
        }
        const last = lines.at(-1)
        if (last?.type !== "served" && last?.type !== "failed") {
          return assert.fail(`A worker ended with ${ran.code ?? ran.signal} and no result: ${ran.stderr}`)
        }
        return last
      }
    }
  }
  type Worker = ReturnType<typeof startWorker>

  const isAtGate = (line: Line): boolean => line.type === "gate"
  const isResult = (line: Line): boolean => line.type === "served" || line.type === "failed"

  /** Runs a worker to its end. */
  const once = (world: World, task: Partial<Task> = {}) => startWorker(world, task).result()

  /** Kills a worker at a gate, which it must reach. */
  const killAt = async (world: World, gate: Exclude<Gate, null>, task: Partial<Task> = {}): Promise<void> => {
    const one = startWorker(world, { ...task, gate })
    const reached = await one.until(isAtGate)
    const { stderr } = await one.kill()
    assert.isTrue(reached, `${gate} was not reached: ${JSON.stringify(one.lines)} ${stderr}`)
  }

  /** Waits until the emulator has got as many requests. */
  const untilSeen = async (world: World, requests: number, forMillis = 30_000): Promise<boolean> => {
    const deadline = Date.now() + forMillis
    while (Date.now() < deadline) {
      if ((await run(world.emulator.summary)).requestsSeen >= requests) return true
      await sleep(5)
    }
    return false
  }

  const attempts = async (world: World): Promise<number> =>
    (await run(world.emulator.log)).filter((call) => call.ip === ip).length
  const assertNeverLocked = async (world: World): Promise<void> => {
    assert.isAtMost(await run(world.emulator.peakOf(ip)), 5)
    assert.isFalse(await run(world.emulator.isLocked(ip)))
  }

  /** The operator: a NumberAuth in this process, on the same store. */
  const operator = (world: World, code: string = account): Promise<NumberAuth.NumberAuth["Type"]> =>
    Layer.build(
      NumberAuth.layer({
        account: code,
        location: world.location,
        baseUrl: world.url,
        ...world.settings
      }).pipe(
        Layer.provide(
          Layer.mergeAll(
            storeLayer(world.store),
            NumberTransport.layerRest({ baseUrl: world.url }),
            CredentialProvider.layerConfig(Config.succeed(Redacted.make(goodToken))),
            Layer.succeed(AuthNotifier, { notify: () => Effect.void })
          )
        ),
        Layer.provide(NodeHttpClient.layer)
      )
    ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)), Scope.extend(world.scope), run)

  for (const engine of engines) {
    describe.sequential(engine.name, () => {
      it(
        "sixteen commands that log in with a cold store make one attempt, and get one session",
        () =>
          inWorld(engine, async (world) => {
            await run(world.emulator.setDelays({ answer: "300 millis" }))
            const env = {
              HOME: Os.tmpdir(),
              NUMBER_ACCOUNT_CODE: account,
              NUMBER_TOKEN: goodToken,
              NUMBER_BASE_URL: world.url,
              NUMBER_STORE_URL: world.store,
              NUMBER_STORE_KEY: storeKey
            }
            const ran = await Promise.all(
              Array.from(
                { length: 16 },
                () => start([process.execPath, programs.cli, "login", "--json", "--show-key"], env).ended
              )
            )
            assert.deepStrictEqual(
              ran.map(({ code, stderr }) => ({ code, stderr })),
              Array.from({ length: 16 }, () => ({ code: 0, stderr: "" }))
            )
            const [first] = ran.map((each) => lastJson(each))
            for (const each of ran) {
              assert.strictEqual(lastJson(each).sessionKey, first.sessionKey)
              if (engine.name === "PostgreSQL") {
                assert.notInclude(each.stdout + each.stderr, new URL(world.store).password)
                assert.match(lastJson(each).store, /^postgres:\/\/[a-z_]+@[^:@/]+:\d+\/\w+$/)
              }
            }
            assert.strictEqual(await attempts(world), 1)
            await assertNeverLocked(world)
            totals.push(`${engine.name}: cold start of 16 processes: 1 attempt, 1 session`)
          }),
        120_000
      )

      it(
        "eight processes with a cold store and a bad token make one attempt, and all are told",
        () =>
          inWorld(engine, async (world) => {
            await run(world.emulator.setDelays({ answer: "300 millis" }))
            const token = "0".repeat(32)
            const results = await Promise.all(Array.from({ length: 8 }, () => once(world, { token })))
            for (const result of results) {
              assert(result.type === "failed")
              assert.strictEqual(result.error, "AuthAborted")
            }
            assert.strictEqual(await attempts(world), 1)
          }),
        120_000
      )

      it(
        "killed before the mark, or in its transaction: nothing counts, and the next gets a session",
        () =>
          inWorld(engine, async (world) => {
            await killAt(world, "beforeMark")
            await killAt(world, "inMark")
            const auth = await operator(world)
            assert.strictEqual((await run(auth.status)).state, "unauthenticated.idle")
            assert.strictEqual((await once(world)).type, "served")
            assert.strictEqual(await attempts(world), 1)
          }),
        120_000
      )

      it(
        "killed between mark and send: counts as lost, aborts, and goes on after a person's word",
        () =>
          inWorld(engine, async (world) => {
            await killAt(world, "beforeSending")
            const auth = await operator(world)
            assert.strictEqual((await run(auth.status)).inFlight, 1)
            const next = await once(world)
            assert(next.type === "failed")
            assert.strictEqual(next.error, "AuthAborted")
            // It waited for the lease, and not for its own patience.
            assert.isBelow(next.afterMillis, 10_000)
            assert.strictEqual(await attempts(world), 0)
            assert.strictEqual((await run(auth.status)).failures, 1)
            await run(auth.resume)
            assert.strictEqual((await once(world)).type, "served")
            assert.strictEqual(await attempts(world), 1)
            assert.strictEqual(await run(world.emulator.peakOf(ip)), 0)
          }),
        120_000
      )

      it(
        "killed between mark and send, where lost attempts may be followed by others: the next gets a session",
        () =>
          inWorld(
            engine,
            async (world) => {
              await killAt(world, "beforeSending")
              assert.strictEqual((await once(world)).type, "served")
              assert.strictEqual(await attempts(world), 1)
            },
            { lostAttempts: "continue" }
          ),
        120_000
      )

      it(
        "killed in flight: lost, whether or not Number worked on it; a late answer to nobody locks nothing",
        () =>
          inWorld(engine, async (world) => {
            const auth = await operator(world)
            for (const fault of [Fault.StallRequest, Fault.StallAnswer, Fault.DelayRequest("700 millis")]) {
              await run(world.emulator.inject(fault))
              const { requestsSeen } = await run(world.emulator.summary)
              const one = startWorker(world, {})
              assert.isTrue(await untilSeen(world, requestsSeen + 1), fault._tag)
              await one.kill()
              const next = await once(world)
              assert(next.type === "failed", fault._tag)
              assert.strictEqual(next.error, "AuthAborted")
              await run(auth.resume)
            }
            assert.strictEqual((await run(auth.status)).failures, 3)
            assert.strictEqual((await once(world)).type, "served")
            await assertNeverLocked(world)
          }),
        120_000
      )

      it(
        "killed between answer and settling: lost, though Number took it; the next waits, and aborts",
        () =>
          inWorld(engine, async (world) => {
            for (const gate of ["beforeSettling", "inSettling"] as const) {
              await killAt(world, gate)
              const next = await once(world)
              assert(next.type === "failed")
              assert.strictEqual(next.error, "AuthAborted")
              await run((await operator(world)).resume)
            }
            assert.strictEqual((await once(world)).type, "served")
            assert.strictEqual(await attempts(world), 3)
          }),
        120_000
      )

      it(
        "killed after settling: the next uses the session, or is told of the refusal, without an attempt",
        () =>
          inWorld(engine, async (world) => {
            const bad = "1".repeat(32)
            await killAt(world, "settled", { token: bad })
            const refused = await once(world, { token: bad })
            assert(refused.type === "failed")
            assert.strictEqual(refused.error, "AuthAborted")
            assert.strictEqual(await attempts(world), 1)
            await killAt(world, "settled")
            assert.strictEqual((await once(world)).type, "served")
            assert.strictEqual(await attempts(world), 2)
          }),
        120_000
      )

      it(
        "suspended between mark and send for longer than its lease: when it goes on it sends nothing, and nothing counts",
        () =>
          inWorld(engine, async (world) => {
            const auth = await operator(world)
            // Alone first; then another process finds the lease run out meanwhile, and takes the attempt for lost.
            for (const isFound of [false, true]) {
              const one = startWorker(world, { gate: "beforeSending", atGate: "suspend" })
              assert.isTrue(await one.until(isAtGate))
              await sleep(leaseMillis)
              if (isFound) {
                const next = await once(world)
                assert(next.type === "failed")
                assert.strictEqual(next.abort, "lost")
                assert.strictEqual((await run(auth.status)).failures, 1)
              }
              assert.isTrue(isAtGate(one.lines.at(-1)!), "it was not suspended")
              one.child.kill("SIGCONT")
              const result = await one.result()
              assert(result.type === "failed", JSON.stringify(result))
              assert.strictEqual(result.error, "AuthUnreachable", result.message)
              assert.strictEqual((await run(auth.status)).failures, 0)
            }
            assert.strictEqual((await run(world.emulator.summary)).requestsSeen, 0)
            assert.strictEqual((await once(world)).type, "served")
          }),
        120_000
      )

      it(
        "suspended between answer and settling: its late session does not take the place of a newer one",
        () =>
          inWorld(
            engine,
            async (world) => {
              const late = startWorker(world, { gate: "beforeSettling", atGate: "suspend" })
              assert.isTrue(await late.until(isAtGate))
              const newer = await once(world)
              assert(newer.type === "served")
              late.child.kill("SIGCONT")
              const result = await late.result()
              assert.deepStrictEqual(
                late.lines.filter(({ type }) => type === "overwritten"),
                []
              )
              // It brings its caller the newer session, and so does the store.
              for (const { type, key } of [result as typeof newer, (await once(world)) as typeof newer]) {
                assert.deepStrictEqual({ type, key }, { type: "served", key: newer.key })
              }
              assert.strictEqual(await attempts(world), 2)
            },
            { lostAttempts: "continue" }
          ),
        120_000
      )

      it(
        "a token that was refused is not sent again by any process, whatever came in between",
        () =>
          inWorld(engine, async (world) => {
            const [one, other] = ["1".repeat(32), "2".repeat(32)]
            const auth = await operator(world)
            // As a crash loop would have it, of a service that is given one bad token and then another, and back.
            for (const [token, sent] of [
              [one, 1],
              [one, 1],
              [other, 2],
              [one, 2],
              [goodToken, 3]
            ] as const) {
              await once(world, { token })
              assert.strictEqual(await attempts(world), sent)
            }
            await run(world.emulator.expireSessions())
            for (const token of [one, other, one]) {
              const result = await once(world, { token })
              assert(result.type === "failed")
              assert.strictEqual(result.error, "AuthAborted")
              await run(Effect.ignore(auth.resume))
            }
            assert.strictEqual(await attempts(world), 3)
            assert.strictEqual((await once(world)).type, "served")
          }),
        120_000
      )

      it(
        "eight accounts with bad tokens at once: five attempts and no more, whether all live or some are killed",
        () =>
          inWorld(engine, async (world) => {
            await run(world.emulator.setDelays({ answer: "200 millis" }))
            const workers = Array.from({ length: 8 }, (_, index) =>
              startWorker(world, {
                account: `AB${String(index).padStart(7, "0")}`,
                token: index.toString().repeat(32),
                // Lost, though Number counted it.
                gate: index < 2 ? "beforeSettling" : null
              })
            )
            await Promise.all(
              workers.slice(0, 2).map(async (each) => {
                await each.until((line) => isAtGate(line) || isResult(line))
                await each.kill()
              })
            )
            for (const each of workers.slice(2)) {
              const result = await each.result()
              assert(result.type === "failed")
              assert.include(["AuthAborted", "AuthLocked"], result.error)
            }
            assert.strictEqual((await run((await operator(world)).status)).failures, 5)
            assert.strictEqual(await attempts(world), 5)
            assert.strictEqual(await run(world.emulator.peakOf(ip)), 5)
            await assertNeverLocked(world)
          }),
        120_000
      )

      it(`never locks the location over ${killsPerEngine} kills at every step, and overwrites no session`, async () => {
        const began = Date.now()
        const tally: Tally = {
          kills: {},
          suspended: 0,
          served: 0,
          failed: {},
          attempts: 0,
          peaks: [],
          words: 0
        }
        const random = randomOf(seed + (engine.name === "SQLite" ? 0 : 1))
        const killsPerWorld = Math.ceil(killsPerEngine / worldPolicies.length)
        // Side by side: each is a location of its own, and they mostly wait.
        await Promise.all(
          worldPolicies.map(({ successClears, ...policy }) => {
            const worldRandom = randomOf(Math.floor(random.next() * 2 ** 32))
            return inWorld(
              engine,
              (world) => crashes(world, worldRandom, killsPerWorld, tally),
              { ...policy, successClears },
              { successClears: successClears === "location" ? "all" : "own" }
            )
          })
        )
        assert.isAtLeast(killsOf(tally.kills), killsPerEngine)
        for (const step of steps) assert.isAbove(tally.kills[step] ?? 0, 0, `no kill at ${step}`)
        assert.isAbove(tally.served, 0)
        totals.push(
          `${engine.name}: ${killsOf(tally.kills)} kills ${JSON.stringify(tally.kills)}, ${tally.suspended} suspended, ` +
            `${tally.attempts} attempts, peak ${Math.max(...tally.peaks)} (by location ${tally.peaks.join(", ")}), ` +
            `${tally.served} served, failed ${JSON.stringify(tally.failed)}, ${tally.words} words of a person, ` +
            `${Math.round((Date.now() - began) / 1000)} s`
        )
      }, 900_000)
    })
  }

  describe.sequential("PostgreSQL under load", () => {
    let server: Server
    beforeAll(async () => {
      server = await startServer()
    }, 120_000)
    afterAll(() => server?.end(), 60_000)

    it(
      "a process that is suspended in its transaction holds up the others for seconds, not for ever",
      () =>
        inWorld(
          { newStore: async () => (await server.database()).url },
          async (world) => {
            const suspended = startWorker(world, { gate: "inMark" })
            assert.isTrue(await suspended.until(isAtGate))
            const next = await once(world)
            assert.strictEqual(next.type, "served", JSON.stringify(next))
            assert.strictEqual(await attempts(world), 1)
            await suspended.kill()
          },
          // A lease counts from before the wait for the transaction, and that may be five seconds here.
          { attemptTimeout: "10 seconds", leaseDuration: "25 seconds" }
        ),
      120_000
    )

    it(
      "stopped and started under load: nothing is sent meanwhile, held keys serve, and all recovers by itself",
      () =>
        inWorld(
          { newStore: async () => (await server.database()).url },
          async (world) => {
            const codes = [account, "AB1234567", "CD7654321"]
            for (const code of codes) await run(world.emulator.addToken(code, goodToken))
            const workers = codes.flatMap((code) =>
              [0, 1].map(() => startWorker(world, { mode: "loop", account: code }))
            )
            const servedOf = ({ lines }: Worker): number =>
              lines.filter(({ type }) => type === "served").length
            /** Until every worker has served anew. */
            const untilAllServe = async (what: string, forMillis: number): Promise<void> => {
              const before = workers.map(servedOf)
              const deadline = Date.now() + forMillis
              while (!workers.every((each, index) => servedOf(each) > before[index]! + 1)) {
                if (Date.now() > deadline) {
                  const last = workers.map(({ lines }) => lines.slice(-2))
                  const status = await run((await operator(world)).status)
                  assert.fail(`${what}: not all serve: ${JSON.stringify(last)} ${JSON.stringify(status)}`)
                }
                await sleep(20)
              }
            }
            try {
              await untilAllServe("at first", 60_000)
              const rounds = 6
              const recoveredMillis: Array<number> = []
              for (let round = 0; round < rounds; round++) {
                const how = round % 2 === 0 ? "fast" : "kill"
                const midst = round >= 2
                // In the later rounds the server goes while renewals are under way.
                if (midst) {
                  await run(world.emulator.expireSessions())
                  await sleep(Math.random() * 120)
                }
                await server.stop(how)
                if (!midst) await untilAllServe(`away (${how}), with held keys`, 20_000)
                // What was reserved before may be on its way.
                await sleep(1000)
                const sent = await attempts(world)
                await run(world.emulator.expireSessions())
                await sleep(2000)
                assert.strictEqual(
                  await attempts(world),
                  sent,
                  "an attempt was sent while the store was away"
                )
                for (const { lines } of workers) {
                  const failed = lines.filter((line) => line.type === "failed")
                  for (const line of failed) {
                    assert.include(["AuthStoreError", "AuthBusy"], line.error, line.message)
                    if (line.error === "AuthStoreError") assert.include(line.message, "is unavailable")
                    assert.isBelow(line.afterMillis, 30_000)
                  }
                }
                const began = Date.now()
                await server.start()
                await untilAllServe(`back (${how}${midst ? ", in the midst of renewals" : ""})`, 40_000)
                recoveredMillis.push(Date.now() - began)
              }
              assert.strictEqual(await run(world.emulator.peakOf(ip)), 0)
              await assertNeverLocked(world)
              totals.push(
                `PostgreSQL stopped and started ${rounds} times under load of ${workers.length} processes: ` +
                  `${await attempts(world)} attempts, peak ${await run(world.emulator.peakOf(ip))}, ` +
                  `all served again after ${recoveredMillis.join(", ")} ms`
              )
            } finally {
              await Promise.all(workers.map(({ kill }) => kill()))
            }
          },
          { attemptTimeout: "10 seconds", leaseDuration: "12 seconds", drainTime: "12 seconds" }
        ),
      240_000
    )
  })

  interface Tally {
    /** By step. */
    readonly kills: Record<string, number>
    suspended: number
    served: number
    readonly failed: Record<string, number>
    attempts: number
    /** The emulator's highest count, by location. */
    readonly peaks: Array<number>
    words: number
  }

  const killsOf = (kills: Tally["kills"]): number =>
    Object.values(kills).reduce((sum, count) => sum + count, 0)

  /** `anywhere`: a moment by chance. The others the worker tells, or stops at. */
  const steps = [
    "beforeMark",
    "inMark",
    "beforeSending",
    "inFlight",
    "beforeSettling",
    "inSettling",
    "settled",
    "anywhere"
  ] as const
  type Step = (typeof steps)[number]

  const worldPolicies = (["location", "account"] as const).flatMap((successClears) =>
    (["abort", "continue"] as const).map((lostAttempts) => ({ successClears, lostAttempts }))
  )

  const accounts = [account, "AB1234567", "CD7654321"]

  /** What becomes of a process, decided before it starts. */
  type Fate =
    | { readonly type: "survives" }
    | { readonly type: "killed"; readonly at: Step; readonly afterMillis: number }
    | { readonly type: "suspended"; readonly at: "beforeSending" | "beforeSettling"; readonly rounds: number }

  /** What was injected and hit nobody hits a caller from another address, who is no part of the test. */
  const useUpFaults = async (world: World): Promise<void> => {
    for (let left = (await run(world.emulator.summary)).pendingFaults; left > 0; left--) {
      await fetch(`${world.url}/Authenticate`, {
        method: "POST",
        headers: { "x-emulator-ip": "198.51.100.1" },
        body: "{}",
        signal: AbortSignal.timeout(100)
      }).catch(() => {})
    }
  }

  /** Kills a worker at a step; says at which it was, null where the worker was done before. */
  const strike = async (
    worker: Worker,
    { afterMillis, at }: Extract<Fate, { readonly type: "killed" }>
  ): Promise<Step | null> => {
    const isThere = (line: Line): boolean =>
      at === "anywhere"
        ? line.type === "started"
        : at === "inFlight"
          ? line.type === "written"
          : isAtGate(line)
    const reached = await worker.until(isThere)
    if (reached && (at === "anywhere" || at === "inFlight")) {
      await Promise.race([worker.ended, sleep(afterMillis)])
    }
    const { lines } = worker
    const isOver = lines.some(isResult)
    const { signal } = await worker.kill()
    assert.isTrue(reached || isOver, `a process hangs: ${JSON.stringify(lines)}`)
    if (signal !== "SIGKILL" || isOver) return null
    return at === "inFlight" && lines.some(({ type }) => type === "answered") ? "anywhere" : at
  }

  /** Kills processes of one location until there were enough, while a person does what the library asks for. */
  const crashes = async (world: World, random: Random, kills: number, tally: Tally): Promise<void> => {
    const operators = await Promise.all(accounts.map((code) => operator(world, code)))
    const newHex = (): string =>
      Array.from({ length: 4 }, () =>
        Math.floor(random.next() * 2 ** 32)
          .toString(16)
          .padStart(8, "0")
      ).join("")
    const newGood = async (code: string): Promise<string> => {
      const token = newHex()
      await run(world.emulator.addToken(code, token))
      return token
    }
    const good = new Map<string, string>()
    for (const code of accounts) good.set(code, await newGood(code))
    /** Tokens that the store knows as refused, and how often they had been sent by then. */
    const refused = new Map<
      string,
      { readonly code: string; readonly token: string; readonly sent: number }
    >()
    const generations = new Map<string, number>()
    const killed: Record<string, number> = {}
    const sleepers: Array<{
      readonly worker: Worker
      readonly untilRound: number
      readonly fromMillis: number
    }> = []
    const may = world.settings.lostAttempts

    const sentOf = async (code: string, token: string): Promise<number> =>
      (await run(world.emulator.log)).filter(
        (call) => call.account === code && Redacted.value(call.token) === token
      ).length

    const look = async ({ lines, task }: Worker): Promise<void> => {
      for (const line of lines) {
        if (line.type === "overwritten") assert.fail(`session ${line.held} was overwritten by ${line.by}`)
        if (line.type === "served") tally.served++
        if (line.type === "settled" && line.refused) {
          const { account: code, token } = task
          refused.set(`${code} ${token}`, { code, token, sent: await sentOf(code, token) })
        }
        if (line.type !== "failed") continue
        const what = line.abort === null ? line.error : `${line.error} (${line.abort})`
        tally.failed[what] = (tally.failed[what] ?? 0) + 1
        // Nothing but these may be the end of a call: a defect is none of them, no store was away, and a dead process
        // keeps nobody waiting for longer than its lease. Who lost too much time, suspended or on a busy machine, does not
        // send.
        if (line.error === "AuthUnreachable") assert.include(line.message, "lease ran out before it was sent")
        else assert.include(["AuthAborted", "AuthLocked", "AuthLost"], line.error, line.message)
        // Where lost attempts may be followed by others, a person is asked for only where Number refused the token.
        if (may === "continue" && line.abort !== null) assert.include(["refused", "barred"], line.abort)
      }
    }

    const wake = async (round: number): Promise<void> => {
      for (const sleeper of sleepers.splice(0)) {
        const { fromMillis, untilRound, worker } = sleeper
        if (untilRound > round) {
          sleepers.push(sleeper)
          continue
        }
        await sleep(Math.max(0, fromMillis + leaseMillis - Date.now()))
        worker.child.kill("SIGCONT")
        await worker.result()
        if (worker.task.gate === "beforeSending") {
          assert.isFalse(
            worker.lines.some(({ type }) => type === "written"),
            "sent after its lease"
          )
        }
        await look(worker)
      }
    }

    /**
     * With the least tried steps first, since not every process comes to the step where it is to be killed; in a row of bad
     * tokens rather at those after Number has counted.
     */
    const nextStep = (isStormy: boolean): Step => {
      const least = Math.min(...steps.map((step) => killed[step] ?? 0))
      const rare = steps.filter((step) => (killed[step] ?? 0) === least)
      if (random.chance(isStormy ? 0.2 : 0.6)) return random.pick(rare)
      return random.pick(isStormy ? ["beforeSettling", "inSettling", "settled"] : steps)
    }

    const fateOf = (index: number, isStormy: boolean): Fate => {
      const afterMillis = random.next()
      const at = nextStep(isStormy)
      if (index === 0 || random.chance(0.6)) {
        return { type: "killed", at, afterMillis: afterMillis * (at === "inFlight" ? 150 : 600) }
      }
      if (random.chance(0.75)) return { type: "survives" }
      return {
        type: "suspended",
        at: random.pick(["beforeSending", "beforeSettling"]),
        rounds: random.pick([1, 2])
      }
    }

    const tokenOf = async (code: string, isStormy: boolean): Promise<string> => {
      const known = Array.from(refused.values()).filter((each) => each.code === code)
      const [isBad, isKnown, isNew, fresh] = [random.next(), random.next(), random.next(), newHex()]
      if (isBad < (isStormy ? 0.95 : 0.15))
        return isKnown < 0.25 && known.length > 0 ? random.pick(known).token : fresh
      if (isNew < 0.6) good.set(code, await newGood(code))
      return good.get(code)!
    }

    try {
      await run(world.emulator.setDelays({ request: "20 millis", answer: "60 millis" }))
      let isStormy = random.chance(0.5)
      for (let round = 0; killsOf(killed) < kills; round++) {
        await wake(round)
        // Bad tokens come in rows: somebody has supplied wrong ones wherever the location uses one.
        if (random.chance(isStormy ? 0.15 : 0.25)) isStormy = !isStormy
        if (random.chance(0.5)) {
          const faults = [
            Fault.StallAnswer,
            Fault.DropAnswer,
            Fault.DelayRequest("500 millis"),
            Fault.DelayAnswer("900 millis"),
            Fault.StallRequest
          ]
          await run(world.emulator.inject(random.pick(isStormy ? faults.slice(0, -1) : faults)))
        }
        const plans: Array<{ readonly code: string; readonly token: string; readonly fate: Fate }> = []
        for (let index = 0, count = random.pick(isStormy ? [2, 3, 3] : [1, 2, 2]); index < count; index++) {
          const code = random.pick(accounts)
          if (random.chance(0.85)) await run(world.emulator.expireSessions(code))
          plans.push({ code, token: await tokenOf(code, isStormy), fate: fateOf(index, isStormy) })
        }
        await Promise.all(
          plans.map(async ({ code, fate, token }) => {
            const gate =
              fate.type === "survives" || fate.at === "inFlight" || fate.at === "anywhere" ? null : fate.at
            const atGate = fate.type === "suspended" ? "suspend" : "wait"
            const worker = startWorker(world, { account: code, token, gate, atGate })
            if (fate.type === "killed") {
              const at = await strike(worker, fate)
              if (at !== null) {
                killed[at] = (killed[at] ?? 0) + 1
                tally.kills[at] = (tally.kills[at] ?? 0) + 1
              }
            } else {
              assert.isTrue(
                await worker.until((line) => isResult(line) || isAtGate(line)),
                `a process hangs: ${JSON.stringify(worker.lines)}`
              )
              if (worker.lines.some(isAtGate)) {
                tally.suspended++
                const untilRound = round + (fate.type === "suspended" ? fate.rounds : 0)
                sleepers.push({ worker, untilRound, fromMillis: Date.now() })
                return
              }
              await worker.result()
            }
            await look(worker)
          })
        )
        await useUpFaults(world)
        const { locks, peaks } = await run(world.emulator.summary)
        assert.isAtMost(peaks[ip] ?? 0, 5, `seed ${seed}`)
        assert.notInclude(locks, ip, `seed ${seed}`)
        for (const { code, sent, token } of refused.values()) {
          assert.strictEqual(await sentOf(code, token), sent, `seed ${seed}: a refused token was sent again`)
        }
        for (const [index, auth] of operators.entries()) {
          const code = accounts[index]!
          const { generation } = await run(auth.status)
          const [before, now] = [generations.get(code) ?? 0, Option.getOrElse(generation, () => Infinity)]
          assert.isAtLeast(now, before, `seed ${seed}: an older session took the place of a newer one`)
          if (Option.isSome(generation)) generations.set(code, generation.value)
        }

        // A person does what the library asks for, now and then.
        for (const code of new Set(plans.map((plan) => plan.code))) {
          if (random.chance(0.25)) continue
          const auth = operators[accounts.indexOf(code)]!
          const status = await run(auth.status)
          if (Option.isSome(status.lock)) await lift(auth)
          else if (status.state === "aborted") {
            await run(Effect.ignore(auth.resume))
            tally.words++
          }
        }
      }

      await wake(Infinity)
      // All goes on by itself once the tokens are good; only a location that is full needs a person's word. Whether it is
      // shows when the leases of the dead have run out.
      await sleep(leaseMillis)
      for (const [index, code] of accounts.entries()) {
        const auth = operators[index]!
        if (Option.isSome((await run(auth.status)).lock)) await lift(auth)
        await run(world.emulator.expireSessions(code))
        const last = startWorker(world, { account: code, token: await newGood(code) })
        const result = await last.result()
        const { calls } = await run(world.emulator.summary)
        assert.strictEqual(
          result.type,
          "served",
          `seed ${seed}: ${JSON.stringify(last.lines)} ${JSON.stringify(calls.slice(-8))}`
        )
        await look(last)
      }
      await assertNeverLocked(world)
      tally.attempts += await attempts(world)
      tally.peaks.push(await run(world.emulator.peakOf(ip)))
    } finally {
      await Promise.all(sleepers.map(({ worker }) => worker.kill()))
    }

    /** Number's support first, no sooner than the drain time after the last attempt; then the word. */
    async function lift(auth: NumberAuth.NumberAuth["Type"]): Promise<void> {
      await sleep(allDrainedMillis)
      await run(world.emulator.liftLock(ip))
      await run(Effect.ignore(auth.confirmLockLifted))
      tally.words++
    }
  }
})
