/**
 * A Clock that stands still until it is told to go on. Like TestClock, but it does not wait in real time to see
 * whether all fibers have come to rest: what it drives is in memory, so that an empty task queue says so.
 */
import { Clock, Duration, Effect } from "effect"

export interface VirtualClock extends Clock.Clock {
  /** Lets all that is due happen, and time pass, step by step. */
  readonly advance: (millis: number) => Promise<void>
  /** Sets wall time forward or back; monotonic time and sleepers do not notice. */
  readonly step: (millis: number) => void
}

interface Sleeper {
  readonly atMillis: number
  readonly order: number
  readonly wake: () => void
}

const settle = async (): Promise<void> => {
  // Fibers go on in micro-tasks, save that a busy one yields to a timer: two turns of the loop see both.
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

export const makeVirtualClock = (startMillis = 1_700_000_000_000): VirtualClock => {
  let steadyMillis = 0
  let wallOffsetMillis = startMillis
  let order = 0
  const sleepers = new Set<Sleeper>()

  const schedule = (duration: Duration.DurationInput, wake: () => void): (() => boolean) => {
    const sleeper = { atMillis: steadyMillis + Duration.toMillis(duration), order: order++, wake }
    sleepers.add(sleeper)
    return () => sleepers.delete(sleeper)
  }

  const next = (untilMillis: number): Sleeper | undefined => {
    let first: Sleeper | undefined
    for (const sleeper of sleepers) {
      if (sleeper.atMillis > untilMillis) continue
      if (
        first === undefined ||
        sleeper.atMillis < first.atMillis ||
        (sleeper.atMillis === first.atMillis && sleeper.order < first.order)
      ) {
        first = sleeper
      }
    }
    return first
  }

  const unsafeCurrentTimeMillis = () => steadyMillis + wallOffsetMillis
  const unsafeCurrentTimeNanos = () => BigInt(Math.round(steadyMillis * 1_000_000))

  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis,
    unsafeCurrentTimeNanos,
    currentTimeMillis: Effect.sync(unsafeCurrentTimeMillis),
    currentTimeNanos: Effect.sync(unsafeCurrentTimeNanos),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        if (Duration.toMillis(duration) === 0) return resume(Effect.void)
        const cancel = schedule(duration, () => resume(Effect.void))
        return Effect.sync(cancel)
      }),
    step: (millis) => {
      wallOffsetMillis += millis
    },
    advance: async (millis) => {
      const untilMillis = steadyMillis + millis
      await settle()
      for (let sleeper = next(untilMillis); sleeper !== undefined; sleeper = next(untilMillis)) {
        sleepers.delete(sleeper)
        steadyMillis = Math.max(steadyMillis, sleeper.atMillis)
        sleeper.wake()
        await settle()
      }
      steadyMillis = untilMillis
      await settle()
    }
  }
}
