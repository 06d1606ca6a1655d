import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { inject } from "vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as NumberEmulator from "../../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../../src/testing/NumberEmulatorServer.js"
import { start } from "./start.js"

const account = "EP9116875"
const token = "2148B239CF6846BDA5D141BF4A4CFBE8"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-examples-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
)

/** Runs an example as a user does, with these variables and no others. */
const example = (name: "methods" | "testing", folder: string, env: Readonly<Record<string, string>>) =>
  Effect.promise(
    () => start([process.execPath, inject("programs")[name]], { HOME: folder, ...env }, "", folder).ended
  )

describe("examples/methods.ts", () => {
  it.scopedLive("queries the account, and gets the reason why a void was not carried out", () =>
    Effect.gen(function* () {
      const emulator = yield* NumberEmulator.make()
      yield* emulator.addToken(account, token)
      const { url } = yield* NumberEmulatorServer.serve(emulator)
      const folder = yield* temporaryFolder
      const ran = yield* example("methods", folder, {
        NUMBER_BASE_URL: url,
        NUMBER_ACCOUNT_CODE: account,
        NUMBER_TOKEN: token
      })
      assert.strictEqual(ran.code, 0, ran.stdout + ran.stderr)
      assert.include(ran.stdout, `${account}: Successfully Returned Account profile for Account ID 205\n`)
      // As in test/fixtures/method-refused-void.json.
      assert.include(
        ran.stdout,
        "Number did not carry out CardSale/Void: ERROR:6724:HIGH:Could NOT retrieve transaction details for TXID 53000 (ErrCode 6724)."
      )
      assert.deepStrictEqual(
        (yield* emulator.executions).map(({ body, method }) => [method, body]),
        [
          ["AccountProfile", null],
          ["Void", { TxID: 53000 }]
        ]
      )
      assert.lengthOf(yield* emulator.log, 1)
    })
  )
})

describe("examples/testing.ts", () => {
  it.scopedLive("tests a service without a backend, over the emulator, and through faults", () =>
    Effect.gen(function* () {
      const ran = yield* example("testing", yield* temporaryFolder, {})
      assert.strictEqual(ran.code, 0, ran.stdout + ran.stderr)
      assert.include(
        ran.stdout,
        "Account EP0000001 was aborted. Number refused the token: the test starts in this state."
      )
      assert.include(ran.stdout, "2 attempts, the greatest count 0\n")
      const [, attempts, peak] = /^20 schedules, (\d+) attempts, the greatest count (\d)$/m.exec(ran.stdout)!
      // The schedules differ each time. Few of them may come to an attempt, but at least one does.
      assert.isAbove(Number(attempts), 0)
      assert.isAtMost(Number(peak), 5)
    })
  )
})
