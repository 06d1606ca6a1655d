/**
 * Shows the verification to a person: bars on a terminal, otherwise a line for each part; a table at the end.
 */
import { MultiBar, Presets, type SingleBar } from "cli-progress"
import { cell, table } from "./markdown.js"
import type { Part } from "./parts.js"
import type { Outcome, View } from "./run.js"

const duration = (seconds: number): string =>
  seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 6) / 10} min`

const farOf = ({ done, part, wanted }: Outcome): string =>
  `${cell(Math.floor(done))} of ${cell(wanted)} ${part.unit}`

const verdictOf = ({ breaches, done, isWhole }: Outcome): string =>
  breaches.length > 0
    ? `BROKEN (${breaches.length})`
    : isWhole
      ? "holds"
      : done > 0
        ? "holds as far as it came"
        : "did not come far enough to say"

export const lineOf = (outcome: Outcome): string =>
  `${outcome.part.name}: ${verdictOf(outcome)}, ${farOf(outcome)}, ${duration(outcome.seconds)}`

const longestName = (parts: ReadonlyArray<Part>): number => Math.max(...parts.map(({ name }) => name.length))

/** A line for each part once it is done. */
const makeLines = (print: (line: string) => void): View => ({
  begin: () => {},
  advance: () => {},
  end: (outcome) => print(lineOf(outcome))
})

const makeBars = (parts: ReadonlyArray<Part>): View & { readonly stop: () => void } => {
  const width = longestName(parts)
  const bars = new Map<Part, SingleBar>()
  const all = new MultiBar(
    {
      format: "{name} {bar} {percentage} % | {value} of {total} {unit} | {duration_formatted} {verdict}",
      hideCursor: true,
      emptyOnZero: true
    },
    Presets.shades_grey
  )
  const payload = (part: Part, verdict = "") => ({ name: part.name.padEnd(width), unit: part.unit, verdict })
  return {
    begin: (part, wanted) => void bars.set(part, all.create(wanted, 0, payload(part))),
    advance: (part, done) => bars.get(part)?.update(Math.floor(done), payload(part)),
    end: (outcome) => {
      const bar = bars.get(outcome.part)
      bar?.update(Math.floor(outcome.done), payload(outcome.part, verdictOf(outcome)))
      bar?.stop()
    },
    stop: () => all.stop()
  }
}

/** Bars if the output is a terminal. */
export const makeView = (
  parts: ReadonlyArray<Part>,
  output: { readonly isTTY?: boolean },
  print: (line: string) => void
): View & { readonly stop: () => void } =>
  output.isTTY === true ? makeBars(parts) : { ...makeLines(print), stop: () => {} }

/** The table at the end, and every breach in full. */
export const summaryOf = (outcomes: ReadonlyArray<Outcome>, seed: number): string => {
  const breaches = outcomes.flatMap(({ breaches, part }) =>
    breaches.map((breach) => `${part.name}: ${breach}`)
  )
  return [
    table(
      outcomes.map((outcome) => ({
        part: outcome.part.name,
        done: farOf(outcome),
        took: duration(outcome.seconds),
        "its processes": duration(outcome.jobSeconds),
        result: verdictOf(outcome)
      }))
    ),
    ...breaches,
    breaches.length === 0
      ? `Nothing was found. Seed ${seed}.`
      : `${breaches.length} found. Repeat with: npm run verify -- --seed ${seed} --only ${[
          ...new Set(outcomes.filter((each) => each.breaches.length > 0).map(({ part }) => part.name))
        ].join(",")}`
  ].join("\n\n")
}
