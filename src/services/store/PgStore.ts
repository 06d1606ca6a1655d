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
  /** How many connections the pool may hold: default 10. One or two more listen while somebody waits. */
  readonly maxConnections?: number | undefined
  /**
   * What session keys are sealed under. Default: that of `NUMBER_STORE_KEY` and `NUMBER_STORE_KEY_OLD` in the configuration;
   * without one, session keys are kept in memory only, and a warning says so (`SqlStore.Options`).
   */
  readonly storeKey?: KeyRing | undefined
}

const keyRing = (options: Pick<Options, "storeKey">): Effect.Effect<KeyRing | undefined, AuthStoreError> =>
  options.storeKey === undefined ? SqlStore.configuredKeyRing : Effect.succeed(options.storeKey)

/**
 * The keys that a store of these options has; none is current where sessions are kept in memory only.
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
 * A connection that the network has swallowed says nothing, and the pool would hand it out again and again: who is silent
 * for longer than any operation may take is cut off. The listening connection is pinged more often than that.
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
          detail: `its address does not have the form it should have: ${postgresUrlForm}`
        })
  )

/** Listened to for a moment on the listening connection itself, to see whether that still answers. */
const pingChannel = "number_auth_ping"

/**
 * Listens on a connection of its own until that breaks. @effect/sql-pg does not say so when it does, hence the look
 * every few seconds; its finalizers wait for the server, which may hang, hence the background.
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
        // One statement after the other on this connection: it is asked to listen first. What was told before, nobody heard.
        const watching = Effect.sleep("250 millis").pipe(
          Effect.zipRight(PubSub.publish(changed, null)),
          Effect.zipRight(Effect.sleep("2 seconds")),
          Effect.zipRight(Effect.repeat(ping, Schedule.spaced("3 seconds")))
        )
        yield* Effect.raceFirst(Effect.disconnect(listening), Effect.disconnect(watching))
      }),
    (scope) => Effect.forkDaemon(Scope.close(scope, Exit.void))
  ).pipe(Effect.catchAllCause(() => Effect.void))

/** The locations that PostgreSQL tells of, null where something may have been missed; while somebody listens. */
const makeListener = (options: Options) =>
  RcRef.make({
    acquire: Effect.gen(function* () {
      const changed = yield* PubSub.sliding<string | null>(1024)
      yield* listenOnce(options, changed).pipe(
        Effect.repeat(Schedule.spaced("1 second")),
        // To acquire is not, and a fiber takes after the one that forks it.
        Effect.interruptible,
        Effect.forkScoped
      )
      return changed
    }),
    idleTimeToLive: "1 minute"
  })

/** A waiter looks soon after it began, too: what was told before it listened, it did not hear. */
const firstLooks = Schedule.exponential("50 millis").pipe(Schedule.intersect(Schedule.recurs(4)))

/**
 * Keeps ledgers and records in PostgreSQL. One row lock per location makes its transactions wait for each other, and
 * time comes from the database, so that hosts may share it whatever their clocks say. Waiters in other processes learn
 * of a change by `LISTEN`/`NOTIFY`, and look once a second besides. A server that is away or hangs is told of within
 * ten seconds.
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
                Stream.filter(Stream.fromPubSub(changed), (told) => told === location || told === null)
              )
            )
          )
      })
    )
  ).pipe(Layer.provide(clientOf(options, options.maxConnections ?? 10)), Layer.mapError(storeErrorOf))

/**
 * Seals all of a database anew, as `rekeySql` does. Needs a key, given or configured.
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
 * Looks at the database as it is: creates and changes nothing.
 *
 * @since 0.1.0
 * @category maintenance
 */
export const inspect = (
  options: Pick<Options, "url">,
  key: AccountKey
): Effect.Effect<Inspection, AuthStoreError> => lookAt(options, inspectSql(key))

/**
 * Looks at a location and all its accounts in a database as it is, as {@link inspect} does.
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
