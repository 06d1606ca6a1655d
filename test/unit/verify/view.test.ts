import { assert, describe, it } from "vitest"
import { partNamed } from "../../verify/parts.js"
import type { Outcome } from "../../verify/run.js"
import { lineOf, makeView, summaryOf } from "../../verify/view.js"

const outcome = (given: Partial<Outcome> = {}): Outcome => ({
  part: partNamed("years"),
  done: 61.26,
  wanted: 1000,
  seconds: 150,
  jobSeconds: 300,
  isWhole: false,
  breaches: [],
  summary: { figures: {}, breaches: [] },
  ...given
})

describe("the view of a verification", () => {
  it("is a line for each part if there is no terminal", () => {
    const lines: Array<string> = []
    const view = makeView([partNamed("years")], {}, (line) => lines.push(line))
    view.begin(partNamed("years"), 1000)
    view.advance(partNamed("years"), 10)
    assert.deepStrictEqual(lines, [])
    view.end(outcome())
    view.stop()
    assert.deepStrictEqual(lines, ["years: holds as far as it came, 61 of 1,000 years, 2.5 min"])
  })

  it("distinguishes a part that holds, one that did not come far enough, and a broken one", () => {
    assert.include(lineOf(outcome({ isWhole: true })), "years: holds, ")
    assert.include(lineOf(outcome({ done: 0 })), "did not come far enough to say")
    assert.include(lineOf(outcome({ isWhole: true, breaches: ["a lockout"] })), "BROKEN (1)")
  })

  it("ends with a table, every breach in full, and the command that repeats them", () => {
    const text = summaryOf([outcome({ breaches: ["a lockout\nin year 3"] })], 17)
    assert.include(text, "| years | 61 of 1,000 years | 2.5 min | 5 min | BROKEN (1) |")
    assert.include(text, "years: a lockout\nin year 3")
    assert.include(text, "1 found. Repeat with: npm run verify -- --seed 17 --only years")
    assert.include(summaryOf([outcome()], 17), "Nothing was found. Seed 17.")
  })
})
