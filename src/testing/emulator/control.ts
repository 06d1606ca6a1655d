/**
 * Control of the emulator over HTTP.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { badRequest, json, raw } from "./answers.js"
import { parseJson } from "./requests.js"
import { isAccountCode, isToken } from "./rules.js"
import type { NumberEmulator } from "./service.js"
import type { Answer } from "./state.js"

const DurationJson = Schema.transformOrFail(
  Schema.Union(Schema.NonNegative, Schema.String),
  Schema.DurationFromSelf,
  {
    strict: true,
    decode: (input, _options, ast) =>
      ParseResult.fromOption(
        Duration.decodeUnknown(input),
        () => new ParseResult.Type(ast, input, "not a duration")
      ),
    encode: (duration) => ParseResult.succeed(Duration.toMillis(duration))
  }
)

const MethodFaultJson = Schema.Union(
  Schema.TaggedStruct("Pass", {}),
  Schema.TaggedStruct("Refuse", {}),
  Schema.TaggedStruct("DropRequest", {}),
  Schema.TaggedStruct("DropAnswer", {}),
  Schema.TaggedStruct("StallRequest", {}),
  Schema.TaggedStruct("StallAnswer", {}),
  Schema.TaggedStruct("DelayRequest", { duration: DurationJson }),
  Schema.TaggedStruct("DelayAnswer", { duration: DurationJson }),
  Schema.TaggedStruct("Status", {
    status: Schema.Int.pipe(Schema.between(200, 599)),
    body: Schema.String
  }),
  Schema.TaggedStruct("Body", { body: Schema.String }),
  Schema.TaggedStruct("FunctionNotOk", { code: Schema.Int, message: Schema.String }),
  Schema.TaggedStruct("HugeBody", { bytes: Schema.NonNegativeInt }),
  Schema.TaggedStruct("CutBody", {})
)

const AccountJson = Schema.String.pipe(Schema.filter(isAccountCode))

const TokenJson = Schema.String.pipe(Schema.filter(isToken))

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const commands = {
  addToken: Schema.Struct({
    account: AccountJson,
    token: TokenJson,
    expiresAtMillis: optional(Schema.Number)
  }),
  revokeToken: Schema.Struct({ account: AccountJson, token: TokenJson }),
  setIp: Schema.Struct({ ip: Schema.NullOr(Schema.String) }),
  liftLock: Schema.Struct({ ip: Schema.String }),
  expireSessions: Schema.Struct({ account: optional(AccountJson) }),
  adjustClock: Schema.Struct({ duration: DurationJson }),
  setClockOffset: Schema.Struct({ offsetMillis: Schema.Number }),
  setRefusalStatus: Schema.Struct({ status: Schema.Int.pipe(Schema.between(200, 599)) }),
  setDelays: Schema.Struct({ request: optional(DurationJson), answer: optional(DurationJson) }),
  inject: Schema.Union(
    Schema.Struct({
      target: optional(Schema.Literal("authenticate")),
      faults: Schema.Array(Schema.Union(MethodFaultJson, Schema.TaggedStruct("ReportLock", {})))
    }),
    Schema.Struct({ target: Schema.Literal("method"), faults: Schema.Array(MethodFaultJson) })
  )
}

const runCommand = (
  emulator: Context.Tag.Service<typeof NumberEmulator>,
  name: string,
  body: unknown
): Effect.Effect<unknown, ParseResult.ParseError> => {
  const read = <A, I>(schema: Schema.Schema<A, I>) => Schema.decodeUnknown(schema)(body)
  switch (name) {
    case "state":
      return Effect.void
    case "addToken":
      return Effect.flatMap(read(commands.addToken), ({ account, token, ...options }) =>
        emulator.addToken(account, token, options)
      )
    case "revokeToken":
      return Effect.flatMap(read(commands.revokeToken), (_) => emulator.revokeToken(_.account, _.token))
    case "setIp":
      return Effect.flatMap(read(commands.setIp), ({ ip }) => emulator.setIp(ip ?? undefined))
    case "liftLock":
      return Effect.flatMap(read(commands.liftLock), ({ ip }) => emulator.liftLock(ip))
    case "expireSessions":
      return Effect.flatMap(read(commands.expireSessions), ({ account }) => emulator.expireSessions(account))
    case "adjustClock":
      return Effect.flatMap(read(commands.adjustClock), ({ duration }) => emulator.adjustClock(duration))
    case "setClockOffset":
      return Effect.flatMap(read(commands.setClockOffset), (_) => emulator.setClockOffset(_.offsetMillis))
    case "setRefusalStatus":
      return Effect.flatMap(read(commands.setRefusalStatus), (_) => emulator.setRefusalStatus(_.status))
    case "setDelays":
      return Effect.flatMap(read(commands.setDelays), (delays) => emulator.setDelays(delays))
    case "inject":
      return Effect.flatMap(read(commands.inject), (_) =>
        _.target === "method" ? emulator.injectMethod(..._.faults) : emulator.inject(..._.faults)
      )
    default:
      return Effect.fail(
        new ParseResult.ParseError({
          issue: new ParseResult.Type(Schema.String.ast, name, "no such command")
        })
      )
  }
}

/** Runs a command, and answers with the summary after it. A bad command is answered with 400. */
export const control = (
  emulator: Context.Tag.Service<typeof NumberEmulator>,
  name: string,
  text: string
): Effect.Effect<Answer> =>
  Option.match(text === "" ? Option.some<unknown>({}) : parseJson(text), {
    onNone: () => Effect.succeed(badRequest),
    onSome: (body) =>
      runCommand(emulator, name, body).pipe(
        Effect.zipRight(emulator.summary),
        Effect.map((summary) => json(summary)),
        Effect.catchAll((error) => Effect.succeed(raw(`Bad Request: ${error.message}`, 400)))
      )
  })
