/**
 * The service that fetches the token of an account, and keeps a new one.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { type AccountCode, decodeLocation, decodeToken, type Token } from "../../schemas/Credentials.js"
import type { InvalidInput } from "../../schemas/InvalidInput.js"
import { AuthStore, type AuthStoreError } from "../store/AuthStore.js"

/**
 * Fetches the token of an account. It is asked only when a session is needed, and anew each time. A token with another
 * fingerprint than the aborted one counts as `credentials.replaced`.
 *
 * @since 0.1.0
 * @category services
 */
export class CredentialProvider extends Context.Tag("effect-number-auth/CredentialProvider")<
  CredentialProvider,
  {
    readonly get: (
      account: AccountCode
    ) => Effect.Effect<Token, CredentialError | InvalidInput | AuthStoreError>
    /** Keeps a new token. The documentation of each layer says for how long. */
    readonly put: (
      account: AccountCode,
      token: Token
    ) => Effect.Effect<void, CredentialError | AuthStoreError>
  }
>() {}

/**
 * The token could not be fetched, or a new one could not be kept. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialError extends Schema.TaggedError<CredentialError>(
  "effect-number-auth/CredentialError"
)("CredentialError", {
  /** Text for people, free of secrets. */
  detail: Schema.String
}) {
  override get message(): string {
    return `The token is not available: ${this.detail}. Nothing was sent and the location's count is unchanged. Supply the token and try again.`
  }
}

const fromConfig = (
  token: Config.Config<Redacted.Redacted>
): Effect.Effect<Token, CredentialError | InvalidInput> =>
  Effect.matchEffect(token, {
    // A ConfigError may show the value.
    onFailure: () => new CredentialError({ detail: "it is not in the configuration (NUMBER_TOKEN)" }),
    onSuccess: (text) => decodeToken(Redacted.value(text))
  })

/**
 * Reads the token from a `Config`, default `NUMBER_TOKEN`, for every account. A token that was put lives only as long
 * as this layer: set the configuration too, or the next start reads the old one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  token: Config.Config<Redacted.Redacted> = Config.redacted("NUMBER_TOKEN")
): Layer.Layer<CredentialProvider> =>
  Layer.effect(
    CredentialProvider,
    Effect.gen(function* () {
      const replaced = yield* Ref.make(new Map<AccountCode, Token>())
      const read = fromConfig(token)
      return {
        get: (account) =>
          Effect.flatMap(Ref.get(replaced), (tokens) =>
            Option.match(Option.fromNullable(tokens.get(account)), {
              onNone: () => read,
              onSome: Effect.succeed
            })
          ),
        put: (account, newToken) => Ref.update(replaced, (tokens) => new Map(tokens).set(account, newToken))
      }
    })
  )

/**
 * Keeps tokens in the `AuthStore`, where a token that was put outlives the process and reaches every process that
 * shares the store. Tokens are sealed as session keys are. If the store has no store key, a token is kept in the memory
 * of this process only. If no token is kept for an account, `initial` is read. Once one is kept, `initial` is not read
 * any more, so give new tokens to `NumberAuth.replaceCredentials`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStore = (
  options: {
    /** `NumberAuth.Options.location`. Default `default`. */
    readonly location?: string | undefined
    /** Default: none. The first token must then be put, too. */
    readonly initial?: Config.Config<Redacted.Redacted> | undefined
  } = {}
): Layer.Layer<CredentialProvider, InvalidInput, AuthStore> =>
  Layer.effect(
    CredentialProvider,
    Effect.gen(function* () {
      const store = yield* AuthStore
      const location = yield* decodeLocation(options.location ?? "default")
      const initial =
        options.initial === undefined
          ? new CredentialError({ detail: "the store keeps no token for this account" })
          : fromConfig(options.initial)
      return {
        get: (account) =>
          Effect.flatMap(
            store.readToken({ location, account }),
            Option.match({ onNone: () => initial, onSome: Effect.succeed })
          ),
        put: (account, token) => store.writeToken({ location, account }, token)
      }
    })
  )
