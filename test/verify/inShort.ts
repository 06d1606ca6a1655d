/** The parts of the verification as tests of `npm test`: each in short, with the same seed every time. */
import { afterAll, assert, describe, inject, it } from "vitest"
import { type Found, type Part, partNamed } from "./parts.js"
import { jobProcess, type JobProcess } from "./runJob.js"

/** Of a year with few attempts. */
const seed = 7

/** Runs a part at its quick size. */
const runInShort = async (part: Part, { run }: JobProcess, signal: AbortSignal) => {
  const { each, jobs: wanted } = part.quick
  const runner = await part.load()
  const found: Array<Found> = []
  for (const job of wanted ?? runner.jobs) {
    if (!runner.jobs.includes(job)) throw new Error(`The part ${part.name} has no job "${job}"`)
    const task = { part: part.name, job, most: each, seed, seconds: null }
    found.push(await run(task, () => {}, signal))
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
const itHolds = (part: Part, jobs: JobProcess): void => {
  it(`${part.name}, in short: ${part.proves}`, { timeout: 120_000 }, async ({ signal }) => {
    const { breaches, done, wanted } = await runInShort(part, jobs, signal)
    assert.deepStrictEqual(breaches, [])
    assert.isAtLeast(done, wanted)
  })
}

/**
 * Tests that run parts in short, all of them in one process: Vitest slows down code that computes, and a process that is warm
 * takes half the time.
 */
export const describeInShort = (title: string, names: ReadonlyArray<string>): void => {
  describe(title, () => {
    const jobs = jobProcess(inject("jobProgram"))
    afterAll(() => jobs.end())
    for (const name of names) itHolds(partNamed(name), jobs)
  })
}
