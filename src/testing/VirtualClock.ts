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
import { PCGRandom } from "effect/Utils"
import { Living, makeTasks, makeTime, turn } from "./internal/virtualTime.js"

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

/** How often fibers may go to sleep again while time ends. A fiber that does so more often is left. */
const mostRounds = 100

const withoutOnlookers = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  effect.pipe(Logger.withMinimumLogLevel(LogLevel.None), Effect.withTracerEnabled(false))

type Time = ReturnType<typeof makeTime>
type Tasks = ReturnType<typeof makeTasks>

/** Runs effects that `fork` begins to their end. */
const makeRuns = (fork: VirtualClock["fork"]): Pick<VirtualClock, "run" | "runPromise"> => ({
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
    })
})

/** Lets time pass. */
const makeAdvances = (time: Time, { runAll }: Tasks): Pick<VirtualClock, "advance" | "advanceAsync"> => {
  const rest = async (): Promise<void> => {
    for (let turns = 0; turns < 2; turns++) {
      runAll()
      await turn()
    }
    runAll()
  }
  return {
    advance: (millis) => {
      const untilMillis = time.steadyMillis() + millis
      runAll()
      while (time.wakeFirst(untilMillis)) runAll()
      time.goTo(untilMillis)
    },
    advanceAsync: async (millis) => {
      const untilMillis = time.steadyMillis() + millis
      await rest()
      while (time.wakeFirst(untilMillis)) await rest()
      time.goTo(untilMillis)
    }
  }
}

/** Interrupts all fibers, and those that sleep. Returns the number of fibers that are left. */
const endTime = (time: Time, { runAll }: Tasks, { fibers }: Living): number => {
  const interrupted = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  for (let round = 0; fibers.size > 0 && round < mostRounds; round++) {
    for (const fiber of fibers) {
      if (interrupted.has(fiber)) continue
      interrupted.add(fiber)
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
    runAll()
    time.interruptSleepers()
    runAll()
  }
  return fibers.size
}

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
  const time = makeTime(startMillis)
  const living = new Living()
  const order = seed === undefined ? undefined : new PCGRandom(seed)
  const tasks = makeTasks(order === undefined ? undefined : (count) => order.integer(count))
  const random = seed === undefined ? undefined : Random.make(`virtual time ${seed}`)
  const unsafeCurrentTimeNanos = () => BigInt(Math.round(time.steadyMillis() * 1000)) * 1000n
  const scheduler = Scheduler.make((task, priority, fiber) => tasks.add({ task, priority, fiber }))
  const fork: VirtualClock["fork"] = (effect) => {
    const fiber = Runtime.runFork(runtime)(effect, { scheduler })
    tasks.runAll()
    return fiber
  }

  const clock: VirtualClock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: time.wallMillis,
    unsafeCurrentTimeNanos,
    currentTimeMillis: Effect.sync(time.wallMillis),
    currentTimeNanos: Effect.sync(unsafeCurrentTimeNanos),
    sleep: time.sleep,
    scheduler,
    steadyMillis: time.steadyMillis,
    fork,
    ...makeRuns(fork),
    settle: tasks.runAll,
    ...makeAdvances(time, tasks),
    nextMillis: time.nextMillis,
    step: time.stepWall,
    end: () => endTime(time, tasks, living)
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
