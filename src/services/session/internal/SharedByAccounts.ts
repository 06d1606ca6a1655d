/**
 * What the accounts of one process have in common. An account that is alone has nothing to share.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { type AuthCore, makeAuthCore } from "../../../machine/AuthCore.js"
import type { Policy } from "../../../machine/Policy.js"
import type { AuthNotice } from "../AuthNotifier.js"
import { noTurns, type Turns } from "../../common/turns.js"

const cores = new Map<string, AuthCore>()
/** A program has one policy or a few. */
const mostCores = 16

/** One core for each policy: it keeps no state, and to build one takes longer than the rest of a start. */
const coreOf = (policy: Policy): AuthCore => {
  const name = JSON.stringify(policy)
  const core = cores.get(name) ?? makeAuthCore(policy)
  if (cores.size >= mostCores) cores.clear()
  cores.set(name, core)
  return core
}

/**
 * The shared that an account is in: `NumberAccounts` provides it to the `NumberAuth` of each of its accounts.
 */
export class SharedByAccounts extends Context.Reference<SharedByAccounts>()(
  "effect-number-auth/internal/SharedByAccounts",
  {
    defaultValue: (): {
      /** The core for a policy. To build one takes a millisecond and 66 KB, and all accounts can use one. */
      readonly coreOf: (policy: Policy) => AuthCore
      /** Who asks the store for room at the location next. */
      readonly turns: Turns
      /** How long to wait for a turn. */
      readonly queueTimeout: Duration.Duration
      /** Runs an effect that needs the account's `NumberAuth` to stay, even where nobody uses it any more. */
      readonly keep: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
      /**
       * Whether an account is to tell people of a lock of the location, which concerns all of them and is said once. What
       * another account would have said is kept for when that one fails.
       */
      readonly announcesLock: (lock: number, notice: AuthNotice) => boolean
      /** What is to be said instead, where people could not be told of a lock; null where it is left to the next account. */
      readonly lockNoticeInstead: () => AuthNotice | null
      /** Where there are many accounts, their fingerprints are computed one at a time. */
      readonly fingerprinting?: Turns | undefined
    } => ({
      coreOf,
      turns: noTurns,
      queueTimeout: Duration.infinity,
      announcesLock: () => true,
      lockNoticeInstead: () => null,
      keep: (effect) => effect
    })
  }
) {}
