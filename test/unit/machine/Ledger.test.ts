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
  it("adds a mark that counts at once, named by the transaction, with a lease from now", () => {
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

  it("is full if marks in flight could reach the limit, and locked if failures have reached it", () => {
    const marks = [1, 2, 3, 4].map((n) => settled(n, n))
    assert.strictEqual(Ledger.room(ledger(...marks, inFlight(5)), two, standard), "full")
    assert.strictEqual(Ledger.room(ledger(...marks, lost(5)), two, standard), "locked")
    assert.strictEqual(Ledger.room(ledger(...marks, settled(5, 5)), two, standard), "locked")
  })

  it("is full with five in flight and nothing settled", () => {
    const five = ledger(...[1, 2, 3, 4, 5].map((n) => inFlight(n, n % 2 === 0 ? one : two)))
    assert.strictEqual(Ledger.room(five, three, standard), "full")
  })

  it("uses the account's own count if another account's success has cleared the location's", () => {
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

  it("is otherwise the newest failure, settled or lost, once there are as many as the limit", () => {
    assert.isNull(Ledger.lockOf(ledger(settled(1, 3)), withLimit))
    assert.strictEqual(Ledger.lockOf(ledger(lost(2), settled(1, 3)), withLimit), 2)
    assert.strictEqual(Ledger.lockOf(ledger(settled(1, 3), settled(2, 4), lost(5, two)), withLimit), 5)
  })

  it("counts neither marks in flight nor marks that another account's success has cleared", () => {
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

  it("counts a failure that comes after its lease, whether its mark is lost, drained or gone", () => {
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
  it("lets the mark drain from now, restores a mark that is gone, and leaves a mark that Number's answer settled", () => {
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

  it("considers only the attempt's own mark, whatever was settled before it", () => {
    const before = ledger(settled(1, 2, two), inFlight(3))
    const after = Ledger.doubt(before, { id: 3, account: one }, at(4), policy())
    assert.deepStrictEqual(after.marks, [settled(1, 2, two), lost(3)])
  })
})

describe("Ledger.release", () => {
  it("removes the mark of the unsent attempt, and no other", () => {
    const after = Ledger.release(ledger(inFlight(4), inFlight(5), lost(6)), 5)
    assert.deepStrictEqual(after.marks, [inFlight(4), lost(6)])
    assert.deepStrictEqual(Ledger.release(ledger(lost(6)), 6).marks, [])
  })
})

describe("the ledger after Ledger.lose or Ledger.age", () => {
  it("keeps the mark of a lost attempt, which drains from now on", () => {
    const after = Ledger.lose(ledger(inFlight(4)), 4, at(9, 1000), standard)
    assert.deepStrictEqual(after.marks, [lost(4, one, 1000 + standard.drainMillis)])
    assert.deepStrictEqual(failuresOf(after), { location: 1, own: 1 })
  })

  it("counts the drain from the last loss, and leaves a settled mark as it is", () => {
    const before = ledger(lost(4, one, 500), settled(5, 8))
    assert.deepStrictEqual(Ledger.lose(before, 4, at(9, 1000), standard).marks, [
      lost(4, one, 1000 + standard.drainMillis),
      settled(5, 8)
    ])
    assert.deepStrictEqual(Ledger.lose(before, 5, at(9, 1000), standard).marks, before.marks)
  })

  it("marks an attempt as lost when its lease ends, and not before", () => {
    const before = ledger(inFlight(4, one, 45_000))
    assert.strictEqual(Ledger.age(before, at(9, 44_999), standard), before)
    assert.deepStrictEqual(Ledger.age(before, at(9, 45_000), standard).marks, [
      lost(4, one, 45_000 + standard.drainMillis)
    ])
  })

  it("does not settle an old mark in flight at once: its drain starts when the loss is seen", () => {
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

  it("does not age settled marks: time clears no failure", () => {
    const before = ledger(settled(4, 8))
    assert.strictEqual(Ledger.age(before, at(9, Number.MAX_SAFE_INTEGER), standard), before)
  })
})

describe("Ledger.accept", () => {
  it("clears its own mark, and marks that had settled before it was reserved", () => {
    const before = ledger(settled(1, 2), settled(3, 4), inFlight(5))
    assert.deepStrictEqual(Ledger.accept(before, { id: 5, account: one }, standard).marks, [])
  })

  it("keeps an overlapping failure: the order of transactions decides, not the id", () => {
    const overlapping = settled(3, 6)
    const atTheSame = settled(4, 5)
    const before = ledger(settled(1, 4), overlapping, atTheSame, inFlight(5))
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.deepStrictEqual(after.marks, [overlapping, atTheSame])
  })

  it("keeps marks in flight, and lost marks that have not drained", () => {
    const before = ledger(inFlight(1), lost(2), inFlight(5), inFlight(6, two))
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.deepStrictEqual(after.marks, [inFlight(1), lost(2), inFlight(6, two)])
  })

  it("clears another account's failures from the location's count, but not from that account's own count", () => {
    const before = ledger(settled(1, 2, two), settled(3, 4, one), inFlight(5, one))
    const after = Ledger.accept(before, { id: 5, account: one }, standard)
    assert.deepStrictEqual(after.marks, [settled(1, 2, two, { clearedForLocation: true })])
    assert.deepStrictEqual(failuresOf(after, two), { location: 0, own: 1 })
    assert.deepStrictEqual(failuresOf(after, one), { location: 0, own: 0 })
    // That account's own success then clears the mark.
    assert.deepStrictEqual(
      Ledger.accept(ledger(...after.marks, inFlight(7, two)), { id: 7, account: two }, standard).marks,
      []
    )
  })

  it('clears only failures of its own account under successClears "account"', () => {
    const careful = policy({ successClears: "account" })
    const before = ledger(settled(1, 2, two), settled(3, 4, one), inFlight(5, one))
    const after = Ledger.accept(before, { id: 5, account: one }, careful)
    assert.deepStrictEqual(after.marks, [settled(1, 2, two)])
    assert.deepStrictEqual(failuresOf(after, one), { location: 1, own: 0 })
  })

  it("clears only marks that had settled before its reservation if it comes late, and ends an unreported lock", () => {
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

describe("the ledger after Ledger.reportLock or Ledger.liftLock", () => {
  it("remembers the first report", () => {
    const reported = Ledger.reportLock(emptyLedgerRecord, at(3))
    assert.strictEqual(reported.lockReportedAt, 3)
    assert.strictEqual(Ledger.reportLock(reported, at(9)).lockReportedAt, 3)
  })

  it("drops every settled mark when an unreported lock is lifted, and keeps lost marks and marks in flight", () => {
    const before = ledger(settled(1, 2), settled(2, 3, two, { reason: "lost" }), lost(3), inFlight(4))
    assert.deepStrictEqual(Ledger.liftLock(before), ledger(lost(3), inFlight(4)))
  })

  it("keeps failures that Number answered after it had reported the lock, but not the failure that reported it", () => {
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
