/**
 * A process that can die or freeze, and a store that can go away. Every request of the process to store and network
 * passes its gates, and nothing ever happens behind a gate of a dead process. As with a power cut, no finalizer runs:
 * the fibers of a dead process stand at the gates for as long as virtual time goes on. When virtual time ends they
 * unwind, and reach nothing through the gates.
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
 * The gates of one process. An attempt passes four of them: before and after the store's transaction, and before and
 * after the request over the network.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProcessGates {
  readonly isAlive: () => boolean
  /** Kills the process. */
  readonly kill: () => void
  /** The process passes `gates` more gates, and dies at the next one. */
  readonly dieAfter: (gates: number) => void
  /** Freezes the process until `millis` milliseconds from now: it waits at each {@link ProcessGates.passOrFreeze}. */
  readonly freeze: (millis: number) => Effect.Effect<void>
  /** A gate. */
  readonly pass: Effect.Effect<void>
  /**
   * A gate where a frozen process waits. There is no gate between the process's last look at the lease and its write:
   * no client can prevent the damage if its process is stopped there for longer than the drain.
   */
  readonly passOrFreeze: Effect.Effect<void>
  /** Runs an effect only while the process is alive. It is not a gate. Example: a notice to a person. */
  readonly whileAlive: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** A client whose requests pass a gate before they are sent, and another one when the answer has come. */
  readonly httpClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  /**
   * A store whose transactions pass a gate before they begin, and another one afterwards, where the process may freeze.
   * A dead process cannot read either.
   */
  readonly store: (store: AuthStore["Type"]) => AuthStore["Type"]
}

const steadyMillis = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/**
 * The gates of a process that has just been started. `onDeath` is called when the process dies.
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
  // Sleeps on the clock, so that the fibers that stand here end when virtual time ends.
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
 * A time in which the store is away. Transactions fail, before they write or after they have written. Reads fail too.
 *
 * @since 0.1.0
 * @category models
 */
export interface Absence {
  /**
   * Begins an absence of `millis` milliseconds. `afterCommit`: the transaction is written, and its caller gets an
   * error.
   */
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
      ? Effect.fail(new AuthStoreError({ reason: "unavailable", detail: "the simulated store is down" }))
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
