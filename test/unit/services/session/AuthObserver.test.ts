import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Redacted, Schema } from "effect"
import type { AuthEvent } from "../../../../src/machine/AuthMachine.js"
import type { AccountCode, Location } from "../../../../src/schemas/Credentials.js"
import {
  type Abort,
  type Claim,
  emptyAccountRecord,
  emptyLedgerRecord
} from "../../../../src/schemas/StoredRecord.js"
import { TransitionRecord } from "../../../../src/schemas/TransitionRecord.js"
import * as AuthObserver from "../../../../src/services/session/AuthObserver.js"
import { makeNotice } from "../../../../src/services/session/AuthNotifier.js"
import * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import * as NumberAuthTest from "../../../../src/testing/NumberAuthTest.js"
import { SessionRefused } from "../../../../src/services/session/SessionRefusal.js"
import { AttemptOutcome } from "../../../../src/schemas/AttemptOutcome.js"
import { inFlight, one, print, settled, two } from "../../../support/core.js"

const summaryOf = (record: TransitionRecord) => ({
  from: record.from,
  to: record.to,
  events: record.events.map(({ type }) => type),
  marks: record.marks.map(({ status }) => status)
})

const recorder = () => {
  const records: Array<TransitionRecord> = []
  return { records, layer: AuthObserver.layer((record) => void records.push(record)) }
}

const refused = AttemptOutcome.refused({ detail: "Unauthorized" })

describe("AuthObserver", () => {
  it.effect("receives each change once it is stored, in order, and nothing else", () =>
    Effect.gen(function* () {
      const { layer, records } = recorder()
      yield* Effect.gen(function* () {
        const auth = yield* NumberAuth.NumberAuth
        yield* auth.sessionKey
        yield* auth.sessionKey
        yield* Effect.exit(auth.withSession(() => Effect.fail(new SessionRefused({ code: 5030 }))))
        yield* auth.status
        // A transaction that stores nothing.
        yield* Effect.flip(auth.resume)
      }).pipe(Effect.provide(Layer.provide(NumberAuthTest.layer({ state: "unauthenticated" }), layer)))
      assert.lengthOf(records, 4)
      assert.deepStrictEqual(records.slice(0, 2).map(summaryOf), [
        {
          from: "unauthenticated.idle",
          to: "unauthenticated.attempting",
          events: ["attempt.reserved"],
          marks: ["inFlight"]
        },
        { from: "unauthenticated.attempting", to: "authenticated", events: ["attempt.accepted"], marks: [] }
      ])
      // Two events of one transaction.
      assert.deepStrictEqual(summaryOf(records[2]!), {
        from: "authenticated",
        to: "expired.attempting",
        events: ["session.expired", "attempt.reserved"],
        marks: ["inFlight"]
      })
      assert.isTrue(
        records.every((record, index) => index === 0 || record.sequence > records[index - 1]!.sequence)
      )
      assert.deepStrictEqual(records[0]!.events[0], {
        type: "attempt.reserved",
        attempt: records[0]!.sequence
      })
      assert.strictEqual(records[0]!.attempt, records[0]!.sequence)
      assert.strictEqual(records[1]!.session?.generation, records[0]!.sequence)
    })
  )

  it.effect("receives an abort with its reason, its mark and its notices", () =>
    Effect.gen(function* () {
      const { layer, records } = recorder()
      yield* Effect.gen(function* () {
        const auth = yield* NumberAuth.NumberAuth
        yield* Effect.flip(auth.sessionKey)
      }).pipe(
        Effect.provide(
          Layer.provide(NumberAuthTest.layer({ state: "unauthenticated", outcomes: [refused] }), layer)
        )
      )
      const last = records.at(-1)!
      assert.deepInclude(summaryOf(last), { to: "aborted", events: ["attempt.refused"], marks: ["settled"] })
      assert.deepInclude(last.abort, { reason: "refused", detail: "Unauthorized" })
      assert.strictEqual(last.events[0]?.detail, "Unauthorized")
      assert.deepStrictEqual(
        last.notices.map(({ kind }) => kind),
        ["aborted"]
      )
      assert.include(last.notices[0]!.message, "EP0000001")
    })
  )

  it("receives only the marks that count for the location or are the account's own", () => {
    const [own, other] = ["EP0000001", "EP0000002"] as ReadonlyArray<string> as ReadonlyArray<AccountCode>
    const mark = (attempt: number, account: AccountCode, clearedForLocation: boolean) =>
      ({ status: "settled", reason: "refused", attempt, account, settledAt: 9, clearedForLocation }) as const
    const marks = [mark(1, own!, true), mark(2, other!, true), mark(3, own!, false), mark(4, other!, false)]
    const record = AuthObserver.makeRecord({
      key: { location: "shop" as Location, account: own! },
      moment: { sequence: 10, nowMillis: 0 },
      limit: 5,
      from: "aborted",
      after: {
        ledger: { version: 1, marks, lockReportedAt: null },
        state: "aborted",
        context: emptyAccountRecord.context
      },
      events: [],
      notices: []
    })
    assert.deepStrictEqual(
      record.marks.map(({ attempt }) => attempt),
      [1, 3, 4]
    )
  })

  it.effect("cannot disturb: its error is dropped, and the other observers still receive the record", () =>
    Effect.gen(function* () {
      const { layer, records } = recorder()
      const throwing = AuthObserver.layer(() => {
        throw new Error("an observer that is broken")
      })
      const key = yield* Effect.flatMap(NumberAuth.NumberAuth, (auth) => auth.sessionKey).pipe(
        Effect.provide(
          NumberAuthTest.layer({ state: "unauthenticated" }).pipe(
            Layer.provide(layer),
            Layer.provide(throwing)
          )
        )
      )
      assert.strictEqual(Redacted.value(key), "TEST-SESSION-KEY")
      assert.strictEqual(records.length, 2)
    })
  )

  it.effect("receives records that can be encoded and decoded, without key, fingerprint and claim", () =>
    Effect.gen(function* () {
      const { layer, records } = recorder()
      yield* Effect.flatMap(NumberAuth.NumberAuth, (auth) =>
        Effect.zipRight(auth.sessionKey, auth.status)
      ).pipe(Effect.provide(Layer.provide(NumberAuthTest.layer({ sessionKey: "CANARY-KEY" }), layer)))
      const codec = Schema.parseJson(TransitionRecord)
      for (const record of records) {
        const text = Schema.encodeSync(codec)(record)
        assert.deepStrictEqual(Schema.decodeUnknownEither(codec)(text), Either.right(record))
        assert.notMatch(text, /CANARY|fingerprint|claim|[0-9a-f]{24}/i)
      }
      assert.isAbove(records.length, 0)
    })
  )

  it.effect("receives each record once, after earlier observers; by default there is no observer", () =>
    Effect.gen(function* () {
      assert.isNull(yield* AuthObserver.AuthObserver)
      assert.strictEqual(AuthObserver.AuthObserver.key, "effect-number-auth/AuthObserver")
      const seen: Array<string> = []
      const named = (name: string) => AuthObserver.layer(({ to }) => void seen.push(`${name} ${to}`))
      yield* Effect.flatMap(NumberAuth.NumberAuth, (auth) => auth.sessionKey).pipe(
        Effect.provide(
          NumberAuthTest.layer({ state: "unauthenticated" }).pipe(
            Layer.provide(named("second")),
            Layer.provide(named("first"))
          )
        )
      )
      assert.deepStrictEqual(seen, [
        "first unauthenticated.attempting",
        "second unauthenticated.attempting",
        "first authenticated",
        "second authenticated"
      ])
    })
  )
})

