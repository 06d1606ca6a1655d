import { HttpClient, HttpClientResponse } from "@effect/platform"
import { Effect, Exit, Redacted, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { type AuthStore, makeMemory } from "../../../src/services/store/AuthStore.js"
import type { AccountCode, Location, Token } from "../../../src/schemas/Credentials.js"
import * as ProcessGates from "../../../src/testing/ProcessGates.js"
import * as VirtualClock from "../../../src/testing/VirtualClock.js"
import { standing } from "../../support/standing.js"

/** Everything that a process can reach, and the names of the calls that were made. */
const makeWorld = (clock: VirtualClock.VirtualClock) => {
  const done: Array<string> = []
  const doing = <A, E>(name: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.zipRight(
      Effect.sync(() => done.push(name)),
      effect
    )
  const memory = clock.run(makeMemory)
  const store: AuthStore["Type"] = {
    transact: (at, decide) => doing("transact", memory.transact(at, decide)),
    read: (at) => doing("read", memory.read(at)),
    changes: (location) => Stream.unwrap(doing("changes", Effect.succeed(memory.changes(location)))),
    readToken: (at) => doing("readToken", memory.readToken(at)),
    writeToken: (at, token) => doing("writeToken", memory.writeToken(at, token))
  }
  const http = HttpClient.make((request) =>
    doing("request", Effect.succeed(HttpClientResponse.fromWeb(request, new Response("yes"))))
  )
  const all = (gates: ProcessGates.ProcessGates): ReadonlyArray<Effect.Effect<unknown, unknown>> => {
    const gated = gates.store(store)
    return [
      gated.transact(key, ({ account, ledger }) => [null, { account, ledger }]),
      gated.read(key),
      Stream.runHead(gated.changes(key.location)),
      gated.readToken(key),
      gated.writeToken(key, Redacted.make("2148B239CF6846BDA5D141BF4A4CFBE8") as Token),
      gates.httpClient(http).get("https://number.test/v1"),
      gates.whileAlive(doing("tell", Effect.void))
    ]
  }
  return { done, all }
}
const doors = ["transact", "read", "changes", "readToken", "writeToken", "request", "tell"]

const key = { location: "here" as Location, account: "EP0000001" as AccountCode }

describe("the gates of a process", () => {
  it("let the process pass while it is alive, and let nothing happen behind them once it is dead", () => {
    const clock = VirtualClock.make()
    const gates = ProcessGates.make()
    clock.run(gates.pass)
    gates.kill()
    const waiting = clock.fork(Effect.ensuring(gates.pass, Effect.dieMessage("a finalizer ran")))
    clock.advance(1e9)
    assert.isNull(waiting.unsafePoll())
    assert.isFalse(gates.isAlive())
    clock.end()
  })

  it("let no finalizer of a dead process reach anything when time ends, and leave no fiber behind", () => {
    const before = standing()
    const clock = VirtualClock.make()
    const { all, done } = makeWorld(clock)
    const gates = ProcessGates.make()
    for (const each of all(gates)) clock.run(each)
    assert.sameMembers(done, doors)
    done.length = 0
    let finalizers = 0
    const waiting = all(gates).flatMap((each) => [
      // One stands at a gate when time ends, one sleeps, and one sleeps and cannot be interrupted.
      Effect.zipRight(gates.pass, each),
      Effect.zipRight(Effect.sleep("1 day"), each),
      Effect.uninterruptible(Effect.zipRight(Effect.sleep("1 day"), each))
    ])
    gates.kill()
    for (const each of waiting) {
      const trying = Effect.forEach(all(gates), (tried) =>
        Effect.exit(
          Effect.zipRight(
            Effect.sync(() => finalizers++),
            tried
          )
        )
      )
      clock.fork(Effect.ensuring(each, trying))
    }
    clock.advance(2 * 86_400_000)
    assert.strictEqual(finalizers, 0)
    assert.strictEqual(clock.end(), 0)
    // All finalizers ran, to their last call, and no call reached anything.
    assert.strictEqual(finalizers, waiting.length * doors.length)
    assert.deepStrictEqual(done, [])
    assert.strictEqual(standing(), before)
  })

  it("kill the process at the gate after a given number of gates, and report its death once", () => {
    const clock = VirtualClock.make()
    let deaths = 0
    const gates = ProcessGates.make(() => deaths++)
    gates.dieAfter(2)
    clock.run(Effect.zipRight(gates.pass, gates.pass))
    assert.isTrue(gates.isAlive())
    clock.fork(gates.pass)
    clock.fork(gates.pass)
    gates.kill()
    assert.isFalse(gates.isAlive())
    assert.strictEqual(deaths, 1)
    clock.end()
  })

  it("hold a frozen process at passOrFreeze until the freeze ends", () => {
    const clock = VirtualClock.make()
    const gates = ProcessGates.make()
    clock.run(gates.freeze(60_000))
    const waiting = clock.fork(gates.passOrFreeze)
    clock.run(gates.pass)
    clock.advance(59_999)
    assert.isNull(waiting.unsafePoll())
    clock.advance(1)
    assert.isNotNull(waiting.unsafePoll())
  })

  it("let the process die after the store has written and before it gets the answer", () => {
    const clock = VirtualClock.make()
    const store = clock.run(makeMemory)
    const gates = ProcessGates.make()
    gates.dieAfter(1)
    const writing = clock.fork(
      gates.store(store).transact(key, (stored) => [null, { ledger: stored.ledger, account: stored.account }])
    )
    assert.isNull(writing.unsafePoll())
    assert.strictEqual(clock.run(store.read(key)).moment.sequence, 1)
    clock.end()
  })
})

describe("a store that goes away", () => {
  const make = () => {
    const clock = VirtualClock.make()
    const memory = clock.run(makeMemory)
    const absence = ProcessGates.makeAbsence()
    const store = absence.store(memory)
    return {
      clock,
      absence,
      write: () =>
        clock.run(
          Effect.exit(store.transact(key, ({ account, ledger }) => ["written", { account, ledger }]))
        ),
      read: () => clock.run(Effect.exit(store.read(key))),
      written: () => clock.run(memory.read(key)).moment.sequence
    }
  }

  it("writes nothing while it is away, and is back at the given time", () => {
    const { absence, clock, read, write, written } = make()
    assert.isTrue(Exit.isSuccess(write()))
    clock.run(absence.begin(60_000, { afterCommit: false }))
    clock.advance(59_999)
    assert.isTrue(Exit.isFailure(write()))
    assert.isTrue(Exit.isFailure(read()))
    assert.strictEqual(written(), 1)
    clock.advance(1)
    assert.deepStrictEqual(write(), Exit.succeed("written"))
    assert.isTrue(Exit.isSuccess(read()))
    assert.strictEqual(written(), 2)
  })

  it("has written, but reports an error, if it goes away after the commit", () => {
    const { absence, clock, read, write, written } = make()
    clock.run(absence.begin(60_000, { afterCommit: true }))
    assert.isTrue(Exit.isFailure(write()))
    assert.isTrue(Exit.isFailure(read()))
    assert.strictEqual(written(), 1)
    clock.advance(60_000)
    assert.isTrue(Exit.isSuccess(write()))
    assert.strictEqual(written(), 2)
  })
})
