import { assert, describe, it } from "vitest"
import { make, type Options } from "../../src/testing/WorldModel.js"
import { breathe } from "./options.js"
import { hunting } from "./exhaustiveWorlds.js"

/** The same numbers every time. */
const makeRandom = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** All that there is at once, with more processes than any walk goes to the end with. */
const everything: Options = {
  ...hunting.plain,
  processes: 4,
  tokens: 2,
  addressMoves: 2,
  refusals: [5030, 5050],
  keysApart: true,
  reportsLocks: true,
  losesConfirmations: true
}

const settings: ReadonlyArray<Partial<Options>> = [
  {},
  { lostAttempts: "continue" },
  {
    successClears: "account",
    limit: 3,
    reading: { counting: "ip", successClears: "own", faultsCount: true }
  },
  { limit: 5, reading: { counting: "ipAndAccount", successClears: "own", faultsCount: false } }
]

describe("the canonical form", { timeout: 900_000 }, () => {
  for (const [index, setting] of settings.entries()) {
    it(`is honest: a step from a world and from its form lead to the same forms (${JSON.stringify(setting)})`, async () => {
      const model = make({ ...everything, ...setting })
      const random = makeRandom(index + 1)
      let compared = 0
      const walk = breathe(async () => {
        let world = model.start
        for (let length = 0; length < 40; length++) {
          const steps = model.stepsOf(world)
          const here = steps.map((step) => `${model.formOf(step.world)} ${step.broken}`)
          const there = model.transitionsOf(model.formOf(world)).map(({ broken, to }) => `${to} ${broken}`)
          assert.deepStrictEqual(new Set(here), new Set(there))
          assert.isTrue(
            steps.every(({ broken }) => broken === null),
            steps.find(({ broken }) => broken !== null)?.broken ?? ""
          )
          compared += here.length
          if (steps.length === 0) break
          world = steps[random(steps.length)]!.world
        }
      })
      for (let walks = 0; walks < 60; walks++) await walk(undefined)
      console.log(`${compared} steps compared`)
    })
  }
})
