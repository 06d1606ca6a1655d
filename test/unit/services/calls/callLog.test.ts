import { assert, describe, it } from "@effect/vitest"
import type { Tracer } from "effect"
import { Effect, HashMap, Logger, LogLevel } from "effect"
import { logCall, successOf } from "../../../../src/services/calls/internal/callLog.js"
import * as answerHead from "../../../../src/services/wire/answerHead.js"

const nothing = { FunctionOk: null, success: null, RespMsg: null, ErrCode: null, ErrMsg: null }
const full = { FunctionOk: true, success: false, RespMsg: "no", ErrCode: 7, ErrMsg: "e" }

/** The log entries of an effect, from debug level on: level, message and annotations. */
const logged = (effect: Effect.Effect<void>) =>
  Effect.suspend(() => {
    const entries: Array<readonly [string, string, Record<string, unknown>]> = []
    const logger = Logger.make(({ annotations, logLevel, message }) => {
      entries.push([logLevel.label, String(message), Object.fromEntries(HashMap.toEntries(annotations))])
    })
    return effect.pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.Debug),
      Effect.as(entries)
    )
  })

describe("the head of an attempt's answer", () => {
  it("follows the attempt's outcome", () => {
    const head = (outcome: Parameters<typeof answerHead.headOf>[0]) => answerHead.headOf(outcome)
    assert.deepStrictEqual(answerHead.emptyHead, nothing)
    assert.deepStrictEqual(
      head({ _tag: "accepted", tokenEndsAtMillis: null, lockReported: false } as never),
      {
        ...nothing,
        FunctionOk: true,
        success: true
      }
    )
    assert.deepStrictEqual(head({ _tag: "refused", detail: "no" }), {
      ...nothing,
      FunctionOk: true,
      success: false,
      RespMsg: "no"
    })
    const lockedOut = { _tag: "lockedOut", detail: "locked" } as const
    assert.deepStrictEqual(head({ ...lockedOut, errorCode: null }), {
      ...nothing,
      success: false,
      RespMsg: "locked"
    })
    assert.deepStrictEqual(head({ ...lockedOut, errorCode: 7 }), {
      ...nothing,
      FunctionOk: false,
      ErrCode: 7,
      ErrMsg: "locked"
    })
    assert.deepStrictEqual(head({ _tag: "faulted", detail: "oops", errorCode: 7 }), {
      ...nothing,
      FunctionOk: false,
      ErrCode: 7,
      ErrMsg: "oops"
    })
    assert.deepStrictEqual(head({ _tag: "faulted", detail: "oops", errorCode: null }), nothing)
    assert.deepStrictEqual(head({ _tag: "lost", detail: "silence" }), nothing)
    assert.deepStrictEqual(head({ _tag: "unsent", detail: "refused" }), nothing)
  })
})

describe("successOf", () => {
  const booleanOf = (value: unknown): boolean | null => (typeof value === "boolean" ? value : null)

  it("is the value of the operation's flag, under any of its names", () => {
    for (const flag of ["TxApproved", "AuthSuccess", "IsSuccess"]) {
      for (const value of [true, false]) {
        assert.strictEqual(successOf({ [flag]: value }, booleanOf), value)
      }
    }
  })

  it("is null if the result has no such flag, or is not a record", () => {
    for (const result of [{}, { TxApproved: "yes" }, { Approved: true }, null, "TxApproved", [true]]) {
      assert.isNull(successOf(result, booleanOf))
    }
  })

  it("skips a flag that is null", () => {
    assert.isTrue(successOf({ TxApproved: null, IsSuccess: true }, booleanOf))
  })
})

describe("the log entry of a call", () => {
  it.effect("has the fields that are known, and no others", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* logged(logCall("Echo", full, null)), [
        ["WARN", "Number carried out Echo.", { call: "Echo", ...full }]
      ])
      assert.deepStrictEqual(yield* logged(logCall("Echo", { ...nothing, FunctionOk: true }, null)), [
        ["DEBUG", "Number carried out Echo.", { call: "Echo", FunctionOk: true }]
      ])
    })
  )

  it.effect("is a warning with the error's message if the call failed", () =>
    Effect.gen(function* () {
      const error = { message: "It failed." } as never
      assert.deepStrictEqual(yield* logged(logCall("Echo", { ...nothing, success: true }, error)), [
        ["WARN", "It failed.", { call: "Echo", success: true }]
      ])
    })
  )

  it.effect("has the same fields as the attributes of the span", () =>
    Effect.gen(function* () {
      const span = yield* Effect.zipRight(answerHead.annotateSpan(full), Effect.currentSpan)
      assert.deepStrictEqual(
        Object.fromEntries(span.attributes),
        Object.fromEntries(Object.entries(full).map(([name, value]) => [`number.${name}`, value]))
      )
    }).pipe(Effect.withSpan("call"))
  )

  it.effect("is harmless: a logger or a tracer that throws changes nothing", () =>
    Effect.gen(function* () {
      const thrower = Logger.make(() => {
        throw new Error("full")
      })
      yield* logCall("Echo", full, null).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, thrower)))
      const span = { ...(yield* Effect.currentSpan) } as Tracer.Span
      yield* answerHead.annotateSpan(full).pipe(
        Effect.withParentSpan(
          Object.assign(span, {
            attribute: () => {
              throw new Error("ended")
            }
          })
        )
      )
    }).pipe(Effect.withSpan("call"))
  )
})
