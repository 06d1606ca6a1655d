/**
 * The PostgreSQL store, loaded on demand: a program with an SQLite store need not install the PostgreSQL driver.
 */
import * as Effect from "effect/Effect"
import { AuthStoreError } from "../services/store/AuthStore.js"

/**
 * @since 0.1.0
 * @category stores
 */
export const loadPgStore = Effect.tryPromise({
  try: () => import("../services/store/PgStore.js"),
  catch: () =>
    new AuthStoreError({
      reason: "misconfigured",
      detail: "PostgreSQL needs the package @effect/sql-pg, which is not installed"
    })
})
