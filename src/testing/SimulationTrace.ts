/**
 * The trace of a simulated life: as JSON lines, which can be replayed, and as a Mermaid sequence diagram.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Observer } from "../services/session/AuthObserver.js"
import * as Simulation from "./Simulation.js"

/** The first line: the inputs of the life, and the promise that it broke, if any. */
const Header = Schema.parseJson(
  Schema.Struct({
    version: Schema.Literal(1),
    seed: Schema.Int,
    life: Schema.NonNegativeInt,
    client: Schema.optionalWith(Schema.Literal("library", "naive"), { default: () => "library" as const }),
    acknowledges: Schema.optionalWith(Schema.Literal("whenDurable", "beforeDurable"), {
      default: () => "whenDurable" as const
    }),
    promise: Schema.NullOr(Schema.String)
  })
)

/**
 * A life as JSON lines: first a line with its seed and number, then one line for each trace entry. It holds no secrets.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJsonLines = (options: Simulation.Options, number: number, life: Simulation.Life): string =>
  [
    JSON.stringify({
      version: 1,
      seed: options.seed,
      life: number,
      client: options.client ?? "library",
      acknowledges: options.acknowledges ?? "whenDurable",
      promise: life.violation?.promise ?? null
    }),
    ...life.trace.map((entry) => JSON.stringify(entry))
  ].join("\n") + "\n"

/**
 * The result of a replay. `differsAt` is the first line of the file, from 1, at which the replay differs from the
 * trace; null if they are identical.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replay {
  readonly life: Simulation.Life
  readonly differsAt: number | null
}

/**
 * Replays the life of a trace, and compares the result with the trace. The observer sees each change that the library
 * stores meanwhile. Left if the text is not a trace.
 *
 * @since 0.1.0
 * @category running
 */
export const replay = (text: string, observer?: Observer): Either.Either<Replay, string> =>
  Schema.decodeUnknownEither(Header)(text.split("\n", 1)[0]).pipe(
    Either.mapLeft(() => "its first line is not that of a trace of number-auth simulate"),
    Either.map(({ life: number, ...options }) => {
      const life = Simulation.live({ ...options, observer }, number)
      const lines = toJsonLines(options, number, life).split("\n")
      const given = text.split("\n")
      const index = Array.from({ length: Math.max(lines.length, given.length) }).findIndex(
        (_, line) => lines[line] !== given[line]
      )
      return { life, differsAt: index < 0 ? null : index + 1 }
    })
  )

const lineOf = ({ account, detail, process, type }: Simulation.TraceEntry): string => {
  const text = [type, account, detail].filter((part) => part !== undefined).join(" ")
  switch (type) {
    case "call":
      return `Callers->>P${process}: ${account} is needed`
    case "marked":
      return `Note over Store: ${text}`
    case "sent":
      return "Note over Number: an attempt is on its way"
    case "notified":
      return `Store-->>Person: ${text}`
    case "good token":
    case "resume":
    case "lock lifted":
      return `Person->>Store: ${text}`
    case "died":
    case "started":
      return `Note over P${process}: ${type}`
    case "power cut":
    case "store away":
      return `Note over Store: ${text}`
    default:
      return `Note over Number: ${text}`
  }
}

/**
 * Draws the last entries of a life (`longest` at the most) as a Mermaid sequence diagram, with the day and second of
 * each.
 *
 * @since 0.1.0
 * @category drawing
 */
export const toSequenceDiagram = (life: Simulation.Life, longest = 40): string => {
  const last = life.trace.slice(-longest)
  const processes = [...new Set(last.flatMap(({ process }) => (process === undefined ? [] : [process])))]
  let shownAt = -1
  const drawn = last.flatMap((entry) => {
    const seconds = Math.floor(entry.atMillis / 1000)
    const when =
      seconds === shownAt
        ? []
        : [`Note left of Callers: day ${Math.floor(seconds / 86_400)}, second ${seconds % 86_400}`]
    shownAt = seconds
    return [...when, lineOf(entry)]
  })
  const participants = [
    "participant Callers",
    ...processes.sort((a, b) => a - b).map((process) => `participant P${process} as Process ${process + 1}`),
    "participant Store",
    "participant Number",
    "actor Person"
  ]
  return ["sequenceDiagram", ...[...participants, ...drawn].map((line) => `  ${line}`)].join("\n")
}
