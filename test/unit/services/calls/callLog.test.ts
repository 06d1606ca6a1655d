import { assert, describe, it } from "@effect/vitest"
import type { Tracer } from "effect"
import { Effect, HashMap, Logger, LogLevel } from "effect"
import { logCall, successOf } from "../../../../src/services/calls/internal/callLog.js"
import * as answerHead from "../../../../src/services/wire/answerHead.js"

const nothing = { FunctionOk: null, success: null, RespMsg: null, ErrCode: null, ErrMsg: null }
const said = { FunctionOk: true, success: false, RespMsg: "no", ErrCode: 7, ErrMsg: "e" }

/** What an effect logs, from debug level on: level, message and annotations. */
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

describe("what is known of the answer to an attempt", () => {
  it("follows its outcome", () => {
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
    assert.deepStrictEqual(head({ _tag: "refused", detail: "no", lockReported: false }), {
      ...nothing,
      FunctionOk: true,
      success: false,
      RespMsg: "no"
    })
    assert.deepStrictEqual(head({ _tag: "faulted", detail: "oops", errorCode: 7, lockReported: false }), {
      ...nothing,
      FunctionOk: false,
      ErrCode: 7,
      ErrMsg: "oops"
    })
    assert.deepStrictEqual(
      head({ _tag: "faulted", detail: "oops", errorCode: null, lockReported: false }),
      nothing
    )
    assert.deepStrictEqual(head({ _tag: "lost", detail: "silence" }), nothing)
    assert.deepStrictEqual(head({ _tag: "unsent", detail: "refused" }), nothing)
  })
})

describe("whether a result says that its operation was approved", () => {
  const booleanOf = (value: unknown): boolean | null => (typeof value === "boolean" ? value : null)

  it("is what the flag of its operation says, whichever that is", () => {
    for (const flag of ["TxApproved", "AuthSuccess", "IsSuccess"]) {
      for (const value of [true, false]) {
        assert.strictEqual(successOf({ [flag]: value }, booleanOf), value)
      }
    }
  })

  it("is null where it has no such flag, or is no record", () => {
    for (const result of [{}, { TxApproved: "yes" }, { Approved: true }, null, "TxApproved", [true]]) {
      assert.isNull(successOf(result, booleanOf))
    }
  })

  it("passes over a flag that says nothing", () => {
    assert.isTrue(successOf({ TxApproved: null, IsSuccess: true }, booleanOf))
  })
})

describe("a call is told of", () => {
  it.effect("with what is known of it, and no more", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* logged(logCall("Echo", said, null)), [
        ["WARN", "Number carried out Echo.", { call: "Echo", ...said }]
      ])
      assert.deepStrictEqual(yield* logged(logCall("Echo", { ...nothing, FunctionOk: true }, null)), [
        ["DEBUG", "Number carried out Echo.", { call: "Echo", FunctionOk: true }]
      ])
    })
  )

  it.effect("with the error's own words where it failed, as a warning", () =>
    Effect.gen(function* () {
      const error = { message: "It failed." } as never
      assert.deepStrictEqual(yield* logged(logCall("Echo", { ...nothing, success: true }, error)), [
        ["WARN", "It failed.", { call: "Echo", success: true }]
      ])
    })
  )

  it.effect("in the attributes of its span", () =>
    Effect.gen(function* () {
      const span = yield* Effect.zipRight(answerHead.annotateSpan(said), Effect.currentSpan)
      assert.deepStrictEqual(
        Object.fromEntries(span.attributes),
        Object.fromEntries(Object.entries(said).map(([name, value]) => [`number.${name}`, value]))
      )
    }).pipe(Effect.withSpan("call"))
  )

  it.effect("harmlessly: a logger or a tracer that throws changes nothing", () =>
    Effect.gen(function* () {
      const thrower = Logger.make(() => {
        throw new Error("full")
      })
      yield* logCall("Echo", said, null).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, thrower)))
      const span = { ...(yield* Effect.currentSpan) } as Tracer.Span
      yield* answerHead.annotateSpan(said).pipe(
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
