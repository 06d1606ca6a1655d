import { HttpClientRequest } from "@effect/platform"
import { Context, Effect, Exit, Layer, Ref, Scope, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { AttemptOutcome } from "../../../../src/schemas/AttemptOutcome.js"
import { AuthStoreError, type Stored, type Write } from "../../../../src/services/store/AuthStore.js"
import * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import { NumberTransport } from "../../../../src/services/wire/NumberTransport.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { endOf, makeRig } from "../../../support/rig.js"
import { account, badToken, baseUrl, environment, goodToken, ip, type World } from "../../../support/stack.js"

const away = new AuthStoreError({ reason: "unavailable", detail: "away" })

/** A store whose clock is ahead of the host's by these milliseconds. */
const ahead = (store: World["store"], millis: number, onTransact: () => void): World["store"] => ({
  ...store,
  transact: (key, decide) =>
    Effect.suspend(() => {
      onTransact()
      return store.transact(key, (stored: Stored) => {
        const moment = { ...stored.moment, nowMillis: stored.moment.nowMillis + millis }
        return decide({ ...stored, moment })
      })
    })
})

describe("a waiter", () => {
  for (const millis of [-7_200_000, -120_000, 120_000, 7_200_000]) {
    it(`asks the store no more often if the store's clock is ${millis / 1000} s ahead`, async () => {
      const { ask, clock, process, run, world } = await makeRig()
      await run(world.emulator.inject(Fault.StallAnswer))
      let transactions = 0
      const store = ahead(world.store, millis, () => transactions++)
      const [sender, waiter] = [await process({}, store), await process({}, store)]
      ask(sender, 1)
      transactions = 0
      ask(waiter, 5000)
      assert.strictEqual(transactions, 1)
      clock.advance(120_000)
      assert.isAtMost(transactions, 8)
    })
  }

  it("gives up after its time-out although the host's clock is set back", async () => {
    const { ask, clock, process, run, world } = await makeRig()
    await run(world.emulator.inject(Fault.StallAnswer))
    ask(await process({ attemptTimeout: "10 hours" }), 1)
    const waiter = await process()
    const waiting = clock.fork(waiter.sessionKey)
    clock.advance(1000)
    clock.step(-3_600_000)
    clock.advance(60_000)
    assert.strictEqual(endOf(waiting), "AuthBusy")
  })

  it("ends when its scope closes", async () => {
    const { ask, clock, process, run, world } = await makeRig()
    await run(world.emulator.inject(Fault.StallAnswer))
    ask(await process(), 1)
    const scope = await run(Scope.make())
    const layer = NumberAuth.layer({ account, baseUrl }).pipe(Layer.provide(environment(world)), Layer.orDie)
    const waiter = Context.get(await run(Layer.buildWithScope(layer, scope)), NumberAuth.NumberAuth)
    const waiting = clock.fork(waiter.sessionKey)
    clock.advance(1)
    await run(Scope.close(scope, Exit.void))
    clock.advance(1)
    assert.strictEqual(endOf(waiting), "Interrupt")
  })
})

describe("an attempt that another process finds past its lease", () => {
  it("drains from the time when its own sender gave it up", async () => {
    const { ask, clock, process, run, world } = await makeRig()
    const [one, two] = [await process(), await process()]
    // Number counts it 290 seconds after its sender gave it up: within the drain.
    await run(world.emulator.inject(Fault.DelayRequest("320 seconds")))
    await run(Ref.set(world.token, badToken(1)))
    void ask(one, 0)
    clock.advance(1000)
    clock.step(46_000)
    await run(Ref.set(world.token, goodToken))
    assert.strictEqual(ask(two), "ok")
    clock.advance(302_000)
    const renew = async () => {
      await run(world.emulator.expireSessions())
      const call = HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({}))
      void run(Effect.exit(two.httpClient.execute(call)))
      clock.advance(1000)
    }
    await renew()
    clock.advance(60_000)
    await run(Ref.set(world.token, badToken(2)))
    await renew()
    for (let n = 3; n <= 7; n++) {
      await run(Ref.set(world.token, badToken(n)))
      ask(two)
    }
    assert.isAtMost(await run(world.emulator.peakOf(ip)), 5)
  })
})

