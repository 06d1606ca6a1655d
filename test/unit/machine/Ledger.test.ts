import { assert, describe, it } from "vitest"
import * as Ledger from "../../../src/machine/Ledger.js"
import { emptyLedgerRecord } from "../../../src/schemas/StoredRecord.js"
import { at, inFlight, ledger, lost, one, policy, settled, three, two } from "../../support/core.js"

const standard = policy()
const failuresOf = (of: Ledger.Ledger, account = one) => {
  const { account: own, location } = Ledger.counts(of, account)
  return { location: location.failures, own: own.failures }
}

describe("Ledger.reserve", () => {
  it("puts a mark that counts at once, named by the transaction, with a lease from now", () => {
    const after = Ledger.reserve(emptyLedgerRecord, one, at(7, 1000), standard)
    assert.deepStrictEqual(after.marks, [inFlight(7, one, 1000 + standard.leaseMillis)])
    assert.deepStrictEqual(Ledger.counts(after, one), {
      location: { failures: 0, inFlight: 1 },
      account: { failures: 0, inFlight: 1 }
    })
    assert.deepStrictEqual(Ledger.counts(after, two).account, { failures: 0, inFlight: 0 })
  })

  it("changes no ledger in place", () => {
    Ledger.reserve(emptyLedgerRecord, one, at(1), standard)
    assert.deepStrictEqual(emptyLedgerRecord.marks, [])
  })
})

describe("Ledger.room", () => {
  it("is open below the limit, under both counts", () => {
    assert.strictEqual(Ledger.room(emptyLedgerRecord, one, standard), "open")
    const four = ledger(settled(1, 1), settled(2, 2), lost(3), inFlight(4))
    assert.strictEqual(Ledger.room(four, one, standard), "open")
    assert.strictEqual(Ledger.room(four, two, standard), "open")
  })

  it("is full where marks in flight could reach the limit, and locked where failures did", () => {
    const marks = [1, 2, 3, 4].map((n) => settled(n, n))
    assert.strictEqual(Ledger.room(ledger(...marks, inFlight(5)), two, standard), "full")
    assert.strictEqual(Ledger.room(ledger(...marks, lost(5)), two, standard), "locked")
    assert.strictEqual(Ledger.room(ledger(...marks, settled(5, 5)), two, standard), "locked")
  })

  it("is full with five in flight and nothing settled", () => {
    const five = ledger(...[1, 2, 3, 4, 5].map((n) => inFlight(n, n % 2 === 0 ? one : two)))
    assert.strictEqual(Ledger.room(five, three, standard), "full")
  })

  it("goes by the account's own count where another account's success has cleared the location's", () => {
    const marks = [1, 2, 3, 4, 5].map((n) => settled(n, n, one, { clearedForLocation: true }))
    assert.strictEqual(Ledger.room(ledger(...marks), one, standard), "locked")
    assert.strictEqual(Ledger.room(ledger(...marks), two, standard), "open")
    assert.strictEqual(Ledger.room(ledger(...marks.slice(1), inFlight(6)), one, standard), "full")
    assert.strictEqual(Ledger.room(ledger(...marks.slice(1), inFlight(6)), two, standard), "open")
  })

  it("keeps to a lower limit", () => {
    const lowest = policy({ limit: 1 })
    assert.strictEqual(Ledger.room(emptyLedgerRecord, one, lowest), "open")
    assert.strictEqual(Ledger.room(ledger(inFlight(1, two)), one, lowest), "full")
    assert.strictEqual(Ledger.room(ledger(lost(1, two)), one, lowest), "locked")
  })

  it("is locked for every account once Number reported the lock, whatever the count", () => {
    const reported = Ledger.reportLock(emptyLedgerRecord, at(3))
    for (const account of [one, two]) assert.strictEqual(Ledger.room(reported, account, standard), "locked")
  })
})

describe("Ledger.lockOf", () => {
  const withLimit = policy({ limit: 2 })

  it("is the transaction that reported the lock, whatever the count", () => {
    assert.strictEqual(Ledger.lockOf({ ...ledger(settled(1, 3)), lockReportedAt: 3 }, withLimit), 3)
  })

  it("is else the newest failure, settled or lost, once there are as many as the limit", () => {
    assert.isNull(Ledger.lockOf(ledger(settled(1, 3)), withLimit))
    assert.strictEqual(Ledger.lockOf(ledger(lost(2), settled(1, 3)), withLimit), 2)
    assert.strictEqual(Ledger.lockOf(ledger(settled(1, 3), settled(2, 4), lost(5, two)), withLimit), 5)
  })

  it("counts neither what is in flight nor what another account's success has cleared", () => {
    const cleared = settled(4, 5, one, { clearedForLocation: true })
    assert.isNull(Ledger.lockOf(ledger(settled(1, 3), inFlight(6), cleared), withLimit))
    assert.strictEqual(
      Ledger.lockOf(ledger(settled(1, 3), lost(2), inFlight(6), cleared, settled(7, 8, one)), withLimit),
      7
    )
  })
})

