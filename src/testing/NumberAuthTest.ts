/**
 * A `NumberAuth` for tests of services that depend on one.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { AttemptOutcome } from "../schemas/AttemptOutcome.js"
import { SessionKey, type Token } from "../schemas/Credentials.js"
import { decodeInput, type InvalidInput } from "../schemas/InvalidInput.js"
import { AuthNotifier } from "../services/session/AuthNotifier.js"
import { CredentialProvider } from "../services/session/CredentialProvider.js"
import { FingerprintCost } from "../services/session/internal/fingerprint.js"
import { AnyDrainTime } from "../services/session/internal/settings.js"
import * as NumberAuth from "../services/session/NumberAuth.js"
import { AuthStore, makeMemory } from "../services/store/AuthStore.js"
import { NumberTransport } from "../services/wire/NumberTransport.js"

/**
 * Settings of {@link layer}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Partial<NumberAuth.Options> {
  /**
   * The key of the first session. The key of the n-th session is `<key>-n`. Default: `TEST-SESSION-KEY`. The key goes
   * into a header, so it must be printable and without spaces.
   */
  readonly sessionKey?: string | undefined
  /**
   * The state of the account when the layer is built. Default: `authenticated`, with a session. `aborted`: a token was
   * refused. `locked`: Number reported a lock.
   */
  readonly state?: "unauthenticated" | "authenticated" | "aborted" | "locked" | undefined
  /** The outcomes of the next attempts, in order. All later attempts are accepted. Default: none. */
  readonly outcomes?: ReadonlyArray<AttemptOutcome> | undefined
  /** The error of every call that needs a session. Default: none. */
  readonly failure?: NumberAuth.AuthError | undefined
  /** The client that sends requests. Default: a client that fails, since there is no network. */
  readonly client?: HttpClient.HttpClient | undefined
}

/**
 * Lets `drainTime` be shorter than a minute, and than the lease: for tests in real time against an emulator. Never against
 * Number, which may work on a lost attempt for longer.
 *
 * @since 0.2.0
 * @category layers
 */
export const anyDrainTime: Layer.Layer<never> = Layer.succeed(AnyDrainTime, true)

const testToken = "7E577E57000000000000000000000000"

const noNetwork = HttpClient.make((request) =>
  Effect.fail(
    new RequestError({
      request,
      reason: "Transport",
      description: "NumberAuthTest.layer has no network; give it a client"
    })
  )
)

/**
 * A `NumberAuth` for tests of code that depends on one: the real service, over a store in memory. Its attempts are not
 * sent; {@link Options} give their outcomes. It has no requirements, and opens no connection. `replaceCredentials` and
 * `resume` work as usual. To test against a backend, use `Emulated`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<NumberAuth.NumberAuth, InvalidInput> =>
  Layer.scoped(
    NumberAuth.NumberAuth,
    Effect.gen(function* () {
      const { client, failure, outcomes = [], sessionKey, state = "authenticated", ...settings } = options
      const keyText = sessionKey ?? "TEST-SESSION-KEY"
      const decodeKey = decodeInput(SessionKey, "session key", "printable characters without spaces")
      yield* decodeKey(keyText)
      let sessions = 0
      const accepted = (): AttemptOutcome => {
        sessions += 1
        const text = sessions === 1 ? keyText : `${keyText}-${sessions}`
        return AttemptOutcome.accepted({
          sessionKey: Redacted.make(text) as SessionKey,
          tokenEndsAtMillis: null,
          lockReported: false
        })
      }
      const detail = "the test starts in this state"
      const before: Partial<Record<typeof state, AttemptOutcome>> = {
        aborted: AttemptOutcome.refused({ detail }),
        locked: AttemptOutcome.lockedOut({ detail, errorCode: null })
      }
      const coming = [...(before[state] === undefined ? [] : [before[state]]), ...outcomes]
      const auth = yield* NumberAuth.make({ account: "EP0000001", ...settings }).pipe(
        Effect.provideService(NumberTransport, {
          authenticate: ({ permit }) =>
            Effect.match(permit, {
              onSuccess: () => coming.shift() ?? accepted(),
              onFailure: ({ message }) => AttemptOutcome.unsent({ detail: message })
            })
        }),
        Effect.provideService(AuthStore, yield* makeMemory),
        Effect.provideService(AuthNotifier, { notify: () => Effect.void }),
        Effect.provideServiceEffect(CredentialProvider, testCredentials),
        Effect.provideService(HttpClient.HttpClient, client ?? noNetwork),
        Effect.provideService(FingerprintCost, 1),
        Effect.provideService(AnyDrainTime, true)
      )
      if (failure !== undefined) {
        const httpClient = HttpClient.makeWith<never, never, NumberAuth.SessionHttpError, never>(
          () => Effect.fail(failure),
          Effect.succeed
        )
        return {
          ...auth,
          sessionKey: Effect.fail(failure),
          withSession: () => Effect.fail(failure),
          httpClient,
          httpClientWith: () => httpClient
        }
      }
      if (state === "unauthenticated") return auth
      // The initial session has an outcome of its own. It uses up none of `outcomes`.
      if (state === "authenticated") coming.unshift(accepted())
      yield* Effect.exit(auth.sessionKey)
      return auth
    })
  )

const testCredentials: Effect.Effect<CredentialProvider["Type"]> = Effect.sync(() => {
  let token = Redacted.make(testToken) as Token
  return {
    get: () => Effect.sync(() => token),
    put: (_, replacement) =>
      Effect.sync(() => {
        token = replacement
      })
  }
})
