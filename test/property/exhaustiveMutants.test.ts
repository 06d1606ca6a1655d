import { afterAll, assert, describe, it } from "vitest"
import type * as Explorer from "../../src/testing/Explorer.js"
import * as WorldModel from "../../src/testing/WorldModel.js"
import type * as WorldTrace from "../../src/testing/WorldTrace.js"
import { writeFigures } from "../support/figures.js"
import { type LockoutMutant, lockoutMutants, otherMutants } from "./exhaustiveMutants.js"
import { plant } from "./mutants.js"

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

const load = async <A>(folder: string, file: string): Promise<A> =>
  (await import(`${folder}/src/testing/${file}.ts`)) as A

const hunt = async (
  mutant: Pick<LockoutMutant, "name" | "edits" | "world">,
  watch: string = WorldModel.neverLockedOut
) => {
  const folder = plant(mutant, "exhaustive")
  const { make } = await load<typeof WorldModel>(folder, "WorldModel")
  const { explore } = await load<typeof Explorer>(folder, "Explorer")
  const { toSequenceDiagram } = await load<typeof WorldTrace>(folder, "WorldTrace")
  const model = make(mutant.world)
  const result = explore(model, { watch })
  const path = result.violation?.path ?? []
  return {
    ...result,
    steps: path.length - 1,
    diagram: path.length === 0 ? "" : toSequenceDiagram(model, path)
  }
}

const caught: Array<{ readonly mutant: string; readonly steps: number; readonly states: number }> = []
const mutants = lockoutMutants.length + otherMutants.length
afterAll(() => writeFigures("world-mutants", { mutants, caught }))

describe("the walk through the world finds every lockout mutant", { timeout: 900_000 }, () => {
  it("has a mutant for each rule", () => {
    const taken = new Set(lockoutMutants.map(({ rule }) => rule))
    assert.deepStrictEqual(
      rules.filter((rule) => !taken.has(rule)),
      []
    )
  })

  for (const mutant of lockoutMutants) {
    it(`${mutant.rule}: ${mutant.name}`, async () => {
      const found = await hunt(mutant)
      assert.isNotNull(found.violation, `not found in ${found.states} states`)
      assert.strictEqual(found.greatest, mutant.world.limit + 1)
      assert.include(found.diagram, `count ${mutant.world.limit + 1} of ${mutant.world.limit}`)
      caught.push({ mutant: mutant.name, steps: found.steps, states: found.states })
      console.log(`${mutant.name}: ${found.steps} steps, ${found.states} states\n${found.diagram}`)
    })
  }
})

describe(
  "the walk through the world finds who is stuck, and what shows between accounts",
  { timeout: 900_000 },
  () => {
    for (const mutant of otherMutants) {
      it(`${mutant.name}: "${mutant.breaks}"`, async () => {
        const found = await hunt(mutant, mutant.breaks)
        assert.strictEqual(found.violation?.name, mutant.breaks)
        caught.push({ mutant: mutant.name, steps: found.steps, states: found.states })
        console.log(`${mutant.name}: ${found.steps} steps, ${found.states} states\n${found.diagram}`)
      })
    }
  }
)