describe("Ledger.settle", () => {
  it("settles the mark as of this transaction", () => {
    const after = Ledger.settle(
      ledger(inFlight(4), inFlight(5, two)),
      { id: 4, account: one },
      "faulted",
      at(9)
    )
    assert.sameDeepMembers(after.marks.slice(), [inFlight(5, two), settled(4, 9, one, { reason: "faulted" })])
  })

  it("counts a failure that comes after its lease: lost, drained, or its mark long gone", () => {
    const attempt = { id: 4, account: one }
    const expected = [settled(4, 20)]
    const drained = settled(4, 9, one, { reason: "lost", clearedForLocation: true })
    for (const before of [ledger(lost(4)), ledger(drained), ledger()]) {
      const after = Ledger.settle(before, attempt, "refused", at(20))
      assert.deepStrictEqual(after.marks, expected)
      assert.deepStrictEqual(failuresOf(after), { location: 1, own: 1 })
    }
  })

  it("changes nothing when the same answer is settled twice", () => {
    const before = ledger(settled(4, 9))
    assert.strictEqual(Ledger.settle(before, { id: 4, account: one }, "refused", at(20)), before)
  })
})

describe("Ledger.doubt", () => {
  it("lets the mark drain from now, puts it back where it is gone, and leaves what Number itself settled", () => {
    const mark = { id: 4, account: one }
    for (const before of [
      ledger(inFlight(4), inFlight(5, two)),
      ledger(lost(4, one, 7), inFlight(5, two)),
      ledger(settled(4, 6, one, { reason: "lost", clearedForLocation: true }), inFlight(5, two)),
      ledger(inFlight(5, two))
    ]) {
      const after = Ledger.doubt(before, mark, at(9, 1000), policy())
      assert.sameDeepMembers(after.marks.slice(), [inFlight(5, two), lost(4, one, 301_000)])
    }
    for (const reason of ["refused", "faulted"] as const) {
      const over = ledger(settled(4, 6, one, { reason }))
      assert.strictEqual(Ledger.doubt(over, mark, at(9, 1000), policy()), over)
    }
  })

  it("goes by the attempt's own mark, whatever was settled before it", () => {
    const before = ledger(settled(1, 2, two), inFlight(3))
    const after = Ledger.doubt(before, { id: 3, account: one }, at(4), policy())
    assert.deepStrictEqual(after.marks, [settled(1, 2, two), lost(3)])
  })
})

describe("Ledger.release", () => {
  it("removes the mark of the attempt that never left, and no other", () => {
    const after = Ledger.release(ledger(inFlight(4), inFlight(5), lost(6)), 5)
    assert.deepStrictEqual(after.marks, [inFlight(4), lost(6)])
    assert.deepStrictEqual(Ledger.release(ledger(lost(6)), 6).marks, [])
  })
})

describe("Ledger.lose and Ledger.age", () => {
  it("leaves the mark of a lost attempt standing, to drain from now on", () => {
    const after = Ledger.lose(ledger(inFlight(4)), 4, at(9, 1000), standard)
    assert.deepStrictEqual(after.marks, [lost(4, one, 1000 + standard.drainMillis)])
    assert.deepStrictEqual(failuresOf(after), { location: 1, own: 1 })
  })

  it("counts the drain from the last giving-up, and does not make less of what is settled", () => {
    const before = ledger(lost(4, one, 500), settled(5, 8))
    assert.deepStrictEqual(Ledger.lose(before, 4, at(9, 1000), standard).marks, [
      lost(4, one, 1000 + standard.drainMillis),
      settled(5, 8)
    ])
    assert.deepStrictEqual(Ledger.lose(before, 5, at(9, 1000), standard).marks, before.marks)
  })

  it("takes a lease that ran out for lost, at its end and not before", () => {
    const before = ledger(inFlight(4, one, 45_000))
    assert.strictEqual(Ledger.age(before, at(9, 44_999), standard), before)
    assert.deepStrictEqual(Ledger.age(before, at(9, 45_000), standard).marks, [
      lost(4, one, 45_000 + standard.drainMillis)
    ])
  })

  it("does not settle in one go what was in flight long ago: the drain starts when the loss is seen", () => {
    const after = Ledger.age(ledger(inFlight(4, one, 45_000)), at(9, 1e9), standard)
    assert.deepStrictEqual(after.marks, [lost(4, one, 1e9 + standard.drainMillis)])
  })

  it("settles a lost attempt when its drain time is over, as of the transaction before", () => {
    const before = ledger(lost(4, one, 300_000))
    assert.strictEqual(Ledger.age(before, at(9, 299_999), standard), before)
    const after = Ledger.age(before, at(9, 300_000), standard)
    assert.deepStrictEqual(after.marks, [settled(4, 8, one, { reason: "lost" })])
    assert.deepStrictEqual(failuresOf(after), { location: 1, own: 1 })
    // An attempt reserved in that same transaction came later, so its success clears it.
    assert.deepStrictEqual(Ledger.accept(after, { id: 9, account: one }, standard).marks, [])
  })

  it("ages settled marks no more: a failure is not forgotten by time", () => {
    const before = ledger(settled(4, 8))
    assert.strictEqual(Ledger.age(before, at(9, Number.MAX_SAFE_INTEGER), standard), before)
  })
})

