/**
 * The arithmetic of flapping addresses. A fresh session that is refused with 5050 is a flap: two addresses share the
 * location, and no token helps. Pure.
 */
import type { AttemptId, AuthContext, Session } from "../../schemas/StoredRecord.js"
import type { EventOf } from "../AuthEvent.js"
import type { Policy } from "../Policy.js"

type Refusal = EventOf<"session.unauthorized">

/** The maximum of remembered sessions of other processes. Flaps of older sessions are missed. */
const mostElsewhere = 16

/** The session that is held, and the sessions of other processes. */
const sessionsOf = ({ session, sessionsElsewhere }: AuthContext): ReadonlyArray<Session> =>
  session === null ? sessionsElsewhere : [...sessionsElsewhere, session]

/** The session of a generation, if it is remembered. */
export const sessionOfGeneration = (context: AuthContext, generation: AttemptId): Session | null =>
  sessionsOf(context).find((session) => session.generation === generation) ?? null

/**
 * The flaps after a 5050. If each process has its own session, Number refuses all of them after one address change.
 * That change counts once. A later 5050 counts again only if its session was obtained after the change.
 */
const flapsAfter = (context: AuthContext, { generation, nowMillis }: Refusal, policy: Policy): number => {
  const refused = sessionOfGeneration(context, generation)
  if (refused === null || generation <= context.addressChangedAt) return context.flaps
  const isFresh = (session: Session): boolean =>
    nowMillis - session.obtainedAtMillis < policy.flapWindowMillis
  if (!isFresh(refused)) return 0
  // A session that has served for a long time since the last change proves that the earlier flaps were over.
  const hasServed = sessionsOf(context).some(
    (session) => session.generation > context.addressChangedAt && !isFresh(session)
  )
  return hasServed ? 1 : context.flaps + 1
}

/** Whether a 5050 raises the flaps to the policy's limit. */
export const isFlapping = (context: AuthContext, refusal: Refusal, policy: Policy): boolean => {
  const flaps = flapsAfter(context, refusal, policy)
  return flaps > context.flaps && flaps >= policy.flapLimit
}

/** The context's fields after a 5050. */
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

/** The sessions of other processes and the held one, less those that had expired when it was obtained. */
export const withHeldElsewhere = (context: AuthContext): ReadonlyArray<Session> =>
  sessionsOf(context)
    .filter(({ expiresAtMillis }) => expiresAtMillis > context.session!.obtainedAtMillis)
    .slice(-mostElsewhere)
