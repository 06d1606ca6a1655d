/**
 * Planted secrets, searched for in the whole output of a run. The test of `npm test` does it, and leaves its
 * figures.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { type Row, table } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures {
  readonly channels: Readonly<Record<string, Row>>
  readonly hits: number
}

/** Runs the test, and returns its output if it failed; null if it passed. */
const runTest = (): Promise<string | null> =>
  new Promise((resolve) => {
    const child = spawn("npx", ["vitest", "run", "--reporter=dot", "test/integration/canaries.test.ts"], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let printed = ""
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (printed += text))
    child.on("close", (code) => resolve(code === 0 ? null : printed.slice(-8000)))
  })

export const runner: Runner<Figures> = {
  jobs: ["canaries"],
  run: async () => {
    const failure = await runTest()
    const figures = JSON.parse(readFileSync("reports/canaries.json", "utf8")) as Figures
    return { done: 1, breaches: failure === null ? [] : [failure], figures }
  },
  sum: ([first]) => ({ figures: first?.figures ?? {}, breaches: [] }),
  print: (figures) => {
    const { channels, hits } = figures as Figures
    const rows = Object.entries(channels).map(([channel, row]) => ({ channel, ...row }))
    return `${table(rows)}\n\nHits in all: ${hits}.`
  }
}
