/**
 * The parts of virtual time: its sleepers, its tasks and its fibers.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import * as Supervisor from "effect/Supervisor"

type Resume = (effect: Effect.Effect<void>) => void

interface Sleeper {
  readonly atMillis: number
  readonly resume: Resume
  isCancelled: boolean
}

/** Keeps the set of fibers that have not ended. */
export class Living extends Supervisor.AbstractSupervisor<void> {
  readonly value = Effect.void
  readonly fibers = new Set<Fiber.RuntimeFiber<unknown, unknown>>()

  override onStart(_: unknown, __: unknown, ___: unknown, fiber: Fiber.RuntimeFiber<unknown, unknown>): void {
    this.fibers.add(fiber)
  }

  override onEnd(_: unknown, fiber: Fiber.RuntimeFiber<unknown, unknown>): void {
    this.fibers.delete(fiber)
  }
}

interface Entry {
  readonly task: Scheduler.Task
  readonly priority: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
}

/** The sleepers, in the order of waking. Sleepers that are due at the same time wake in the order of falling asleep. */
const makeSleepers = () => {
  const sleepers: Array<Sleeper> = []
  const first = (): Sleeper | undefined => {
    while (sleepers.at(-1)?.isCancelled === true) sleepers.pop()
    return sleepers.at(-1)
  }
  return {
    first,
    takeFirst: (): void => void sleepers.pop(),
    takeAll: (): ReadonlyArray<Sleeper> =>
      sleepers
        .splice(0)
        .reverse()
        .filter(({ isCancelled }) => !isCancelled),
    add: (sleeper: Sleeper): void => {
      // The last element wakes first, so that taking it is cheap.
      let low = 0
      let high = sleepers.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (sleepers[middle]!.atMillis > sleeper.atMillis) low = middle + 1
        else high = middle
      }
      sleepers.splice(low, 0, sleeper)
    }
  }
}

/** The tasks of fibers that are ready to run. `choose` picks an index below the count that it is given. */
export const makeTasks = (choose: ((count: number) => number) | undefined) => {
  const waiting: Array<Entry> = []

  /**
   * Takes the next task among those with the lowest priority number: the first one, or the choice of `choose`. Tasks of
   * one fiber keep their order.
   */
  const next = (): Entry => {
    let lowest = waiting[0]!.priority
    for (const { priority } of waiting) lowest = Math.min(lowest, priority)
    const seen = new Set<Entry["fiber"]>()
    const ready: Array<number> = []
    for (const [index, { fiber, priority }] of waiting.entries()) {
      if (priority !== lowest || seen.has(fiber)) continue
      seen.add(fiber)
      ready.push(index)
    }
    const index = choose === undefined || ready.length === 1 ? ready[0]! : ready[choose(ready.length)]!
    return waiting.splice(index, 1)[0]!
  }

  return {
    add: (entry: Entry): void => void waiting.push(entry),
    runAll: (): void => {
      while (waiting.length > 0) {
        const entry = waiting.length === 1 ? waiting.pop()! : next()
        entry.task()
      }
    }
  }
}

/** One turn of the event loop, in which promises and work outside of JavaScript go on. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    // `onmessage` is standard, but is not in the types of Node.js.
    const receiver: { onmessage?: () => void; close: () => void } = port1
    receiver.onmessage = () => {
      receiver.close()
      resolve()
    }
    port2.postMessage(null)
  })

/** Monotonic and wall time, and the sleepers that wait for a time. */
export const makeTime = (startMillis: number) => {
  let steadyMillis = 0
  let wallOffsetMillis = startMillis
  const sleepers = makeSleepers()
  const forever = new Set<Resume>()
  return {
    steadyMillis: () => steadyMillis,
    wallMillis: () => steadyMillis + wallOffsetMillis,
    sleep: (duration: Duration.Duration): Effect.Effect<void> =>
      Effect.async<void>((resume) => {
        const millis = Duration.toMillis(duration)
        if (millis === 0) return resume(Effect.void)
        if (millis === Number.POSITIVE_INFINITY) {
          forever.add(resume)
          return Effect.sync(() => forever.delete(resume))
        }
        const sleeper = { atMillis: steadyMillis + millis, resume, isCancelled: false }
        sleepers.add(sleeper)
        return Effect.sync(() => {
          sleeper.isCancelled = true
        })
      }),
    /** Goes on to the next sleeper that is due, and wakes it. False if none is due by then. */
    wakeFirst: (untilMillis: number): boolean => {
      const sleeper = sleepers.first()
      if (sleeper === undefined || sleeper.atMillis > untilMillis) return false
      sleepers.takeFirst()
      steadyMillis = Math.max(steadyMillis, sleeper.atMillis)
      sleeper.resume(Effect.void)
      return true
    },
    goTo: (millis: number): void => {
      steadyMillis = millis
    },
    stepWall: (millis: number): void => {
      wallOffsetMillis += millis
    },
    nextMillis: () => sleepers.first()?.atMillis ?? null,
    interruptSleepers: (): void => {
      for (const { resume } of sleepers.takeAll()) resume(Effect.interrupt)
      for (const resume of forever) resume(Effect.interrupt)
      forever.clear()
    }
  }
}
