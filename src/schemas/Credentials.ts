/**
 * The schemas of account code, token, session key, location and fingerprint (`number-api.md`, section "Values").
 */
import type * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { decodeInput, type InvalidInput } from "./InvalidInput.js"

/**
 * The account code: 2 letters and 7 digits, such as `EP9116875`. It never changes and is no secret. Its letters are
 * kept in upper case, so that one account has one record.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccountCode = Schema.Trim.pipe(
  Schema.compose(Schema.Uppercase),
  Schema.pattern(/^[A-Z]{2}\d{7}$/),
  Schema.brand("AccountCode")
)

/**
 * @since 0.1.0
 * @category models
 */
export type AccountCode = typeof AccountCode.Type

const TokenText = Schema.Trim.pipe(Schema.pattern(/^[0-9A-Fa-f]{32}$/), Schema.brand("Token"))

/**
 * The token: 32 hexadecimal characters. It acts as a password, so it is Redacted from here on.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Token = Schema.Redacted(TokenText)

/**
 * @since 0.1.0
 * @category models
 */
export type Token = Redacted.Redacted<typeof TokenText.Type>

const SessionKeyText = Schema.String.pipe(
  // The key goes into an HTTP header and is opaque, so any printable text without spaces is taken.
  Schema.pattern(/^[\x21-\x7e]{1,512}$/),
  Schema.brand("SessionKey")
)

/**
 * The session key: 42 hexadecimal characters in every sample, but opaque. Redacted.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SessionKey = Schema.Redacted(SessionKeyText)

/**
 * @since 0.1.0
 * @category models
 */
export type SessionKey = Redacted.Redacted<typeof SessionKeyText.Type>

/**
 * The user's name for the egress IP whose attempts Number counts together: 1 to 64 letters, digits, `.`, `_` or `-`.
 * All software that shares the IP must use the same name and the same store.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Location = Schema.Trim.pipe(Schema.pattern(/^[\w.-]{1,64}$/), Schema.brand("Location"))

/**
 * @since 0.1.0
 * @category models
 */
export type Location = typeof Location.Type

/**
 * The fingerprint of a token: it identifies the token, and does not show it. 64 lower-case hexadecimal characters.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Fingerprint = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/), Schema.brand("Fingerprint"))

/**
 * @since 0.1.0
 * @category models
 */
export type Fingerprint = typeof Fingerprint.Type

/**
 * @since 0.1.0
 * @category decoding
 */
export const decodeAccountCode: (input: unknown) => Either.Either<AccountCode, InvalidInput> = decodeInput(
  AccountCode,
  "account code",
  "2 letters and 7 digits, such as EP9116875"
)

/**
 * @since 0.1.0
 * @category decoding
 */
export const decodeToken: (input: unknown) => Either.Either<Token, InvalidInput> = decodeInput(
  Token,
  "token",
  "32 hexadecimal characters, as the Client Admin Portal shows them"
)

/**
 * @since 0.1.0
 * @category decoding
 */
export const decodeLocation: (input: unknown) => Either.Either<Location, InvalidInput> = decodeInput(
  Location,
  "location",
  "1 to 64 letters, digits, dots, underscores or hyphens"
)
