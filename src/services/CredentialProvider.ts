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
import { type AccountCode, decodeToken, type Token } from "../schemas/Credentials.js"
import type { InvalidInput } from "../schemas/InvalidInput.js"

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
    readonly get: (account: AccountCode) => Effect.Effect<Token, CredentialError | InvalidInput>
    /** Takes a new token. Says in its layer's documentation how long it is kept. */
    readonly put: (account: AccountCode, token: Token) => Effect.Effect<void, CredentialError>
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
      const read = Effect.matchEffect(token, {
        // A ConfigError may show the value.
        onFailure: () =>
          Effect.fail(new CredentialError({ detail: "it is not in the configuration (NUMBER_TOKEN)" })),
        onSuccess: (text) => decodeToken(Redacted.value(text))
      })
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
