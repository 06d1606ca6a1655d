/**
 * Virtual time: a Clock that stands still until it is advanced, and a scheduler that runs fibers only when the clock is
 * used. So one seed decides everything that happens.
 *
 * Effect's own TestClock waits in real time, some milliseconds at every step, to find out whether all fibers rest. Here
 * the queue of tasks is visible: once it is empty, all fibers rest. The check takes microseconds, and is certain. It
 * holds for work in memory. Where promises are awaited, {@link VirtualClock.advanceAsync} lets them go on as well.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { identity } from "effect/Function"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import * as Supervisor from "effect/Supervisor"
import { PCGRandom } from "effect/Utils"

/**
 * Settings of virtual time.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The wall time at which it begins, in milliseconds since 1970. Default: 14 November 2023, 22:13:20 UTC. */
  readonly startMillis?: number | undefined
  /**
   * The seed of Effect's Random, and of the choice among fibers that are ready to run. Default: none. Then fibers run
   * in the order in which they were woken, and Random is that of the effect that is run.
   */
  readonly seed?: number | undefined
  /** Whether logs and traces are switched off, for every logger and tracer. Default: false. */
  readonly quiet?: boolean | undefined
}

/**
 * A clock whose time passes only when it is advanced.
 *
 * @since 0.1.0
 * @category models
 */
export interface VirtualClock extends Clock.Clock {
  /** The scheduler of the fibers that {@link VirtualClock.fork} begins. */
  readonly scheduler: Scheduler.Scheduler
  /** Monotonic time since it began, in milliseconds. */
  readonly steadyMillis: () => number
  /** Begins an effect on this clock, and runs everything that needs no time. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>
  /** Runs an effect that needs no time, to its end. Throws the effect's error, or an error if the effect needs time. */
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => A
  /** Runs an effect. The promise settles once the clock has been advanced far enough. */
  readonly runPromise: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
  /** Runs everything that needs no time. */
  readonly settle: () => void
  /** Lets `millis` milliseconds pass, and wakes every sleeper that is due in them, in order. */
  readonly advance: (millis: number) => void
  /**
   * As `advance`, where promises are awaited too. Whenever all fibers rest, the event loop turns twice. A promise that
   * takes longer than that may find that virtual time has gone on.
   */
  readonly advanceAsync: (millis: number) => Promise<void>
  /** The monotonic time at which the next sleeper is due, in milliseconds; null if there is none. */
  readonly nextMillis: () => number | null
  /** Sets wall time forward or back. Monotonic time and sleepers do not notice. */
  readonly step: (millis: number) => void
  /**
   * Ends time. All fibers that were begun on it are interrupted, and every sleeper is woken by an interruption, even in
   * an uninterruptible region. Returns the number of fibers that have not ended, since they wait for something other
   * than time; 0 if all is well.
   *
   * Effect keeps every fiber that has not ended, with everything that it holds. Without an end, each world would stay
   * in memory.
   */
  readonly end: () => number
}

type Resume = (effect: Effect.Effect<void>) => void

interface Sleeper {
  readonly atMillis: number
  readonly resume: Resume
  isCancelled: boolean
}

/** How often fibers may go to sleep again while time ends. A fiber that does so more often is left. */
const mostRounds = 100

