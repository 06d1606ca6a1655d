/**
 * Figures of a run, for `docs/verification.md`: `npm run verification` collects them from `reports/`.
 */
import { mkdirSync, writeFileSync } from "node:fs"

const reports = new URL("../../reports/", import.meta.url)

/** Writes `reports/<name>.json`. */
export const writeFigures = (name: string, figures: unknown): void => {
  mkdirSync(reports, { recursive: true })
  writeFileSync(new URL(`${name}.json`, reports), `${JSON.stringify(figures, null, 2)}\n`)
}
