/** Runs parts of the verification, as many jobs at once as there are cores, and one more that mostly waits. */
import { availableParallelism } from "node:os"
import type { Found, Part, Runner, Summary } from "./parts.js"
import { byCost, fits, type Lane, lanesOf, secondsOfJob, shareOf } from "./plan.js"
import { runJob } from "./runJob.js"

export interface Options {
  /** The program of a job, as `buildJob` builds it. */
  readonly program: string
  readonly parts: ReadonlyArray<Part>
  readonly seed: number
  /** The budget. Null: full depth. */
  readonly minutes: number | null
  readonly view: View
}

/** The outcome of a part. */
export interface Outcome {
  readonly part: Part
  /** Units that were done, and those of the full depth. */
  readonly done: number
  readonly wanted: number
  /** From the start of its first job to the end of its last one. */
  readonly seconds: number
  /** Seconds that its processes ran, added up. */
  readonly jobSeconds: number
  readonly isWhole: boolean
  readonly breaches: ReadonlyArray<string>
  readonly summary: Summary
}

/** Shows how far the parts have come. */
export interface View {
  readonly begin: (part: Part, wanted: number) => void
  readonly advance: (part: Part, done: number) => void
  readonly end: (outcome: Outcome) => void
}

/** One part while it is run. */
interface Progress {
  readonly part: Part
  readonly runner: Runner
  readonly jobs: ReadonlyArray<string>
  readonly found: Map<string, Found>
  readonly doneOf: Map<string, number>
  lanesLeft: number
  beganAt: number | null
  jobSeconds: number
}

const now = (): number => performance.now() / 1000

const doneOf = ({ doneOf }: Progress): number => [...doneOf.values()].reduce((sum, done) => sum + done, 0)

const wantedOf = ({ jobs, part }: Progress): number => part.full.each * jobs.length

const prepare = async (part: Part): Promise<Progress> => {
  const runner = await part.load()
  const jobs = part.full.jobs ?? runner.jobs
  return {
    part,
    runner,
    jobs,
    found: new Map(),
    doneOf: new Map(),
    lanesLeft: 0,
    beganAt: null,
    jobSeconds: 0
  }
}

const outcomeOf = (progress: Progress, seed: number): Outcome => {
  const { beganAt, found, jobs, jobSeconds, part, runner } = progress
  const all = jobs.flatMap((job) => found.get(job) ?? [])
  const ended = all.filter(({ figures }) => figures !== undefined)
  const isWhole = ended.length === jobs.length && ended.every(({ done }) => done >= part.full.each)
  const summary = runner.sum(ended, { seed, isWhole })
  return {
    part,
    done: doneOf(progress),
    wanted: wantedOf(progress),
    seconds: beganAt === null ? 0 : now() - beganAt,
    jobSeconds,
    isWhole,
    breaches: [...all.flatMap(({ breaches }) => breaches), ...summary.breaches],
    summary
  }
}

/** Runs one job of a lane, and keeps its findings. */
const runOne = async (
  progress: Progress,
  job: string,
  seconds: number | null,
  options: Options
): Promise<void> => {
  const { part } = progress
  const began = now()
  const task = { part: part.name, job, most: part.full.each, seed: options.seed, seconds }
  const found = await runJob(options.program, task, (units) => {
    progress.doneOf.set(job, units)
    options.view.advance(part, doneOf(progress))
  })
  progress.found.set(job, found)
  progress.doneOf.set(job, found.done)
  progress.jobSeconds += now() - began
  options.view.advance(part, doneOf(progress))
}

/** Runs lanes of one kind, so many at once. */
const runLanes = async (
  lanes: ReadonlyArray<Lane>,
  slots: number,
  progressOf: (part: Part) => Progress,
  options: Options,
  end: (progress: Progress) => void
): Promise<void> => {
  const waiting = byCost(lanes).slice()
  const endsAt = now() + (options.minutes ?? Infinity) * 60
  const ends = new Map<Lane, number>()
  const runLane = async (lane: Lane): Promise<void> => {
    const at = now()
    const taken = [...ends.values()].reduce((sum, each) => sum + Math.max(0, each - at), 0)
    const share = shareOf(lane, { seconds: endsAt - at, slots, taken, waiting: [lane, ...waiting] })
    const until = options.minutes === null ? Infinity : at + share
    ends.set(lane, until)
    const progress = progressOf(lane.part)
    if (progress.beganAt === null) {
      progress.beganAt = at
      options.view.begin(lane.part, wantedOf(progress))
    }
    for (const [index, job] of lane.jobs.entries()) {
      const left = until - now()
      if (left <= 0 || !fits(lane.part, left)) break
      await runOne(
        progress,
        job,
        left === Infinity ? null : secondsOfJob(lane.part, left, lane.jobs.length - index),
        options
      )
    }
    ends.delete(lane)
    progress.lanesLeft -= 1
    if (progress.lanesLeft === 0) end(progress)
  }
  const slot = async (): Promise<void> => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) await runLane(lane)
  }
  await Promise.all(Array.from({ length: slots }, slot))
}

/** Runs the parts, and returns their outcomes in the same order. */
export const run = async (options: Options): Promise<ReadonlyArray<Outcome>> => {
  const all = await Promise.all(options.parts.map(prepare))
  const progressOf = (part: Part): Progress => all.find((each) => each.part === part)!
  const outcomes = new Map<Part, Outcome>()
  const end = (progress: Progress): void => {
    const outcome = outcomeOf(progress, options.seed)
    outcomes.set(progress.part, outcome)
    options.view.end(outcome)
  }
  const lanes = all.flatMap((progress) => {
    const own = lanesOf(progress.part, progress.jobs, {
      isBudgeted: options.minutes !== null,
      seed: options.seed
    })
    progress.lanesLeft = own.length
    return own
  })
  const isWaiting = ({ part }: Lane): boolean => part.waits === true
  await Promise.all([
    runLanes(
      lanes.filter((lane) => !isWaiting(lane)),
      availableParallelism(),
      progressOf,
      options,
      end
    ),
    runLanes(lanes.filter(isWaiting), 1, progressOf, options, end)
  ])
  return options.parts.map((part) => outcomes.get(part)!)
}
