/**
 * The log entries about calls.
 */
import { Effect, HashMap, Logger, LogLevel } from "effect"

interface Entry {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Runs with a logger that keeps the entries that are about a call. */
export const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const entries: Array<Entry> = []
    const logger = Logger.make<unknown, void>(({ annotations, logLevel, message }) => {
      const fields = Object.fromEntries(HashMap.toEntries(annotations))
      if ("call" in fields) entries.push({ level: logLevel.label, message: String(message), fields })
    })
    return effect.pipe(
      Effect.either,
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.map((result) => ({
        result,
        entries: entries.filter(({ fields }) => fields["call"] !== "Authenticate")
      }))
    )
  })
