/**
 * One stored change of an account, for people: the live page shows these records, and a trace file consists of them.
 * The schema lists the fields that may be shown. It has no field for a token, a session key, a fingerprint or a claim.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { AccountCode, Location } from "./Credentials.js"
import { AbortReason, AttemptId, Mark, StateName } from "./StoredRecord.js"

/** Epoch milliseconds, by the store's clock. */
const Millis = Schema.Int

/**
 * An event that the statechart took, without secrets and without fields that only the machine needs.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RecordedEvent = Schema.Struct({
  type: Schema.String.pipe(Schema.pattern(/^[a-z]+\.[a-z]+$/)),
  /** The attempt of the event, or the generation of its session. */
  attempt: Schema.optionalWith(AttemptId, { exact: true }),
  generation: Schema.optionalWith(AttemptId, { exact: true }),
  /** Text for people, free of secrets. */
  detail: Schema.optionalWith(Schema.String, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type RecordedEvent = typeof RecordedEvent.Type

/**
 * A notice, as people read it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RecordedNotice = Schema.Struct({
  kind: Schema.Literal("aborted", "locked", "tokenExpiring", "unstored"),
  message: Schema.String
})

/**
 * @since 0.1.0
 * @category models
 */
export type RecordedNotice = typeof RecordedNotice.Type

/**
 * An account and the ledger of its location after a transaction, with the events that led there.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TransitionRecord = Schema.Struct({
  version: Schema.Literal(1),
  location: Location,
  account: AccountCode,
  /** The number of the transaction. Unlike the time, it orders all changes of a location. */
  sequence: Schema.NonNegativeInt,
  atMillis: Millis,
  from: StateName,
  to: StateName,
  /** The events in their order. Empty if only the result in the store was seen, or if only the ledger changed. */
  events: Schema.Array(RecordedEvent),
  /** The most unsuccessful attempts in a row that the library makes: `Policy.limit`. */
  limit: Schema.Int.pipe(Schema.between(1, 5)),
  /** The marks that count for the location, and the account's own marks. */
  marks: Schema.Array(Mark),
  /** Whether Number reported the location as locked. */
  lockReported: Schema.Boolean,
  /** The attempt that is under way. */
  attempt: Schema.NullOr(AttemptId),
  session: Schema.NullOr(
    Schema.Struct({ generation: AttemptId, obtainedAtMillis: Millis, expiresAtMillis: Millis })
  ),
  abort: Schema.NullOr(
    Schema.Struct({
      reason: AbortReason,
      attempt: Schema.NullOr(AttemptId),
      detail: Schema.String,
      atMillis: Millis
    })
  ),
  /** The end of the token that last authenticated, as Number gave it. */
  tokenEndsAtMillis: Schema.NullOr(Millis),
  notices: Schema.Array(RecordedNotice)
})

/**
 * @since 0.1.0
 * @category models
 */
export type TransitionRecord = typeof TransitionRecord.Type

const Header = Schema.parseJson(
  Schema.Struct({ version: Schema.Literal(1), trace: Schema.Literal("number-auth") })
)
const encodeHeader = Schema.encodeSync(Header)
const Line = Schema.parseJson(TransitionRecord)

/** The names of all properties in a schema, at every depth. */
const namesIn = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  switch (ast._tag) {
    case "TypeLiteral":
      return ast.propertySignatures.flatMap(({ name, type }) => [String(name), ...namesIn(type)])
    case "TupleType":
      return [...ast.elements, ...ast.rest].flatMap(({ type }) => namesIn(type))
    case "Union":
      return ast.types.flatMap(namesIn)
    case "Refinement":
      return namesIn(ast.from)
    default:
      return []
  }
}

const fieldNames: Array<string> = [...new Set(namesIn(TransitionRecord.ast))]

/**
 * Writes a record as JSON on one line, with the properties that the schema names and no others. The text equals the
 * schema's encoding, without its checks: the record has passed them, and there may be ten thousand records at once.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encodeRecord = (record: TransitionRecord): string => JSON.stringify(record, fieldNames)

/**
 * Writes records as a trace file: a header line that identifies the file, then JSON lines.
 * `number-auth inspect --trace` opens it.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toTrace = (records: Iterable<TransitionRecord>): string =>
  [encodeHeader({ version: 1, trace: "number-auth" }), ...Array.from(records, encodeRecord)].join("\n") + "\n"

/**
 * Reads a trace file. If the text is not a trace, gives a Left with the reason in words. The reason names an unreadable
 * line by its number, counted from 1. A last line without a line end is left out: its process died while writing it.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromTrace = (text: string): Either.Either<ReadonlyArray<TransitionRecord>, string> => {
  const [header, ...lines] = text.split("\n")
  if (Either.isLeft(Schema.decodeUnknownEither(Header)(header))) {
    return Either.left("its first line is not that of a trace")
  }
  const whole = lines.slice(0, -1)
  return Either.all(
    whole.map((line, index) =>
      Either.mapLeft(Schema.decodeUnknownEither(Line)(line), () => `its line ${index + 2} is no record`)
    )
  )
}
