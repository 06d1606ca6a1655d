/** The store on a database in memory, which ends with the test, and a collector of its warnings. */
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Context, Effect, Layer, Logger } from "effect"
import * as SqlStore from "../../src/services/store/SqlStore.js"
import { ring } from "./secrets.js"

export const sqlInMemory = Effect.map(
  Layer.build(SqliteClient.layer({ filename: ":memory:" })),
  Context.get(SqlClient.SqlClient)
)

export const onSql = (sql: SqlClient.SqlClient, options: SqlStore.Options = { storeKey: ring(1) }) =>
  Effect.provideService(SqlStore.make(options), SqlClient.SqlClient, sql)

/** Collects warnings. */
export const warnings = () => {
  const texts: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    if (logLevel.label === "WARN") texts.push(String(message))
  })
  return { texts, layer: Logger.replace(Logger.defaultLogger, logger) }
}
