/**
 * The separation of the store's transactions from the caller's.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Runs statements outside of any transaction of the caller, on any client. The store's writes must be durable even if
 * the caller's transaction is rolled back.
 */
export const outsideTransactions = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.mapInputContext(
    effect,
    (context: Context.Context<R>) =>
      Context.omit(SqlClient.TransactionConnection)(context as Context.Context<never>) as Context.Context<R>
  )
