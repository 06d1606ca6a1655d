/**
 * The shared store: PostgreSQL, for a location with many processes and hosts.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as RcRef from "effect/RcRef"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Net from "node:net"
import type { Location } from "../../schemas/Credentials.js"
import { type AccountKey, AuthStore } from "./AuthStore.js"
import { AuthStoreError, answersWithin, storeErrorOf } from "./AuthStoreError.js"
import { type Rekeyed, rekeySql } from "./rekey.js"
import * as SqlStore from "./SqlStore.js"
import {
  inspect as inspectSql,
  type Inspection,
  inspectLocation as inspectLocationSql,
  type LocationInspection
} from "./sql/readOnly.js"
import { parsePostgresUrl, postgresUrlForm } from "./sql/postgresUrl.js"
import type { ConfiguredKeys, KeyRing } from "./StoreKey.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** `postgres://user:password@host:port/database`. */
  readonly url: Redacted.Redacted
  /** The most connections that the pool may hold. Default: 10. While a caller waits, one or two more listen. */
  readonly maxConnections?: number | undefined
  /**
   * The keys that session keys and tokens are sealed under. Default: those of `NUMBER_STORE_KEY` and
   * `NUMBER_STORE_KEY_OLD` in the configuration. Without a key, session keys are kept in memory only, and a warning
   * says so (`SqlStore.Options`).
   */
  readonly storeKey?: KeyRing | undefined
}

const keyRing = (options: Pick<Options, "storeKey">): Effect.Effect<KeyRing | undefined, AuthStoreError> =>
  options.storeKey === undefined ? SqlStore.configuredKeyRing : Effect.succeed(options.storeKey)

/**
 * The keys of a store with these options. `current` is none if sessions are kept in memory only.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const keys = (options: Pick<Options, "storeKey">): Effect.Effect<ConfiguredKeys, AuthStoreError> =>
  Effect.map(keyRing(options), (ring) => ({
    current: Option.map(Option.fromNullable(ring), ({ current }) => current),
    older: ring?.older ?? []
  }))

/**
 * A connection that the network has silently dropped would stay in the pool and be handed out again and again. So a
 * socket is destroyed when it is silent for longer than any operation may take. The listening connection is pinged more
 * often than that.
 */
const newSocket = (): Net.Socket => {
  const socket = new Net.Socket()
  socket.setTimeout(15_000, () => socket.destroy(new Error("Connection timed out")))
  return socket
}

const clientOf = (options: Options, maxConnections: number) =>
  Layer.unwrapEffect(
    parsePostgresUrl(Redacted.value(options.url)) !== null
      ? Effect.succeed(
          PgClient.layer({
            url: options.url,
            maxConnections,
            connectTimeout: Duration.seconds(5),
            stream: newSocket,
            applicationName: "effect-number-auth"
          })
        )
      : new AuthStoreError({
          reason: "misconfigured",
          detail: `its address is malformed: expected ${postgresUrlForm}`
        })
  )

/** The channel for pings: listening to it for a moment shows whether the listening connection still answers. */
const pingChannel = "number_auth_ping"

/**
 * Listens on a connection of its own until that connection breaks. @effect/sql-pg does not report this, hence the ping
 * every few seconds. Its finalizers wait for the server, which may hang, hence the close in the background.
 */
const listenOnce = (options: Options, changed: PubSub.PubSub<string | null>): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) =>
      Effect.gen(function* () {
        const client = Context.get(
          yield* Scope.extend(Layer.build(clientOf(options, 1)), scope),
          PgClient.PgClient
        )
        const listening = client
          .listen(SqlStore.changesChannel)
          .pipe(Stream.runForEach((location) => PubSub.publish(changed, location)))
        const ping = client
          .listen(pingChannel)
          .pipe(
            Stream.interruptAfter("10 millis"),
            Stream.runDrain,
            Effect.disconnect,
            Effect.timeout("5 seconds")
          )
        // This connection runs one statement after the other, LISTEN first. Earlier notifications were missed: publish
        // null.
        const watching = Effect.sleep("250 millis").pipe(
          Effect.zipRight(PubSub.publish(changed, null)),
          Effect.zipRight(Effect.sleep("2 seconds")),
          Effect.zipRight(Effect.repeat(ping, Schedule.spaced("3 seconds")))
        )
        yield* Effect.raceFirst(Effect.disconnect(listening), Effect.disconnect(watching))
      }),
    (scope) => Effect.forkDaemon(Scope.close(scope, Exit.void))
  ).pipe(Effect.catchAllCause(() => Effect.void))

