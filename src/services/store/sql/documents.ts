/**
 * The documents of the store: the JSON of a ledger, of an account's record, and of a sealed token. Only this file
 * decodes and encodes them.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import {
  emptyAccountRecord,
  emptyLedgerRecord,
  LedgerRecord,
  SealedAccountRecord,
  SealedToken
} from "../../../schemas/StoredRecord.js"
import { AuthStoreError } from "../AuthStoreError.js"

/** A document as it is stored; null or undefined if there is none. */
export type Document = string | null | undefined

const decoder = <A, I>(schema: Schema.Schema<A, I>, name: string) => {
  const decode = Schema.decodeUnknownEither(Schema.parseJson(schema))
  return (document: string): Effect.Effect<A, AuthStoreError> =>
    Either.match(decode(document), {
      onRight: Effect.succeed,
      // The parse error is dropped: it holds the document, which may hold a session key.
      onLeft: () =>
        new AuthStoreError({
          reason: "unreadable",
          detail: `the ${name} is damaged or was written by another version of this library`
        })
    })
}

const decodeLedger = decoder(LedgerRecord, "ledger of the location")

/** The ledger in a document; an empty one if there is none. */
export const ledgerOf = (document: Document): Effect.Effect<LedgerRecord, AuthStoreError> =>
  document === null || document === undefined ? Effect.succeed(emptyLedgerRecord) : decodeLedger(document)

export const decodeAccount = decoder(SealedAccountRecord, "record of the account")
export const decodeSealedToken = decoder(SealedToken, "token of the account")

/** The record of an account in a document, with its session key sealed; an empty one if there is none. */
export const accountOf = (
  document: Document
): Effect.Effect<SealedAccountRecord | typeof emptyAccountRecord, AuthStoreError> =>
  document === null || document === undefined ? Effect.succeed(emptyAccountRecord) : decodeAccount(document)

export const encodeLedger = Schema.encodeSync(Schema.parseJson(LedgerRecord))
export const encodeAccount = Schema.encodeSync(Schema.parseJson(SealedAccountRecord))
export const encodeSealedToken = Schema.encodeSync(Schema.parseJson(SealedToken))
