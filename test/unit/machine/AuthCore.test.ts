import { assert, describe, it } from "vitest"
import { type CoreState, makeAuthCore, type Message, type Step } from "../../../src/machine/AuthCore.js"
import type { Policy } from "../../../src/machine/Policy.js"
import type { AccountCode } from "../../../src/schemas/Credentials.js"
import { Claim, emptyAccountRecord, emptyLedgerRecord, type Mark } from "../../../src/schemas/StoredRecord.js"
import { at, inFlight, ledger, lost, one, policy, print, settled, two } from "../../support/core.js"

const core = makeAuthCore(policy())
const empty: CoreState = {
  ledger: emptyLedgerRecord,
  state: emptyAccountRecord.state,
  context: emptyAccountRecord.context
}
const claim = Claim.make("c1")
const request = (n = 1): Message => ({ type: "request", fingerprint: print(n), claim })
const ended = (
  attempt: number,
  outcome: Extract<Message, { type: "attemptEnded" }>["outcome"],
  n = 1
): Message => ({ type: "attemptEnded", attempt, fingerprint: print(n), outcome })
const accepted = { _tag: "accepted", tokenEndsAtMillis: null, lockReported: false } as const
const refused = { _tag: "refused", detail: "no" } as const
const lockedOut = { _tag: "lockedOut", detail: "locked out", errorCode: null } as const
const faulted = { _tag: "faulted", detail: "oops", errorCode: 1 } as const
const lostOutcome = { _tag: "lost", detail: "silence" } as const

/** Plays one message per transaction, from 1 on. A number lets so many milliseconds pass first. */
const play = (
  messages: ReadonlyArray<Message | number>,
  from: CoreState = empty,
  using = core,
  account = one
): Step => {
  let step: Step = { ...from, events: [], notices: [], decision: { _tag: "done" } }
  let sequence = Math.max(0, ...from.ledger.marks.map(({ attempt }) => attempt))
  let nowMillis = 0
  for (const message of messages) {
    if (typeof message === "number") nowMillis += message
    else step = using.step(step, account, message, at(++sequence, nowMillis))
  }
  return step
}
const noticesOf = (step: Step) => step.notices.map(({ kind }) => kind)

describe("the events of an AuthCore step", () => {
  const typesOf = ({ events }: Step) => events.map(({ type }) => type)

  it("are all events of the message, complete and in order", () => {
    const reserved = play([request()])
    assert.deepStrictEqual(reserved.events, [
      { type: "attempt.reserved", attempt: 1, fingerprint: print(1), claim }
    ])
    const held = play([request(), ended(1, accepted)])
    assert.deepStrictEqual(typesOf(held), ["attempt.accepted"])
    assert.deepStrictEqual(typesOf(play([25 * 3_600_000, request()], held)), [
      "session.expired",
      "attempt.reserved"
    ])
  })

  it("include an event that changes only the state, or only the context", () => {
    const aborted = play([request(), ended(1, refused)])
    const locked = play([{ type: "observe" }], {
      ...aborted,
      ledger: { ...aborted.ledger, lockReportedAt: 9 }
    })
    assert.deepStrictEqual([locked.state, typesOf(locked)], ["locked", ["lock.reported"]])
    // Another account lifted the lock, as the ledger shows.
    const lifted = play([{ type: "observe" }], {
      ...locked,
      ledger: { ...locked.ledger, lockReportedAt: null }
    })
    assert.strictEqual(lifted.context, locked.context)
    assert.deepStrictEqual([lifted.state, typesOf(lifted)], ["aborted", ["lock.lifted"]])

    const continuing = makeAuthCore(policy({ lostAttempts: "continue" }))
    const held = play([request(), 50_000, request(2), ended(2, accepted, 2)], empty, continuing)
    assert.strictEqual(held.state, "authenticated")
    const late = play([50_000, ended(1, refused)], held, continuing)
    assert.deepStrictEqual([late.state, typesOf(late)], ["authenticated", ["attempt.refused"]])
    assert.notStrictEqual(late.context, held.context)
  })

  it("include no event that changes nothing", () => {
    const held = play([request(), ended(1, accepted)])
    assert.deepStrictEqual(typesOf(play([request()], held)), [])
    const reported = play([{ type: "observe" }], { ...held, ledger: { ...held.ledger, lockReportedAt: 9 } })
    assert.deepStrictEqual([reported.state, typesOf(reported)], ["authenticated", []])
  })
})

