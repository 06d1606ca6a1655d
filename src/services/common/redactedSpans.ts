/**
 * Spans without secrets. A tracer gets the exit of a span. Its failure may hold a request as it was sent, or any error
 * that the user's code threw.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Tracer from "effect/Tracer"

/** The replacement for an error that is not ours, and may hold anything. */
const kindOf = (error: unknown): Error => {
  const name = Predicate.hasProperty(error, "_tag") ? error._tag : error instanceof Error ? error.name : ""
  const kind = typeof name === "string" && /^\w{1,40}$/.test(name) ? name : "unknown"
  return new Error(
    `An error from code outside this library (${kind}). It is not shown, since it may hold a secret.`
  )
}

/** A cause that is fit to be shown: failures are mapped by `error`, and defects are reduced to their kind. */
const redactedCause = (
  cause: Cause.Cause<unknown>,
  error: (error: unknown) => unknown
): Cause.Cause<unknown> =>
  Cause.match<Cause.Cause<unknown>, unknown>(cause, {
    onEmpty: Cause.empty,
    onFail: (failure) => Cause.fail(error(failure)),
    onDie: (defect) => Cause.die(kindOf(defect)),
    onInterrupt: (fiberId) => Cause.interrupt(fiberId),
    onSequential: Cause.sequential,
    onParallel: Cause.parallel
  })

/**
 * Runs an effect so that the spans below it are fit to be shown. An `HttpClient` makes such a span for each request,
 * with every header of the answer. Text attributes are mapped by `show`, and failures by `error`. Success values, which
 * are answers, are left out.
 */
export const withRedactedSpans =
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
            // The span itself is changed, not wrapped: a tracer looks for its own spans among the parents.
            return Object.assign(span, {
              attribute: (key: string, value: unknown) =>
                attribute(key, typeof value === "string" ? show(value) : value),
              end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) =>
                end(
                  endTime,
                  Exit.isSuccess(exit) ? Exit.void : Exit.failCause(redactedCause(exit.cause, error))
                )
            })
          },
          context: tracer.context.bind(tracer)
        })
      )
    )

/**
 * Runs the user's code in a span of ours. The span holds only the kind of an error that is not ours. The caller gets
 * the error unchanged.
 */
export const withOwnSpan =
  (name: string, attributes: Readonly<Record<string, unknown>>, isOurs: (error: unknown) => boolean) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
    Effect.suspend(() => {
      let given: Cause.Cause<E> | null = null
      return effect.pipe(
        Effect.catchAllCause((cause) => {
          given = cause
          return Effect.failCause(redactedCause(cause, (error) => (isOurs(error) ? error : kindOf(error))))
        }),
        Effect.withSpan(name, { attributes, captureStackTrace: false }),
        Effect.catchAllCause((cause) => Effect.failCause(given ?? (cause as Cause.Cause<E>)))
      )
    })
