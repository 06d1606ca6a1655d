import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { makeMemory } from "../../../src/services/AuthStore.js"
import type { AccountCode, Location } from "../../../src/schemas/Credentials.js"
import * as ProcessGates from "../../../src/testing/ProcessGates.js"
import * as VirtualClock from "../../../src/testing/VirtualClock.js"

const key = { location: "here" as Location, account: "EP0000001" as AccountCode }

describe("the gates of a process", () => {
  it("let it pass while it lives, and nothing happens behind them once it is dead", () => {
    const clock = VirtualClock.make()
    const gates = ProcessGates.make()
    clock.run(gates.pass)
    gates.kill()
    const waiting = clock.fork(Effect.ensuring(gates.pass, Effect.dieMessage("a finalizer ran")))
    clock.advance(1e9)
    assert.isNull(waiting.unsafePoll())
    assert.isFalse(gates.isAlive())
  })

  it("kill it at the gate after so many, and say so once", () => {
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
  })

  it("hold it where it was frozen, for as long as it is", () => {
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

  it("let it die after the store has written and before it hears of it", () => {
    const clock = VirtualClock.make()
    const store = clock.run(makeMemory)
    const gates = ProcessGates.make()
    gates.dieAfter(1)
    const writing = clock.fork(
      gates.store(store).transact(key, (stored) => [null, { ledger: stored.ledger, account: stored.account }])
    )
    assert.isNull(writing.unsafePoll())
    assert.strictEqual(clock.run(store.read(key)).moment.sequence, 1)
  })
})
