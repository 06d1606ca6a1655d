/**
 * Everything that a program outputs, by channel: spans as OpenTelemetry's SDK exports them and as OTLP writes
 * them, logs by every logger that Effect has, metrics, and the console.
 */
import { format, inspect } from "node:util"
import { HttpClient, HttpClientResponse } from "@effect/platform"
import * as OtlpLogger from "@effect/opentelemetry/OtlpLogger"
import * as OtlpMetrics from "@effect/opentelemetry/OtlpMetrics"
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import * as Resource from "@effect/opentelemetry/Resource"
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import * as OtelTracer from "@effect/opentelemetry/Tracer"
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import {
  Cause,
  Console,
  Effect,
  type Exit,
  Inspectable,
  Layer,
  Logger,
  LogLevel,
  Metric,
  Tracer
} from "effect"
import { showings } from "./leaks.js"

/** The output of a program, by channel. */
export interface Output {
  readonly add: (channel: string, ...texts: ReadonlyArray<string | Uint8Array>) => void
  readonly channels: ReadonlyMap<string, ReadonlyArray<string | Uint8Array>>
}

export const makeOutput = (): Output => {
  const channels = new Map<string, Array<string | Uint8Array>>()
  return {
    channels,
    add: (channel, ...texts) => {
      const kept = channels.get(channel) ?? []
      channels.set(channel, kept)
      for (const text of texts) kept.push(text)
    }
  }
}

/** One tracer that hands each span to several, and sees how each ends. */
const several = (
  tracers: readonly [Tracer.Tracer, ...ReadonlyArray<Tracer.Tracer>],
  onEnd: (span: Tracer.Span, exit: Exit.Exit<unknown, unknown>) => void
): Tracer.Tracer =>
  Tracer.make({
    span: (name, parent, context, links, startTime, kind, options) => {
      const [first, ...others] = tracers
      const span = first.span(name, parent, context, links.slice(), startTime, kind, options)
      const spans = [
        span,
        ...others.map((tracer) => tracer.span(name, parent, context, links.slice(), startTime, kind, options))
      ]
      const { attributes, sampled, spanId, traceId } = span
      return {
        ...{ _tag: "Span", name, spanId, traceId, parent, context, attributes, links, sampled, kind },
        get status() {
          return span.status
        },
        attribute: (key, value) => spans.forEach((each) => each.attribute(key, value)),
        event: (event, at, details) => spans.forEach((each) => each.event(event, at, details)),
        addLinks: (more) => spans.forEach((each) => each.addLinks(more)),
        end: (at, exit) => {
          onEnd(span, exit)
          spans.forEach((each) => each.end(at, exit))
        }
      }
    },
    context: tracers[0].context
  })

/** The printed forms of a success. */
const briefly = (value: unknown): ReadonlyArray<string> => [
  inspect(value, { depth: 8 }),
  Inspectable.toStringUnknown(value)
]

const spanJson = ({ attributes, events, kind, links, name, resource, status }: ReadableSpan): string =>
  JSON.stringify({ name, kind, attributes, events, links, status, resource: resource.attributes })

/** Records the requests that OTLP sends to a collector. */
const collecting = (output: Output): HttpClient.HttpClient =>
  HttpClient.make((request, url) => {
    if (request.body._tag === "Uint8Array") output.add(`otlp ${url.pathname.slice(4)}`, request.body.body)
    return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("{}")))
  })

/** A console that writes everything to one channel. Loggers use its unsafe half. */
const writing = (output: Output, channel: string): Console.Console => {
  const write = (...given: ReadonlyArray<unknown>) => output.add(channel, format(...given))
  const unsafe = new Proxy(globalThis.console, { get: () => write })
  const safe = { [Console.TypeId]: Console.TypeId, unsafe } as unknown as Console.Console
  return new Proxy(safe, {
    get: (own, name) =>
      name in own
        ? Reflect.get(own, name)
        : (...given: ReadonlyArray<unknown>) => Effect.sync(() => write(...given))
  })
}

const loggers = (output: Output): ReadonlyArray<Logger.Logger<unknown, void>> => [
  ...Object.entries({
    string: Logger.stringLogger,
    logfmt: Logger.logfmtLogger,
    JSON: Logger.jsonLogger,
    structured: Logger.map(Logger.structuredLogger, (entry) => inspect(entry, { depth: Infinity }))
  }).map(([name, logger]) => Logger.map(logger, (text) => output.add(`log, ${name}`, text))),
  Logger.make<unknown, void>(({ annotations, cause, message }) =>
    output.add(
      "log, as objects",
      inspect(message, { depth: Infinity }),
      inspect(annotations, { depth: Infinity }),
      ...(Cause.isEmpty(cause) ? [] : showings(cause))
    )
  ),
  Logger.withSpanAnnotations(Logger.prettyLogger({ mode: "tty", colors: true })),
  Logger.tracerLogger
]

/** Runs an effect with every channel on, at the lowest log level. The output is complete when this ends. */
export const recording =
  (output: Output) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const exporter = new InMemorySpanExporter()
      // The exporter forgets its spans when it is shut down, which is before they are read.
      const finished: Array<ReadableSpan> = []
      exporter.shutdown = () => Promise.resolve(void finished.push(...exporter.getFinishedSpans()))
      const service = { serviceName: "canaries" }
      const otlp = {
        url: "http://collector.test/v1/",
        exportInterval: "1 second",
        resource: service
      } as const
      const resource = Resource.layer(service)
      const tracer = Layer.unwrapScoped(
        Effect.gen(function* () {
          const sdk = yield* OtelTracer.make
          const wire = yield* OtlpTracer.make({ ...otlp, url: `${otlp.url}traces` })
          return Layer.setTracer(
            several([sdk, wire], (span, exit) =>
              output.add(
                "ends of spans",
                span.name,
                ...(exit._tag === "Failure" ? showings(exit.cause) : briefly(exit.value))
              )
            )
          )
        })
      ).pipe(
        Layer.provide(OtelTracer.layerTracer),
        Layer.provide(NodeSdk.layerTracerProvider(new SimpleSpanProcessor(exporter))),
        Layer.provide(resource)
      )
      const wires = Layer.mergeAll(
        tracer,
        OtlpLogger.layer({ ...otlp, url: `${otlp.url}logs` }),
        OtlpMetrics.layer({ ...otlp, url: `${otlp.url}metrics` })
      ).pipe(
        Layer.provide(OtlpSerialization.layerJson),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, collecting(output)))
      )
      const logs = Layer.mergeAll(
        Logger.remove(Logger.defaultLogger),
        Logger.remove(Logger.tracerLogger),
        ...loggers(output).map(Logger.add),
        Logger.minimumLogLevel(LogLevel.All)
      )
      return effect.pipe(
        Effect.tap(() =>
          Effect.sync(() =>
            output.add(
              "metrics",
              inspect(Metric.unsafeSnapshot(), { depth: Infinity, maxArrayLength: Infinity })
            )
          )
        ),
        Effect.provide(Layer.provideMerge(wires, logs)),
        Effect.withConsole(writing(output, "log, pretty")),
        Effect.tap(() => Effect.sync(() => output.add("OpenTelemetry spans", ...finished.map(spanJson))))
      )
    })