describe("AuthCore on a request", () => {
  it("reserves first: the mark is in the same step as the decision to send", () => {
    const step = play([request()])
    assert.deepStrictEqual(step.decision, { _tag: "send", attempt: 1 } as never)
    assert.deepStrictEqual(step.ledger.marks, [inFlight(1)])
    assert.strictEqual(step.state, "unauthenticated.attempting")
  })

  it("waits for the attempt of this account that is under way", () => {
    const step = play([request(), request()])
    assert.strictEqual(step.decision._tag, "wait")
    assert.deepInclude(step.decision, { on: "attempt", forMillis: 45_000 })
    assert.lengthOf(step.ledger.marks, 1)
  })

  it("waits until the next lease of any account ends, and a minute at most", () => {
    const waiting = (...marks: ReadonlyArray<Mark>) => {
      const step = play(
        [5000, request()],
        { ...empty, ledger: ledger(...marks) },
        makeAuthCore(policy({ limit: 2 }))
      )
      assert.deepInclude(step.decision, { _tag: "wait", on: "room" })
      return step.decision._tag === "wait" ? step.decision.forMillis : NaN
    }
    assert.strictEqual(waiting(inFlight(1, two, 30_000), inFlight(2, two, 20_000)), 15_000)
    assert.strictEqual(waiting(lost(1, two, 9000), inFlight(2, two, 20_000)), 15_000)
    assert.strictEqual(waiting(inFlight(1, two, 90_000), inFlight(2, two, 99_000)), 60_000)
  })

  it("waits for room if marks in flight fill the location", () => {
    const full: CoreState = { ...empty, ledger: ledger(...[1, 2, 3, 4, 5].map((n) => inFlight(n, two))) }
    const step = play([request()], full)
    assert.deepInclude(step.decision, { _tag: "wait", on: "room" })
    assert.strictEqual(step.ledger, full.ledger)
    assert.strictEqual(step.state, "unauthenticated.idle")
  })

  it("is locked if failures fill the location, and gives one notice of it", () => {
    const full: CoreState = { ...empty, ledger: ledger(...[1, 2, 3, 4, 5].map((n) => settled(n, n, two))) }
    const step = play([request()], full)
    assert.deepInclude(step.decision, { _tag: "locked", reported: false })
    assert.deepStrictEqual(noticesOf(step), ["locked"])
    const again = play([request()], step)
    assert.deepStrictEqual(noticesOf(again), [])
    assert.deepInclude(again.decision, { _tag: "locked", reported: false })
  })

  it("serves the held session, and changes nothing", () => {
    const before = play([request(), ended(1, accepted)])
    const step = play([request()], before)
    assert.deepInclude(step.decision, { _tag: "held" })
    assert.strictEqual(step.ledger, before.ledger)
    assert.strictEqual(step.context, before.context)
  })

  it("serves a held session while the location is locked, until the session ends", () => {
    const before = play([request(), ended(1, accepted)])
    const locked: CoreState = { ...before, ledger: { ...before.ledger, lockReportedAt: 9 } }
    assert.strictEqual(play([request()], locked).decision._tag, "held")
    const later = play([25 * 3_600_000, request()], locked)
    assert.deepInclude(later.decision, { _tag: "locked", reported: true })
  })

  it("serves a held session or waits for its own attempt, even if marks in flight fill the location", () => {
    const small = makeAuthCore(policy({ limit: 2 }))
    const others = ledger(inFlight(5, two), inFlight(6, two))
    const held = { ...play([request(), ended(1, accepted)]), ledger: others }
    assert.strictEqual(play([request()], held, small).decision._tag, "held")
    const attempting = play([request()], { ...empty, ledger: ledger(inFlight(5, two)) }, small)
    assert.strictEqual(attempting.decision._tag, "send")
    assert.deepInclude(play([request()], attempting, small).decision, { _tag: "wait", on: "attempt" })
  })

  it("makes an attempt in the same step that drops an expired session", () => {
    const held = play([request(), ended(1, accepted)])
    const step = play([25 * 3_600_000, request()], held)
    assert.strictEqual(step.decision._tag, "send")
    assert.isNull(step.context.session)
    assert.lengthOf(step.ledger.marks, 1)
  })

  it("gives a notice that says whether Number reported the lock, or only the limit was reached", () => {
    const full = ledger(...[1, 2, 3, 4, 5].map((n) => settled(n, n, two)))
    for (const lockReportedAt of [null, 5]) {
      const step = play([request()], { ...empty, ledger: { ...full, lockReportedAt } })
      const notice = { kind: "locked", reported: lockReportedAt !== null } as const
      assert.deepStrictEqual(step.notices, [notice])
    }
  })

  it("is aborted for refused credentials, and tries other ones", () => {
    const before = play([request(), ended(1, refused)])
    assert.deepInclude(play([request(1)], before).decision, { _tag: "aborted" })
    const other = play([request(2)], before)
    assert.strictEqual(other.decision._tag, "send")
    assert.lengthOf(other.ledger.marks, 2)
  })

  it("does not send credentials that were refused earlier, even if others were tried in between", () => {
    const before = play([request(1), ended(1, refused), request(2), ended(3, refused, 2)])
    const step = play([request(1)], before)
    assert.deepInclude(step.decision, { _tag: "aborted" })
    assert.lengthOf(step.ledger.marks, 2)
  })

  it("does not send a token past the end that Number gave for it, until an operator resumes", () => {
    const end = { ...accepted, tokenEndsAtMillis: 10_000 }
    const before = play([request(), ended(1, end), 90_000_000, request()])
    assert.strictEqual(before.state, "aborted")
    assert.deepStrictEqual(before.context.abort, {
      reason: "expired",
      attempt: null,
      fingerprint: print(1),
      detail: "the token ended at the time that Number gave for it",
      atMillis: 90_000_000
    })
    assert.isEmpty(before.ledger.marks)
    assert.strictEqual(play([90_000_000, request(2)], before).decision._tag, "send")
    assert.strictEqual(play([90_000_000, { type: "resume" }, request()], before).decision._tag, "send")
  })

  it("sends a token until just before the end that Number gave for it", () => {
    const expired: Message = { type: "sessionRefused", generation: 1, code: 5030 }
    const before = play([request(), ended(1, { ...accepted, tokenEndsAtMillis: 10_000 }), expired])
    assert.strictEqual(play([9999, request()], before).decision._tag, "send")
    assert.strictEqual(play([10_000, request()], before).decision._tag, "aborted")
    assert.strictEqual(play([10_000, request(2)], before).decision._tag, "send")
  })

  it("aborts for credentials that were refused earlier without an attempt, and gives the reason", () => {
    const step = play([request(), ended(1, refused), request(2), ended(3, accepted)])
    const expired: Message = { type: "sessionRefused", generation: 3, code: 5030 }
    const barred = play([expired, request(1)], step)
    assert.deepStrictEqual(barred.context.abort, {
      reason: "barred",
      attempt: null,
      fingerprint: print(1),
      detail: "Number refused this token before",
      atMillis: 0
    })
  })

  it("makes a fifth attempt, and never a sixth, however many tokens there are", () => {
    let step: Step = play([])
    let sent = 0
    for (let n = 1; n <= 20; n++) {
      step = core.step(step, one, request(n), at(2 * n))
      if (step.decision._tag !== "send") continue
      sent += 1
      step = core.step(step, one, ended(2 * n, refused, n), at(2 * n + 1))
    }
    assert.strictEqual(sent, 5)
    assert.strictEqual(step.state, "locked")
  })
})