/**
 * The locations in PostgreSQL's notifications; null if one may have been missed. It listens while it has subscribers,
 * and a minute longer.
 */
const makeListener = (options: Options) =>
  RcRef.make({
    acquire: Effect.gen(function* () {
      const changed = yield* PubSub.sliding<string | null>(1024)
      yield* listenOnce(options, changed).pipe(
        Effect.repeat(Schedule.spaced("1 second")),
        // Acquisition is uninterruptible, and forked fibers inherit that.
        Effect.interruptible,
        Effect.forkScoped
      )
      return changed
    }),
    idleTimeToLive: "1 minute"
  })

/** A waiter also polls soon after it begins: it missed the notifications before it listened. */
const firstLooks = Schedule.exponential("50 millis").pipe(Schedule.intersect(Schedule.recurs(4)))

/**
 * The store in PostgreSQL. One row lock per location makes its transactions wait for each other. The time comes from
 * the database, so hosts may share the store even if their clocks differ. Waiters in other processes learn of a change
 * by `LISTEN`/`NOTIFY`, and also poll once a second. A server that is down or hangs is reported within ten seconds.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<AuthStore, AuthStoreError> =>
  Layer.scoped(
    AuthStore,
    Effect.flatMap(Effect.all([makeListener(options), keyRing(options)]), ([listener, storeKey]) =>
      SqlStore.make({
        storeKey,
        pollInterval: "1 second",
        notifications: (location) =>
          Stream.merge(
            Stream.fromSchedule(firstLooks),
            Stream.unwrapScoped(
              Effect.map(RcRef.get(listener), (changed) =>
                Stream.filter(
                  Stream.fromPubSub(changed),
                  (changedLocation) => changedLocation === location || changedLocation === null
                )
              )
            )
          )
      })
    )
  ).pipe(Layer.provide(clientOf(options, options.maxConnections ?? 10)), Layer.mapError(storeErrorOf))

/**
 * Seals all secrets of a database anew, as `rekeySql` does. It needs a key, given or configured.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const rekey = (
  options: Options & { readonly discard?: boolean | undefined }
): Effect.Effect<Rekeyed, AuthStoreError> =>
  Effect.flatMap(keyRing(options), (storeKey) =>
    storeKey === undefined
      ? new AuthStoreError({ reason: "misconfigured", detail: "NUMBER_STORE_KEY is not set" })
      : Effect.provide(rekeySql({ storeKey, discard: options.discard }), clientOf(options, 1))
  ).pipe(Effect.mapError(storeErrorOf))

/**
 * Inspects the database as it is: creates and changes nothing.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const inspect = (
  options: Pick<Options, "url">,
  key: AccountKey
): Effect.Effect<Inspection, AuthStoreError> => lookAt(options, inspectSql(key))

/**
 * Inspects a location and all its accounts in a database, as {@link inspect} does.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const inspectLocation = (
  options: Pick<Options, "url">,
  location: Location
): Effect.Effect<LocationInspection, AuthStoreError> => lookAt(options, inspectLocationSql(location))

const lookAt = <A>(
  options: Pick<Options, "url">,
  look: Effect.Effect<A, AuthStoreError, SqlClient.SqlClient>
): Effect.Effect<A, AuthStoreError> =>
  Effect.provide(look, clientOf(options, 1)).pipe(Effect.mapError(storeErrorOf), answersWithin("10 seconds"))
