import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { AccountCode, Location } from "../../../src/schemas/Credentials.js"
import * as SimulatedDisk from "../../../src/testing/SimulatedDisk.js"
import * as VirtualClock from "../../../src/testing/VirtualClock.js"

const key = { location: "here" as Location, account: "EP0000001" as AccountCode }

const make = (survives: number, acknowledges?: "beforeDurable") => {
  const clock = VirtualClock.make()
  const disk = clock.run(SimulatedDisk.make({ syncMillis: () => 10, survives: () => survives, acknowledges }))
  const write = () =>
    clock.fork(disk.store.transact(key, ({ account, ledger }) => ["written", { account, ledger }]))
  const sequence = () => clock.run(disk.store.read(key)).moment.sequence
  return { clock, disk, write, sequence }
}

describe("a simulated disk", () => {
  it("answers once the write is durable, and keeps that write in a power cut", () => {
    const { clock, disk, sequence, write } = make(0)
    const writing = write()
    clock.advance(9)
    assert.isNull(writing.unsafePoll())
    clock.advance(1)
    assert.isNotNull(writing.unsafePoll())
    assert.deepStrictEqual(disk.cutPower(), { kept: 0, torn: 0, lost: 0 })
    assert.strictEqual(sequence(), 1)
  })

  it("keeps a prefix of the writes that were not durable: whole writes, one torn and dropped, the rest lost", () => {
    const { disk, sequence, write } = make(0.5)
    for (let writes = 0; writes < 5; writes++) write()
    assert.strictEqual(sequence(), 5)
    assert.deepStrictEqual(disk.cutPower(), { kept: 2, torn: 1, lost: 2 })
    assert.strictEqual(sequence(), 2)
  })

  it("loses an acknowledged write if it acknowledges before the write is durable", () => {
    const { disk, sequence, write } = make(0, "beforeDurable")
    assert.isNotNull(write().unsafePoll())
    assert.strictEqual(disk.cutPower().lost, 1)
    assert.strictEqual(sequence(), 0)
  })

  it("publishes its changes", () => {
    const { clock, disk, write } = make(0)
    const seen: Array<number> = []
    clock.fork(
      disk.store.changes(key.location).pipe(Stream.runForEach((each) => Effect.sync(() => seen.push(each))))
    )
    write()
    clock.advance(10)
    assert.deepStrictEqual(seen, [0, 1])
  })
})
