/**
 * The part of `NumberAuth` for people: the status, new credentials, another attempt, the end of a lock.
 */
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Message, Step } from "../../../machine/AuthCore.js"
import { decodeToken, type Fingerprint, type Token } from "../../../schemas/Credentials.js"
import type { InvalidInput } from "../../../schemas/InvalidInput.js"
import { AuthRejected } from "../AuthError.js"
import type { AuthStoreError } from "../../store/AuthStore.js"
import type { CredentialError, CredentialProvider } from "../CredentialProvider.js"
import { withOwnSpan } from "../../common/redactedSpans.js"
import type { AccountLedger } from "./accountLedger.js"
import type { Notices } from "./notices.js"
import type { Settings } from "./settings.js"
import { type AuthStatus, statusOf } from "./status.js"

/** The part of `NumberAuth` that is for people. */
export interface Operator {
  /** The status in the store. Reads it without writing. */
  readonly status: Effect.Effect<AuthStatus, AuthStoreError>
  /**
   * The status now, and again whenever a transaction of any process has changed it. Emits nothing while the store is
   * unavailable, and nothing for changes by time alone (the end of a session, a lease or a drain).
   */
  readonly changes: Stream.Stream<AuthStatus>
  /** Takes a new token. A token that Number refused before is rejected. The location's count stays as it is. */
  readonly replaceCredentials: (
    token: string
  ) => Effect.Effect<void, InvalidInput | AuthRejected | AuthStoreError | CredentialError>
  /**
   * An operator's decision to allow one more attempt after an abort. It is rejected if Number refused the credentials,
   * and if the account is not aborted.
   */
  readonly resume: Effect.Effect<void, AuthRejected | AuthStoreError>
  /**
   * An operator's confirmation that Number's support has lifted the lock and set the count of the IP to zero, no
   * sooner than `drainTime` after the last attempt, and that no attempt was made since. If this is not true, the next
   * attempts can lock the location.
   */
  readonly confirmLockLifted: Effect.Effect<AuthStatus, AuthRejected | AuthStoreError>
}

/** Makes the part of `NumberAuth` for people, over the ledger of the account. */
export const makeOperator = (given: {
  readonly settings: Settings
  readonly ledger: AccountLedger
  readonly notices: Notices
  readonly provider: CredentialProvider["Type"]
  readonly fingerprintOf: (token: Token) => Effect.Effect<Fingerprint>
  readonly scope: Scope.Scope
}): Operator => {
  const { fingerprintOf, ledger, notices, provider, scope, settings } = given

  const status = Effect.map(ledger.foresee([{ type: "observe" }]), (step) => statusOf(settings, step))

  const rejected = ({ decision, ledger: record }: Step): Effect.Effect<void, AuthRejected> =>
    decision._tag === "rejected"
      ? Effect.fail(new AuthRejected({ standing: ledger.standing(record), why: decision.why }))
      : Effect.void

  const carryOut = (message: Message): Effect.Effect<void, AuthRejected | AuthStoreError> =>
    // An interruption after the transaction does not keep its notices back.
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const step = yield* restore(ledger.transact([message]))
        yield* Effect.forkIn(notices.notify, scope)
        yield* rejected(step)
      })
    )

  return {
    status,
    changes: ledger.changes.pipe(
      // Retry if the store becomes unavailable in between: no change may be missed.
      Stream.mapEffect(() => Effect.retry(status, Schedule.spaced("1 second"))),
      Stream.catchAll(() => Stream.empty),
      Stream.changesWith((one, other) => JSON.stringify(one) === JSON.stringify(other))
    ),
    replaceCredentials: Effect.fnUntraced(
      function* (text: string) {
        const token = yield* decodeToken(text)
        const message = { type: "replaceCredentials", fingerprint: yield* fingerprintOf(token) } as const
        // Check before the provider keeps the token: a token that is never sent must not replace one that is.
        yield* rejected(yield* ledger.foresee([message]))
        yield* provider.put(settings.account, token)
        yield* carryOut(message)
      },
      withOwnSpan("NumberAuth.replaceCredentials", {}, constTrue)
    ),
    resume: Effect.withSpan(carryOut({ type: "resume" }), "NumberAuth.resume"),
    confirmLockLifted: carryOut({ type: "confirmLockLifted" }).pipe(
      Effect.zipRight(status),
      Effect.withSpan("NumberAuth.confirmLockLifted")
    )
  }
}