describe("the record of a transaction", () => {
  const standing = { account: one, location: "shop" as Location, failures: 2, limit: 4 }
  const abort: Abort = {
    reason: "refused",
    attempt: 5,
    fingerprint: print(1),
    detail: "it said so",
    atMillis: 70
  }
  const transition: AuthObserver.Transition = {
    key: { location: standing.location, account: standing.account },
    moment: { sequence: 8, nowMillis: 80 },
    limit: 4,
    from: "unauthenticated.idle",
    after: { state: "aborted", ledger: emptyLedgerRecord, context: emptyAccountRecord.context },
    events: [],
    notices: []
  }

  it("has the place, the time and both states, and is empty otherwise", () => {
    assert.deepStrictEqual(AuthObserver.makeRecord(transition), {
      version: 1,
      location: standing.location,
      account: one,
      sequence: 8,
      atMillis: 80,
      from: "unauthenticated.idle",
      to: "aborted",
      events: [],
      limit: 4,
      marks: [],
      lockReported: false,
      attempt: null,
      session: null,
      abort: null,
      tokenEndsAtMillis: null,
      notices: []
    })
  })

  it("has the attempt, session, abort and token end that are known, and no fingerprint and no claim", () => {
    const marks = [inFlight(7), settled(3, 4, two), settled(2, 4, one, { clearedForLocation: true })]
    const record = AuthObserver.makeRecord({
      ...transition,
      after: {
        state: "expired.attempting",
        ledger: { version: 1, marks, lockReportedAt: 6 },
        context: {
          ...emptyAccountRecord.context,
          attempt: { id: 7, fingerprint: print(1), claim: "c1" as Claim },
          session: { generation: 2, fingerprint: print(1), obtainedAtMillis: 20, expiresAtMillis: 90 },
          abort,
          tokenEnd: { fingerprint: print(1), atMillis: 99 }
        }
      },
      notices: [
        makeNotice({ kind: "locked", reported: true }, standing),
        makeNotice({ kind: "aborted", abort }, standing)
      ]
    })
    assert.deepInclude(record, {
      marks,
      lockReported: true,
      attempt: 7,
      session: { generation: 2, obtainedAtMillis: 20, expiresAtMillis: 90 },
      abort: { reason: "refused", attempt: 5, detail: "it said so", atMillis: 70 },
      tokenEndsAtMillis: 99
    })
    assert.deepStrictEqual(record.notices, [
      { kind: "locked", message: makeNotice({ kind: "locked", reported: true }, standing).message },
      { kind: "aborted", message: makeNotice({ kind: "aborted", abort }, standing).message }
    ])
  })

  it("has the type of each event, its attempt or session and its detail, and nothing else", () => {
    const own = { fingerprint: print(1), nowMillis: 60 }
    const events: ReadonlyArray<readonly [AuthEvent, object]> = [
      [
        { type: "attempt.reserved", attempt: 7, fingerprint: print(1), claim: "c1" as Claim },
        { type: "attempt.reserved", attempt: 7 }
      ],
      [
        { type: "attempt.refused", attempt: 7, detail: "no", ...own },
        { type: "attempt.refused", attempt: 7, detail: "no" }
      ],
      [
        { type: "session.unauthorized", generation: 2, nowMillis: 60 },
        { type: "session.unauthorized", generation: 2 }
      ],
      [
        { type: "credentials.barred", reason: "expired", detail: "over", ...own },
        { type: "credentials.barred", detail: "over" }
      ],
      [{ type: "lock.lifted", by: "operator" }, { type: "lock.lifted" }]
    ]
    assert.deepStrictEqual(
      AuthObserver.makeRecord({ ...transition, events: events.map(([event]) => event) }).events,
      events.map(([, shown]) => shown) as never
    )
  })
})
