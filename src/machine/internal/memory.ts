/**
 * The changes of the statechart's context, each an action with a name.
 */
import { assign, type NonReducibleUnknown } from "xstate"
import type { Fingerprint } from "../../schemas/Credentials.js"
import type { Abort, AttemptId, AuthContext, Claim, Session } from "../../schemas/StoredRecord.js"
import { including } from "./aborts.js"
import * as addressFlaps from "./addressFlaps.js"
import type { AuthEvent, EventOf } from "../AuthEvent.js"
import type { Policy } from "../Policy.js"

const change = <Params extends NonReducibleUnknown | undefined = undefined>(
  changeOf: (context: AuthContext, params: Params) => Partial<AuthContext>
) =>
  assign<AuthContext, AuthEvent, Params, AuthEvent, never>(({ context }, params) => changeOf(context, params))

const sessionOf = (event: EventOf<"attempt.accepted">, policy: Policy): Session => ({
  generation: event.attempt,
  fingerprint: event.fingerprint,
  obtainedAtMillis: event.nowMillis,
  expiresAtMillis: event.nowMillis + policy.sessionLifetimeMillis
})

/** Makes the actions that change the context, for a policy. */
export const memoryOf = (policy: Policy) => ({
  beginAttempt: change(
    (_, { attempt, claim, fingerprint }: { attempt: AttemptId; fingerprint: Fingerprint; claim: Claim }) => ({
      attempt: { id: attempt, fingerprint, claim },
      lostAttempt: null
    })
  ),
  endAttempt: change(() => ({ attempt: null, lostAttempt: null })),
  giveUpAttempt: change(({ attempt }) => ({ attempt: null, lostAttempt: attempt })),
  rememberSession: change((_, event: EventOf<"attempt.accepted">) => ({
    session: sessionOf(event, policy),
    abort: null,
    abortedFingerprints: [],
    tokenEnd:
      event.tokenEndsAtMillis === null
        ? null
        : { fingerprint: event.fingerprint, atMillis: event.tokenEndsAtMillis }
  })),
  forgetSession: change(() => ({ session: null })),
  rememberAbort: change(({ abortedFingerprints }, { abort }: { readonly abort: Abort }) => ({
    abort,
    abortedFingerprints: including(abortedFingerprints, abort.fingerprint)
  })),
  /** Other credentials came. The list of aborted credentials stays: `canBeReplaced` reads it at the next abort. */
  leaveAbort: change(() => ({ abort: null, flaps: 0 })),
  forgetAborts: change(() => ({ abort: null, abortedFingerprints: [], flaps: 0 })),
  /** The attempt's end is known now, and it was no failure of the credentials. */
  forgetAbortOf: change(({ abort }, { attempt }: { readonly attempt: AttemptId }) =>
    abort?.attempt === attempt ? { abort: null } : {}
  ),
  forgetTokenEnd: change(() => ({ tokenEnd: null })),
  rememberRefusal: change(
    ({ refusedFingerprints }, { fingerprint }: { readonly fingerprint: Fingerprint }) => ({
      refusedFingerprints: including(refusedFingerprints, fingerprint)
    })
  ),
  countFlap: change((context, { event }: { readonly event: EventOf<"session.unauthorized"> }) =>
    addressFlaps.afterRefusal(context, event, policy)
  ),
  leaveElsewhere: change((context) => ({ sessionsElsewhere: addressFlaps.withHeldElsewhere(context) })),
  forgetFlaps: change(() => ({ flaps: 0 }))
})
