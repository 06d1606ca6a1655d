/**
 * `npm run verification`: takes the figures that the commands have left in `reports/` into `docs/verification.json`, and
 * writes them into `docs/verification.md`. What no command has measured since stays as it was.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { type Figures, measures, written } from "./figures.js"

const file = "docs/verification.json"
const document = "docs/verification.md"

const known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Figures) : {}
const fresh: Figures = Object.fromEntries(
  measures
    .filter(({ report }) => existsSync(`reports/${report}.json`))
    .map(({ read, report }) => [report, read(JSON.parse(readFileSync(`reports/${report}.json`, "utf8")))])
)
for (const { command, report } of measures) {
  console.log(
    report in fresh
      ? `${report}: measured`
      : `${report}: ${report in known ? "as it was" : `missing, run ${command}`}`
  )
}
const figures: Figures = { ...known, ...fresh }
writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`)
writeFileSync(document, written(readFileSync(document, "utf8"), figures))
