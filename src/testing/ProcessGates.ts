/**
 * A process that can die and stand still: what it asks of store and network passes its gates, and behind a gate of a dead
 * process nothing ever happens. As with a power cut, no finalizer runs.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AuthStore } from "../services/AuthStore.js"

/**
 * The gates of one process. There are four to an attempt: before and after the store is asked, and before and after the
 * network is.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProcessGates {
  readonly isAlive: () => boolean
  /** The process is dead from here on. */
  readonly kill: () => void
  /** It passes so many more gates and dies at the next. */
  readonly dieAfter: (gates: number) => void
  /** It stands still for so many milliseconds at the next gate where a process may be stopped. */
  readonly freeze: (millis: number) => Effect.Effect<void>
  /** A gate. */
  readonly pass: Effect.Effect<void>
  /**
   * A gate where a stopped process may stand still. There is none between its last look at the lease and the write: who
   * is stopped there for longer than the drain time is beyond any client's reach.
   */
  readonly passOrFreeze: Effect.Effect<void>
  /** A client whose every request passes a gate before it is sent, and one when its answer is there. */
  readonly httpClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  /** A store whose every transaction passes a gate before it, and one after it where the process may stand still. */
  readonly store: (store: AuthStore["Type"]) => AuthStore["Type"]
}

const steadyMillis = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/**
 * The gates of a process that has just been started. `onDeath` is told when it dies.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (onDeath: () => void = () => {}): ProcessGates => {
  let isAlive = true
  let fuse: number | null = null
  let frozenUntilMillis = 0

  const kill = (): void => {
    if (!isAlive) return
    isAlive = false
    onDeath()
  }
  const pass: Effect.Effect<void> = Effect.suspend(() => {
    if (isAlive && fuse !== null && fuse-- <= 0) kill()
    return isAlive ? Effect.void : Effect.async<never>(() => {})
  })
  const passOrFreeze: Effect.Effect<void> = Effect.flatMap(steadyMillis, (nowMillis) =>
    nowMillis < frozenUntilMillis
      ? Effect.zipRight(Effect.sleep(Duration.millis(frozenUntilMillis - nowMillis)), pass)
      : pass
  )
  return {
    isAlive: () => isAlive,
    kill,
    dieAfter: (gates) => {
      fuse = gates
    },
    freeze: (millis) =>
      Effect.map(steadyMillis, (nowMillis) => {
        frozenUntilMillis = nowMillis + millis
      }),
    pass,
    passOrFreeze,
    httpClient: HttpClient.transform((sending) => Effect.zipLeft(Effect.zipRight(pass, sending), pass)),
    store: (store) => ({
      ...store,
      transact: (key, decide) =>
        Effect.zipLeft(Effect.zipRight(pass, store.transact(key, decide)), passOrFreeze)
    })
  }
}
