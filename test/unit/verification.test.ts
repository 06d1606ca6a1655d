import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { type Figures, measures, places, written } from "../../scripts/figures.js"

const document = readFileSync("docs/verification.md", "utf8")
const figures = JSON.parse(readFileSync("docs/verification.json", "utf8")) as Figures

describe("docs/verification.md", () => {
  it("has the figures of docs/verification.json, as `npm run verification` writes them", () => {
    assert.strictEqual(document, written(document, figures))
  })

  it("has every place that figures go to, and figures of no other measure", () => {
    const known = measures.map(({ report }) => report)
    const marks = [...document.matchAll(/^<!-- ([\w-]+) -->$/gm)].map(([, name]) => name)
    assert.sameMembers(marks, [...places])
    assert.includeMembers(known, Object.keys(figures))
  })

  it("shows nothing that does not hold", () => {
    const walks = figures["exploration"] as ReadonlyArray<Record<string, unknown>>
    assert.isNotEmpty(walks)
    for (const { broken, greatestCount, limit, walk } of walks) {
      assert.isNull(broken, String(walk))
      assert.isAtMost(greatestCount as number, limit as number)
    }
    assert.propertyVal(figures["world"], "lockouts", 0)
    assert.propertyVal(figures["canaries"], "hits", 0)
  })
})
