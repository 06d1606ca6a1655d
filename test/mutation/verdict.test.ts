import { existsSync, readdirSync } from "node:fs"
import { globSync } from "tinyglobby"
import { assert, describe, it } from "vitest"
import { rooms } from "./rooms.js"
import { justified } from "./survivors.js"
import { type Justified, type Report, verdict } from "./verdict.js"

type Status = Report["files"][string]["mutants"][number]["status"]

const file = "src/machine/A.ts"
const source = "const a = 1\nconst b =\n  a > 0\n"
/** A mutant of `a > 0`, on the third line. */
const mutant = (status: Status, replacement = "true") => ({
  mutatorName: "ConditionalExpression",
  replacement,
  status,
  location: { start: { line: 3, column: 3 }, end: { line: 3, column: 8 } }
})
const report = (...mutants: ReadonlyArray<ReturnType<typeof mutant>>): Report => ({
  files: { [file]: { source, mutants } }
})
const reason: Justified = {
  file,
  line: "a > 0",
  mutator: "ConditionalExpression",
  original: "a > 0",
  replacement: "true",
  reason: "it is"
}

describe("the verdict on a mutation report", () => {
  it("is good if all mutants are killed or time out, and leaves out those that do not compile or run", () => {
    const found = verdict(
      report(mutant("Killed"), mutant("Timeout"), mutant("CompileError"), mutant("RuntimeError")),
      [],
      100
    )
    assert.deepInclude(found, { isGood: true, score: 100 })
    assert.match(found.lines.at(-1)!, /^4 mutants: 1 killed, 1 timed out,/)
  })

  it("is bad for one survivor or one mutant that no test covers, and names its line", () => {
    for (const status of ["Survived", "NoCoverage"] as const) {
      const found = verdict(report(mutant("Killed"), mutant(status)), [], 100)
      assert.deepInclude(found, { isGood: false, score: 50 })
      assert.include(found.lines[0], `${file}:3 ConditionalExpression, ${status}: a > 0 -> true`)
      assert.isTrue(verdict(report(mutant("Killed"), mutant(status)), [], 50).isGood)
    }
  })

  it("leaves a justified survivor out, but a second one like it needs a reason of its own", () => {
    const two = report(mutant("Killed"), mutant("Survived"), mutant("Survived"))
    assert.isFalse(verdict(two, [reason], 100).isGood)
    assert.deepInclude(verdict(two, [reason, reason], 100), { isGood: true, score: 100 })
  })

  it("is bad for a justification of which one part fits no survivor", () => {
    const survived = report(mutant("Killed"), mutant("Survived"))
    assert.isTrue(verdict(survived, [reason], 100).isGood)
    for (const part of [
      { file: "src/machine/B.ts" },
      { line: "a >= 0" },
      { mutator: "EqualityOperator" },
      { original: "a > 1" },
      { replacement: "false" }
    ]) {
      const found = verdict(survived, [{ ...reason, ...part }], 0)
      assert.isFalse(found.isGood)
      assert.isTrue(found.lines.some((line) => line.startsWith("Justified, and no survivor")))
    }
    assert.isFalse(verdict(report(mutant("Killed")), [reason], 100).isGood)
  })

  it("is bad for a justification without a reason, an ignored mutant, and a report without mutants", () => {
    assert.isFalse(
      verdict(report(mutant("Killed"), mutant("Survived")), [{ ...reason, reason: " " }], 100).isGood
    )
    assert.isFalse(verdict(report(mutant("Killed"), mutant("Ignored")), [], 100).isGood)
    assert.isFalse(verdict(report(), [], 100).isGood)
  })
})

describe("the rooms", () => {
  it("contain each file of the machine and of the services exactly once", () => {
    const files = ["src/machine", "src/services"].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => `${folder}/${name}`)
    )
    const judged = Object.values(rooms).flatMap(({ mutate }) => globSync(mutate))
    assert.isAbove(files.length, 40)
    assert.deepStrictEqual([...judged].sort(), [...files].sort())
  })

  it("name tests that exist", () => {
    for (const { tests } of Object.values(rooms)) {
      for (const pattern of tests) {
        const names = /\{([^}]+)\}/.exec(pattern)?.[1]!.split(",") ?? [null]
        assert.isAtLeast(globSync(pattern).length, names.length, pattern)
      }
    }
  })

  it("have no justification for a file that does not exist", () => {
    assert.deepStrictEqual(
      justified.filter(({ file }) => !existsSync(file)),
      []
    )
  })
})
