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
import * as NumberAuth from "../services/session/NumberAuth.js"
import { AuthStore, makeMemory } from "../services/store/AuthStore.js"
import { NumberTransport } from "../services/wire/NumberTransport.js"

/**
 * How {@link layer} is set up.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Partial<NumberAuth.Options> {
  /**
   * The first session's key; that of the n-th is `<key>-n`. Default: `TEST-SESSION-KEY`. It goes into a header, so it is
   * printable and without spaces.
   */
  readonly sessionKey?: string | undefined
  /**
   * How the account stands when the layer is built. Default `authenticated`, with a session that is held; `aborted` by a
   * refused token, and `locked` by a report of Number's.
   */
  readonly state?: "unauthenticated" | "authenticated" | "aborted" | "locked" | undefined
  /** What the next attempts come to, one after the other. After the last of them all are accepted. Default: none. */
  readonly outcomes?: ReadonlyArray<AttemptOutcome> | undefined
  /** What every call that needs a session fails with. Default: nothing. */
  readonly failure?: NumberAuth.AuthError | undefined
  /** What requests are sent by. Default: a client that fails, since there is no network. */
  readonly client?: HttpClient.HttpClient | undefined
}

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
 * A `NumberAuth` for tests of what depends on one: the real one, over a store in memory and attempts that are not sent but
 * come to what {@link Options} say. It needs nothing, and opens no connection. `replaceCredentials` and `resume` do
 * what they do otherwise. To test against a backend, take `Emulated`.
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
      const refused = (lockReported: boolean): AttemptOutcome =>
        AttemptOutcome.refused({ detail: "the test began so", lockReported })
      const coming = [
        ...(state === "aborted" ? [refused(false)] : state === "locked" ? [refused(true)] : []),
        ...outcomes
      ]
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
        Effect.provideService(FingerprintCost, 1)
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
      // The session of the beginning is no outcome that was asked for.
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
