/**
 * The spans that a tracer receives.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, FiberId, Tracer } from "effect"
import { withOwnSpan, withRedactedSpans } from "../../../../src/services/common/redactedSpans.js"
import { observed } from "../../../support/observed.js"

const secret = "2148B239CF6846BDA5D141BF4A4CFBE8"

class Own extends Data.TaggedError("Own")<{ readonly detail: string }> {}
class Others extends Data.TaggedError("Others")<{ readonly request: string }> {}

/** How the span of this name ended. */
const endOf = <A, E>(name: string, effect: Effect.Effect<A, E>) =>
  Effect.map(observed(effect), ([exit, output]) => {
    assert.lengthOf(output.exits.get(name) ?? [], 1)
    for (const text of output.spans) assert.notInclude(text, secret)
    return { exit, end: output.exits.get(name)![0]!, spans: output.spans }
  })

const kind = (name: string): string =>
  `An error from code outside this library (${name}). It is not shown, since it may hold a secret.`

const messagesOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> => {
  assert(Exit.isFailure(exit))
  return [...Cause.failures(exit.cause), ...Cause.defects(exit.cause)].map((error) =>
    error instanceof Error ? error.message : String(error)
  )
}

/** The error or the defect of an exit: the original value, without Effect's annotations. */
const errorOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  assert(Exit.isFailure(exit))
  const errors = [...Cause.failures(exit.cause), ...Cause.defects(exit.cause)]
  assert.lengthOf(errors, 1)
  return Cause.originalError(errors[0])
}

describe("spans that other code makes", () => {
  const quiet = withRedactedSpans(
    (text) => text.replaceAll(secret, "<redacted>"),
    (error) => `shown: ${(error as { readonly _tag: string })._tag}`
  )

  it.effect("show redacted text, and their other attributes unchanged", () =>
    Effect.gen(function* () {
      const { end, exit, spans } = yield* endOf(
        "http.client",
        Effect.annotateCurrentSpan({ header: `key ${secret}`, status: 200 }).pipe(
          Effect.as({ body: secret }),
          Effect.withSpan("http.client"),
          quiet
        )
      )
      assert.include(spans, "http.client header key <redacted>")
      assert.include(spans, "http.client status 200")
      // The caller gets the answer, and the tracer does not.
      assert.deepStrictEqual(exit, Exit.succeed({ body: secret }))
      assert.deepStrictEqual(end, Exit.void)
    })
  )

  it.effect("end with a redacted failure, while the caller gets the failure unchanged", () =>
    Effect.gen(function* () {
      const error = new Others({ request: secret })
      const { end, exit } = yield* endOf(
        "http.client",
        quiet(Effect.withSpan(Effect.fail(error), "http.client"))
      )
      assert.deepStrictEqual(end, Exit.fail("shown: Others"))
      assert.strictEqual(errorOf(exit), error)
    })
  )

  it.effect("end with only the kind of a defect, however causes are nested", () =>
    Effect.gen(function* () {
      const interruptor = FiberId.runtime(7, 0)
      const cause = Cause.sequential(
        Cause.parallel(Cause.fail(new Others({ request: secret })), Cause.die(new TypeError(secret))),
        Cause.sequential(Cause.interrupt(interruptor), Cause.empty)
      )
      const { end, exit } = yield* endOf(
        "http.client",
        quiet(Effect.withSpan(Effect.failCause(cause), "http.client"))
      )
      assert(Exit.isFailure(end))
      const shown = end.cause
      assert(shown._tag === "Sequential" && shown.left._tag === "Parallel")
      assert.deepStrictEqual(shown.left.left, Cause.fail("shown: Others"))
      assert.deepStrictEqual(messagesOf(Exit.failCause(shown.left.right)), [kind("TypeError")])
      assert.isTrue(Cause.isDieType(shown.left.right))
      assert.deepStrictEqual(shown.right, Cause.sequential(Cause.interrupt(interruptor), Cause.empty))
      assert(Exit.isFailure(exit))
      assert.strictEqual(exit.cause, cause)
    })
  )

  it.effect("are the tracer's own objects, in its context, with all their methods", () =>
    Effect.gen(function* () {
      const contexts: Array<string> = []
      const spans: Array<Tracer.Span> = []
      const events: Array<unknown> = []
      const tracer = Tracer.make({
        span(name, parent, context, links, startTime, kind) {
          assert.strictEqual(this, tracer)
          const status: Tracer.SpanStatus = { _tag: "Started", startTime }
          const attributes = new Map<string, unknown>()
          // A tracer's spans may be of its own class, whose methods need their span as `this`.
          class Span {
            readonly _tag = "Span"
            readonly spanId = "1"
            readonly traceId = "1"
            readonly sampled = true
            readonly name = name
            readonly parent = parent
            readonly context = context
            readonly links = links
            readonly kind = kind
            readonly attributes = attributes
            status: Tracer.SpanStatus = status
            attribute(key: string, value: unknown): void {
              this.attributes.set(key, value)
            }
            event(...event: ReadonlyArray<unknown>): void {
              events.push([this, ...event])
            }
            addLinks(): void {}
            end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
              this.status = { _tag: "Ended", startTime, endTime, exit }
            }
          }
          const span = new Span()
          spans.push(span)
          return span
        },
        context(run, fiber) {
          assert.strictEqual(this, tracer)
          contexts.push(typeof fiber)
          return run()
        }
      })
      const seen = yield* Effect.currentSpan.pipe(
        Effect.tap((span) => Effect.sync(() => span.event("sent", 1n))),
        Effect.withSpan("http.client", { attributes: { n: 1 } }),
        quiet,
        Effect.withTracer(tracer)
      )
      assert.lengthOf(spans, 1)
      assert.strictEqual(seen, spans[0])
      assert.deepStrictEqual(events, [[spans[0], "sent", 1n]])
      assert.deepStrictEqual([...spans[0]!.attributes], [["n", 1]])
      assert.strictEqual(spans[0]!.status._tag, "Ended")
      assert.isAbove(contexts.length, 0)
    })
  )
})

