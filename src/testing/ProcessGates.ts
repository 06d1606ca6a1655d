/**
 * A process that can die and stand still, and a store that goes away. What a process asks of store and network passes its
 * gates, and behind a gate of a dead process nothing ever happens. As with a power cut, no finalizer runs: the fibers of the
 * dead stand at the gates for as long as virtual time goes on. When it ends they unwind, and reach nothing through the gates.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type AuthStore, AuthStoreError } from "../services/store/AuthStore.js"

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
  /** What is no gate, and does not happen either once the process is dead: it tells a person, say. */
  readonly whileAlive: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** A client whose every request passes a gate before it is sent, and one when its answer is there. */
  readonly httpClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  /**
   * A store whose every transaction passes a gate before it, and one after it where the process may stand still. The dead
   * read nothing either.
   */
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
  // By the clock, so that the end of its time ends the fibers that stand here.
  const stand = Effect.sleep(Duration.infinity)
  const pass: Effect.Effect<void> = Effect.suspend(() => {
    if (isAlive && fuse !== null && fuse-- <= 0) kill()
    return isAlive ? Effect.void : stand
  })
  const whileAlive: ProcessGates["whileAlive"] = (effect) =>
    Effect.suspend(() => (isAlive ? effect : Effect.zipRight(stand, effect)))
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
    whileAlive,
    httpClient: HttpClient.transform((sending) => Effect.zipLeft(Effect.zipRight(pass, sending), pass)),
    store: (store) => ({
      transact: (key, decide) =>
        Effect.zipLeft(Effect.zipRight(pass, store.transact(key, decide)), passOrFreeze),
      read: (key) => whileAlive(store.read(key)),
      changes: (location) => Stream.unwrap(whileAlive(Effect.sync(() => store.changes(location)))),
      readToken: (key) => whileAlive(store.readToken(key)),
      writeToken: (key, token) => whileAlive(store.writeToken(key, token))
    })
  }
}

/**
 * A store that goes away for a while, before it writes or after it has written. It cannot be read in that time either.
 *
 * @since 0.1.0
 * @category models
 */
export interface Absence {
  /** For so many milliseconds from now. `afterCommit`: it writes, and who asked is not told so. */
  readonly begin: (millis: number, options: { readonly afterCommit: boolean }) => Effect.Effect<void>
  readonly store: (store: AuthStore["Type"]) => AuthStore["Type"]
}

/**
 * An absence that has not begun.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeAbsence = (): Absence => {
  let untilMillis = 0
  let isAfterCommit = false
  const away = Effect.flatMap(steadyMillis, (nowMillis) =>
    nowMillis < untilMillis
      ? Effect.fail(new AuthStoreError({ reason: "unavailable", detail: "the simulation has it away" }))
      : Effect.void
  )
  const awayWhere = (afterCommit: boolean) =>
    Effect.suspend(() => (isAfterCommit === afterCommit ? away : Effect.void))
  return {
    begin: (millis, { afterCommit }) =>
      Effect.map(steadyMillis, (nowMillis) => {
        untilMillis = nowMillis + millis
        isAfterCommit = afterCommit
      }),
    store: (store) => ({
      ...store,
      transact: (key, decide) =>
        Effect.zipLeft(Effect.zipRight(awayWhere(false), store.transact(key, decide)), awayWhere(true)),
      read: (key) => Effect.zipRight(away, store.read(key))
    })
  }
}
