/** The parts of the verification as tests of `npm test`: each in short, with the same seed every time. */
import { assert, inject, it } from "vitest"
import { type Found, type Part, partNamed } from "./parts.js"
import { runJob } from "./runJob.js"

/** Of a year with few attempts. */
const seed = 7

/** Runs a part at its quick size, in processes as `npm run verify` does: Vitest slows down code that computes. */
const runInShort = async (part: Part, signal: AbortSignal) => {
  const { each, jobs: wanted } = part.quick
  const runner = await part.load()
  const found: Array<Found> = []
  for (const job of wanted ?? runner.jobs) {
    if (!runner.jobs.includes(job)) throw new Error(`The part ${part.name} has no job "${job}"`)
    const task = { part: part.name, job, most: each, seed, seconds: null }
    found.push(await runJob(inject("jobProgram"), task, () => {}, signal))
  }
  const whole = found.every(({ figures }) => figures !== undefined)
  const { breaches } = whole ? runner.sum(found, { seed, isWhole: true }) : { breaches: [] }
  return {
    done: found.reduce((sum, { done }) => sum + done, 0),
    wanted: each * (wanted ?? runner.jobs).length,
    breaches: [...found.flatMap((job) => job.breaches), ...breaches]
  }
}

/** A test that runs a part in short. */
export const itHoldsInShort = (name: string): void => {
  const part = partNamed(name)
  it(`${part.name}, in short: ${part.proves}`, { timeout: 120_000 }, async ({ signal }) => {
    const { breaches, done, wanted } = await runInShort(part, signal)
    assert.deepStrictEqual(breaches, [])
    assert.isAtLeast(done, wanted)
  })
}
