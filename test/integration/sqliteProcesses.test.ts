/**
 * Processes that open one SQLite file at the same time.
 */
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { file } from "../support/sqlite.js"

describe("processes that share a file", () => {
  const child = (root: string) => `
    import * as NodeContext from "${root}/node_modules/@effect/platform-node/dist/esm/NodeContext.js"
    import * as Effect from "${root}/node_modules/effect/dist/esm/Effect.js"
    import * as Layer from "${root}/node_modules/effect/dist/esm/Layer.js"
    import * as AuthStore from "${root}/src/services/AuthStore.ts"
    import * as SqliteStore from "${root}/src/services/SqliteStore.ts"
    const key = { location: "default", account: "EP9116875" }
    await Effect.gen(function* () {
      const store = yield* AuthStore.AuthStore
      const drawn = []
      for (let n = 0; n < 50; n++) {
        drawn.push(yield* store.transact(key, ({ account, ledger, moment }) => [
          moment.sequence, { ledger: { ...ledger }, account }
        ]))
      }
      console.log(JSON.stringify(drawn))
    }).pipe(
      Effect.provide(SqliteStore.layer({ filename: process.argv[2] }).pipe(Layer.provide(NodeContext.layer))),
      Effect.runPromise
    )`

  it.scopedLive(
    "four that open a fresh file at once all migrate and lose no transaction",
    () =>
      Effect.gen(function* () {
        const filename = yield* file
        const root = Path.resolve(import.meta.dirname, "../..")
        const script = Path.join(Path.dirname(filename), "child.mts")
        Fs.writeFileSync(script, child(root))
        const run = Effect.async<ReadonlyArray<number>>((resume) => {
          execFile(
            process.execPath,
            ["--import", "tsx", script, filename],
            { cwd: root },
            (error, stdout, stderr) =>
              resume(error ? Effect.dieMessage(stderr) : Effect.succeed(JSON.parse(stdout)))
          )
        })
        const drawn = yield* Effect.all([run, run, run, run], { concurrency: "unbounded" })
        assert.strictEqual(new Set(drawn.flat()).size, 200)
        assert.strictEqual(Math.max(...drawn.flat()), 200)
      }),
    120_000
  )
})