describe("Ledger.accept", () => {
  it("clears its own mark, and what had settled before it was reserved", () => {
    const before = ledger(settled(1, 2), settled(3, 4), inFlight(5))
    assert.deepStrictEqual(Ledger.accept(before, { id: 5, account: one }, standard).marks, [])
  })

  it("leaves an overlapping failure, by the order of transactions and not by its id", () => {
    const overlapping = settled(3, 6)
    const atTheSame = settled(4, 5)
    const before = ledger(settled(1, 4), overlapping, atTheSame, inFlight(5))
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.deepStrictEqual(after.marks, [overlapping, atTheSame])
  })

  it("leaves what is in flight, and what is lost and not drained", () => {
    const before = ledger(inFlight(1), lost(2), inFlight(5), inFlight(6, two))
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.deepStrictEqual(after.marks, [inFlight(1), lost(2), inFlight(6, two)])
  })

  it("takes another account's failures off the location's count, and leaves that account its own", () => {
    const before = ledger(settled(1, 2, two), settled(3, 4, one), inFlight(5, one))
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.deepStrictEqual(after.marks, [settled(1, 2, two, { clearedForLocation: true })])
    assert.deepStrictEqual(failuresOf(after, two), { location: 0, own: 1 })
    assert.deepStrictEqual(failuresOf(after, one), { location: 0, own: 0 })
    // And its own success then clears that too.
    assert.deepStrictEqual(
      Ledger.accept(ledger(...after.marks, inFlight(7, two)), { id: 7, account: two }, standard).marks,
      []
    )
  })

  it('takes off nothing but its own account\'s under successClears "account"', () => {
    const careful = policy({ successClears: "account" })
    const before = ledger(settled(1, 2, two), settled(3, 4, one), inFlight(5, one))
    const after = Ledger.accept(before, { id: 5, account: one }, careful)
    assert.deepStrictEqual(after.marks, [settled(1, 2, two)])
    assert.deepStrictEqual(failuresOf(after, one), { location: 1, own: 0 })
  })

  it("that comes late proves no more than when it was reserved, and ends a lock of our own making", () => {
    const before = ledger(lost(5), settled(1, 2), settled(2, 3), settled(3, 4), settled(4, 9))
    assert.strictEqual(Ledger.room(before, one, standard), "locked")
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.deepStrictEqual(after.marks, [settled(4, 9)])
    assert.strictEqual(Ledger.room(after, one, standard), "open")
  })

  it("does not end a reported lock", () => {
    const before = Ledger.reportLock(ledger(inFlight(5)), at(6))
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.strictEqual(after.lockReportedAt, 6)
    assert.strictEqual(Ledger.room(after, one, standard), "locked")
  })
})

describe("Ledger.reportLock and Ledger.liftLock", () => {
  it("remembers the first report", () => {
    const reported = Ledger.reportLock(emptyLedgerRecord, at(3))
    assert.strictEqual(reported.lockReportedAt, 3)
    assert.strictEqual(Ledger.reportLock(reported, at(9)).lockReportedAt, 3)
  })

  it("loses every settled mark of a lock of our own making, and keeps what may still be worked on", () => {
    const before = ledger(settled(1, 2), settled(2, 3, two, { reason: "lost" }), lost(3), inFlight(4))
    assert.deepStrictEqual(Ledger.liftLock(before), ledger(lost(3), inFlight(4)))
  })

  it("keeps failures that were answered after the report, but not the one that brought it", () => {
    const before = {
      ...ledger(
        settled(1, 2),
        settled(2, 6),
        settled(3, 7),
        settled(4, 8, one, { reason: "faulted" }),
        settled(5, 9, one, { reason: "lost" })
      ),
      lockReportedAt: 6
    }
    assert.deepStrictEqual(
      Ledger.liftLock(before),
      ledger(settled(3, 7), settled(4, 8, one, { reason: "faulted" }))
    )
  })

  it("counts a late failure again after the lock was lifted", () => {
    const lifted = Ledger.liftLock(ledger(lost(1), settled(2, 3)))
    assert.deepStrictEqual(failuresOf(Ledger.settle(lifted, { id: 1, account: one }, "refused", at(9))), {
      location: 1,
      own: 1
    })
  })
})
