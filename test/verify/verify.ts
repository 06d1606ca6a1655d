/**
 * `npm run verify`: all long checks. The exit code is 1 if anything does not hold, and 2 if the command line
 * is wrong.
 */
import { randomInt } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { buildJob } from "./build.js"
import { type Figures, written } from "./document.js"
import { type Part, partNamed, parts } from "./parts.js"
import { type Outcome, run } from "./run.js"
import { makeView, summaryOf } from "./view.js"

const usage = `npm run verify                         everything at full depth
npm run verify -- --minutes 5          each part gets its share of five minutes
npm run verify -- --only walks,forms   these parts; --only may stand several times
npm run verify -- --seed 123           the random choices of an earlier run
npm run verify -- --list               the parts, and what each proves`

const fail = (message: string): never => {
  console.error(`${message}\n\n${usage}`)
  process.exit(2)
}

const numberOf = (
  name: string,
  text: string,
  isRight: (value: number) => boolean,
  wanted: string
): number => {
  const value = Number(text)
  return text.trim() !== "" && isRight(value) ? value : fail(`--${name} takes ${wanted}, not "${text}".`)
}

const chosen = (only: ReadonlyArray<string>): ReadonlyArray<Part> => {
  if (only.length === 0) return parts.filter(({ byNameOnly }) => byNameOnly !== true)
  const names = only.flatMap((each) => each.split(",")).map((name) => name.trim())
  try {
    return [...new Set(names.map(partNamed))]
  } catch (error) {
    return fail((error as Error).message)
  }
}

const argumentsOf = () => {
  try {
    return parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        minutes: { type: "string" },
        seed: { type: "string" },
        list: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false }
      }
    }).values
  } catch (error) {
    return fail((error as Error).message)
  }
}

/**
 * Keeps the figures of parts that were run in full and hold, and writes the document from all known figures.
 */
const writeDocument = async (outcomes: ReadonlyArray<Outcome>): Promise<void> => {
  const [data, document] = ["docs/verification.json", "docs/verification.md"]
  const known = existsSync(data) ? (JSON.parse(readFileSync(data, "utf8")) as Figures) : {}
  const fresh = outcomes.filter(({ breaches, isWhole }) => isWhole && breaches.length === 0)
  const all: Figures = {
    ...known,
    ...Object.fromEntries(fresh.map(({ part, summary }) => [part.name, summary.figures]))
  }
  const figures = Object.fromEntries(parts.flatMap(({ name }) => (name in all ? [[name, all[name]]] : [])))
  writeFileSync(data, `${JSON.stringify(figures, null, 2)}\n`)
  writeFileSync(document, await written(readFileSync(document, "utf8"), figures))
  console.log(`${document} has the figures of ${fresh.length} parts.`)
}

const main = async (): Promise<void> => {
  const given = argumentsOf()
  if (given.help) return console.log(usage)
  const selected = chosen(given.only)
  if (given.list) return console.log(selected.map(({ name, proves }) => `${name}: ${proves}`).join("\n"))
  const isSeed = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** 31
  const seed =
    given.seed === undefined
      ? randomInt(2 ** 31)
      : numberOf("seed", given.seed, isSeed, "a whole number from 0 to 2147483647")
  const minutes =
    given.minutes === undefined
      ? null
      : numberOf("minutes", given.minutes, (value) => value > 0 && value < Infinity, "a number above 0")
  const { program, remove } = await buildJob()
  // Jobs end with this process.
  process.once("exit", remove)
  process.once("SIGINT", () => process.exit(130))
  process.once("SIGTERM", () => process.exit(143))
  console.log(`Seed ${seed}, ${minutes === null ? "full depth" : `${minutes} minutes`}.`)
  const view = makeView(selected, process.stdout, console.log)
  const outcomes = await run({ program, parts: selected, seed, minutes, view })
  view.stop()
  console.log(`\n${summaryOf(outcomes, seed)}`)
  if (minutes === null) await writeDocument(outcomes)
  if (outcomes.some(({ breaches }) => breaches.length > 0)) process.exitCode = 1
}

await main()