describe("a span of our own", () => {
  const own = withOwnSpan("NumberAuth.test", { location: "shop" }, (error) => error instanceof Own)

  it.effect("has its attributes, and ends as the effect does if that succeeds", () =>
    Effect.gen(function* () {
      const { end, exit, spans } = yield* endOf("NumberAuth.test", own(Effect.succeed(1)))
      assert.deepStrictEqual([exit, end], [Exit.succeed(1), Exit.succeed(1)])
      assert.isTrue(spans.some((text) => text.includes("location") && text.includes("shop")))
      // Nor is there a stack of ours or of the user's.
      assert.isFalse(spans.some((text) => text.includes("code.stacktrace")))
    })
  )

  it.effect(
    "ends with an error of ours unchanged, and with only the kind of another; the caller gets both unchanged",
    () =>
      Effect.gen(function* () {
        const mine = new Own({ detail: "refused" })
        const shown = yield* endOf("NumberAuth.test", own(Effect.fail(mine)))
        assert.deepStrictEqual([errorOf(shown.end), errorOf(shown.exit)], [mine, mine])
        const error = new Error(secret)
        error.name = "FetchError"
        for (const [failure, name] of [
          [new Others({ request: secret }), "Others"],
          [error, "FetchError"],
          [new RangeError(secret), "RangeError"],
          [secret, "unknown"],
          [null, "unknown"],
          [{ _tag: 7 }, "unknown"],
          [{ _tag: "" }, "unknown"],
          [{ _tag: "no name" }, "unknown"],
          [{ _tag: " name" }, "unknown"],
          [{ _tag: "-" }, "unknown"],
          [{ _tag: "x".repeat(40) }, "x".repeat(40)],
          [{ _tag: "x".repeat(41) }, "unknown"]
        ] as const) {
          for (const [effect, isDefect] of [
            [Effect.fail(failure), false],
            [Effect.die(failure), true]
          ] as const) {
            const { end, exit } = yield* endOf(
              "NumberAuth.test",
              own(effect as Effect.Effect<never, unknown>)
            )
            assert.deepStrictEqual(messagesOf(end), [kind(name)])
            assert(Exit.isFailure(end) && Exit.isFailure(exit))
            assert.strictEqual(Cause.isDieType(end.cause), isDefect)
            assert.strictEqual(errorOf(exit), failure)
          }
        }
      })
  )

  it.effect("is made for each run of the effect, and one run does not end as another did", () =>
    Effect.gen(function* () {
      let runs = 0
      const twice = own(Effect.suspend(() => (runs++ === 0 ? Effect.fail("first") : Effect.interrupt)))
      assert.deepStrictEqual(yield* Effect.exit(twice), Exit.fail("first"))
      assert.isTrue(Exit.isInterrupted(yield* Effect.exit(twice)))
    })
  )
})
