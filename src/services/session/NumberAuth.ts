/**
 * The session of one account with Number. It never locks the location.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Ledger from "../../machine/Ledger.js"
import type { SessionKey, Token } from "../../schemas/Credentials.js"
import { InvalidInput } from "../../schemas/InvalidInput.js"
import {
  AuthAborted,
  AuthBusy,
  type AuthError,
  AuthLocked,
  AuthLost,
  AuthUnreachable,
  type AuthUnstored
} from "./AuthError.js"
import { AuthObserver, makeRecord, observe } from "./AuthObserver.js"
import { AuthNotifier, makeNotice } from "./AuthNotifier.js"
import { AuthStore, AuthStoreError } from "../store/AuthStore.js"
import { CredentialError, CredentialProvider } from "./CredentialProvider.js"
import { SharedByAccounts } from "./internal/SharedByAccounts.js"
import { FingerprintCost, fingerprintInTurn } from "./internal/fingerprint.js"
import { withOwnSpan } from "../common/redactedSpans.js"
import { requestInit } from "../wire/http/redirects.js"
import * as NumberMetrics from "./NumberMetrics.js"
import { NumberTransport } from "../wire/NumberTransport.js"
import { makeAccountLedger, type Stepped } from "./internal/accountLedger.js"
import { makeAcquisition } from "./internal/acquire.js"
import { makeAttempts } from "./internal/attempt.js"
import { type Flights, makeFlights } from "./internal/flight.js"
import { makeSessionHolder } from "./internal/heldSession.js"
import { makeNotices, type Notices } from "./internal/notices.js"
import { makeOutbox } from "./internal/outbox.js"
import { makeOperator, type Operator } from "./internal/operator.js"
import { AnyDrainTime, decodeSettings, type LocationOptions, type Settings } from "./internal/settings.js"
import * as SessionHttpClients from "./SessionHttpClient.js"
import type { HttpClientOptions, SessionHttpClient } from "./SessionHttpClient.js"
import * as SessionRefusal from "./SessionRefusal.js"

export type { AuthError } from "./AuthError.js"
export type { AuthStatus } from "./internal/status.js"
export {
  type HttpClientOptions,
  RequestNotReplayable,
  type SessionHttpClient,
  type SessionHttpError
} from "./SessionHttpClient.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends LocationOptions {
  /** The account code: 2 letters and 7 digits. */
  readonly account: string
}

/**
 * The session of one account.
 *
 * @since 0.1.0
 * @category services
 */
export class NumberAuth extends Context.Tag("effect-number-auth/NumberAuth")<
  NumberAuth,
  Operator & {
    /**
     * The session key. While one is held, this touches neither store nor network. Otherwise all callers of the account,
     * in every process that shares the store, get the result of one attempt. An unsuccessful attempt is never retried.
     */
    readonly sessionKey: Effect.Effect<SessionKey, AuthError>
    /**
     * Runs `use` with the session key. If its result says that the key was refused (`SessionRefusal.fromResult` finds
     * 5030 or 5050), renews the session and runs `use` once more, and only once.
     */
    readonly withSession: <A, E, R>(
      use: (key: SessionKey) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | AuthError, R>
    /**
     * Sends every request below the base URL with the header `SessKey`. On 5030 and 5050 it renews the session and
     * sends the refused request once more, only because the answer itself says that the request was not carried out. If
     * the `HttpClient` in the context retries, it is stopped from sending a request twice. To repeat a request that may
     * be repeated, retry this client.
     */
    readonly httpClient: SessionHttpClient
    /**
     * A client like `httpClient`, with a signature, a time-out, or both. A replay is signed anew, with the time of the
     * replay.
     */
    readonly httpClientWith: (options: HttpClientOptions) => SessionHttpClient
    /**
     * Waits until the store knows the outcome of every attempt of this process; usually it does already. Fails if the
     * lease of one ends first: a session then serves only in this process. For programs that end after one call.
     */
    readonly settled: Effect.Effect<void, AuthUnstored>
  }
>() {}

/** The errors of `withSession` itself. All others come from `use`. */
const isOwnError = (error: unknown): boolean =>
  [
    AuthAborted,
    AuthLocked,
    AuthUnreachable,
    AuthLost,
    AuthBusy,
    AuthStoreError,
    CredentialError,
    InvalidInput,
    SessionRefusal.SessionRefused
  ].some((kind) => error instanceof kind)

/** How many more attempts the location's count allows. */
const roomIn = ({ account, policy }: Settings, ledger: Ledger.Ledger): number => {
  const { failures, inFlight } = Ledger.counts(ledger, account).location
  return ledger.lockReportedAt === null ? Math.max(policy.limit - failures - inFlight, 0) : 0
}

/**
 * Runs after each transaction: keeps its notices for people, shows it to the observer, and sets the gauge of the room
 * left.
 */
const publish =
  (settings: Settings, notices: Notices, observer: AuthObserver["Type"]) =>
  (stepped: Stepped): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { account, location, policy } = settings
      const called = notices.ofStep(stepped)
      notices.add(called)
      const { events, from, nowMillis, sequence } = stepped
      if (observer !== null && from !== null) {
        observe(
          observer,
          makeRecord({
            key: { location, account },
            moment: { nowMillis, sequence },
            limit: policy.limit,
            from,
            after: stepped,
            events,
            notices: called
          })
        )
      }
      return NumberMetrics.roomLeft(location, roomIn(settings, stepped.ledger))
    })

