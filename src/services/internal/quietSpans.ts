/**
 * Spans of others that are made while a secret is under way. An `HttpClient` makes one for each request, shows every header
 * of the answer on it, and hands the tracer how it ended, with the request as it was sent.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Tracer from "effect/Tracer"

/**
 * Runs an effect so that on the spans below it text is shown as `show` has it, and a failure as `error` has it. What they
 * succeed with, answers, is not told.
 */
export const withQuietSpans =
  (show: (text: string) => string, error: (error: unknown) => unknown) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.tracer, (tracer) =>
      Effect.withTracer(
        effect,
        Tracer.make({
          span: (...given) => {
            const span = tracer.span(...given)
            const attribute = span.attribute.bind(span)
            const end = span.end.bind(span)
            // On the span itself: a tracer looks for spans of its own among the parents.
            return Object.assign(span, {
              attribute: (key: string, value: unknown) =>
                attribute(key, typeof value === "string" ? show(value) : value),
              end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) =>
                end(endTime, Exit.mapBoth(exit, { onFailure: error, onSuccess: constVoid }))
            })
          },
          context: tracer.context.bind(tracer)
        })
      )
    )
