/** The figures of `docs/verification.md`: kept as data in `docs/verification.json`, and written from there. */
import { marked } from "../../scripts/marked.js"
import { cell, table } from "./markdown.js"
import { type Part, parts, type Runner } from "./parts.js"

/** By the name of the part. */
export type Figures = Readonly<Record<string, unknown>>

const sizeOf = (each: number, jobs: number, units: string): string => {
  const size = each * jobs
  return `${cell(size)} ${size === 1 ? units.replace(/s$/, "") : units}`
}

const rowOf = (part: Part, { jobs }: Runner) => ({
  part: `\`${part.name}\``,
  proves: part.proves,
  "in `npm test`": sizeOf(part.quick.each, (part.quick.jobs ?? jobs).length, part.unit),
  "in full": sizeOf(part.full.each, (part.full.jobs ?? jobs).length, part.unit),
  "minutes of a core": part.minutes
})

/** The places of the document, by the names of their marks. */
export const places: ReadonlyArray<string> = ["parts", ...parts.map(({ name }) => name)]

/** The document with the table of the parts, and each part's figures in their place. */
export const written = async (document: string, figures: Figures): Promise<string> => {
  const runners = await Promise.all(parts.map((part) => part.load()))
  const withTable = marked(
    document,
    "parts",
    `${table(parts.map((part, index) => rowOf(part, runners[index]!)))}\n`
  )
  return parts.reduce((text, { name }, index) => {
    const content =
      name in figures
        ? runners[index]!.print(figures[name])
        : `Not measured yet: \`npm run verify -- --only ${name}\`.`
    return marked(text, name, `${content}\n`)
  }, withTable)
}
