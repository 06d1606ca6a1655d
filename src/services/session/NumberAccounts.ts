/**
 * Many accounts of one location in one process, each with its `NumberAuth` for as long as it is used.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RcMap from "effect/RcMap"
import * as Scope from "effect/Scope"
import { type AccountCode, decodeAccountCode, type SessionKey } from "../../schemas/Credentials.js"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import type { AuthNotice, AuthNotifier } from "./AuthNotifier.js"
import type { AuthStore } from "../store/AuthStore.js"
import type { CredentialProvider } from "./CredentialProvider.js"
import { SharedByAccounts } from "./internal/SharedByAccounts.js"
import { makeTurns } from "../common/turns.js"
import { AnyDrainTime, decodeLocationSettings } from "./internal/settings.js"
import * as NumberAuth from "./NumberAuth.js"
import type { NumberTransport } from "../wire/NumberTransport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Omit<NumberAuth.Options, "account"> {
  /** How long an unused account is kept in memory, at least 1 millisecond. Default: 5 minutes. */
  readonly idleTimeToLive?: Duration.DurationInput | undefined
  /**
   * How long an account may wait for its turn before `AuthBusy`. Default: as long as its callers wait, so give each
   * call a suitable time-out. `waitTimeout` begins when the account has its turn.
   */
  readonly queueTimeout?: Duration.DurationInput | undefined
}

/**
 * The accounts of one location. Accounts that need an attempt ask for room one after the other, in the order of their
 * arrival. However many start together, none is passed over, and the store is asked by one at a time. A session that is
 * held, or that another process has stored, does not wait behind them. If all callers of an account are gone, it gives
 * up its place; an attempt in progress is settled.
 *
 * The order holds within one `NumberAccounts`. Several processes at one location take their turns in parallel, each
 * with one account at a time, and the store decides which comes first.
 *
 * @since 0.1.0
 * @category services
 */
export class NumberAccounts extends Context.Tag("effect-number-auth/NumberAccounts")<
  NumberAccounts,
  {
    /**
     * The session of an account. It is kept in memory until the scope closes, and for `idleTimeToLive` after that. It
     * is never released before an attempt in progress is settled. A released account still has its session and its
     * ledger in the store.
     */
    readonly get: (account: string) => Effect.Effect<NumberAuth.NumberAuth["Type"], InvalidInput, Scope.Scope>
    /** `NumberAuth.sessionKey` of an account. */
    readonly sessionKey: (account: string) => Effect.Effect<SessionKey, NumberAuth.AuthError>
    /** `NumberAuth.withSession` of an account. */
    readonly withSession: <A, E, R>(
      account: string,
      use: (key: SessionKey) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | NumberAuth.AuthError, R>
    /** The accounts that are in memory. */
    readonly accounts: Effect.Effect<ReadonlyArray<AccountCode>>
  }
>() {}

/** How many notices of a lock are kept in case the first one fails. */
const mostSpare = 4

/** Lets one account announce a lock: otherwise ten thousand accounts would announce it ten thousand times. */
const announceOnce = (): Pick<SharedByAccounts["Type"], "announcesLock" | "lockNoticeInstead"> => {
  let announced: number | null = null
  let spare: Array<AuthNotice> = []
  return {
    announcesLock: (lock, notice) => {
      if (lock !== announced) {
        announced = lock
        spare = []
        return true
      }
      if (spare.length < mostSpare) spare.push(notice)
      return false
    },
    lockNoticeInstead: () => {
      const next = spare.shift() ?? null
      if (next === null) announced = null
      return next
    }
  }
}

/**
 * Builds the accounts of one location. When the scope closes, no account gets its turn any more, and attempts in
 * progress are awaited, as in `NumberAuth.make`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<
  NumberAccounts["Type"],
  InvalidInput,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient | Scope.Scope
> =>
  Effect.gen(function* () {
    const turns = makeTurns()
    const queueTimeout = Duration.decode(options.queueTimeout ?? Duration.infinity)
    // Wrong options fail here, not with each account.
    yield* decodeLocationSettings(options, yield* AnyDrainTime)
    const shared: SharedByAccounts["Type"] = {
      ...(yield* SharedByAccounts),
      ...announceOnce(),
      turns,
      queueTimeout,
      fingerprinting: makeTurns()
    }
    const map: RcMap.RcMap<AccountCode, NumberAuth.NumberAuth["Type"], InvalidInput> = yield* RcMap.make({
      // Not 0, or an account could be released before a fiber that keeps it has begun.
      idleTimeToLive: Duration.max(Duration.decode(options.idleTimeToLive ?? "5 minutes"), "1 millis"),
      lookup: (account: AccountCode) =>
        Effect.provideService(NumberAuth.make({ ...options, account }), SharedByAccounts, {
          ...shared,
          // A map that closes interrupts; the effect runs all the same, or the outcome of an attempt would be dropped.
          keep: (effect) => Effect.scoped(Effect.zipRight(Effect.exit(RcMap.get(map, account)), effect))
        })
    })
    // Close the turns before the map releases its accounts. Otherwise each account that ends would let the next one
    // begin.
    yield* Effect.addFinalizer(() => Effect.sync(turns.close))

    const get: NumberAccounts["Type"]["get"] = (account) =>
      Effect.flatMap(decodeAccountCode(account), (code) => RcMap.get(map, code))

    return {
      get,
      sessionKey: (account) => Effect.scoped(Effect.flatMap(get(account), ({ sessionKey }) => sessionKey)),
      withSession: (account, use) =>
        // This scope is for the account alone. A scope that `use` needs comes from its caller.
        Effect.acquireUseRelease(
          Scope.make(),
          (scope) => Effect.flatMap(Scope.extend(get(account), scope), (auth) => auth.withSession(use)),
          (scope, exit) => Scope.close(scope, exit)
        ),
      accounts: RcMap.keys(map)
    }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  NumberAccounts,
  InvalidInput,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient
> => Layer.scoped(NumberAccounts, make(options))

/**
 * The accounts of a location, with the settings of the environment (`NumberAuth.configLocationOptions`) or of another
 * `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config<Options> = NumberAuth.configLocationOptions
): Layer.Layer<
  NumberAccounts,
  InvalidInput | ConfigError.ConfigError,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient
> => Layer.scoped(NumberAccounts, Effect.flatMap(options, make))