describe("AuthCore on the end of an attempt", () => {
  it("accepted: holds the session, clears the mark", () => {
    const step = play([request(), ended(1, accepted)])
    assert.strictEqual(step.state, "authenticated")
    assert.isEmpty(step.ledger.marks)
    assert.strictEqual(step.context.session!.generation, 1)
    assert.isEmpty(step.notices)
  })

  it("accepted: gives a notice of a token that ends within thirty days, and ignores an end in the past", () => {
    const day = 86_400_000
    for (const [days, notices, remembered] of [
      [29, ["tokenExpiring"], true],
      [31, [], true],
      [-1, [], false]
    ] as const) {
      const step = play([request(), ended(1, { ...accepted, tokenEndsAtMillis: days * day })])
      assert.deepStrictEqual(noticesOf(step), [...notices])
      assert.strictEqual(step.context.tokenEnd !== null, remembered)
    }
  })

  it("accepted: gives a notice of an end that is later than now, and thirty days ahead at most", () => {
    const month = 30 * 86_400_000
    const noticesAt = (tokenEndsAtMillis: number) =>
      play([request(), 1000, ended(1, { ...accepted, tokenEndsAtMillis })]).notices
    assert.deepStrictEqual(noticesAt(1000 + month), [{ kind: "tokenExpiring", endsAtMillis: 1000 + month }])
    assert.deepStrictEqual(noticesAt(1001 + month), [])
    assert.deepStrictEqual(noticesAt(1000), [])
    assert.lengthOf(noticesAt(1001), 1)
  })

  it("refused and faulted: settles, aborts, and gives one notice", () => {
    for (const outcome of [refused, faulted]) {
      const step = play([request(), ended(1, outcome)])
      assert.strictEqual(step.state, "aborted")
      assert.deepStrictEqual(step.ledger.marks, [settled(1, 2, one, { reason: outcome._tag })])
      assert.deepStrictEqual(noticesOf(step), ["aborted"])
    }
  })

  it("lockedOut: counts, locks, and says nothing of the credentials: after the lift they are sent again", () => {
    const step = play([request(), ended(1, lockedOut)])
    assert.strictEqual(step.state, "locked")
    assert.strictEqual(step.ledger.lockReportedAt, 2)
    assert.deepStrictEqual(step.ledger.marks, [settled(1, 2, one, { reason: "faulted" })])
    assert.deepStrictEqual(noticesOf(step), ["locked"])
    assert.deepStrictEqual(step.context, emptyAccountRecord.context)
    const lifted = play([{ type: "confirmLockLifted" }, request()], step)
    assert.deepInclude(lifted.decision, { _tag: "send" })
    assert.lengthOf(lifted.ledger.marks, 1)
  })

  it("lockedOut, late: the account is no longer aborted for that attempt, and still for another", () => {
    const lost = play([request(), ended(1, lostOutcome)])
    const late = play([ended(1, lockedOut)], lost)
    assert.strictEqual(late.state, "locked")
    assert.isNull(late.context.abort)
    const other = { ...lost, context: { ...lost.context, abort: { ...lost.context.abort!, attempt: null } } }
    assert.isNotNull(play([ended(1, lockedOut)], other).context.abort)
  })

  it("lockedOut in a lock: the account is no longer aborted for that attempt when the lock ends", () => {
    const lost = play([request(), ended(1, lostOutcome)])
    const lock = play([request(1), ended(2, lockedOut)], lost, core, two)
    const aborted = play([{ type: "observe" }], { ...lost, ledger: lock.ledger })
    assert.deepStrictEqual([aborted.state, aborted.context.abort?.attempt], ["locked", 1])
    const late = play([ended(1, lockedOut)], aborted)
    assert.deepStrictEqual([late.state, late.context.abort, noticesOf(late)], ["locked", null, []])
  })

  it("unsent: its event names the attempt, and nothing else", () => {
    const step = play([request(), ended(1, { _tag: "unsent", detail: "no route" })])
    assert.deepStrictEqual(step.events.at(-1), { type: "attempt.unsent", attempt: 1 })
  })

  it("accepted with a report: holds the session, and locks the others", () => {
    const step = play([request(), ended(1, { ...accepted, lockReported: true })])
    assert.strictEqual(step.state, "authenticated")
    assert.strictEqual(step.ledger.lockReportedAt, 2)
    assert.deepInclude(play([request()], step, core, two).decision, { _tag: "held" })
  })

  it("lost: the mark drains; then a later success clears it", () => {
    const step = play([request(), ended(1, lostOutcome)])
    assert.strictEqual(step.state, "aborted")
    assert.deepStrictEqual(step.ledger.marks, [lost(1)])
    const early = play([1000, { type: "resume" }, request(), ended(3, accepted)], step)
    assert.deepStrictEqual(early.ledger.marks, [lost(1)])
    const late = play([300_000, { type: "resume" }, request(), ended(3, accepted)], step)
    assert.isEmpty(late.ledger.marks)
  })

  it("unsent: the mark is gone, and the next request may send", () => {
    const step = play([request(), ended(1, { _tag: "unsent", detail: "refused" })])
    assert.strictEqual(step.state, "unauthenticated.idle")
    assert.isEmpty(step.ledger.marks)
    assert.strictEqual(play([request()], step).decision._tag, "send")
  })

  it("finds the attempt lost at the first message after its lease, and still accepts its late answer", () => {
    const step = play([request(), 45_000, { type: "observe" }])
    assert.strictEqual(step.state, "aborted")
    assert.strictEqual(step.context.abort!.reason, "lost")
    assert.deepStrictEqual(step.ledger.marks, [lost(1, one, 345_000)])
    const late = core.step(step, one, ended(1, accepted), at(9, 50_000))
    assert.strictEqual(late.state, "authenticated")
    assert.strictEqual(late.context.session!.generation, 1)
    assert.isEmpty(late.ledger.marks)
  })

  it("does not replace a newer session by a late acceptance, which still clears its mark", () => {
    const step = play([request(), 45_000, { type: "resume" }, request(2), ended(3, accepted, 2)])
    assert.strictEqual(step.context.session!.generation, 3)
    const late = core.step(step, one, ended(1, accepted), at(9, 50_000))
    assert.strictEqual(late.context.session!.generation, 3)
    assert.isEmpty(late.ledger.marks)
    assert.isEmpty(late.notices)
  })

  it("counts a late refusal, even if a newer session is held", () => {
    const step = play([request(), 45_000, { type: "resume" }, request(2), ended(3, accepted, 2)])
    const late = core.step(step, one, ended(1, refused), at(9, 50_000))
    assert.strictEqual(late.state, "authenticated")
    assert.deepStrictEqual(late.ledger.marks, [settled(1, 9)])
    assert.deepStrictEqual(late.context.refusedFingerprints, [print(1)])
  })

  it("gives as the reason for a lost lease that the process stopped before its answer was stored", () => {
    const step = play([request(), 45_000, { type: "observe" }])
    assert.deepStrictEqual(step.context.abort, {
      reason: "lost",
      attempt: 1,
      fingerprint: print(1),
      detail: "the process that made the attempt stopped before its answer was stored",
      atMillis: 45_000
    })
  })

  it("gives no notice of an abort if the acceptance comes in the same step that finds the lease over", () => {
    const step = play([request(), 45_000, ended(1, accepted)])
    assert.strictEqual(step.state, "authenticated")
    assert.deepStrictEqual(noticesOf(step), [])
  })
})

