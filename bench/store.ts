/**
 * What a reserve and a settle cost on each engine, beside a bare durable transaction of the same driver in the same run.
 *
 *     npm run bench
 *
 * `NUMBER_TEST_PG_URL` names a PostgreSQL to use; else one is started. `BENCH_ROUNDS` sets how many of each are timed.
 */
import { randomBytes } from "node:crypto"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { SqlClient } from "@effect/sql"
import { Context, Effect, Either, Layer, Redacted } from "effect"
import { makeAuthCore } from "../src/machine/AuthCore.js"
import { defaultPolicy } from "../src/machine/Policy.js"
import type { AccountCode, Fingerprint, Location, SessionKey } from "../src/schemas/Credentials.js"
import type { Claim } from "../src/schemas/StoredRecord.js"
import type * as AuthStore from "../src/services/store/AuthStore.js"
import * as SqlStore from "../src/services/store/SqlStore.js"
import { decodeKeyRing } from "../src/services/store/StoreKey.js"
import { startPostgres } from "../test/support/postgres.js"

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 300)
const storeKey = Either.getOrThrow(
  decodeKeyRing({ current: Redacted.make(randomBytes(32).toString("base64")) })
)
const key = { location: "bench" as Location, account: "EP9116875" as AccountCode }
const fingerprint = "ab".repeat(32) as Fingerprint
const sessionKey = Redacted.make("B9F24903C3BA4770AE303032303541303032353437") as SessionKey

/** What NumberAuth does in its two transactions for an attempt that is accepted, the session having expired before. */
const reserveAndSettle = (store: AuthStore.AuthStore["Type"]) => {
  const core = makeAuthCore(defaultPolicy)
  const run = (messages: ReadonlyArray<Parameters<typeof core.step>[2]>, secret: SessionKey | null) =>
    store.transact(key, ({ account, ledger, moment }) => {
      const begun = { ledger, state: account.state, context: account.context }
      const last = messages.reduce(
        (step, message) => core.step(step, key.account, message, moment),
        core.step(begun, key.account, { type: "observe" }, moment)
      )
      const record = { ...account, state: last.state, context: last.context, sessionKey: secret }
      return [last.decision, { ledger: last.ledger, account: record }]
    })
  return Effect.gen(function* () {
    const generation = (yield* store.read(key)).account.context.session?.generation ?? 0
    const claim = randomBytes(16).toString("hex") as Claim
    const decision = yield* run(
      [
        { type: "sessionRefused", generation, code: 5030 },
        { type: "request", fingerprint, claim }
      ],
      null
    )
    if (decision._tag !== "send") return yield* Effect.dieMessage(`no attempt: ${JSON.stringify(decision)}`)
    yield* run(
      [
        {
          type: "attemptEnded",
          attempt: decision.attempt,
          claim,
          fingerprint,
          outcome: { _tag: "accepted", tokenEndsAtMillis: null, lockReported: false }
        } as Parameters<typeof core.step>[2]
      ],
      sessionKey
    )
  })
}

const bare = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  sql.withTransaction(sql`UPDATE bench SET n = n + 1 WHERE id = 1`)
)

/** The median, in milliseconds; the two take turns, so that both meet the same machine. */
const medians = <R>(effects: ReadonlyArray<Effect.Effect<unknown, unknown, R>>) =>
  Effect.gen(function* () {
    const times = effects.map((): Array<number> => [])
    for (let round = -20; round < rounds; round++) {
      for (const [index, effect] of effects.entries()) {
        const began = process.hrtime.bigint()
        yield* effect
        if (round >= 0) times[index]!.push(Number(process.hrtime.bigint() - began) / 1e6)
      }
    }
    return times.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)]!)
  })

const measure = (name: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE bench (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)`
    yield* sql`INSERT INTO bench VALUES (1, 0)`
    const store = yield* SqlStore.make({ storeKey })
    const [both, one] = yield* medians([reserveAndSettle(store), bare])
    console.log(
      `${name.padEnd(11)} reserve and settle ${both!.toFixed(2)} ms, bare durable transaction ${one!.toFixed(2)} ms, ` +
        `ratio ${(both! / one!).toFixed(2)}, that is ${(both! / one! / 2).toFixed(2)} for each of the two (medians of ${rounds})`
    )
  })

const sqlite = Effect.acquireUseRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-bench-"))),
  (folder) =>
    Effect.gen(function* () {
      const context = yield* Layer.build(SqliteClient.layer({ filename: Path.join(folder, "bench.sqlite") }))
      const sql = Context.get(context, SqlClient.SqlClient)
      // As SqliteStore has it.
      yield* sql`PRAGMA synchronous = FULL`
      yield* Effect.provide(measure("SQLite"), context)
    }).pipe(Effect.scoped),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
)

const postgres = Effect.acquireUseRelease(
  Effect.promise(startPostgres),
  (server) => Effect.provide(measure("PostgreSQL"), PgClient.layer({ url: Redacted.make(server.url) })),
  (server) => Effect.promise(() => server.end())
)

console.log(
  "An attempt takes two transactions; here each also decides, seals, and reads once more before it. A transaction is durable when it ends."
)
await Effect.runPromise(Effect.zipRight(sqlite, postgres))
process.exit(0)
