/**
 * `number-auth inspect` as a process, beside programs that use a PostgreSQL. The server is a real one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Ref } from "effect"
import { afterAll, beforeAll, inject } from "vitest"
import * as AuthStore from "../../src/services/store/AuthStore.js"
import * as PgStore from "../../src/services/store/PgStore.js"
import { SessionRefused } from "../../src/services/session/SessionRefusal.js"
import { type Postgres, startPostgres } from "../support/postgres.js"
import { keyText, ring } from "../support/secrets.js"
import { account, badToken, makeWorld, start as startAuth } from "../support/stack.js"
import { start } from "./start.js"

let server: Postgres
beforeAll(async () => {
  server = await startPostgres()
}, 180_000)
afterAll(() => server?.end(), 60_000)

interface Shown {
  readonly accounts: ReadonlyArray<{ readonly account: string; readonly to: string }>
}

describe("number-auth inspect over a PostgreSQL", () => {
  it.scopedLive("shows an empty database, then each change in it, and writes nothing", () =>
    Effect.gen(function* () {
      const database = yield* Effect.acquireRelease(
        Effect.promise(() => server.database()),
        (own) => Effect.promise(() => own.end())
      )
      const inspector = yield* Effect.acquireRelease(
        Effect.sync(() =>
          start([process.execPath, inject("programs").cli, "inspect", "--location", "shop", "--json"], {
            NUMBER_STORE_URL: database.url,
            NUMBER_STORE_KEY: keyText(1)
          })
        ),
        ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const ready = JSON.parse(yield* Effect.promise(() => inspector.firstLine))
      assert.strictEqual(ready.source, "store")
      const get = (path: string) =>
        Effect.promise(() => fetch(`${ready.url}${path}`).then((response) => response.text()))
      const accounts = Effect.map(get("/accounts"), (text) => (JSON.parse(text) as Shown).accounts)
      assert.deepStrictEqual(yield* accounts, [])
      const tables = () =>
        Effect.promise(() =>
          database.query("SELECT tablename FROM pg_tables WHERE tablename LIKE 'number_auth%'")
        )
      assert.deepStrictEqual(yield* tables(), [])

      const store = Context.get(
        yield* Layer.build(PgStore.layer({ url: Redacted.make(database.url), storeKey: ring(1) })),
        AuthStore.AuthStore
      )
      const world = { ...(yield* makeWorld()), store }
      const auth = yield* startAuth(world, { location: "shop" })
      const key = Redacted.value(yield* auth.sessionKey)
      const shows = (state: string) =>
        Effect.repeat(Effect.delay(accounts, "50 millis"), { until: ([shown]) => shown?.to === state })
      assert.lengthOf(yield* shows("authenticated"), 1)
      yield* Ref.set(world.token, badToken(1))
      yield* world.emulator.expireSessions()
      yield* Effect.exit(auth.withSession(() => Effect.fail(new SessionRefused({ code: 5030 }))))
      yield* shows("aborted")
      const rows = () =>
        Effect.promise(() =>
          database.query(
            "SELECT l.*, l.xmin::text AS version, a.* FROM number_auth_ledger l, number_auth_account a"
          )
        )
      const before = yield* rows()
      const records = yield* get(`/records?location=shop&account=${account}`)
      assert.include(records, '"reason":"refused"')
      yield* Effect.sleep("1 second")
      assert.deepStrictEqual(yield* rows(), before)

      inspector.child.kill("SIGINT")
      const ran = yield* Effect.promise(() => inspector.ended)
      assert.strictEqual(ran.code, 130)
      const password = new URL(database.url).password
      for (const secret of [key, password, badToken(1), keyText(1)]) {
        assert.notInclude(records + ran.stdout + ran.stderr, secret)
      }
    })
  )
})
