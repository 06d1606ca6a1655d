/**
 * Everything that an effect sends to tracers and loggers.
 */
import { inspect } from "node:util"
import { Cause, Effect, type Exit, HashMap, Layer, List, Logger, LogLevel, Tracer } from "effect"

export interface Observed {
  /** Spans as an exporter writes them: name, attributes, events, and the pretty-printed failure. */
  readonly spans: ReadonlyArray<string>
  /** Names of the spans. */
  readonly names: ReadonlyArray<string>
  /** How the spans of each name ended. */
  readonly exits: ReadonlyMap<string, ReadonlyArray<Exit.Exit<unknown, unknown>>>
  /** Log entries in every format that Effect has, from trace level on. */
  readonly logs: ReadonlyArray<string>
}

/** Runs an effect, and returns its exit with its spans and logs. */
export const observed = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<readonly [Exit.Exit<A, E>, Observed], never, R> =>
  Effect.suspend(() => {
    const spans: Array<string> = []
    const names: Array<string> = []
    const logs: Array<string> = []
    const exits = new Map<string, Array<Exit.Exit<unknown, unknown>>>()
    const tracer = Tracer.make({
      span: (name, parent, context, links, startTime, kind): Tracer.Span => {
        names.push(name)
        const attributes = new Map<string, unknown>()
        const write = (...more: ReadonlyArray<unknown>) =>
          spans.push(
            [name, ...more]
              .map((each) => (typeof each === "string" ? each : inspect(each, { depth: 10 })))
              .join(" ")
          )
        return {
          _tag: "Span",
          name,
          spanId: String(spans.length),
          traceId: "trace",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes,
          links,
          sampled: true,
          kind,
          attribute: (key, value) => {
            attributes.set(key, value)
            write(key, value)
          },
          event: (event, _at, details) => write(event, details),
          addLinks: () => {},
          end: (_at, exit) => {
            write(attributes)
            exits.set(name, [...(exits.get(name) ?? []), exit])
            if (exit._tag === "Failure") write(Cause.pretty(exit.cause, { renderErrorCause: true }))
          }
        }
      },
      context: (f) => f()
    })
    const logger = Logger.make<unknown, void>((options) => {
      for (const each of [Logger.stringLogger, Logger.logfmtLogger, Logger.jsonLogger])
        logs.push(each.log(options))
      logs.push(
        inspect(Logger.structuredLogger.log(options), { depth: 10 }),
        inspect(options.message, { depth: 10 }),
        Cause.pretty(options.cause, { renderErrorCause: true }),
        ...Array.from(HashMap.values(options.annotations), (value) => inspect(value, { depth: 10 })),
        ...List.toArray(options.spans).map(({ label }) => label)
      )
    })
    return effect.pipe(
      Effect.exit,
      Effect.provide(
        Layer.mergeAll(
          Layer.setTracer(tracer),
          Logger.replace(Logger.defaultLogger, logger),
          Logger.minimumLogLevel(LogLevel.All)
        )
      ),
      Effect.map((exit) => [exit, { spans, names, exits, logs }] as const)
    )
  })
