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

/** Small, with something of everything: what is walked twice, once with nothing renamed. */
const twice: ReadonlyArray<{ readonly options: Partial<Options>; readonly depth: number }> = [
  { options: { limit: 2, tokens: 2, reportsLocks: true }, depth: 4 },
  { options: { limit: 1, addressMoves: 1, losesConfirmations: true }, depth: 5 },
  {
    options: { limit: 1, processes: 1, refusals: [5030, 5050], keysApart: true, successClears: "account" },
    depth: 7
  }
]

describe("the canonical form", { timeout: 900_000 }, () => {
  for (const { depth, options } of twice) {
    it(`leaves nothing out and adds nothing: a walk in which nothing is renamed comes to the same forms (${JSON.stringify(options)})`, () => {
      const model = make({ ...hunting.plain, ...options })
      let here = new Map([[JSON.stringify(model.start), model.start]])
      let there = new Set([model.initial])
      const seenHere = new Set(here.keys())
      const seenThere = new Set(there)
      const formsHere = new Set(there)
      for (let level = 1; level <= depth; level++) {
        const nextHere: typeof here = new Map()
        const nextThere: typeof there = new Set()
        for (const from of here.values()) {
          for (const { world } of model.stepsOf(from)) {
            const name = JSON.stringify(world)
            if (seenHere.has(name)) continue
            seenHere.add(name)
            nextHere.set(name, world)
            formsHere.add(model.formOf(world))
          }
        }
        for (const from of there) {
          for (const { to } of model.transitionsOf(from)) {
            if (seenThere.has(to)) continue
            seenThere.add(to)
            nextThere.add(to)
          }
        }
        here = nextHere
        there = nextThere
        assert.deepStrictEqual(
          [...formsHere].filter((form) => !seenThere.has(form)),
          []
        )
        assert.strictEqual(formsHere.size, seenThere.size)
      }
      const greatest = (forms: Iterable<string>): number => Math.max(...Array.from(forms, model.measure))
      assert.strictEqual(greatest(formsHere), greatest(seenThere))
      assert.isAbove(seenHere.size, 2 * seenThere.size)
      console.log(`${depth} steps: ${seenHere.size} states, ${seenThere.size} forms`)
    })
  }

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
