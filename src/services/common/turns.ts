/**
 * A fair queue: who asks first has its turn first, and one has it at a time.
 *
 * Not Effect's Semaphore: that one wakes all who wait whenever a permit is released, and each that then has to go on
 * waiting keeps what it was waiting with. With a thousand who wait that is a million wake-ups and gigabytes.
 */
import * as Effect from "effect/Effect"

/**
 * One place in the queue, of whoever wants a turn.
 */
export interface Seat {
  /** Takes the turn where nobody has it. Says whether it is this place's turn. */
  readonly takeIfFree: () => boolean
  /** Waits for the turn, from the end of the queue. Interrupted where the queue closes. */
  readonly enter: Effect.Effect<void>
  /** Ends the turn, or gives up waiting for it: whoever waits by `enter` has to be interrupted then. */
  readonly leave: () => void
  /** Whether it waits for its turn, or has it. */
  readonly isPending: () => boolean
}

/**
 * The queue. Its places hold no timers and no fibers of their own: ten thousand may wait.
 */
export interface Turns {
  readonly seat: () => Seat
  /** From now on nobody's turn comes any more, and all who wait are interrupted. */
  readonly close: () => void
}

const alwaysItsTurn: Seat = {
  takeIfFree: () => true,
  enter: Effect.void,
  leave: () => {},
  isPending: () => false
}

/** Where nobody waits for anybody. */
export const noTurns: Turns = { seat: () => alwaysItsTurn, close: () => {} }

/** Makes a queue in which nobody waits yet. */
export const makeTurns = (): Turns => {
  // In the order of entering; an entry leaves from the middle as cheaply as from the front.
  const waiting = new Map<Seat, (go: Effect.Effect<void>) => void>()
  let holder: Seat | null = null
  let isClosed = false

  const passOn = (): void => {
    holder = null
    for (const [seat, admit] of waiting) {
      waiting.delete(seat)
      // The turn is this place's from here on, before its fiber has noticed: nobody gets in between.
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
