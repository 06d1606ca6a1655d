import { assert, describe, it } from "@effect/vitest"
import { CallRefused, CallUnknown, CallUnreachable } from "../../../src/cli/RequestError.js"
import { type CommandError, exitCodeOf } from "../../../src/cli/ExitCode.js"
import { InvalidSetting } from "../../../src/cli/InvalidSetting.js"
import { InvalidInput } from "../../../src/schemas/InvalidInput.js"
import * as AuthError from "../../../src/services/session/AuthError.js"
import { AuthStoreError } from "../../../src/services/store/AuthStore.js"
import { CredentialError } from "../../../src/services/session/CredentialProvider.js"
import { SessionRefused } from "../../../src/services/session/SessionRefusal.js"

const standing = { account: "EP9116875", location: "default", failures: 1, limit: 5 } as AuthError.Standing
const abort = {
  reason: "lost",
  attempt: 1,
  fingerprint: "0".repeat(64),
  detail: "no answer came",
  atMillis: 0
} as AuthError.AuthAborted["abort"]
const store = (reason: AuthStoreError["reason"]) => new AuthStoreError({ reason, detail: "" })

describe("exitCodeOf", () => {
  const table: ReadonlyArray<readonly [number, CommandError]> = [
    [77, new AuthError.AuthAborted({ standing, abort })],
    [77, new AuthError.AuthLocked({ standing, reported: true })],
    [77, new AuthError.AuthRejected({ standing, why: "notLocked" })],
    [77, new CallUnknown({ detail: "", answer: null })],
    [77, store("unreadable")],
    [75, new AuthError.AuthUnreachable({ standing, detail: "" })],
    [75, new AuthError.AuthBusy({ standing, on: "room" })],
    [75, new AuthError.AuthLost({ standing, detail: "" })],
    [77, new AuthError.AuthUnstored({ standing, outcome: "accepted", detail: "", why: "away" })],
    [75, new CallUnreachable({ detail: "" })],
    [75, new SessionRefused({ code: 5050 })],
    [75, store("unavailable")],
    [78, store("misconfigured")],
    [78, new InvalidInput({ field: "token", expected: "" })],
    [78, new CredentialError({ detail: "" })],
    [78, new InvalidSetting({ setting: "NUMBER_TOKEN", flag: null, problem: "missing", expected: "" })],
    [1, new CallRefused({ detail: "", answer: {} })]
  ]

  it("gives each error its code, so that a supervisor restarts the command only if that is harmless", () => {
    for (const [code, error] of table) {
      assert.strictEqual(exitCodeOf(error), code, error._tag)
    }
  })
})