describe("NumberAuth in uncertain cases", () => {
  it("counts the attempts of a transport that never asks for its permit and loses the answers", async () => {
    const { ask, run, scope, world } = await makeRig()
    let sent = 0
    const transport = Layer.succeed(NumberTransport, {
      authenticate: () => Effect.sync(() => (sent++, AttemptOutcome.lost({ detail: "no answer" })))
    })
    const layer = NumberAuth.layer({ account, baseUrl, lostAttempts: "continue" }).pipe(
      Layer.provide(transport),
      Layer.provide(environment(world)),
      Layer.orDie
    )
    const auth = Context.get(await run(Layer.buildWithScope(layer, scope)), NumberAuth.NumberAuth)
    for (let n = 0; n < 10; n++) ask(auth)
    assert.strictEqual(sent, 5)
  })

  it("notifies a person of an abort even if the store did not confirm that it holds the abort", async () => {
    const { ask, clock, process, run, world } = await makeRig()
    let writes = 0
    const store: World["store"] = {
      ...world.store,
      transact: <A>(
        key: Parameters<World["store"]["transact"]>[0],
        decide: (stored: Stored) => readonly [A, Write]
      ) =>
        Effect.tap(world.store.transact(key, decide), () =>
          ++writes === 2 ? Effect.fail(away) : Effect.void
        )
    }
    const auth = await process({}, store)
    await run(Ref.set(world.token, badToken(1)))
    assert.strictEqual(ask(auth), "AuthAborted")
    clock.advance(60_000)
    assert.strictEqual(ask(auth), "AuthAborted")
    assert.lengthOf(await run(Ref.get(world.notices)), 1)
  })

  it("shows in changes the state that changed while the store could not be read", async () => {
    const { clock, process, run, world } = await makeRig()
    let isAway = false
    const store: World["store"] = {
      ...world.store,
      read: (key) => Effect.suspend(() => (isAway ? Effect.fail(away) : world.store.read(key)))
    }
    const auth = await process({}, store)
    const seen: Array<string> = []
    void run(Effect.exit(Stream.runForEach(auth.changes, ({ state }) => Effect.sync(() => seen.push(state)))))
    clock.advance(1000)
    await run(Ref.set(world.token, badToken(1)))
    isAway = true
    void run(Effect.exit(auth.sessionKey))
    clock.advance(5000)
    isAway = false
    clock.advance(5000)
    assert.deepStrictEqual(seen, ["unauthenticated.idle", "aborted"])
  })

  it("rejects the credentials of an abort as their own replacement, and says to resume", async () => {
    const { ask, process, run, world } = await makeRig()
    await run(world.emulator.inject(Fault.Status(500, "out of order")))
    const auth = await process()
    assert.strictEqual(ask(auth), "AuthAborted")
    const error = await run(Effect.flip(auth.replaceCredentials(goodToken)))
    assert.strictEqual(error._tag, "AuthRejected")
    assert.include(error.message, "resume")
    await run(auth.resume)
    assert.strictEqual(ask(auth), "ok")
  })
})

describe("a reservation that the store did not confirm", () => {
  /** A store whose first transaction is stored but fails, and which is away until `isAway` is reset. */
  const unconfirmed = (world: World) => {
    const state = { writes: 0, isAway: false }
    const store: World["store"] = {
      ...world.store,
      transact: <A>(
        key: Parameters<World["store"]["transact"]>[0],
        decide: (stored: Stored) => readonly [A, Write]
      ) =>
        Effect.suspend(() => {
          if (state.isAway) return Effect.fail(away)
          state.isAway = ++state.writes === 1
          return Effect.tap(world.store.transact(key, decide), () =>
            state.isAway ? Effect.fail(away) : Effect.void
          )
        })
    }
    return { state, store }
  }

  for (const [name, millis] of [
    ["within its lease", 5000],
    ["after its lease", 120_000]
  ] as const) {
    it(`is given back when the store is there again ${name}, and nothing was sent for it`, async () => {
      const { ask, clock, process, run, world } = await makeRig()
      const { state, store } = unconfirmed(world)
      const auth = await process({}, store)
      assert.strictEqual(ask(auth, 1), "AuthStoreError")
      assert.strictEqual((await run(auth.status)).inFlight, 1)
      clock.advance(millis)
      state.isAway = false
      clock.advance(6000)
      const status = await run(auth.status)
      assert.deepStrictEqual([status.state, status.failures, status.inFlight], ["unauthenticated.idle", 0, 0])
      assert.lengthOf(await run(world.emulator.log), 0)
      assert.strictEqual(ask(auth), "ok")
      assert.lengthOf(await run(Ref.get(world.notices)), 0)
    })
  }

  it("is given back even if another process took it for lost meanwhile", async () => {
    const { ask, clock, process, run, world } = await makeRig()
    const { state, store } = unconfirmed(world)
    const auth = await process({}, store)
    assert.strictEqual(ask(auth, 1), "AuthStoreError")
    clock.advance(60_000)
    assert.strictEqual(ask(await process()), "AuthAborted")
    state.isAway = false
    clock.advance(6000)
    assert.strictEqual((await run(auth.status)).state, "unauthenticated.idle")
    assert.strictEqual((await run(auth.status)).failures, 0)
  })

  it("leaves another process's attempt with the same number alone", async () => {
    const { ask, clock, process, run, world } = await makeRig()
    const state = { isAway: false, isRolledBack: false }
    const store: World["store"] = {
      ...world.store,
      // Decided, and then rolled back: the next process draws the same number.
      transact: (key, decide) =>
        Effect.suspend(() => {
          if (state.isAway) return Effect.fail(away)
          if (state.isRolledBack) return world.store.transact(key, decide)
          state.isRolledBack = true
          state.isAway = true
          return Effect.flatMap(world.store.read(key), (stored) => {
            decide({ ...stored, moment: { ...stored.moment, sequence: stored.moment.sequence + 1 } })
            return Effect.fail(away)
          })
        })
    }
    const auth = await process({}, store)
    assert.strictEqual(ask(auth, 1), "AuthStoreError")
    await run(world.emulator.inject(Fault.DelayAnswer("20 seconds")))
    const other = await process()
    void ask(other, 0)
    clock.advance(1000)
    state.isAway = false
    clock.advance(6000)
    assert.strictEqual((await run(other.status)).state, "unauthenticated.attempting")
    assert.strictEqual((await run(other.status)).inFlight, 1)
    clock.advance(20_000)
    assert.strictEqual((await run(other.status)).state, "authenticated")
  })
})
