/** Time-outs that come earlier, for tests of what happens once they are over. */
import * as Net from "node:net"
import { afterAll, beforeAll, vi } from "vitest"

/**
 * Lets every timer of this process run out so many times as fast, those of Effect, of drivers and of sockets, for the
 * tests of the file or suite. Clocks go on as ever, and so does the database.
 */
export const hasten = (factor: number): void => {
  const restore: Array<() => void> = []
  beforeAll(() => {
    const setTimeout = globalThis.setTimeout
    const timers = vi.spyOn(globalThis, "setTimeout").mockImplementation(((
      run: () => void,
      millis: number,
      ...given: Array<never>
    ) => setTimeout(run, millis / factor, ...given)) as typeof globalThis.setTimeout)
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its socket below
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