describe("AuthCore on a lease that ran out", () => {
  const reserved = () => play([request()])

  it("aborts and gives a notice even if the message ends another attempt or withdraws another claim", () => {
    for (const message of [
      ended(9, lostOutcome),
      { type: "withdraw", claim: Claim.make("c2") }
    ] satisfies ReadonlyArray<Message>) {
      const step = play([45_000, message], reserved())
      assert.strictEqual(step.context.abort?.reason, "lost")
      assert.deepStrictEqual(noticesOf(step), ["aborted"])
    }
  })

  it("gives no notice if the same step gives the reservation back", () => {
    const step = play([45_000, { type: "withdraw", claim }], reserved())
    assert.strictEqual(step.state, "unauthenticated.idle")
    assert.deepStrictEqual([step.notices, step.ledger.marks], [[], []])
  })

  it("aborts even if other accounts have attempts in flight, and keeps an attempt that is itself in flight", () => {
    const others = { ...reserved(), ledger: ledger(inFlight(1), inFlight(2, two, 90_000)) }
    assert.strictEqual(play([45_000, { type: "observe" }], others).context.abort?.reason, "lost")
    const settledOnes = { ...reserved(), ledger: ledger(settled(2, 3, two), inFlight(1)) }
    assert.strictEqual(play([{ type: "observe" }], settledOnes).state, "unauthenticated.attempting")
  })
})

