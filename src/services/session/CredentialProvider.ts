/**
 * Where the token comes from, and where a new one goes.
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
 * Gives the token of an account. It is asked only when a session is needed, each time anew; a token with another
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
    /** Takes a new token. Says in its layer's documentation how long it is kept. */
    readonly put: (
      account: AccountCode,
      token: Token
    ) => Effect.Effect<void, CredentialError | AuthStoreError>
  }
>() {}

/**
 * The token could not be had, or a new one not be kept. Nothing was sent.
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
 * Reads the token from a `Config`, default `NUMBER_TOKEN`, whatever the account. A token that is put is kept for the
 * life of this layer only: set the configuration too, or the next start reads the old one.
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
 * Keeps tokens in the `AuthStore`, where a token that is put outlives the process and reaches every other that shares the
 * store. Sealed as session keys are; where the store has no key to seal with, a token is kept in the memory of this process
 * only. Where none is kept for an account, `initial` is asked; once one is, `initial` is not asked any more, so that from
 * then on new tokens go to `NumberAuth.replaceCredentials`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStore = (
  options: {
    /** `NumberAuth.Options.location`. Default `default`. */
    readonly location?: string | undefined
    /** Default: none, and then the first token has to be put, too. */
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
          ? new CredentialError({ detail: "none is kept in the store for this account" })
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
