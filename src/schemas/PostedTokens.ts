/**
 * The tokens that the Client Admin Portal POSTs to the integrator (`number-api.md`, section "Token renewal").
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { AccountCode, Token } from "./Credentials.js"
import { decodeInput, type InvalidInput } from "./InvalidInput.js"
import { PortalDate } from "./PortalDate.js"

/**
 * One posted token. `ExpirationDate` has no time zone and is read as UTC, in epoch milliseconds: up to 14 hours off.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PostedToken = Schema.Struct({
  TokenID: Schema.String,
  AccountCode,
  Token,
  AccountName: Schema.optionalWith(Schema.String, { default: () => "" }),
  ExpirationDate: PortalDate
})

/**
 * @since 0.1.0
 * @category models
 */
export type PostedToken = typeof PostedToken.Type

const Tokens = Schema.Array(PostedToken)
const decodeWhole = decodeInput(
  Schema.parseJson(Schema.Union(Schema.Struct({ Tokens }), Tokens)),
  "list of posted tokens",
  'an object with an array "Tokens" of TokenID, AccountCode, Token, AccountName and ExpirationDate, or that array'
)

/**
 * Decodes the body of the portal's POST. The documented sample lacks its outer braces, so the body may have them, lack
 * them, or be a bare array.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodePostedTokens = (body: string): Either.Either<ReadonlyArray<PostedToken>, InvalidInput> => {
  const text = body.trim()
  const whole = text.startsWith('"') ? `{${text}}` : text
  return Either.map(decodeWhole(whole), (posted) => ("Tokens" in posted ? posted.Tokens : posted))
}