describe("AuthCore on a session that ends", () => {
  const held = () => play([request(), ended(1, accepted)])

  it("drops the key of the refused generation, and not a newer one", () => {
    for (const code of [5030, 5050] as const) {
      const step = play([{ type: "sessionRefused", generation: 1, code }], held())
      assert.strictEqual(step.state, code === 5030 ? "expired.idle" : "unauthorized.idle")
      assert.isNull(step.context.session)
      const before = held()
      const older = play([{ type: "sessionRefused", generation: 0, code }], before)
      assert.strictEqual(older.context, before.context)
    }
  })

  it("makes an attempt with its own mark if the session is unavailable, and waits if there is no room", () => {
    const unavailable: Message = { type: "sessionUnavailable", generation: 1 }
    const before = held()
    const step = play([unavailable, request()], before)
    assert.strictEqual(step.decision._tag, "send")
    assert.lengthOf(step.ledger.marks, 1)
    const full = { ...before, ledger: ledger(inFlight(2, two), inFlight(3, two)) }
    const waits = play([unavailable, request()], full, makeAuthCore(policy({ limit: 2 })))
    assert.deepInclude(waits.decision, { _tag: "wait", on: "room" })
    assert.strictEqual(play([{ ...unavailable, generation: 0 }], before).context, before.context)
  })

  it("expires the session by the clock at 25 hours, and not before", () => {
    assert.strictEqual(play([25 * 3_600_000 - 1, { type: "observe" }], held()).state, "authenticated")
    assert.strictEqual(play([25 * 3_600_000, { type: "observe" }], held()).state, "expired.idle")
  })
})

