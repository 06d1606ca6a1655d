/** axe-core, run in a page. */
import { createRequire } from "node:module"
import type { Page } from "playwright-core"

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>
}

/** What axe finds, by rule. The page's policy lets no script of another origin in, so the test's is put in from outside. */
export const violations = async (page: Page): Promise<ReadonlyArray<unknown>> => {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<{ readonly violations: ReadonlyArray<Violation> }>("axe.run()")
  return violations.map(({ help, id, nodes }) => ({
    id,
    help,
    nodes: nodes.slice(0, 3).map(({ failureSummary, html }) => ({ html: html.slice(0, 200), failureSummary }))
  }))
}

const axe = createRequire(import.meta.url)("axe-core") as { readonly source: string }
