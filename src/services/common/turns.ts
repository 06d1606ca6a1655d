/**
 * A fair queue: turns are given in the order of entering, to one seat at a time.
 *
 * This is not Effect's Semaphore. A Semaphore wakes all waiting fibers whenever a permit is released, and each fiber
 * that must wait again keeps the memory of its earlier wait. A thousand waiting fibers cost a million wake-ups and
 * gigabytes.
 */
import * as Effect from "effect/Effect"

/** One place in the queue. */
export interface Seat {
  /** Takes the turn if it is free. Returns whether this seat has the turn. */
  readonly takeIfFree: () => boolean
  /** Waits for the turn, from the end of the queue. It is interrupted if the queue is closed. */
  readonly enter: Effect.Effect<void>
  /** Ends the turn, or gives up waiting for it. A fiber that still waits in `enter` must then be interrupted. */
  readonly leave: () => void
  /** Whether the seat waits for its turn, or has it. */
  readonly isPending: () => boolean
}

/**
 * The queue. Its seats hold no timers and no fibers of their own, so ten thousand may wait.
 */
export interface Turns {
  readonly seat: () => Seat
  /** Gives no more turns, and interrupts all waiting fibers. */
  readonly close: () => void
}

const alwaysItsTurn: Seat = {
  takeIfFree: () => true,
  enter: Effect.void,
  leave: () => {},
  isPending: () => false
}

/** A queue without waiting: every seat has its turn at once. */
export const noTurns: Turns = { seat: () => alwaysItsTurn, close: () => {} }

/** Makes an empty queue. */
export const makeTurns = (): Turns => {
  // Seats in the order of entering. A Map removes an entry from the middle as cheaply as from the front.
  const waiting = new Map<Seat, (go: Effect.Effect<void>) => void>()
  let holder: Seat | null = null
  let isClosed = false

  const passOn = (): void => {
    holder = null
    for (const [seat, admit] of waiting) {
      waiting.delete(seat)
      // The seat has the turn at once, before its fiber runs, so no other seat can take the turn in between.
      holder = seat
      return admit(Effect.void)
    }
  }

  const seat = (): Seat => {
    const self: Seat = {
      takeIfFree: () => {
        if (holder === null && !isClosed) holder = self
        return holder === self && !isClosed
      },
      enter: Effect.async((resume) => {
        if (isClosed) return resume(Effect.interrupt)
        if (self.takeIfFree()) return resume(Effect.void)
        waiting.set(self, resume)
        return Effect.sync(() => waiting.delete(self))
      }),
      leave: () => {
        waiting.delete(self)
        if (holder === self) passOn()
      },
      isPending: () => holder === self || waiting.has(self)
    }
    return self
  }

  const close = (): void => {
    isClosed = true
    const all = [...waiting.values()]
    waiting.clear()
    for (const admit of all) admit(Effect.interrupt)
  }

  return { seat, close }
}

/** Runs an effect in its turn. */
export const inTurn = <A, E, R>(turns: Turns, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const seat = turns.seat()
    return Effect.ensuring(Effect.zipRight(seat.enter, effect), Effect.sync(seat.leave))
  })
