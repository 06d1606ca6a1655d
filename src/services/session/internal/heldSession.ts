/**
 * The session that this process holds. The hot path reads only this.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { RefusalCode } from "../../../schemas/Answers.js"
import type { SessionKey } from "../../../schemas/Credentials.js"
import type { AttemptId } from "../../../schemas/StoredRecord.js"
import * as NumberMetrics from "../NumberMetrics.js"
import type { Settings } from "./settings.js"

/** A session key, for as long as it serves. */
export interface HeldSession {
  readonly key: SessionKey
  readonly generation: AttemptId
  /** By this host's clock, which need not be the store's. */
  readonly endsAtMillis: number
}

/** Number refused the session key of that generation. */
export interface Refusal {
  readonly generation: AttemptId
  readonly code: RefusalCode
}

/** The owner of the session that is held. */
export interface SessionHolder {
  /** The session, if it has not ended and its generation is greater than `newerThan`; else null. */
  readonly current: (nowMillis: number, newerThan: number) => HeldSession | null
  /** Holds a session that ends in `leftMillis` milliseconds, unless a newer one is held. Returns the given session. */
  readonly hold: (key: SessionKey, generation: AttemptId, leftMillis: number) => Effect.Effect<HeldSession>
  /** Drops the session that Number refused, if it is the one that is held. */
  readonly refuse: (refusal: Refusal, nowMillis: number) => void
}

/** The session that was held before Number refused it or its time was over. */
interface Ended {
  readonly generation: AttemptId
  readonly reason: NumberMetrics.RenewalReason
  readonly ageMillis: number
}

/** Makes the owner of the held session; at first it holds none. A renewal is counted once, with its reason. */
export const makeSessionHolder = ({
  location,
  policy
}: Pick<Settings, "location" | "policy">): SessionHolder => {
  let held: HeldSession | null = null
  let ended: Ended | null = null

  const endOf = (
    { endsAtMillis, generation }: HeldSession,
    reason: Ended["reason"],
    nowMillis: number
  ): Ended => ({
    generation,
    reason,
    ageMillis: nowMillis - (endsAtMillis - policy.sessionLifetimeMillis)
  })

  return {
    current: (nowMillis, newerThan) =>
      held !== null && held.generation > newerThan && nowMillis < held.endsAtMillis ? held : null,

    hold: (key, generation, leftMillis) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
        const session = { key, generation, endsAtMillis: nowMillis + leftMillis }
        const isNewer =
          held === null ||
          held.generation <= generation ||
          // A store that was restored from a backup gives lower numbers to later sessions.
          held.endsAtMillis <= session.endsAtMillis
        if (!isNewer) return Effect.succeed(session)
        const before =
          held !== null && nowMillis >= held.endsAtMillis ? endOf(held, "expired", nowMillis) : ended
        held = session
        if (before === null || before.generation === generation) return Effect.succeed(session)
        ended = null
        return Effect.as(NumberMetrics.sessionRenewed(location, before), session)
      }),

    refuse: ({ code, generation }, nowMillis) => {
      if (held?.generation !== generation) return
      ended = endOf(held, `${code}`, nowMillis)
      held = null
    }
  }
}
