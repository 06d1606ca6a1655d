/**
 * A process that draws numbers from a store in SQLite: the sequence of fifty transactions, as JSON.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AccountCode, Location } from "../../src/schemas/Credentials.js"
import * as AuthStore from "../../src/services/store/AuthStore.js"
import * as SqliteStore from "../../src/services/store/SqliteStore.js"

const key = { location: "default" as Location, account: "EP9116875" as AccountCode }

void Effect.gen(function* () {
  const store = yield* AuthStore.AuthStore
  const drawn: Array<number> = []
  for (let n = 0; n < 50; n++) {
    drawn.push(
      yield* store.transact(key, ({ account, ledger, moment }) => [
        moment.sequence,
        { ledger: { ...ledger }, account }
      ])
    )
  }
  console.log(JSON.stringify(drawn))
}).pipe(
  Effect.provide(SqliteStore.layer({ filename: process.argv[2]! }).pipe(Layer.provide(NodeContext.layer))),
  Effect.runPromise
)
