/**
 * Tokens that are kept in the database, sealed.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { decodeToken, type Token } from "../../../schemas/Credentials.js"
import type { AccountKey, AuthStore } from "../AuthStore.js"
import type { AuthStoreError } from "../AuthStoreError.js"
import type { KeyRing } from "../StoreKey.js"
import type { Database } from "./database.js"
import { decodeSealedToken, encodeSealedToken } from "./documents.js"
import { type Identity, NotOpened, open, seal } from "./sealing.js"
import { notOpened } from "./unopened.js"

const identityOf = ({ account, location }: AccountKey): Identity => ({
  location,
  account,
  what: "token",
  generation: null
})

/** The token in a document, and the id of the key that it is sealed under. */
export const openToken = (
  ring: KeyRing,
  key: AccountKey,
  document: string
): Effect.Effect<{ readonly token: Token; readonly keyId: string }, AuthStoreError | NotOpened> =>
  Effect.gen(function* () {
    const { token: box } = yield* decodeSealedToken(document)
    const { keyId } = box
    const text = yield* open(ring, identityOf(key), box)
    const token = yield* Either.mapLeft(
      decodeToken(Redacted.value(text)),
      () => new NotOpened({ why: "broken", keyId })
    )
    return { token, keyId }
  })

/** The document of a token, sealed under the current key of the ring. */
export const sealToken = (ring: KeyRing, key: AccountKey, token: Token): Effect.Effect<string> =>
  Effect.map(seal(ring, identityOf(key), token), (box) => encodeSealedToken({ version: 1, token: box }))

/** Reads the document of a token; undefined if the store keeps no token. */
export const tokenDocument = (
  { bounded, fewAtATime, guarded, sql }: Database,
  { account, location }: AccountKey
): Effect.Effect<string | undefined, AuthStoreError> =>
  sql<{ document: string }>`SELECT document FROM number_auth_token
    WHERE location = ${location} AND account = ${account}`.pipe(
    Effect.map((rows) => rows[0]?.document),
    guarded,
    bounded,
    fewAtATime
  )

/** Tokens in the database, sealed under a ring. */
export const sealedTokens = (
  database: Database,
  ring: KeyRing
): Pick<AuthStore["Type"], "readToken" | "writeToken"> => {
  const { bounded, fewAtATime, guarded, onItsOwn, retried, sql } = database
  return {
    readToken: (key) =>
      Effect.flatMap(tokenDocument(database, key), (document) =>
        document === undefined
          ? Effect.succeedNone
          : openToken(ring, key, document).pipe(
              Effect.map(({ token }) => Option.some(token)),
              Effect.catchTag("NotOpened", notOpened(key, ring, "token"))
            )
      ),
    writeToken: (key, token) =>
      Effect.flatMap(sealToken(ring, key, token), (document) =>
        sql`INSERT INTO number_auth_token (location, account, document)
          VALUES (${key.location}, ${key.account}, ${document})
          ON CONFLICT (location, account) DO UPDATE SET document = excluded.document`.pipe(
          Effect.asVoid,
          guarded,
          retried,
          bounded,
          fewAtATime,
          onItsOwn
        )
      )
  }
}
