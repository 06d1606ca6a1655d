/**
 * The guards of the statechart.
 */
import type { Fingerprint } from "../../schemas/Credentials.js"
import type { AttemptId, AuthContext } from "../../schemas/StoredRecord.js"
import { isRefusal } from "./aborts.js"
import * as addressFlaps from "./addressFlaps.js"
import type { EventOf } from "../AuthEvent.js"
import type { Policy } from "../Policy.js"

interface Args {
  readonly context: AuthContext
}

/** Makes the guards for a policy. */
export const guardsOf = (policy: Policy) => ({
  /** The event belongs to the attempt in progress, or to the last one given up, if no attempt came after it. */
  isAwaited: ({ context }: Args, { attempt }: { readonly attempt: AttemptId }): boolean =>
    (context.attempt ?? context.lostAttempt)?.id === attempt,
  isAwaitedAndMayContinue: ({ context }: Args, { attempt }: { readonly attempt: AttemptId }): boolean =>
    context.attempt?.id === attempt && policy.lostAttempts === "continue",
  /** The event is about the session that is held, and not about an older one. */
  isHeld: ({ context }: Args, { generation }: { readonly generation: AttemptId }): boolean =>
    context.session?.generation === generation,
  /** The refusal is about a session of another process. */
  isElsewhere: ({ context }: Args, params: { readonly generation: AttemptId }): boolean =>
    context.sessionsElsewhere.some(({ generation }) => generation === params.generation),
  isFlapping: ({ context }: Args, { event }: { readonly event: EventOf<"session.unauthorized"> }): boolean =>
    addressFlaps.isFlapping(context, event, policy),
  /**
   * After a refusal, any credentials that were not refused end the abort. After another abort, only credentials that
   * were not aborted before end it: two tokens that take turns while Number is out of order make one attempt each.
   * While addresses flap, no token helps.
   */
  canBeReplaced: ({ context }: Args, { fingerprint }: { readonly fingerprint: Fingerprint }): boolean =>
    context.abort?.reason !== "addressFlapping" &&
    !context.refusedFingerprints.includes(fingerprint) &&
    ((context.abort !== null && isRefusal(context.abort)) ||
      !context.abortedFingerprints.includes(fingerprint)),
  canBeSent: ({ context }: Args, { fingerprint }: { readonly fingerprint: Fingerprint }): boolean =>
    !context.refusedFingerprints.includes(fingerprint),
  /** An abort from before the lock stays, unless an operator of this account confirmed the lift. */
  isStillAborted: ({ context }: Args, { by }: { readonly by: "operator" | "other" }): boolean =>
    by === "other" && context.abort !== null,
  /** An operator cannot resume with refused credentials. */
  canResume: ({ context }: Args): boolean => context.abort !== null && !isRefusal(context.abort)
})
