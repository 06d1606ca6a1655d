/** Databases of a test's own, and the stores that are opened on them. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { afterAll, beforeAll } from "vitest"
import { AuthStore, type AuthStoreError } from "../../src/services/store/AuthStore.js"
import * as PgStore from "../../src/services/store/PgStore.js"
import { type Postgres, startPostgres } from "./postgres.js"
import { ring } from "./secrets.js"

export interface PgPlace extends Pick<Postgres, "url" | "query"> {
  /** Runs statements past the store, one after the other, and gives the rows of the last. */
  readonly sql: (
    ...statements: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Record<string, unknown>>>
}

/**
 * Provides a PostgreSQL for the tests of this file or of the enclosing suite. Each test may make databases of
 * its own there.
 */
export const postgresPlaces = <P extends Postgres = Postgres>(start?: () => Promise<P>) => {
  let server: P | Postgres
  beforeAll(async () => {
    server = await (start ?? startPostgres)()
  }, 120_000)
  afterAll(() => server?.end(), 60_000)
  const makePlace: Effect.Effect<PgPlace, never, Scope.Scope> = Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => server.database()),
      (own) => Effect.promise(() => own.end())
    ),
    ({ query, url }) => ({ url, query, sql: (...statements) => Effect.promise(() => query(...statements)) })
  )
  return { makePlace, server: () => server as P }
}

/** A store as a process of the location opens it: all have one key. */
export const openPostgres = (
  url: string,
  options: Partial<PgStore.Options> = {}
): Effect.Effect<AuthStore["Type"], AuthStoreError, Scope.Scope> =>
  Effect.map(
    Layer.build(PgStore.layer({ url: Redacted.make(url), storeKey: ring(1), ...options })),
    Context.get(AuthStore)
  )

export const postgresClient = (url: string) => PgClient.layer({ url: Redacted.make(url) })