describe("AuthCore on an answer that is not Number's own", () => {
  const gateway = {
    _tag: "faulted",
    detail: "HTTP status 504",
    errorCode: null
  } as const

  it("lets the mark drain, since Number may still be working: a success does not clear it before", () => {
    const limited = makeAuthCore(policy({ limit: 2 }))
    // A's first attempt is given up by the gateway, A's second is accepted: the first may be refused after that.
    const first = play(
      [request(), ended(1, gateway), { type: "resume" }, request(), ended(4, accepted)],
      empty,
      limited
    )
    assert.strictEqual(first.state, "authenticated")
    assert.deepStrictEqual(first.ledger.marks, [lost(1)])
    // B's attempt is given up, too. Both may count now, so there is no third.
    const other: CoreState = { ...empty, ledger: first.ledger }
    const reserved = limited.step(other, two, request(2), at(6))
    const given = limited.step(reserved, two, ended(6, gateway, 2), at(7))
    assert.strictEqual(limited.step(given, two, { type: "resume" }, at(8)).state, "locked")
    // When both have drained they are over, and the next success clears them.
    const drained = limited.step({ ...empty, ledger: given.ledger }, one, { type: "observe" }, at(9, 300_000))
    assert.deepStrictEqual(
      drained.ledger.marks.map(({ status }) => status),
      ["settled", "settled"]
    )
  })

  it("aborts with the reason faulted all the same", () => {
    const step = play([request(), ended(1, gateway)])
    assert.strictEqual(step.state, "aborted")
    assert.strictEqual(step.context.abort!.reason, "faulted")
    assert.deepStrictEqual(noticesOf(step), ["aborted"])
  })
})