/** Keeps the set of fibers that have not ended. */
class Living extends Supervisor.AbstractSupervisor<void> {
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
const makeTasks = (choose: ((count: number) => number) | undefined) => {
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
const turn = (): Promise<void> =>
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

const withoutOnlookers = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  effect.pipe(Logger.withMinimumLogLevel(LogLevel.None), Effect.withTracerEnabled(false))

/**
 * Makes virtual time, in which nothing has happened yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({
  quiet = false,
  seed,
  startMillis = 1_700_000_000_000
}: Options = {}): VirtualClock => {
  let steadyMillis = 0
  let wallOffsetMillis = startMillis
  const sleepers = makeSleepers()
  const forever = new Set<Resume>()
  const living = new Living()
  const order = seed === undefined ? undefined : new PCGRandom(seed)
  const tasks = makeTasks(order === undefined ? undefined : (count) => order.integer(count))
  const random = seed === undefined ? undefined : Random.make(`virtual time ${seed}`)

  const unsafeCurrentTimeMillis = () => steadyMillis + wallOffsetMillis
  const unsafeCurrentTimeNanos = () => BigInt(Math.round(steadyMillis * 1000)) * 1000n

  const scheduler = Scheduler.make((task, priority, fiber) => tasks.add({ task, priority, fiber }))

  const sleep: Clock.Clock["sleep"] = (duration) =>
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
    })

  const wakeFirst = (untilMillis: number): boolean => {
    const sleeper = sleepers.first()
    if (sleeper === undefined || sleeper.atMillis > untilMillis) return false
    sleepers.takeFirst()
    steadyMillis = Math.max(steadyMillis, sleeper.atMillis)
    sleeper.resume(Effect.void)
    return true
  }

  const fork: VirtualClock["fork"] = (effect) => {
    const fiber = Runtime.runFork(runtime)(effect, { scheduler })
    tasks.runAll()
    return fiber
  }

  const clock: VirtualClock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis,
    unsafeCurrentTimeNanos,
    currentTimeMillis: Effect.sync(unsafeCurrentTimeMillis),
    currentTimeNanos: Effect.sync(unsafeCurrentTimeNanos),
    sleep,
    scheduler,
    steadyMillis: () => steadyMillis,
    fork,
    run: (effect) => {
      const exit = fork(Effect.exit(effect)).unsafePoll()
      if (exit === null) throw new Error("The effect needs time: advance the clock, or let promises end.")
      return Exit.getOrElse(Exit.flatten(exit), (cause) => {
        throw Cause.squash(cause)
      })
    },
    runPromise: (effect) =>
      new Promise((resolve, reject) => {
        fork(effect).addObserver(
          Exit.match({ onSuccess: resolve, onFailure: (cause) => reject(Cause.squash(cause) as Error) })
        )
      }),
    settle: tasks.runAll,
    advance: (millis) => {
      const untilMillis = steadyMillis + millis
      tasks.runAll()
      while (wakeFirst(untilMillis)) tasks.runAll()
      steadyMillis = untilMillis
    },
    advanceAsync: async (millis) => {
      const untilMillis = steadyMillis + millis
      const rest = async (): Promise<void> => {
        for (let turns = 0; turns < 2; turns++) {
          tasks.runAll()
          await turn()
        }
        tasks.runAll()
      }
      await rest()
      while (wakeFirst(untilMillis)) await rest()
      steadyMillis = untilMillis
    },
    nextMillis: () => sleepers.first()?.atMillis ?? null,
    step: (millis) => {
      wallOffsetMillis += millis
    },
    end: () => {
      const told = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
      for (let round = 0; living.fibers.size > 0 && round < mostRounds; round++) {
        for (const fiber of living.fibers) {
          if (told.has(fiber)) continue
          told.add(fiber)
          fiber.unsafeInterruptAsFork(FiberId.none)
        }
        tasks.runAll()
        for (const { resume } of sleepers.takeAll()) resume(Effect.interrupt)
        for (const resume of forever) resume(Effect.interrupt)
        forever.clear()
        tasks.runAll()
      }
      return living.fibers.size
    }
  }
  /**
   * The runtime of every effect: clock, Random, and the supervisor of living fibers. Set once, since setting it takes
   * longer than most effects.
   */
  const runtime = Effect.runtime<never>().pipe(
    Effect.supervised(living),
    Effect.withClock(clock),
    random === undefined ? identity : Effect.withRandom(random),
    quiet ? withoutOnlookers : identity,
    Effect.runSync
  )
  return clock
}
