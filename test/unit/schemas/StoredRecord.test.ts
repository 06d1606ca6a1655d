import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Either, Equal, FastCheck, Redacted, Schema } from "effect"
import {
  AccountRecord,
  Claim,
  emptyAccountRecord,
  emptyLedgerRecord,
  LedgerRecord
} from "../../../src/schemas/StoredRecord.js"
import { assertShowsNone } from "../../support/leaks.js"

const Account = Schema.parseJson(AccountRecord)
const Ledger = Schema.parseJson(LedgerRecord)
const key = "B9F24903C3BA4770AE303032303541303032353437"
const fingerprint = "ab".repeat(32)
const filled = Schema.decodeUnknownSync(AccountRecord)({
  version: 1,
  state: "authenticated",
  context: {
    session: { generation: 7, fingerprint, obtainedAtMillis: 1, expiresAtMillis: 90_000_001 },
    attempt: null,
    lostAttempt: { id: 3, fingerprint, claim: Claim.make("c1") },
    abort: { reason: "lost", attempt: 3, fingerprint, detail: "…", atMillis: 0 },
    abortedFingerprints: [fingerprint],
    refusedFingerprints: [fingerprint],
    tokenEnd: { fingerprint, atMillis: 5 },
    flaps: 2,
    addressChangedAt: 4,
    sessionsElsewhere: [{ generation: 5, fingerprint, obtainedAtMillis: 1, expiresAtMillis: 90_000_001 }]
  },
  sessionKey: key
})

describe("AccountRecord", () => {
  it("round-trips with its session key, and shows the key only in the encoded document", () => {
    const document = Schema.encodeSync(Account)(filled)
    assert.include(document, key)
    const back = Schema.decodeUnknownSync(Account)(document)
    assert.strictEqual(Redacted.value(back.sessionKey!), key)
    assert.isTrue(Equal.equals(back.sessionKey, filled.sessionKey))
    assert.deepStrictEqual({ ...back, sessionKey: null }, { ...filled, sessionKey: null })
    assertShowsNone(back, key)
  })

  it("has an empty record that round-trips, and is unauthenticated and idle", () => {
    assert.deepStrictEqual(
      Schema.decodeUnknownSync(Account)(Schema.encodeSync(Account)(emptyAccountRecord)),
      emptyAccountRecord
    )
    assert.strictEqual(emptyAccountRecord.state, "unauthenticated.idle")
  })

  it("refuses a record of another version, in an unknown state, or with a malformed field", () => {
    const plain = Schema.encodeSync(AccountRecord)(filled)
    for (const record of [
      { ...plain, version: 2 },
      { ...plain, version: "1" },
      { ...plain, version: undefined },
      { ...plain, state: "attempting" },
      { ...plain, sessionKey: "two words" },
      { ...plain, context: { ...plain.context, flaps: -1 } },
      { ...plain, context: { ...plain.context, refusedFingerprints: ["token"] } }
    ]) {
      assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(AccountRecord)(record)))
    }
  })

  it("round-trips any record", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(AccountRecord), (record) => {
        const document = Schema.encodeSync(Account)(record)
        const back = Schema.decodeUnknownSync(Account)(document)
        assert.strictEqual(Schema.encodeSync(Account)(back), document)
      }),
      { numRuns: 50, seed: 1 }
    )
  })
})

describe("LedgerRecord", () => {
  it("round-trips any ledger", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(LedgerRecord), (record) => {
        assert.deepStrictEqual(Schema.decodeUnknownSync(Ledger)(Schema.encodeSync(Ledger)(record)), record)
      }),
      { numRuns: 50, seed: 1 }
    )
  })

  it("refuses a ledger of another version, with unknown or malformed marks, or without a field", () => {
    const account = "EP9116875"
    for (const ledger of [
      { ...emptyLedgerRecord, version: 2 },
      { ...emptyLedgerRecord, marks: [{ status: "forgiven", attempt: 1, account }] },
      { ...emptyLedgerRecord, marks: [{ status: "inFlight", attempt: 1, account }] },
      { ...emptyLedgerRecord, marks: [{ status: "lost", attempt: -1, account, drainsAtMillis: 1 }] },
      { ...emptyLedgerRecord, marks: undefined },
      { version: 1, marks: [] }
    ]) {
      assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(LedgerRecord)(ledger)))
    }
    assert.isTrue(Either.isRight(Schema.decodeUnknownEither(LedgerRecord)(emptyLedgerRecord)))
  })
})
