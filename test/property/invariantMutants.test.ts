import { assert, describe, it } from "vitest"
import { invariants } from "../model/CoreInvariants.js"
import { lockoutMutants, otherMutants } from "./exhaustiveMutants.js"
import { invariantMutants } from "./invariantMutants.js"

/** The rules of the design without which the location is locked out. */
const rules = [
  "limit one higher",
  "mark after sending",
  "lost not counted",
  "lost taken for unsent",
  "no drain time",
  "a success that clears all",
  "no own count",
  "a lifted lock that clears marks in flight"
]

describe("the mutants that the walks hunt", () => {
  it("include one for every invariant, of the core alone or of the world", () => {
    const broken = [
      ...invariantMutants.map(({ invariant }) => invariant),
      ...otherMutants.map(({ breaks }) => breaks)
    ]
    assert.deepStrictEqual(
      invariants.filter((invariant) => !broken.includes(invariant)),
      []
    )
  })

  it("include one for every rule of the design", () => {
    const taken = lockoutMutants.map(({ rule }) => rule)
    assert.deepStrictEqual(
      rules.filter((rule) => !taken.includes(rule)),
      []
    )
  })
})