describe("AuthCore on an operator's message", () => {
  it("resume: is rejected without an abort, and after a refusal", () => {
    const resume: Message = { type: "resume" }
    assert.deepInclude(play([resume]).decision, { _tag: "rejected", why: "notAborted" })
    const refusedOne = play([request(), ended(1, refused)])
    const rejected = play([resume], refusedOne)
    assert.deepInclude(rejected.decision, { _tag: "rejected", why: "refusedCredentials" })
    assert.strictEqual(rejected.context, refusedOne.context)
    const resumed = play([resume], play([request(), ended(1, faulted)]))
    assert.strictEqual(resumed.decision._tag, "done")
    assert.strictEqual(resumed.state, "unauthenticated.idle")
    assert.lengthOf(resumed.ledger.marks, 1)
  })

  it("replaceCredentials: rejects refused and faulted credentials, and keeps the count", () => {
    const before = play([request(), ended(1, refused)])
    const same = play([{ type: "replaceCredentials", fingerprint: print(1) }], before)
    assert.deepInclude(same.decision, { _tag: "rejected", why: "refusedCredentials" })
    const other = play([{ type: "replaceCredentials", fingerprint: print(2) }], before)
    assert.strictEqual(other.state, "unauthenticated.idle")
    assert.strictEqual(other.decision._tag, "done")
    assert.strictEqual(other.ledger, before.ledger)
    const faultedOne = play([request(), ended(1, faulted)])
    const again = play([{ type: "replaceCredentials", fingerprint: print(1) }], faultedOne)
    assert.deepInclude(again.decision, { _tag: "rejected", why: "abortedCredentials" })
  })

  it("replaceCredentials: rejects all credentials while addresses flap", () => {
    const step = play(
      [1, 4, 7].flatMap((generation): ReadonlyArray<Message> => [
        request(),
        ended(generation, accepted),
        { type: "sessionRefused", generation, code: 5050 }
      ])
    )
    assert.strictEqual(step.context.abort?.reason, "addressFlapping")
    const rejected = play([{ type: "replaceCredentials", fingerprint: print(2) }], step)
    assert.deepInclude(rejected.decision, { _tag: "rejected", why: "addressFlapping" })
    assert.strictEqual(play([request(2)], step).decision._tag, "aborted")
  })

  it("confirmLockLifted: is rejected if there is no lock", () => {
    const before = play([request(), ended(1, faulted)])
    const rejected = play([{ type: "confirmLockLifted" }], before)
    assert.deepInclude(rejected.decision, { _tag: "rejected", why: "notLocked" })
    assert.strictEqual(rejected.ledger, before.ledger)
    const locked = play([request(), ended(1, lockedOut)])
    const lifted = play([{ type: "confirmLockLifted" }], locked)
    assert.strictEqual(lifted.state, "unauthenticated.idle")
    assert.isEmpty(lifted.ledger.marks)
    assert.isNull(lifted.ledger.lockReportedAt)
    assert.deepInclude(play([request(1)], lifted).decision, { _tag: "send" })
  })

  it("confirmLockLifted: stays locked if lost marks fill the ledger", () => {
    const full: CoreState = { ...empty, ledger: ledger(...[1, 2, 3, 4, 5].map((n) => lost(n, two))) }
    const step = play([request(), { type: "confirmLockLifted" }], full)
    assert.strictEqual(step.state, "locked")
    assert.isEmpty(step.notices)
    assert.lengthOf(step.ledger.marks, 5)
  })

  it("observe: changes nothing if nothing has happened", () => {
    const before = play([request(), ended(1, accepted)])
    const step = play([{ type: "observe" }], before)
    assert.strictEqual(step.ledger, before.ledger)
    assert.strictEqual(step.context, before.context)
    assert.isEmpty(step.notices)
  })
})

