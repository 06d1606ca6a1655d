/**
 * `number-auth rekey`, run in this process on a SQLite file.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Either, Layer, Redacted, Schema } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { Writable } from "node:stream"
import { main } from "../../../src/cli/main.js"
import * as Output from "../../../src/cli/Output.js"
import type { AccountCode, Location } from "../../../src/schemas/Credentials.js"
import { AccountRecord, emptyAccountRecord } from "../../../src/schemas/StoredRecord.js"
import * as AuthStore from "../../../src/services/store/AuthStore.js"
import * as SqliteStore from "../../../src/services/store/SqliteStore.js"
import * as StoreKey from "../../../src/services/store/StoreKey.js"

const keyText = (n: number): string => Buffer.alloc(32, n).toString("base64")
const ring = (n: number): StoreKey.KeyRing =>
  Either.getOrThrow(StoreKey.decodeKeyRing({ current: Redacted.make(keyText(n)) }))
const sessionKey = "B9F24903C3BA4770AE303032303541303032353437"
const authenticated = Schema.decodeUnknownSync(AccountRecord)({
  ...emptyAccountRecord,
  state: "authenticated",
  context: {
    ...emptyAccountRecord.context,
    session: { generation: 1, fingerprint: "ab".repeat(32), obtainedAtMillis: 0, expiresAtMillis: 1 }
  },
  sessionKey
})

/** A store of one session, sealed under a key. */
const storeUnder = (n: number) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-rekey-"))),
      (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
    )
    const filename = Path.join(folder, "auth.sqlite")
    yield* Effect.scoped(
      Effect.gen(function* () {
        const store = Context.get(
          yield* Layer.build(SqliteStore.layer({ filename, storeKey: ring(n) })),
          AuthStore.AuthStore
        )
        const key = { location: "default" as Location, account: "EP9116875" as AccountCode }
        yield* store.transact(key, ({ ledger }) => [null, { ledger, account: authenticated }])
      })
    )
    return filename
  })

const run = (args: ReadonlyArray<string>, variables: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    let stdout = ""
    let stderr = ""
    const into = (write: (text: string) => void): Writable =>
      new Writable({
        write: (chunk, _, done) => {
          write(String(chunk))
          done()
        }
      })
    const code = yield* main({
      argv: ["node", "number-auth", "rekey", ...args],
      version: "0.0.0",
      signal: () => undefined,
      output: Output.make({
        json: args.includes("--json"),
        stdout: into((text) => (stdout += text)),
        stderr: into((text) => (stderr += text))
      })
    }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))
    for (const secret of [sessionKey, ...[1, 2, 3].map(keyText)]) assert.notInclude(stdout + stderr, secret)
    return { code, stdout, stderr, json: () => JSON.parse(stdout.trim().split("\n").at(-1)!) }
  })

describe("number-auth rekey", () => {
  it.scopedLive("seals anew, reports the counts, and changes nothing the second time", () =>
    Effect.gen(function* () {
      const filename = yield* storeUnder(1)
      const variables = {
        NUMBER_STORE_KEY: keyText(2),
        NUMBER_STORE_KEY_OLD: `${keyText(3)},${keyText(1)}`,
        NUMBER_STORE_URL: `file://${filename}`
      }
      const first = yield* run(["--json"], variables)
      assert.strictEqual(first.code, 0, first.stderr)
      const keyId = ring(2).current.id
      assert.deepStrictEqual(first.json(), {
        keyId,
        resealed: 1,
        unchanged: 0,
        discarded: 0,
        store: `file://${filename}`
      })
      const second = yield* run(["--store", `file:${filename}`], { NUMBER_STORE_KEY: keyText(2) })
      assert.strictEqual(second.code, 0, second.stderr)
      assert.match(second.stdout, new RegExp(`id ${keyId}[^]*sealed again +0\n +unchanged +1\n`))
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("ends with 77 if no key opens a session, and with 0 if that session is discarded", () =>
    Effect.gen(function* () {
      const filename = yield* storeUnder(1)
      const variables = { NUMBER_STORE_KEY: keyText(2), NUMBER_STORE_URL: `file://${filename}` }
      const ran = yield* run(["--json"], variables)
      assert.strictEqual(ran.code, 77)
      assert.deepInclude(ran.json(), { error: "AuthStoreError", exitCode: 77 })
      assert.include(ran.stderr, `Supply the store key with id ${ring(1).current.id}`)
      const discarding = yield* run(["--discard", "--json"], variables)
      assert.strictEqual(discarding.code, 0, discarding.stderr)
      assert.deepInclude(discarding.json(), { discarded: 1 })
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive(
    "ends with 78 for a malformed key, and for PostgreSQL without a key before it connects to the database",
    () =>
      Effect.gen(function* () {
        const filename = yield* storeUnder(1)
        const malformed = yield* run(["--json"], {
          NUMBER_STORE_KEY: keyText(2).slice(2),
          NUMBER_STORE_URL: `file://${filename}`
        })
        assert.strictEqual(malformed.code, 78)
        assert.include(malformed.stderr, "NUMBER_STORE_KEY is malformed")
        assert.notInclude(malformed.stderr + malformed.stdout, keyText(2).slice(2))
        const none = yield* run(["--json"], { NUMBER_STORE_URL: "postgres://127.0.0.1:1/nowhere" })
        assert.strictEqual(none.code, 78)
        assert.include(none.stderr, "NUMBER_STORE_KEY is not set")
      }).pipe(Effect.provide(NodeContext.layer))
  )
})
