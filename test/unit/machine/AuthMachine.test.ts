import { inspect } from "node:util"
import { assert, describe, it } from "vitest"
import { initialTransition, transition } from "xstate"
import { authMachine, makeAuthMachine, type AuthEvent } from "../../../src/machine/AuthMachine.js"
import {
  type AuthContext,
  Claim,
  emptyAccountRecord,
  type StateName
} from "../../../src/schemas/StoredRecord.js"
import { goodToken, policy, print } from "../../support/core.js"

const hour = 3_600_000
const session = (generation: number, obtainedAtMillis = 0) => ({
  generation,
  fingerprint: print(1),
  obtainedAtMillis,
  expiresAtMillis: obtainedAtMillis + 25 * hour
})
/** A context. If it has an abort, its `abortedFingerprints` hold the fingerprint of the abort. */
const context = (part: Partial<AuthContext> = {}): AuthContext => ({
  ...emptyAccountRecord.context,
  abortedFingerprints: part.abort ? [part.abort.fingerprint] : [],
  ...part
})
const valueOf = (name: StateName) => {
  const [state, child] = name.split(".") as [string, string | undefined]
  return child === undefined ? state : { [state]: child }
}
const nameOf = (value: string | object) =>
  typeof value === "string" ? value : Object.entries(value)[0]!.join(".")

/** One step of the chart, with the actions that it leaves to the shell. */
const run = (
  state: StateName,
  before: Partial<AuthContext>,
  event: AuthEvent,
  machine = authMachine
): { state: string; context: AuthContext; asks: ReadonlyArray<object> } => {
  const snapshot = machine.resolveState({ value: valueOf(state), context: context(before) })
  const [next, actions] = transition(machine, snapshot, event)
  return {
    state: nameOf(next.value),
    context: next.context,
    asks: actions.map(({ params, type }) => ({ type, ...(params as object | undefined) }))
  }
}

const claim = Claim.make("c1")
const attempt = { id: 5, fingerprint: print(1), claim }
const attempting = { attempt }
const fails = { attempt: 5, fingerprint: print(1), detail: "why", nowMillis: 1000 }
const accepted: AuthEvent = {
  type: "attempt.accepted",
  attempt: 5,
  fingerprint: print(1),
  nowMillis: 1000,
  tokenEndsAtMillis: 7000
}
const abortOf = (reason: "refused" | "faulted" | "lost" | "barred" | "expired") => ({
  reason,
  attempt: 5,
  fingerprint: print(1),
  detail: "why",
  atMillis: 1000
})
const needy = ["unauthenticated", "expired", "unauthorized"] as const