describe("AuthCore over several accounts and tokens", () => {
  /** A location whose accounts take messages in turn. */
  const location = (options: Partial<Policy> = {}) => {
    const core = makeAuthCore(policy(options))
    let sequence = 0
    let ledgerNow = emptyLedgerRecord
    const records = new Map<AccountCode, CoreState>()
    return (account: AccountCode, message: Message): Step => {
      const { context, state } = records.get(account) ?? empty
      const next = core.step({ ledger: ledgerNow, state, context }, account, message, at(++sequence))
      ledgerNow = next.ledger
      records.set(account, next)
      return next
    }
  }
  it("keeps an abort after an unreported lock that another account's late acceptance ended", () => {
    const deliver = location({ limit: 2 })
    const first = deliver(one, request(1)).context.attempt!.id
    deliver(one, ended(first, faulted))
    const second = deliver(two, request(2)).context.attempt!.id
    deliver(two, ended(second, lostOutcome, 2))
    assert.strictEqual(deliver(one, request(1)).decision._tag, "locked")
    deliver(two, ended(second, accepted, 2))
    assert.strictEqual(deliver(one, request(1)).decision._tag, "aborted")
  })

  it("makes one attempt for each of two tokens that take turns, until a person acts", () => {
    const deliver = location()
    let sends = 0
    for (let n = 0; n < 20; n++) {
      const token = 1 + (n % 2)
      const step = deliver(one, request(token))
      if (step.decision._tag !== "send") continue
      sends++
      deliver(one, ended(step.decision.attempt, faulted, token))
    }
    assert.strictEqual(sends, 2)
    deliver(one, { type: "resume" })
    assert.strictEqual(deliver(one, request(1)).decision._tag, "send")
  })

  it("tries credentials again after a lost attempt once their replacement was refused", () => {
    const deliver = location()
    const first = deliver(one, request(1)).context.attempt!.id
    deliver(one, ended(first, lostOutcome, 1))
    const second = deliver(one, request(2)).context.attempt!.id
    deliver(one, ended(second, refused, 2))
    assert.strictEqual(deliver(one, request(2)).decision._tag, "aborted")
    assert.strictEqual(deliver(one, request(1)).decision._tag, "send")
  })
})

describe("AuthCore on a reservation that is given back", () => {
  it("leaves no trace of it, even if it was found lost and its mark had locked the location", () => {
    const cautious = makeAuthCore(policy({ limit: 1 }))
    const untouched = play([request(), { type: "withdraw", claim }], empty, cautious)
    assert.deepStrictEqual([untouched.state, untouched.ledger.marks], ["unauthenticated.idle", []])
    const locked = play([request(), 46_000, { type: "observe" }], empty, cautious)
    assert.strictEqual(locked.state, "locked")
    const back = play([46_000, { type: "withdraw", claim }, request()], locked, cautious)
    assert.deepStrictEqual([back.decision._tag, back.context.abort], ["send", null] as never)
    assert.lengthOf(back.ledger.marks, 1)
  })

  it("touches no attempt of another claim", () => {
    const step = play([request(), { type: "withdraw", claim: Claim.make("c2") }])
    assert.strictEqual(step.state, "unauthenticated.attempting")
    assert.lengthOf(step.ledger.marks, 1)
  })
})
