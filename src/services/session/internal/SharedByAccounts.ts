/**
 * The services that the accounts of one process share. A single account has nothing to share.
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

/** One core for each policy. A core keeps no state, and building one takes longer than the rest of a start. */
const coreOf = (policy: Policy): AuthCore => {
  const name = JSON.stringify(policy)
  const core = cores.get(name) ?? makeAuthCore(policy)
  if (cores.size >= mostCores) cores.clear()
  cores.set(name, core)
  return core
}

/**
 * The services that an account shares. `NumberAccounts` provides them to the `NumberAuth` of each of its accounts.
 */
export class SharedByAccounts extends Context.Reference<SharedByAccounts>()(
  "effect-number-auth/internal/SharedByAccounts",
  {
    defaultValue: (): {
      /** The core for a policy. Building one takes a millisecond and 66 KB, and all accounts can use the same one. */
      readonly coreOf: (policy: Policy) => AuthCore
      /** The queue of accounts that ask the store for room at the location. */
      readonly turns: Turns
      /** How long to wait for a turn. */
      readonly queueTimeout: Duration.Duration
      /** Runs an effect that needs the account's `NumberAuth` to stay, even if no caller uses it any more. */
      readonly keep: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
      /**
       * Whether an account announces a lock of the location. A lock concerns all accounts and is announced once. The
       * notices of the other accounts are kept in case that announcement fails.
       */
      readonly announcesLock: (lock: number, notice: AuthNotice) => boolean
      /** The notice to give after an announcement failed; null leaves the lock to the next account. */
      readonly lockNoticeInstead: () => AuthNotice | null
      /** The queue in which many accounts compute their fingerprints, one at a time. */
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