describe("AuthMachine", () => {
  it("builds, and starts unauthenticated and idle, without actions", () => {
    const [snapshot, actions] = initialTransition(authMachine, emptyAccountRecord.context)
    assert.strictEqual(nameOf(snapshot.value), emptyAccountRecord.state)
    assert.deepStrictEqual(snapshot.context, emptyAccountRecord.context)
    assert.deepStrictEqual(actions, [])
  })

  it("invokes nothing and waits for nothing: a restored snapshot runs nothing by itself", () => {
    const walk = (node: { invoke: unknown; after: unknown; always: unknown; states: object }): void => {
      assert.isEmpty(node.invoke as ReadonlyArray<unknown>)
      assert.isEmpty(node.after as ReadonlyArray<unknown>)
      assert.isEmpty((node.always ?? []) as ReadonlyArray<unknown>)
      for (const child of Object.values(node.states)) walk(child)
    }
    walk(authMachine.root as never)
  })

  it("has the six states of the design, three of them with idle and attempting", () => {
    assert.sameMembers(Object.keys(authMachine.root.states), [
      "unauthenticated",
      "authenticated",
      "expired",
      "unauthorized",
      "aborted",
      "locked"
    ])
    for (const [name, node] of Object.entries(authMachine.root.states)) {
      assert.sameMembers(
        Object.keys(node.states),
        needy.includes(name as never) ? ["idle", "attempting"] : []
      )
    }
  })

  it("describes for every state its meaning and a person's next step, each in a sentence", () => {
    const children = needy.flatMap((name) => Object.values(authMachine.root.states[name]!.states))
    const nodes = [...Object.values(authMachine.root.states), ...children]
    assert.lengthOf(nodes, 12)
    for (const { description, id, meta } of nodes) {
      assert.match(description ?? "", /^[A-Z].{10,}\.$/, id)
      assert.match(meta?.toDo ?? "", /^[A-Z].{6,}\.$/, id)
    }
  })

  for (const state of needy) {
    it(`attempt.reserved leads from ${state} to attempting, and asks to send the attempt once`, () => {
      const next = run(
        `${state}.idle`,
        { lostAttempt: { ...attempt, id: 3 } },
        { type: "attempt.reserved", attempt: 5, fingerprint: print(1), claim }
      )
      assert.strictEqual(next.state, `${state}.attempting`)
      assert.deepStrictEqual(next.asks, [{ type: "sendAttempt" }])
      assert.deepStrictEqual(next.context.attempt, attempt)
      assert.isNull(next.context.lostAttempt)
    })

    it(`attempt.accepted leads from ${state} to authenticated, and holds the session`, () => {
      const next = run(`${state}.attempting`, { ...attempting, abort: abortOf("lost") }, accepted)
      assert.strictEqual(next.state, "authenticated")
      assert.deepStrictEqual(next.asks, [])
      assert.deepStrictEqual(
        next.context,
        context({
          session: session(5, 1000),
          tokenEnd: { fingerprint: print(1), atMillis: 7000 }
        })
      )
    })

    it(`attempt.refused leads from ${state} to aborted, gives a notice, and bars the credentials`, () => {
      const next = run(`${state}.attempting`, attempting, { type: "attempt.refused", ...fails })
      assert.strictEqual(next.state, "aborted")
      assert.deepStrictEqual(
        next.context,
        context({
          abort: abortOf("refused"),
          refusedFingerprints: [print(1)]
        })
      )
      assert.deepStrictEqual(next.asks, [
        { type: "notify", notice: { kind: "aborted", abort: abortOf("refused") } }
      ])
    })

    it(`attempt.lockedOut leads from ${state} to locked, gives a notice, and bars nothing`, () => {
      const next = run(`${state}.attempting`, attempting, { type: "attempt.lockedOut", ...fails })
      assert.strictEqual(next.state, "locked")
      assert.deepStrictEqual(next.context, context())
      assert.deepStrictEqual(next.asks, [{ type: "notify", notice: { kind: "locked", reported: true } }])
    })

    it(`attempt.faulted leads from ${state} to aborted, gives a notice, and bars nothing`, () => {
      const next = run(`${state}.attempting`, attempting, { type: "attempt.faulted", ...fails })
      assert.strictEqual(next.state, "aborted")
      assert.deepStrictEqual(next.context, context({ abort: abortOf("faulted") }))
      assert.deepStrictEqual(next.asks, [
        { type: "notify", notice: { kind: "aborted", abort: abortOf("faulted") } }
      ])
    })

    it(`attempt.lost leads from ${state} to aborted, and remembers the attempt for a late answer`, () => {
      const next = run(`${state}.attempting`, attempting, { type: "attempt.lost", ...fails })
      assert.strictEqual(next.state, "aborted")
      assert.deepStrictEqual(next.context, context({ abort: abortOf("lost"), lostAttempt: attempt }))
      assert.lengthOf(next.asks, 1)
    })

    it(`attempt.lost leads back to idle of ${state} if the policy continues after lost attempts`, () => {
      const machine = makeAuthMachine(policy({ lostAttempts: "continue" }))
      const next = run(`${state}.attempting`, attempting, { type: "attempt.lost", ...fails }, machine)
      assert.strictEqual(next.state, `${state}.idle`)
      assert.deepStrictEqual(next.context, context({ lostAttempt: attempt }))
      assert.deepStrictEqual(next.asks, [])
      const other: AuthEvent = { type: "attempt.lost", ...fails, attempt: 4 }
      const unmoved = run(`${state}.attempting`, attempting, other, machine)
      assert.deepInclude(unmoved, { state: `${state}.attempting`, context: context(attempting) })
    })

    it(`attempt.unsent leads back to idle of ${state}, and leaves the context empty`, () => {
      const next = run(`${state}.attempting`, attempting, { type: "attempt.unsent", attempt: 5 })
      assert.strictEqual(next.state, `${state}.idle`)
      assert.deepStrictEqual(next.context, context())
      assert.deepStrictEqual(next.asks, [])
    })

    it(`credentials.barred leads from ${state} to aborted without an attempt`, () => {
      const event = { reason: "barred", fingerprint: print(1), detail: "why", nowMillis: 1000 } as const
      const next = run(`${state}.idle`, {}, { type: "credentials.barred", ...event })
      assert.strictEqual(next.state, "aborted")
      const abort = { ...abortOf("barred"), attempt: null }
      assert.deepStrictEqual(next.context.abort, abort)
      assert.deepStrictEqual(next.asks, [{ type: "notify", notice: { kind: "aborted", abort } }])
    })

    it(`a full ledger and a reported lock lead from ${state} to locked, once no attempt is under way`, () => {
      for (const [type, reported] of [
        ["ledger.full", false],
        ["lock.reported", true]
      ] as const) {
        const next = run(`${state}.idle`, {}, { type })
        assert.strictEqual(next.state, "locked")
        assert.deepStrictEqual(next.asks, [{ type: "notify", notice: { kind: "locked", reported } }])
        assert.strictEqual(run(`${state}.attempting`, attempting, { type }).state, `${state}.attempting`)
      }
    })
  }

  it("reserves nothing from authenticated, aborted or locked, nor while an attempt is under way", () => {
    const event: AuthEvent = { type: "attempt.reserved", attempt: 6, fingerprint: print(2), claim }
    for (const state of ["authenticated", "aborted", "locked", "unauthenticated.attempting"] as const) {
      const next = run(state, attempting, event)
      assert.strictEqual(next.state, state)
      assert.deepStrictEqual(next.asks, [])
    }
  })

  it("never sends refused credentials, even if an attempt is reserved for them", () => {
    const next = run(
      "unauthenticated.idle",
      { refusedFingerprints: [print(1)] },
      { type: "attempt.reserved", attempt: 5, fingerprint: print(1), claim }
    )
    assert.strictEqual(next.state, "unauthenticated.idle")
    assert.deepStrictEqual(next.asks, [])
  })

  it("session.expired leads to expired, drops the key, and ends a row of flaps", () => {
    const next = run(
      "authenticated",
      { session: session(5), flaps: 2 },
      { type: "session.expired", generation: 5 }
    )
    assert.strictEqual(next.state, "expired.idle")
    assert.deepStrictEqual(next.context, context())
    assert.deepStrictEqual(next.asks, [])
  })

  it("session.unavailable leads to unauthenticated, keeps flaps, refusals and the token's end, and remembers the session", () => {
    const before = {
      flaps: 2,
      refusedFingerprints: [print(9)],
      tokenEnd: { fingerprint: print(1), atMillis: 9 }
    }
    const event: AuthEvent = { type: "session.unavailable", generation: 5 }
    const next = run("authenticated", { ...before, session: session(5) }, event)
    assert.strictEqual(next.state, "unauthenticated.idle")
    assert.deepStrictEqual(next.context, context({ ...before, sessionsElsewhere: [session(5)] }))
    assert.deepStrictEqual(next.asks, [])
    const many = Array.from({ length: 16 }, (_, n) => session(n + 10))
    const last = run(
      "authenticated",
      { session: session(30), sessionsElsewhere: many },
      { type: "session.unavailable", generation: 30 }
    )
    assert.deepStrictEqual(last.context.sessionsElsewhere, [...many.slice(1), session(30)])
    const newer = run("authenticated", { session: session(6) }, event)
    assert.strictEqual(newer.state, "authenticated")
    assert.strictEqual(newer.context.session!.generation, 6)
  })

  it("session.unauthorized leads to unauthorized, drops the key, and counts a flap if it was fresh", () => {
    for (const [nowMillis, flaps] of [
      [599_999, 2],
      [600_000, 0]
    ] as const) {
      const next = run(
        "authenticated",
        { session: session(5), flaps: 1 },
        { type: "session.unauthorized", generation: 5, nowMillis }
      )
      assert.strictEqual(next.state, "unauthorized.idle")
      assert.deepStrictEqual(next.context, context({ flaps, addressChangedAt: 5 }))
      assert.deepStrictEqual(next.asks, [])
    }
  })

  it("the third fresh session in a row that is refused with 5050 aborts: addresses flap", () => {
    const event: AuthEvent = { type: "session.unauthorized", generation: 5, nowMillis: 1 }
    const next = run("authenticated", { session: session(5), flaps: 2 }, event)
    assert.strictEqual(next.state, "aborted")
    const abort = {
      reason: "addressFlapping",
      attempt: null,
      fingerprint: print(1),
      detail: "Number refused fresh sessions with 5050 again and again",
      atMillis: 1
    } as const
    assert.deepStrictEqual(
      next.context,
      context({ abort, abortedFingerprints: [print(1)], flaps: 3, addressChangedAt: 5 })
    )
    assert.deepStrictEqual(next.asks, [{ type: "notify", notice: { kind: "aborted", abort } }])
  })

  describe("if processes have sessions of their own", () => {
    const elsewhere = [session(3), session(4)]
    const unauthorized = (generation: number, nowMillis = 1): AuthEvent => ({
      type: "session.unauthorized",
      generation,
      nowMillis
    })

    it("counts one change of address once, although all of their sessions are refused for it", () => {
      const before = { session: session(5), sessionsElsewhere: elsewhere }
      const first = run("authenticated", before, unauthorized(3))
      assert.strictEqual(first.state, "authenticated")
      assert.deepStrictEqual(first.asks, [])
      assert.deepStrictEqual(
        first.context,
        context({ session: session(5), sessionsElsewhere: [session(4)], flaps: 1, addressChangedAt: 5 })
      )
      const second = run("authenticated", first.context, unauthorized(4))
      assert.deepInclude(second.context, { flaps: 1, sessionsElsewhere: [] })
      const third = run("authenticated", second.context, unauthorized(5))
      assert.deepInclude(third, { state: "unauthorized.idle" })
      assert.deepInclude(third.context, { flaps: 1, session: null })
    })

    it("counts the refusal of a session that was obtained after the change, and aborts at the third in any state", () => {
      for (const state of ["authenticated", ...needy.map((each) => `${each}.idle` as const)] as const) {
        const held = state === "authenticated" ? session(8) : null
        const before = { session: held, sessionsElsewhere: [session(7)], flaps: 2, addressChangedAt: 6 }
        const next = run(state, before, unauthorized(7))
        assert.strictEqual(next.state, "aborted")
        assert.strictEqual(next.context.abort!.reason, "addressFlapping")
        assert.deepInclude(next.context, { session: null, sessionsElsewhere: [] })
        assert.deepStrictEqual(next.asks, [
          { type: "notify", notice: { kind: "aborted", abort: next.context.abort } }
        ])
        const one = run(state, { ...before, flaps: 1 }, unauthorized(7))
        assert.strictEqual(one.state, state)
        assert.deepInclude(one.context, { flaps: 2, session: held })
        const known = run(state, { ...before, addressChangedAt: 7 }, unauthorized(7))
        assert.strictEqual(known.state, state)
        assert.strictEqual(known.context.flaps, 2)
      }
    })

    it("continues an attempt under way, and assigns it to the change", () => {
      for (const state of needy) {
        const before = { ...attempting, sessionsElsewhere: elsewhere, flaps: 2 }
        const next = run(`${state}.attempting`, before, unauthorized(3))
        assert.strictEqual(next.state, `${state}.attempting`)
        assert.deepInclude(next.context, { flaps: 3, addressChangedAt: 5, attempt })
      }
    })

    it("starts the row of flaps again if a session has served for long since the last change", () => {
      for (const long of [
        { session: session(8), sessionsElsewhere: [session(9, 900_000)] },
        { session: session(9, 900_000), sessionsElsewhere: [session(8)] }
      ]) {
        const before = { ...long, flaps: 2, addressChangedAt: 7 }
        const next = run("authenticated", before, unauthorized(9, 900_001))
        assert.strictEqual(next.context.flaps, 1)
        assert.notStrictEqual(next.state, "aborted")
        const old = run("authenticated", { ...before, addressChangedAt: 8 }, unauthorized(9, 900_001))
        assert.strictEqual(old.state, "aborted")
      }
    })

    it("forgets sessions that have expired by the clock", () => {
      const before = { session: session(9, 25 * hour), sessionsElsewhere: [session(3), session(4, 1)] }
      const next = run("authenticated", before, { type: "session.unavailable", generation: 9 })
      assert.deepStrictEqual(next.context.sessionsElsewhere, [session(4, 1), session(9, 25 * hour)])
    })

    it("does not abort for later refusals of a change that was counted while an attempt was under way", () => {
      const before = { sessionsElsewhere: [session(4)], flaps: 3, addressChangedAt: 5 }
      const next = run("unauthenticated.idle", before, unauthorized(4))
      assert.strictEqual(next.state, "unauthenticated.idle")
      assert.deepInclude(next.context, { flaps: 3, sessionsElsewhere: [] })
    })

    it("ignores the refusal of an unknown session", () => {
      const before = { session: session(5), sessionsElsewhere: elsewhere, flaps: 3 }
      const next = run("authenticated", before, unauthorized(9))
      assert.strictEqual(next.state, "authenticated")
      assert.deepStrictEqual([next.context, next.asks], [context(before), []])
    })

    it("keeps addressChangedAt if a session from before the change is refused late", () => {
      for (const generation of [3, 5]) {
        const before = { session: session(8), sessionsElsewhere: [session(generation)], addressChangedAt: 5 }
        assert.strictEqual(run("authenticated", before, unauthorized(generation)).context.addressChangedAt, 5)
      }
    })

    it("ends an abort for flapping addresses by attempt.resumed, and not by other credentials", () => {
      const abort = { ...abortOf("faulted"), reason: "addressFlapping" as const, attempt: null }
      const next = run("aborted", { abort }, { type: "credentials.replaced", fingerprint: print(7) })
      assert.strictEqual(next.state, "aborted")
      assert.strictEqual(run("aborted", { abort }, { type: "attempt.resumed" }).state, "unauthenticated.idle")
    })

    it("ends the row of flaps if the refused session had served for long", () => {
      const before = { session: session(5), sessionsElsewhere: elsewhere, flaps: 2 }
      const next = run("authenticated", before, unauthorized(3, 600_000))
      assert.deepInclude(next.context, { flaps: 0, addressChangedAt: 5 })
    })
  })

  it("ignores the refusal of a key that is not held", () => {
    for (const generation of [4, 6]) {
      for (const event of [
        { type: "session.expired", generation },
        { type: "session.unauthorized", generation, nowMillis: 1 }
      ] as const) {
        const next = run("authenticated", { session: session(5), flaps: 2 }, event)
        assert.strictEqual(next.state, "authenticated")
        assert.deepStrictEqual(next.context.session, session(5))
        assert.deepStrictEqual(next.asks, [])
      }
    }
  })

  it("credentials.replaced leads from aborted to unauthenticated for another token that was not refused", () => {
    const before = { abort: abortOf("refused"), refusedFingerprints: [print(1), print(2)], flaps: 1 }
    const replaced = (n: number) =>
      run("aborted", before, { type: "credentials.replaced", fingerprint: print(n) })
    assert.strictEqual(replaced(3).state, "unauthenticated.idle")
    assert.deepStrictEqual(
      replaced(3).context,
      context({ abortedFingerprints: [print(1)], refusedFingerprints: [print(1), print(2)] })
    )
    assert.strictEqual(replaced(1).state, "aborted")
    assert.strictEqual(replaced(2).state, "aborted")
  })

  it("credentials.replaced leaves aborted unchanged for the token that faulted", () => {
    const before = { abort: abortOf("faulted") }
    const event: AuthEvent = { type: "credentials.replaced", fingerprint: print(1) }
    assert.strictEqual(run("aborted", before, event).state, "aborted")
  })

  it("attempt.resumed leads from aborted to unauthenticated, unless the credentials were refused", () => {
    for (const reason of ["faulted", "lost", "expired"] as const) {
      const before = {
        abort: abortOf(reason),
        tokenEnd: { fingerprint: print(1), atMillis: 1 },
        lostAttempt: attempt
      }
      const next = run("aborted", before, { type: "attempt.resumed" })
      assert.strictEqual(next.state, "unauthenticated.idle")
      assert.deepStrictEqual(next.context, context({ lostAttempt: attempt }))
    }
    for (const reason of ["refused", "barred"] as const) {
      const next = run("aborted", { abort: abortOf(reason) }, { type: "attempt.resumed" })
      assert.strictEqual(next.state, "aborted")
      assert.deepStrictEqual(next.context.abort, abortOf(reason))
    }
  })

  it("a lock leads from aborted to locked, and leaves authenticated unchanged: the held session goes on", () => {
    assert.strictEqual(run("aborted", { abort: abortOf("faulted") }, { type: "ledger.full" }).state, "locked")
    for (const type of ["ledger.full", "lock.reported"] as const) {
      assert.strictEqual(run("authenticated", { session: session(5) }, { type }).state, "authenticated")
    }
  })

  it("lock.lifted leads from locked to unauthenticated, and leaves aborted unchanged", () => {
    const next = run(
      "locked",
      { abort: abortOf("refused"), refusedFingerprints: [print(1)] },
      { type: "lock.lifted", by: "operator" }
    )
    assert.strictEqual(next.state, "unauthenticated.idle")
    assert.deepStrictEqual(next.context, context({ refusedFingerprints: [print(1)] }))
    assert.strictEqual(
      run("aborted", { abort: abortOf("refused") }, { type: "lock.lifted", by: "operator" }).state,
      "aborted"
    )
  })

  it("lock.lifted leads back to an earlier abort if it does not come from this account's operator", () => {
    const over = { type: "lock.lifted", by: "other" } as const
    assert.strictEqual(run("locked", { abort: abortOf("faulted") }, over).state, "aborted")
    assert.strictEqual(run("locked", {}, over).state, "unauthenticated.idle")
  })

  it("leaves locked only by lock.lifted and by a late acceptance", () => {
    const others: ReadonlyArray<AuthEvent> = [
      { type: "attempt.reserved", attempt: 6, fingerprint: print(2), claim },
      { type: "attempt.refused", ...fails },
      { type: "attempt.lockedOut", ...fails },
      { type: "attempt.faulted", ...fails },
      { type: "attempt.lost", ...fails },
      { type: "attempt.unsent", attempt: 5 },
      { type: "credentials.replaced", fingerprint: print(2) },
      { type: "attempt.resumed" },
      { type: "lock.reported" },
      { type: "ledger.full" }
    ]
    for (const event of others)
      assert.strictEqual(run("locked", { lostAttempt: attempt }, event).state, "locked")
    assert.strictEqual(run("locked", { lostAttempt: attempt }, accepted).state, "authenticated")
  })

  it("accepts a late answer to the last lost attempt, if no newer attempt has begun", () => {
    for (const state of ["aborted", "unauthenticated.idle", "expired.idle", "unauthorized.idle"] as const) {
      const before = { lostAttempt: attempt, abort: abortOf("lost") }
      assert.strictEqual(run(state, before, accepted).state, "authenticated")
      assert.strictEqual(run(state, before, { type: "attempt.faulted", ...fails }).state, "aborted")
      const refused = run(state, before, { type: "attempt.refused", ...fails })
      assert.strictEqual(refused.state, "aborted")
      assert.deepStrictEqual(refused.context.refusedFingerprints, [print(1)])
    }
    const unsent = run(
      "aborted",
      { lostAttempt: attempt, abort: abortOf("lost") },
      { type: "attempt.unsent", attempt: 5 }
    )
    assert.strictEqual(unsent.state, "unauthenticated.idle")
    assert.deepStrictEqual(unsent.context, context())
  })

  it("does not replace a newer session or a newer attempt by a late acceptance", () => {
    const newer = run("authenticated", { session: session(9) }, accepted)
    assert.deepStrictEqual(newer.context.session, session(9))
    assert.deepStrictEqual(newer.asks, [])
    const under = run(
      "unauthenticated.attempting",
      { attempt: { id: 9, fingerprint: print(2), claim } },
      accepted
    )
    assert.strictEqual(under.state, "unauthenticated.attempting")
    assert.deepStrictEqual(under.asks, [])
  })

  it("remembers a refusal in any state, however late it arrives", () => {
    const event: AuthEvent = { type: "attempt.refused", ...fails }
    const places: ReadonlyArray<readonly [StateName, Partial<AuthContext>]> = [
      ["authenticated", { session: session(9) }],
      ["unauthenticated.idle", {}],
      ["unauthenticated.attempting", { attempt: { id: 9, fingerprint: print(2), claim } }],
      ["aborted", { abort: abortOf("faulted") }],
      ["locked", {}]
    ]
    for (const [state, before] of places) {
      const next = run(state, before, event)
      assert.deepStrictEqual(next.context.refusedFingerprints, [print(1)], state)
      assert.strictEqual(next.state, state)
      const again = run(state, { ...before, refusedFingerprints: [print(1)] }, event)
      assert.deepStrictEqual(again.context.refusedFingerprints, [print(1)])
    }
  })

  it("holds no secret in its context, only ids and fingerprints", () => {
    const next = run("unauthenticated.attempting", attempting, accepted)
    assert.notInclude(inspect(next, { depth: 10 }), goodToken)
    const keys = new Set<string>()
    JSON.stringify(next.context, (key, value: unknown) => (keys.add(key), value))
    for (const key of keys) assert.notMatch(key, /token$|key$|secret/i)
  })
})
