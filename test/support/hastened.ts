/** Shorter time-outs, for tests of the time after them. */
import * as Net from "node:net"
import { Clock, Duration, Effect } from "effect"
import { afterAll, beforeAll, vi } from "vitest"

/**
 * Makes every timer of this process `factor` times as fast, for the tests of the file or suite: the timers of
 * Effect, of drivers and of sockets. Clocks go on as ever, and so does the database.
 */
export const hasten = (factor: number): void => {
  const restore: Array<() => void> = []
  beforeAll(() => {
    const setTimeout = globalThis.setTimeout
    const timers = vi
      .spyOn(globalThis, "setTimeout")
      .mockImplementation(((run: () => void, millis: number, ...given: []) =>
        setTimeout(run, millis / factor, ...given)) as typeof globalThis.setTimeout)
    const ofSocket = Net.Socket.prototype.setTimeout
    const sockets = vi.spyOn(Net.Socket.prototype, "setTimeout").mockImplementation(function (
      this: Net.Socket,
      millis: number,
      run?: () => void
    ) {
      return ofSocket.call(this, millis / factor, run)
    })
    restore.push(
      () => timers.mockRestore(),
      () => sockets.mockRestore()
    )
  })
  afterAll(() => {
    for (const each of restore) each()
  })
}

const real = Clock.make()

/** Runs an effect on a clock that goes `factor` times as fast. */
export const onFastClock = (factor: number) => {
  const startMillis = real.unsafeCurrentTimeMillis()
  const millis = () => startMillis + (real.unsafeCurrentTimeMillis() - startMillis) * factor
  const nanos = () => BigInt(millis()) * 1_000_000n
  return Effect.withClock(
    Object.assign(Object.create(real) as Clock.Clock, {
      unsafeCurrentTimeMillis: millis,
      unsafeCurrentTimeNanos: nanos,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanos: Effect.sync(nanos),
      sleep: (duration: Duration.Duration) =>
        real.sleep(Duration.millis(Duration.toMillis(duration) / factor))
    } satisfies Partial<Clock.Clock>)
  )
}
