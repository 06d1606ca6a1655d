import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { type Figures, places, written } from "../verify/document.js"
import { parts } from "../verify/parts.js"

const document = readFileSync("docs/verification.md", "utf8")
const figures = JSON.parse(readFileSync("docs/verification.json", "utf8")) as Figures

describe("docs/verification.md", () => {
  it("has the parts and figures that `npm run verify` writes", async () => {
    assert.strictEqual(document, await written(document, figures))
  })

  it("has a place for every part, and figures only of parts that exist", () => {
    const marks = [...document.matchAll(/^<!-- ([\w-]+) -->$/gm)].map(([, name]) => name)
    assert.sameMembers(marks, [...places])
    assert.includeMembers(
      parts.map(({ name }) => name),
      Object.keys(figures)
    )
  })
})
