/** The contract of stores on SQLite files. */
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect } from "effect"
import { ring } from "../support/secrets.js"
import { file, openSqlite } from "../support/sqlite.js"
import { storeContract } from "../support/storeContract.js"

storeContract({
  name: "SQLite",
  clock: "process",
  crowd: 1000,
  isDurable: true,
  // The store polls every 200 milliseconds.
  tellsWithinMillis: 400,
  looksOftenMillis: 0,
  makePlace: Effect.map(file, (filename) => {
    const client = SqliteClient.layer({ filename })
    return {
      client,
      sql: (statement) =>
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Record<string, unknown>>(statement)).pipe(
          Effect.provide(client),
          Effect.orDie
        ),
      open: openSqlite(filename, { storeKey: ring(1) })
    }
  })
})
