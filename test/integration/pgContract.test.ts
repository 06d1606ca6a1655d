/** The contract of stores on a real PostgreSQL. */
import { storeContract } from "../support/storeContract.js"
import { openPostgres, postgresClient, postgresPlaces } from "../support/pgPlaces.js"
import { Effect } from "effect"

const { makePlace } = postgresPlaces()

storeContract({
  name: "PostgreSQL",
  clock: "database",
  // pgAway.test.ts tries a longer queue, with shorter time-outs.
  crowd: 200,
  isDurable: true,
  tellsWithinMillis: 150,
  looksOftenMillis: 1000,
  makePlace: Effect.map(makePlace, ({ sql, url }) => ({
    sql,
    client: postgresClient(url),
    open: openPostgres(url)
  }))
})
