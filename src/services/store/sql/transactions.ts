/**
 * The caller's transactions and the store's.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Runs statements outside of a transaction that the caller may be in, on whichever client: what the store writes must be
 * durable whatever becomes of that one.
 */
export const outsideTransactions = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.mapInputContext(
    effect,
    (context: Context.Context<R>) =>
      Context.omit(SqlClient.TransactionConnection)(context as Context.Context<never>) as Context.Context<R>
  )
