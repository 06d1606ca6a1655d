/**
 * The arithmetic of flapping addresses. A fresh session that is refused with 5050 is a flap: two addresses share the
 * location, and no token helps. Pure.
 */
import type { AttemptId, AuthContext, Session } from "../../schemas/StoredRecord.js"
import type { EventOf } from "../AuthEvent.js"
import type { Policy } from "../Policy.js"

type Refusal = EventOf<"session.unauthorized">

/** The most sessions of other processes that are remembered. The flaps of any more are not seen. */
const mostElsewhere = 16

/** The session that is held, and the sessions whose keys other processes have. */
const sessionsOf = ({ session, sessionsElsewhere }: AuthContext): ReadonlyArray<Session> =>
  session === null ? sessionsElsewhere : [...sessionsElsewhere, session]

/** The session of a generation, if it is remembered. */
export const sessionOfGeneration = (context: AuthContext, generation: AttemptId): Session | null =>
  sessionsOf(context).find((session) => session.generation === generation) ?? null

/**
 * The flaps after a 5050. Where each process has a session of its own, one change of the address has all of them refused:
 * it counts once, and again only for a session that was obtained after it.
 */
const flapsAfter = (context: AuthContext, { generation, nowMillis }: Refusal, policy: Policy): number => {
  const refused = sessionOfGeneration(context, generation)
  if (refused === null || generation <= context.addressChangedAt) return context.flaps
  const isFresh = (session: Session): boolean => nowMillis - session.obtainedAtMillis < policy.flapWindowMillis
  if (!isFresh(refused)) return 0
  // A session that has served for long since the last change shows that the earlier flaps had ended before this one.
  const hasServed = sessionsOf(context).some(
    (session) => session.generation > context.addressChangedAt && !isFresh(session)
  )
  return hasServed ? 1 : context.flaps + 1
}

/** Whether a 5050 brings the flaps to the limit of the policy. */
export const isFlapping = (context: AuthContext, refusal: Refusal, policy: Policy): boolean => {
  const flaps = flapsAfter(context, refusal, policy)
  return flaps > context.flaps && flaps >= policy.flapLimit
}

/** What the context keeps of a 5050. */
export const afterRefusal = (
  context: AuthContext,
  refusal: Refusal,
  policy: Policy
): Pick<AuthContext, "flaps" | "addressChangedAt" | "sessionsElsewhere"> => ({
  flaps: flapsAfter(context, refusal, policy),
  addressChangedAt:
    refusal.generation <= context.addressChangedAt
      ? context.addressChangedAt
      : Math.max(context.attempt?.id ?? 0, ...sessionsOf(context).map(({ generation }) => generation)),
  sessionsElsewhere: context.sessionsElsewhere.filter(({ generation }) => generation !== refusal.generation)
})

/** The sessions of other processes, once the session that is held becomes one of them. */
export const withHeldElsewhere = (context: AuthContext): ReadonlyArray<Session> =>
  sessionsOf(context)
    .filter(({ expiresAtMillis }) => expiresAtMillis > context.session!.obtainedAtMillis)
    .slice(-mostElsewhere)
