/** Figures in Markdown. */

export type Row = Readonly<Record<string, unknown>>

/** `greatestCount` as "greatest count". A name that begins with a capital is a proper name, and stays. */
const words = (name: string): string =>
  /^[A-Z]/.test(name)
    ? name
    : name.replaceAll(/ ?([A-Z])/g, (_, letter: string) => ` ${letter.toLowerCase()}`)

export const cell = (value: unknown): string => {
  if (typeof value === "number" && Number.isInteger(value)) return value.toLocaleString("en-US")
  if (typeof value === "number") return String(Math.round(value * 100) / 100)
  if (typeof value === "boolean") return value ? "yes" : "no"
  return typeof value === "string" ? value : "none"
}

export const table = (rows: ReadonlyArray<Row>): string => {
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

/** Plain figures in a sentence, those one level below in sentences of their own. */
export const sentences = (figures: unknown): string => {
  const entries = Object.entries(figures as Row)
  const isNested = (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  const plain = entries.filter(([, value]) => typeof value !== "object" || value === null)
  return [
    `${plain.map(([name, value]) => figure(name, value)).join(", ")}.`,
    ...entries
      .filter(([, value]) => isNested(value))
      .map(([name, value]) => `${words(name)}: ${sentences(value)}`)
  ].join("\n\n")
}

/** Mutants that were caught, in a table. */
export const caughtOf = (figures: unknown): string => {
  const { caught, mutants } = figures as { readonly mutants: number; readonly caught: ReadonlyArray<Row> }
  return `${caught.length} of ${mutants} caught.\n\n${table(caught)}`
}
