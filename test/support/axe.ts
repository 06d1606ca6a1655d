/** axe-core, run in a page. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"

/** Only read here, and run in the page: it is large, and Node has no use for it. */
const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** Checks the whole page by all rules, and returns the violations only. */
const run = `axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map(({ help, id, nodes }) => ({
    id,
    help,
    nodes: nodes.slice(0, 3).map(({ failureSummary, html }) => ({ html: html.slice(0, 200), failureSummary }))
  }))
)`

/**
 * The violations that axe finds, by rule. The page's policy lets no script of another origin in, so the test
 * puts axe in from outside, once for each page.
 */
export const violations = async (page: Page): Promise<ReadonlyArray<unknown>> => {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(source)
  return page.evaluate<ReadonlyArray<unknown>>(run)
}