const makeWithSession =
  (
    { account, location }: Settings,
    sessionAfter: Flights["sessionAfter"]
  ): NumberAuth["Type"]["withSession"] =>
  (use) =>
    Effect.gen(function* () {
      const first = yield* sessionAfter(null)
      const result = yield* Effect.either(use(first.key))
      const code = SessionRefusal.fromResult(result)
      if (Option.isNone(code)) return yield* result
      const second = yield* sessionAfter({ generation: first.generation, code: code.value })
      return yield* use(second.key)
    }).pipe(withOwnSpan("NumberAuth.withSession", { account, location }, isOwnError))

/**
 * Builds the session of one account. Closing the scope waits for an attempt in progress, since cutting it off would
 * cost a mark: the attempt is settled, and its notices are given. This takes at most `attemptTimeout` and the time of
 * the notifier. While the store does not take the outcome, closing waits until the lease ends; then a notice says which
 * outcome is lost. Later callers are interrupted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  NumberAuth["Type"],
  InvalidInput,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient | Scope.Scope
> =>
  Effect.gen(function* () {
    const settings = yield* decodeSettings(options, yield* AnyDrainTime)
    const { account, baseUrl, policy } = settings
    const store = yield* AuthStore
    const transport = yield* NumberTransport
    const notifier = yield* AuthNotifier
    const provider = yield* CredentialProvider
    const client = yield* HttpClient.HttpClient
    const scope = yield* Effect.scope
    const context = yield* Effect.context<never>()
    const init = yield* requestInit
    const shared = yield* SharedByAccounts
    const observer = yield* AuthObserver
    const cost = yield* FingerprintCost
    const fingerprintOf = (token: Token) => fingerprintInTurn(account, token, cost, shared.fingerprinting)

    const notices = makeNotices({ settings, notifier, shared })
    const ledger = makeAccountLedger({
      settings,
      core: shared.coreOf(policy),
      store,
      onStored: publish(settings, notices, observer)
    })
    const holder = makeSessionHolder(settings)
    const outbox = yield* makeOutbox({
      leaseMillis: policy.leaseMillis,
      shared,
      scope,
      onLost: ({ detail, outcome, standing, why }) => {
        notices.add([makeNotice({ kind: "unstored", outcome, detail, why }, standing)])
        return notices.notify
      }
    })
    const parts = { settings, ledger, holder, notices, outbox, shared, scope }
    const attempts = makeAttempts({ ...parts, transport })
    const acquisition = makeAcquisition({ ...parts, provider, fingerprintOf, attempts })
    const { sessionAfter } = makeFlights({ ...parts, acquisition, context })
    const httpClientWith = SessionHttpClients.makeWith({ client, baseUrl, init, sessionAfter })

    return {
      sessionKey: Effect.map(sessionAfter(null), ({ key }) => key),
      withSession: makeWithSession(settings, sessionAfter),
      httpClient: httpClientWith({}),
      httpClientWith,
      settled: outbox.settled,
      ...makeOperator({ settings, ledger, notices, provider, fingerprintOf, scope })
    }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<
  NumberAuth,
  InvalidInput,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient
> => Layer.scoped(NumberAuth, make(options))

/**
 * The settings of a location from the environment: `NUMBER_LOCATION`, `NUMBER_BASE_URL`, `NUMBER_ATTEMPT_TIMEOUT` (such
 * as `30 seconds`) and `NUMBER_LIMIT`. All have the defaults of {@link Options}.
 *
 * @since 0.1.0
 * @category config
 */
export const configLocationOptions: Config.Config<Omit<Options, "account">> = Config.map(
  Config.all({
    location: Config.option(Config.string("NUMBER_LOCATION")),
    baseUrl: Config.option(Config.string("NUMBER_BASE_URL")),
    attemptTimeout: Config.option(Config.duration("NUMBER_ATTEMPT_TIMEOUT")),
    limit: Config.option(Config.integer("NUMBER_LIMIT"))
  }),
  ({ attemptTimeout, baseUrl, limit, location }) => ({
    location: Option.getOrUndefined(location),
    baseUrl: Option.getOrUndefined(baseUrl),
    attemptTimeout: Option.getOrUndefined(attemptTimeout),
    limit: Option.getOrUndefined(limit)
  })
)

/**
 * {@link configLocationOptions} and `NUMBER_ACCOUNT_CODE`, which has no default.
 *
 * @since 0.1.0
 * @category config
 */
export const configOptions: Config.Config<Options> = Config.map(
  Config.all({ account: Config.string("NUMBER_ACCOUNT_CODE"), location: configLocationOptions }),
  ({ account, location }) => ({ account, ...location })
)

/**
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config<Options> = configOptions
): Layer.Layer<
  NumberAuth,
  InvalidInput | ConfigError.ConfigError,
  AuthStore | NumberTransport | AuthNotifier | CredentialProvider | HttpClient.HttpClient
> => Layer.scoped(NumberAuth, Effect.flatMap(options, make))
