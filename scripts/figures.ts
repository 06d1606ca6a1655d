/** The figures of `docs/verification.md`: where each comes from, and how it is told. */
import { rooms } from "../test/mutation/rooms.js"
import { justifiedIn } from "../test/mutation/survivors.js"
import { type Report, verdict } from "../test/mutation/verdict.js"
import { marked } from "./marked.js"

/** By the name of the report that they come from. */
export type Figures = Readonly<Record<string, unknown>>

interface Measure {
  /** `reports/<report>.json`. */
  readonly report: string
  /** The command that writes it. */
  readonly command: string
  /** What is kept of the report. */
  readonly read: (report: unknown) => unknown
}

const all = (report: unknown): unknown => report

const mutation = (room: string, command: string): Measure => ({
  report: `mutation-${room}`,
  command,
  read: (report) => {
    const { counts, score } = verdict(
      report as Report,
      justifiedIn(report as Report),
      rooms[room]!.leastScore
    )
    return { ...counts, score: Math.round(score * 100) / 100 }
  }
})

/** The rooms that src/services is divided into. */
const rest = Object.keys(rooms).filter((room) => room !== "machine")

export const measures: ReadonlyArray<Measure> = [
  { report: "exploration", command: "npm run explore", read: all },
  { report: "world-mutants", command: "npm test", read: all },
  { report: "core", command: "npm test", read: all },
  { report: "world", command: "npm test", read: all },
  { report: "naive", command: "npm test", read: all },
  { report: "sampled-mutants", command: "npm test", read: all },
  { report: "simulation", command: "npm test", read: all },
  { report: "simulation-mutants", command: "npm test", read: all },
  { report: "crash", command: "npm test", read: all },
  { report: "fuzz-REST", command: "npm test", read: all },
  { report: "fuzz-SOAP", command: "npm test", read: all },
  { report: "canaries", command: "npm test", read: all },
  mutation("machine", "npm run mutate:machine"),
  ...rest.map((room) => mutation(room, "npm run mutate:services"))
]

type Row = Readonly<Record<string, unknown>>

/** `greatestCount` as "greatest count". */
const words = (name: string): string =>
  name.replaceAll(/ ?([A-Z])/g, (_, letter: string) => ` ${letter.toLowerCase()}`)

const cell = (value: unknown): string => {
  if (typeof value === "number" && Number.isInteger(value)) return value.toLocaleString("en-US")
  if (typeof value === "number") return String(Math.round(value * 100) / 100)
  if (typeof value === "boolean") return value ? "yes" : "no"
  return typeof value === "string" ? value : "none"
}

const table = (rows: ReadonlyArray<Row>): string => {
  const columns = Object.keys(rows[0] ?? {})
  const isNumber = (column: string): boolean => rows.every((row) => typeof row[column] === "number")
  return [
    `| ${columns.map(words).join(" | ")} |`,
    `|${columns.map((column) => (isNumber(column) ? "---:" : "---")).join("|")}|`,
    ...rows.map((row) => `| ${columns.map((column) => cell(row[column])).join(" | ")} |`)
  ].join("\n")
}

/** Seeds are names, not amounts. */
const figure = (name: string, value: unknown): string =>
  `${words(name)} ${name === "seed" ? String(value) : cell(value)}`

const sentence = (figures: Row): string =>
  `${Object.entries(figures)
    .filter(([, value]) => typeof value !== "object" || value === null)
    .map(([name, value]) => figure(name, value))
    .join(", ")}.`

const nested = (figures: Row): ReadonlyArray<string> =>
  Object.entries(figures)
    .filter(([, value]) => typeof value === "object" && value !== null && !Array.isArray(value))
    .map(([name, value]) => `${words(name)}: ${sentence(value as Row)}`)

const huntedDown = (figures: unknown): string => {
  const { caught, mutants } = figures as { readonly mutants: number; readonly caught: ReadonlyArray<Row> }
  return `${caught.length} of ${mutants} caught.\n\n${table(caught)}`
}

const told: Readonly<Record<string, (figures: unknown) => string>> = {
  exploration: (figures) =>
    table(
      (figures as ReadonlyArray<Row>).map(
        ({ greatestCount, isComplete, limit, states, transitions, walk, broken }) => ({
          walk,
          states,
          transitions,
          "greatest count": `${cell(greatestCount)} of ${cell(limit)}`,
          complete: isComplete,
          broken
        })
      )
    ),
  "world-mutants": huntedDown,
  "simulation-mutants": huntedDown,
  "sampled-mutants": (figures) => {
    const { caught, mutants } = figures as { readonly mutants: number; readonly caught: number }
    return `${caught} of ${mutants} caught.`
  },
  crash: (figures) => {
    const { runs, seed } = figures as { readonly seed: number; readonly runs: ReadonlyArray<string> }
    return [`seed ${seed}:`, "", ...runs.map((run) => `- ${run}`)].join("\n")
  },
  canaries: (figures) => {
    const { channels, hits } = figures as {
      readonly channels: Readonly<Record<string, Row>>
      readonly hits: number
    }
    return `${table(Object.entries(channels).map(([channel, row]) => ({ channel, ...row })))}\n\nHits in all: ${hits}.`
  }
}

const tell = (report: string, figures: unknown): string =>
  told[report]?.(figures) ?? [sentence(figures as Row), ...nested(figures as Row)].join("\n\n")

type Score = Readonly<
  Record<"killed" | "timedOut" | "survivedAndJustified" | "survivedAndNotJustified" | "score", number>
>

/** The rooms of src/services as one table, with what they come to. */
const services = (figures: Figures): string => {
  const measured = rest.filter((room) => `mutation-${room}` in figures)
  const rows = measured.map((room): Row & Score => {
    const { killed, score, survivedAndJustified, survivedAndNotJustified, timedOut } = figures[
      `mutation-${room}`
    ] as Score
    return { room, killed, timedOut, survivedAndJustified, survivedAndNotJustified, score }
  })
  const sum = (count: (row: Score) => number): number => rows.reduce((total, row) => total + count(row), 0)
  const detected = sum(({ killed, timedOut }) => killed + timedOut)
  const survived = sum(({ survivedAndNotJustified }) => survivedAndNotJustified)
  const all = {
    room: "all of it",
    killed: sum(({ killed }) => killed),
    timedOut: sum(({ timedOut }) => timedOut),
    survivedAndJustified: sum(({ survivedAndJustified }) => survivedAndJustified),
    survivedAndNotJustified: survived,
    score: Math.round((10_000 * detected) / (detected + survived)) / 100
  }
  const missing = rest.filter((room) => !measured.includes(room))
  return [
    ...(rows.length === 0 ? [] : [`${table([...rows, all])}\n`]),
    ...missing.map((room) => `Not measured yet: \`npm run mutate -- ${room}\`.\n`)
  ].join("\n")
}

const isInTable = ({ report }: Measure): boolean => rest.some((room) => report === `mutation-${room}`)

/** The places of the document, by the names of their marks. */
export const places: ReadonlyArray<string> = [
  ...measures.filter((measure) => !isInTable(measure)).map(({ report }) => report),
  "mutation-services"
]

/** The document with the figures in their places. What was not measured says so. */
export const written = (document: string, figures: Figures): string =>
  measures
    .filter((measure) => !isInTable(measure))
    .reduce(
      (text, { command, report }) =>
        marked(
          text,
          report,
          report in figures ? `${tell(report, figures[report])}\n` : `Not measured yet: \`${command}\`.\n`
        ),
      marked(document, "mutation-services", services(figures))
    )
