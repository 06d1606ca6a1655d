/** The contract of stores on SQLite files. */
import { NodeContext } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Context, Effect, Layer } from "effect"
import { AuthStore } from "../../src/services/AuthStore.js"
import * as SqliteStore from "../../src/services/SqliteStore.js"
import { ring } from "../support/secrets.js"
import { file } from "../support/sqlite.js"
import { storeContract } from "../support/storeContract.js"

storeContract({
  name: "SQLite",
  clock: "process",
  isDurable: true,
  // It looks every 200 milliseconds.
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
      open: Layer.build(
        SqliteStore.layer({ filename, storeKey: ring(1) }).pipe(Layer.provide(NodeContext.layer))
      ).pipe(Effect.map(Context.get(AuthStore)))
    }
  })
})
