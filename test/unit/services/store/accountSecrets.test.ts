/**
 * How a store keeps session keys: sealed in the record, or in memory if there is no store key.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { SessionKey } from "../../../../src/schemas/Credentials.js"
import {
  type AccountRecord,
  emptyAccountRecord,
  type Sealed,
  type SealedAccountRecord
} from "../../../../src/schemas/StoredRecord.js"
import {
  type AccountSecrets,
  inMemory,
  Pending,
  sealed,
  type Vault
} from "../../../../src/services/store/sql/accountSecrets.js"
import { type NotOpened, seal } from "../../../../src/services/store/sql/sealing.js"
import { idOf, key as owner, other, ring } from "../../../support/secrets.js"
import { authenticated, sessionKey as keyText } from "../../../support/stored.js"

type AuthContext = AccountRecord["context"]

const keyOf = (text: string) => Redacted.make(text) as SessionKey
const otherKeyText = "0F8E7D6C5B4A3928171706F5E4D3C2B1A0303032303541"

const contextOf = (generation: number, more: Partial<AuthContext> = {}): AuthContext => ({
  ...authenticated.context,
  session: { ...authenticated.context.session!, generation },
  ...more
})

const recordOf = (generation: number, text: string | null): AccountRecord => ({
  ...authenticated,
  context: contextOf(generation),
  sessionKey: text === null ? null : keyOf(text)
})

const storedOf = (generation: number, box: Sealed | null): SealedAccountRecord => ({
  version: 2,
  state: "authenticated",
  context: contextOf(generation),
  sessionKey: box
})

/** Runs a transaction as a store does, and counts its runs. */
const attend = <A>(
  secrets: AccountSecrets,
  use: (vault: Vault) => Effect.Effect<A, NotOpened | Pending>,
  account = owner
) =>
  Effect.suspend(() => {
    let runs = 0
    return secrets
      .runSealed(account, (vault) => {
        runs += 1
        return Effect.catchIf(
          use(vault),
          (error) => error instanceof Pending,
          (pending) => Effect.succeed(pending)
        )
      })
      .pipe(Effect.map((result) => ({ result, runs })))
  })

const close = (secrets: AccountSecrets, record: AccountRecord, account = owner) =>
  Effect.map(
    attend(secrets, (vault) => vault.close(record), account),
    ({ result, runs }) => ({ box: result.sessionKey!, runs, record: result })
  )

/** The plain text of the key that a record holds. */
const open = (secrets: AccountSecrets, stored: SealedAccountRecord, account = owner) =>
  Effect.map(
    attend(secrets, (vault) => vault.open(stored), account),
    ({ result, runs }): { readonly text: string | null; readonly runs: number } => ({
      text: result.sessionKey === null ? null : Redacted.value(result.sessionKey),
      runs
    })
  )

const refused = (secrets: AccountSecrets, stored: SealedAccountRecord) =>
  Effect.map(Effect.flip(open(secrets, stored)), ({ keyId, why }) => ({ why, keyId }))

