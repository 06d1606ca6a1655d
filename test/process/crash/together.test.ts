/**
 * Processes that are suspended, and many processes at once, on SQLite and PostgreSQL alike.
 */
import { Effect } from "effect"
import { setTimeout as sleep } from "node:timers/promises"
import { assert, describe, it } from "vitest"
import { partNamed } from "../../verify/parts.js"
import { coldStart } from "./coldStart.js"
import { describeOnEngines, type On, useGiven } from "./engines.js"
import { isAtGate, isResult, startDoomed, startWorker } from "./workers.js"
import {
  assertNeverLocked,
  attempts,
  goodToken,
  inWorld,
  ip,
  leaseMillis,
  operator,
  patient,
  restart,
  restartAndFail,
  run,
  onStage
} from "./world.js"

describeOnEngines("a process that is suspended", (on) => {
  it.each([
    ["alone", false],
    ["after another process found that its lease had run out", true]
  ] as const)(
    "between mark and send for longer than its lease sends nothing and counts nothing, %s",
    (_, isFound) =>
      on((stage) =>
        inWorld(stage, async (world) => {
          const auth = await operator(world)
          const one = startDoomed(world, { gate: "beforeSending", atGate: "suspend" })
          assert.isTrue(await one.until(isAtGate))
          await sleep(leaseMillis)
          if (isFound) {
            // The next start takes the attempt for lost.
            const next = await restartAndFail(world)
            assert.strictEqual(next.abort, "lost")
            assert.strictEqual((await run(auth.status)).failures, 1)
          }
          assert.isTrue(isAtGate(one.lines.at(-1)!), "it was not suspended")
          one.child.kill("SIGCONT")
          const result = await one.result()
          assert(result.type === "failed", JSON.stringify(result))
          assert.strictEqual(result.error, "AuthUnreachable", result.message)
          assert.strictEqual((await run(auth.status)).failures, 0)
          assert.strictEqual((await run(world.emulator.summary)).requestsSeen, 0)
          assert.strictEqual((await restart(world)).type, "served")
        })
      )
  )

  it("between answer and settling does not replace a newer session by its late one", () =>
    on((stage) =>
      inWorld(
        stage,
        async (world) => {
          const late = startDoomed(world, { gate: "beforeSettling", atGate: "suspend" })
          assert.isTrue(await late.until(isAtGate))
          const newer = await restart(world)
          assert(newer.type === "served")
          late.child.kill("SIGCONT")
          const result = await late.result()
          assert.deepStrictEqual(
            late.lines.filter(({ type }) => type === "overwritten"),
            []
          )
          // Its caller gets the newer session, and so does the next start.
          for (const { type, key } of [result as typeof newer, (await restart(world)) as typeof newer]) {
            assert.deepStrictEqual({ type, key }, { type: "served", key: newer.key })
          }
          assert.strictEqual(await attempts(world), 2)
        },
        { lostAttempts: "continue" }
      )
    ))
})

describeOnEngines("many processes", (on, engine, given) => {
  it("that log in at once with a cold store make one attempt, and get one session", async () => {
    const processes = partNamed("cold-starts").quick.each
    assert.deepStrictEqual(await coldStart(engine, processes, given), {
      processes,
      attempts: 1,
      sessions: 1,
      breaches: []
    })
  })

  it("with a cold store and a bad token make one attempt, and all fail with its refusal", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        await run(world.emulator.setDelays({ answer: "300 millis" }))
        const token = "0".repeat(32)
        const results = await Promise.all(
          Array.from({ length: 4 }, () => startWorker(world, { token }).result())
        )
        for (const result of results) {
          assert.deepInclude(result, { type: "failed", error: "AuthAborted" })
        }
        assert.strictEqual(await attempts(world), 1)
      })
    ))

  it("never send a refused token again, whatever happened in between", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        const [one, other] = ["1".repeat(32), "2".repeat(32)]
        const auth = await operator(world)
        // As in the crash loop of a service that gets one bad token, then another, and then the first again.
        for (const [token, sent] of [
          [one, 1],
          [one, 1],
          [other, 2],
          [one, 2],
          [goodToken, 3]
        ] as const) {
          await restart(world, { token })
          assert.strictEqual(await attempts(world), sent)
        }
        await run(world.emulator.expireSessions())
        for (const token of [one, other, one]) {
          const result = await restartAndFail(world, { token })
          assert.strictEqual(result.error, "AuthAborted")
          await run(Effect.ignore(auth.resume))
        }
        assert.strictEqual(await attempts(world), 3)
        assert.strictEqual((await restart(world)).type, "served")
      })
    ))

  it("of eight accounts with bad tokens make five attempts and no more, even if some are killed", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        await run(world.emulator.setDelays({ answer: "200 millis" }))
        const own = (index: number) => ({
          account: `AB${String(index).padStart(7, "0")}`,
          token: index.toString().repeat(32)
        })
        // Two are killed: their attempts are lost, but Number counted them. They have time enough on a busy machine.
        const settings = { attemptTimeout: "8 seconds", leaseDuration: "9 seconds" } as const
        const doomed = [0, 1].map((index) =>
          startDoomed(world, { ...own(index), settings, gate: "beforeSettling" })
        )
        const others = [2, 3, 4, 5, 6, 7].map((index) =>
          index < 4 ? startWorker(world, own(index)).result() : restart(world, own(index))
        )
        await Promise.all(
          doomed.map(async (each) => {
            await each.until((line) => isAtGate(line) || isResult(line))
            await each.kill()
          })
        )
        for (const result of await Promise.all(others)) {
          assert(result.type === "failed")
          assert.include(["AuthAborted", "AuthLocked"], result.error)
        }
        assert.strictEqual((await run((await operator(world)).status)).failures, 5)
        assert.strictEqual(await attempts(world), 5)
        assert.strictEqual(await run(world.emulator.peakOf(ip)), 5)
        await assertNeverLocked(world)
      })
    ))
})

/** An SQLite file has no transaction that another process can end. */
describe("a process that is suspended on PostgreSQL", { timeout: 120_000 }, () => {
  const given = useGiven()
  const on: On = (use) => onStage("PostgreSQL", given, use)

  it("in its transaction delays the others for seconds, not forever", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        // A lease counts from before the wait for the transaction, and that may be five seconds here.
        const suspended = startWorker(world, { gate: "inMark", settings: patient })
        assert.isTrue(await suspended.until(isAtGate))
        const next = await restart(world)
        assert.strictEqual(next.type, "served", JSON.stringify(next))
        assert.strictEqual(await attempts(world), 1)
        await suspended.kill()
      })
    ))
})
