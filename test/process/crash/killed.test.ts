/**
 * Processes that are killed at each step of an attempt, on SQLite and PostgreSQL alike.
 */
import { assert, it } from "vitest"
import { Fault } from "../../../src/testing/NumberEmulator.js"
import { describeOnEngines } from "./engines.js"
import { killAt, startDoomed } from "./workers.js"
import {
  assertNeverLocked,
  attempts,
  inWorld,
  ip,
  operator,
  restart,
  restartAndFail,
  run,
  untilSeen
} from "./world.js"

describeOnEngines("a process that is killed", (on) => {
  it("before the mark or in its transaction counts nothing, and the next start gets a session", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        await killAt(world, "beforeMark")
        await killAt(world, "inMark")
        const auth = await operator(world)
        assert.strictEqual((await run(auth.status)).state, "unauthenticated.idle")
        assert.strictEqual((await restart(world)).type, "served")
        assert.strictEqual(await attempts(world), 1)
      })
    ))

  it("between mark and send counts as lost and aborts, until a person resumes", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        await killAt(world, "beforeSending")
        const auth = await operator(world)
        assert.strictEqual((await run(auth.status)).inFlight, 1)
        const next = await restartAndFail(world)
        assert.strictEqual(next.error, "AuthAborted")
        // It waited for the end of the lease, and not for its own time-out.
        assert.isBelow(next.afterMillis, 20_000)
        assert.strictEqual(await attempts(world), 0)
        assert.strictEqual((await run(auth.status)).failures, 1)
        await run(auth.resume)
        assert.strictEqual((await restart(world)).type, "served")
        assert.strictEqual(await attempts(world), 1)
        assert.strictEqual(await run(world.emulator.peakOf(ip)), 0)
      })
    ))

  it("between mark and send is followed by a session if lost attempts may be followed by others", () =>
    on((stage) =>
      inWorld(
        stage,
        async (world) => {
          await killAt(world, "beforeSending")
          assert.strictEqual((await restart(world)).type, "served")
          assert.strictEqual(await attempts(world), 1)
        },
        { lostAttempts: "continue" }
      )
    ))

  it("in flight counts as lost each time, and a late answer locks nothing", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        const auth = await operator(world)
        for (const fault of [Fault.StallRequest, Fault.StallAnswer, Fault.DelayRequest("700 millis")]) {
          await run(world.emulator.inject(fault))
          const { requestsSeen } = await run(world.emulator.summary)
          const one = startDoomed(world)
          assert.isTrue(await untilSeen(world, requestsSeen + 1), fault._tag)
          await one.kill()
          const next = await restartAndFail(world)
          assert.strictEqual(next.error, "AuthAborted")
          await run(auth.resume)
        }
        assert.strictEqual((await run(auth.status)).failures, 3)
        assert.strictEqual((await restart(world)).type, "served")
        await assertNeverLocked(world)
      })
    ))

  it("between answer and settling counts as lost, even if Number accepted: the next waits, and aborts", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        for (const gate of ["beforeSettling", "inSettling"] as const) {
          await killAt(world, gate)
          const next = await restartAndFail(world)
          assert.strictEqual(next.error, "AuthAborted")
          await run((await operator(world)).resume)
        }
        assert.strictEqual((await restart(world)).type, "served")
        assert.strictEqual(await attempts(world), 3)
      })
    ))

  it("after settling leaves its session or its refusal to the next start, which makes no attempt", () =>
    on((stage) =>
      inWorld(stage, async (world) => {
        const bad = "1".repeat(32)
        await killAt(world, "settled", { token: bad })
        const refused = await restartAndFail(world, { token: bad })
        assert.strictEqual(refused.error, "AuthAborted")
        assert.strictEqual(await attempts(world), 1)
        await killAt(world, "settled")
        assert.strictEqual((await restart(world)).type, "served")
        assert.strictEqual(await attempts(world), 2)
      })
    ))
})