describe("sealed session keys", () => {
  it.effect("open in another process, and each key is sealed and opened only once", () =>
    Effect.gen(function* () {
      const secrets = sealed(ring(1))
      const first = yield* close(secrets, recordOf(1, keyText))
      assert.strictEqual(first.runs, 2)
      assert.strictEqual(first.box.keyId, idOf(1))
      assert.deepStrictEqual(first.record, { ...storedOf(1, first.box), state: authenticated.state })
      assert.notInclude(JSON.stringify(first.record), keyText)
      assert.deepInclude(yield* close(secrets, recordOf(1, keyText)), { box: first.box, runs: 1 })
      assert.deepStrictEqual(yield* open(secrets, storedOf(1, first.box)), { text: keyText, runs: 1 })

      const another = sealed(ring(2, 1))
      assert.deepStrictEqual(yield* open(another, storedOf(1, first.box)), { text: keyText, runs: 2 })
      assert.deepStrictEqual(yield* open(another, storedOf(1, first.box)), { text: keyText, runs: 1 })
      // From now on it is sealed under the newest key.
      const sealedAnew = yield* close(another, recordOf(1, keyText))
      assert.deepInclude(sealedAnew, { runs: 2 })
      assert.strictEqual(sealedAnew.box.keyId, idOf(2))
    })
  )

  it.effect(
    "do not open if they are changed or in the record of another session or account, even with the store key",
    () =>
      Effect.gen(function* () {
        const secrets = sealed(ring(1))
        const { box } = yield* close(secrets, recordOf(1, keyText))
        const broken = { why: "broken", keyId: idOf(1) }
        assert.deepStrictEqual(yield* refused(secrets, storedOf(2, box)), broken)
        const elsewhere = yield* Effect.flip(open(secrets, storedOf(1, box), other))
        assert.strictEqual(elsewhere.why, "broken")
        const fresh = yield* close(sealed(ring(1)), recordOf(1, otherKeyText))
        assert.deepStrictEqual(
          yield* refused(secrets, storedOf(1, { ...box, nonce: fresh.box.nonce })),
          broken
        )
        assert.deepStrictEqual(yield* refused(secrets, storedOf(1, { ...box, box: fresh.box.box })), broken)
        assert.deepStrictEqual(yield* refused(secrets, storedOf(1, { ...box, keyId: idOf(2) })), {
          why: "unknownKey",
          keyId: idOf(2)
        })
        // The first key is still known, and another key of the same session opens to itself.
        assert.deepStrictEqual(yield* open(secrets, storedOf(1, box)), { text: keyText, runs: 1 })
        assert.strictEqual((yield* open(secrets, storedOf(1, fresh.box))).text, otherKeyText)
      })
  )

  it.effect("are sealed anew for another key or another session", () =>
    Effect.gen(function* () {
      const secrets = sealed(ring(1))
      yield* close(secrets, recordOf(1, keyText))
      const newer = yield* close(secrets, recordOf(1, otherKeyText))
      assert.strictEqual((yield* open(sealed(ring(1)), storedOf(1, newer.box))).text, otherKeyText)
      const renewed = yield* close(secrets, recordOf(2, otherKeyText))
      assert.strictEqual((yield* open(sealed(ring(1)), storedOf(2, renewed.box))).text, otherKeyText)
    })
  )

  it.effect("belong to a session: without one, no key is sealed or opened", () =>
    Effect.gen(function* () {
      const secrets = sealed(ring(1))
      const { box } = yield* close(secrets, recordOf(1, keyText))
      for (const record of [
        recordOf(1, null),
        { ...recordOf(1, keyText), context: emptyAccountRecord.context }
      ]) {
        const closed = yield* close(secrets, record)
        assert.isNull(closed.box)
        assert.strictEqual(closed.runs, 1)
        assert.deepStrictEqual(closed.record.context, record.context)
      }
      const none: SealedAccountRecord = { ...storedOf(1, box), context: emptyAccountRecord.context }
      assert.deepStrictEqual(yield* refused(secrets, none), { why: "broken", keyId: idOf(1) })
    })
  )

  it.effect("are broken if the sealed text is not a session key", () =>
    Effect.gen(function* () {
      const identity = { ...owner, what: "sessionKey", generation: 1 } as const
      const box = yield* seal(ring(1), identity, Redacted.make("no key\n"))
      assert.deepStrictEqual(yield* refused(sealed(ring(1)), storedOf(1, box)), {
        why: "broken",
        keyId: idOf(1)
      })
    })
  )

  it.effect("are forgotten with the session, but not while they are about to be stored", () =>
    Effect.gen(function* () {
      const secrets = sealed(ring(1))
      /** A transaction that stores the first session of an account. */
      const begin = attend(secrets, (vault) =>
        Effect.zipRight(vault.open(storedOf(1, null)), vault.close(recordOf(1, keyText)))
      )
      const { result, runs } = yield* begin
      assert.strictEqual(runs, 2)
      assert.deepStrictEqual(yield* open(secrets, storedOf(1, result.sessionKey)), { text: keyText, runs: 1 })
      assert.deepStrictEqual(yield* open(secrets, storedOf(1, null)), { text: null, runs: 1 })
      assert.deepStrictEqual(yield* open(secrets, storedOf(1, result.sessionKey)), { text: keyText, runs: 2 })
    })
  )
})

describe("session keys that are kept in memory", () => {
  it.effect("are there for the session of this process, and for no other", () =>
    Effect.gen(function* () {
      const secrets = inMemory()
      const { box, runs } = yield* close(secrets, recordOf(1, keyText))
      assert.isNull(box)
      assert.strictEqual(runs, 1)
      assert.strictEqual((yield* open(secrets, storedOf(1, null))).text, keyText)
      assert.isNull((yield* open(secrets, storedOf(1, null), other)).text)
      assert.isNull((yield* open(inMemory(), storedOf(1, null))).text)
      // A store that went back to an older state gives out a generation again.
      const again = contextOf(1)
      const later = { ...again, session: { ...again.session!, obtainedAtMillis: 1 } }
      assert.isNull((yield* open(secrets, { ...storedOf(1, null), context: later })).text)
      assert.isNull(
        (yield* open(secrets, { ...storedOf(1, null), context: emptyAccountRecord.context })).text
      )
    })
  )

  it.effect("are forgotten when the session has ended, and not while an attempt may store it", () =>
    Effect.gen(function* () {
      const attempt = { id: 1 } as NonNullable<AuthContext["attempt"]>
      for (const [context, text] of [
        [{ ...emptyAccountRecord.context, attempt }, keyText],
        [{ ...emptyAccountRecord.context, lostAttempt: attempt }, keyText],
        [contextOf(1), keyText],
        [contextOf(2), null],
        [emptyAccountRecord.context, null]
      ] as ReadonlyArray<readonly [AuthContext, string | null]>) {
        const secrets = inMemory()
        yield* close(secrets, recordOf(1, keyText))
        yield* open(secrets, { ...storedOf(1, null), context })
        assert.strictEqual((yield* open(secrets, storedOf(1, null))).text, text)
      }
    })
  )

  it.effect("stay if a record without a key is written", () =>
    Effect.gen(function* () {
      const secrets = inMemory()
      yield* close(secrets, recordOf(1, keyText))
      yield* close(secrets, recordOf(1, null))
      yield* close(secrets, { ...recordOf(1, otherKeyText), context: emptyAccountRecord.context })
      assert.strictEqual((yield* open(secrets, storedOf(1, null))).text, keyText)
    })
  )

  it.effect("do not open a sealed record: that needs its store key", () =>
    Effect.gen(function* () {
      const { box } = yield* close(sealed(ring(1)), recordOf(1, keyText))
      assert.deepStrictEqual(yield* refused(inMemory(), storedOf(1, box)), {
        why: "unknownKey",
        keyId: idOf(1)
      })
    })
  )
})
