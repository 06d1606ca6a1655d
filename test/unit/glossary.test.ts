import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import * as inspect from "../../src/inspect/index.js"
import * as main from "../../src/index.js"
import * as machine from "../../src/machine.js"
import * as soap from "../../src/soap.js"
import * as testing from "../../src/testing/index.js"

const glossary = readFileSync(new URL("../../docs/glossary.md", import.meta.url), "utf8")
const [words, exported] = glossary.split("## Exports") as [string, string]
const rowsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from(text.matchAll(/^\| (.+) \|$/gm), ([, cells]) => cells!.split(" | ")).slice(1)

describe("docs/glossary.md", () => {
  it("has a row for each export of each entry, and no other", () => {
    const entries = { inspect, machine, main, soap, testing }
    const names = Object.entries(entries).flatMap(([entry, each]) =>
      Object.keys(each).map((name) => `\`${name}\` of ${entry}`)
    )
    // These two entries are one module each.
    names.push("`SqliteStore` of sqlite", "`PgStore` of postgres")
    assert.sameMembers(
      rowsOf(exported).map(([name, entry]) => `${name} of ${entry}`),
      names
    )
  })

  it("has each word once, with a meaning that is a sentence", () => {
    const rows = rowsOf(words)
    assert.isAbove(rows.length, 25)
    assert.strictEqual(new Set(rows.map(([word]) => word)).size, rows.length)
    for (const [word, meaning] of rows) assert.match(meaning!, /^[A-Z].*\.$/, word)
  })
})
