/**
 * The schemas of Number's answers, over REST and SOAP (`number-api.md`, sections "REST" and "SOAP").
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { SessionKey } from "./Credentials.js"
import { PortalDate } from "./PortalDate.js"

/** Error codes are numbers in every sample. A quoted code is read as a number too. */
const SpelledErrorCode = Schema.NumberFromString.pipe(Schema.int())
const ErrorCode = Schema.Union(Schema.Int, SpelledErrorCode)

/**
 * An optional field. A value that does not decode becomes null, like an absent one, so it does not make the answer
 * undecodable. Only a value that `from` rejects does.
 */
const lenient = <A, I>(
  schema: Schema.Schema<A, I>,
  from: Schema.Schema<unknown> = Schema.Unknown
): Schema.optionalWith<Schema.Schema<A | null, unknown>, { default: () => null }> => {
  const decode = Schema.decodeUnknownOption(schema)
  const encode = Schema.encodeSync(schema)
  return Schema.optionalWith(
    from.pipe(
      Schema.transform(Schema.NullOr(Schema.typeSchema(schema)), {
        strict: true,
        decode: (input) => Option.getOrNull(decode(input)),
        encode: (value) => (value === null ? null : encode(value))
      })
    ),
    { default: () => null }
  )
}

/** Yes in any spelling: a lock that is overlooked costs an attempt, and more than one at each other account. */
const SpelledYes = Schema.Union(Schema.Boolean, Schema.Number, Schema.String).pipe(
  Schema.transform(Schema.Boolean, {
    strict: true,
    decode: (value) =>
      typeof value === "string" ? /^\s*(true|yes|y|[1-9]\d*)\s*$/i.test(value) : Boolean(value),
    encode: (value) => value
  })
)

/** `ThisUser`, over REST and SOAP. */
const ThisUser = Schema.Struct({
  ExpirationDate: lenient(PortalDate),
  IsLockedOut: lenient(SpelledYes)
})

/**
 * `AuthenticateResult`, with the fields that decide the outcome. `FunctionOk` may also be spelled `FunctionOK`, as in
 * the documentation's prose.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AuthenticateResult = Schema.Struct({
  FunctionOk: Schema.optional(Schema.Boolean),
  FunctionOK: Schema.optional(Schema.Boolean),
  AuthSuccess: lenient(Schema.Boolean),
  ErrCode: lenient(ErrorCode),
  ErrMsg: lenient(Schema.String),
  RespMsg: lenient(Schema.String),
  SessKey: lenient(SessionKey),
  ThisUser: lenient(ThisUser)
})

/**
 * The whole body of an answer to `Authenticate`, from its JSON text.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AuthenticateAnswer = Schema.parseJson(Schema.Struct({ AuthenticateResult }))

/**
 * @since 0.1.0
 * @category models
 */
export type AuthenticateResult = typeof AuthenticateResult.Type

/**
 * Whether an answer says that the call was carried out, in either spelling. Undefined if both are absent, or contradict
 * each other.
 *
 * @since 0.1.0
 * @category decoding
 */
export const functionOkOf = (result: {
  readonly FunctionOk?: boolean | undefined
  readonly FunctionOK?: boolean | undefined
}): boolean | undefined => {
  const { FunctionOK = result.FunctionOk, FunctionOk = FunctionOK } = result
  return FunctionOk === FunctionOK ? FunctionOk : undefined
}

/**
 * `xs:boolean`, from the text of an element: `true`, `1`, `false` or `0`. Whitespace around it is allowed.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SoapBoolean: Schema.Schema<boolean, string> = Schema.compose(
  Schema.Trim,
  Schema.transformLiterals(["true", true], ["1", true], ["false", false], ["0", false])
)

const booleanOf = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined)

/**
 * {@link functionOkOf} of a result in decoded JSON. A value that is no boolean counts as absent.
 *
 * @since 0.1.0
 * @category decoding
 */
export const functionOkIn = (result: Readonly<Record<string, unknown>>): boolean | undefined =>
  functionOkOf({ FunctionOk: booleanOf(result["FunctionOk"]), FunctionOK: booleanOf(result["FunctionOK"]) })

/** Rejects a repeated element: it is not known which of the two is meant. */
const Once = Schema.Unknown.pipe(Schema.filter((input) => !Array.isArray(input)))

const soapHead = {
  FunctionOk: Schema.optional(SoapBoolean),
  FunctionOK: Schema.optional(SoapBoolean),
  ErrCode: lenient(Schema.compose(Schema.Trim, SpelledErrorCode), Once),
  ErrMsg: lenient(Schema.Trim, Once),
  RespMsg: lenient(Schema.Trim, Once)
}

/**
 * {@link AuthenticateResult} from the texts of a SOAP answer (`number-api.md`, section "SOAP"): the fields of
 * `AuthenticateResult`, or of `api_AuthResponse`, by their local names. A repeated field makes it undecodable.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SoapAuthenticateResult = Schema.Struct({
  ...soapHead,
  AuthSuccess: lenient(SoapBoolean, Once),
  SessKey: lenient(Schema.compose(Schema.Trim, SessionKey), Once),
  ThisUser: lenient(ThisUser, Once)
})

/**
 * The fields that every method's answer over SOAP shares.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SoapMethodResult = Schema.Struct(soapHead)

/**
 * The two codes with which Number refuses a session key (seed, "API Authentication"). 5030: the session expired after
 * 25 hours. 5050: the caller's IP is not the one that authenticated.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RefusalCode = Schema.Literal(5030, 5050)

/**
 * @since 0.1.0
 * @category models
 */
export type RefusalCode = typeof RefusalCode.Type

const isRefusalCode = (code: unknown): code is RefusalCode => code === 5030 || code === 5050

/**
 * Finds a refusal of the session key in the decoded JSON of a method's answer: one object under `<Something>Result`
 * with `FunctionOk` false and `ErrCode` 5030 or 5050. Nothing else is a refusal, so nothing else is replayed. An answer
 * with two results is no refusal, since one of them may say that the call was carried out.
 *
 * @since 0.1.0
 * @category decoding
 */
export const refusalIn = (answer: unknown): Option.Option<RefusalCode> => {
  if (!Predicate.isRecord(answer)) return Option.none()
  const results = Object.entries(answer).filter(([name]) => name.endsWith("Result"))
  const result = results.length === 1 ? results[0]![1] : null
  if (!Predicate.isRecord(result) || functionOkIn(result) !== false) return Option.none()
  const { ErrCode } = result
  const code = typeof ErrCode === "string" ? Number(ErrCode) : ErrCode
  return isRefusalCode(code) ? Option.some(code) : Option.none()
}
