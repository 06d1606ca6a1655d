import { assert, describe, it } from "vitest"
import * as Schema from "effect/Schema"
import { Command } from "../../../src/machine/Command.js"
import { print } from "../../support/core.js"

describe("Command", () => {
  const session = { generation: 1, fingerprint: print(1), obtainedAtMillis: 0, expiresAtMillis: 9 }
  const abort = { reason: "faulted", attempt: 1, fingerprint: print(1), detail: "why", atMillis: 0 }

  it("keeps all that the shell needs to carry it out", () => {
    for (const command of [
      { type: "sendAttempt", attempt: 1, fingerprint: print(1) },
      { type: "holdSession", session },
      { type: "dropSession", generation: 1 },
      { type: "notify", notice: { kind: "aborted", abort } },
      { type: "notify", notice: { kind: "locked", reported: true } },
      { type: "notify", notice: { kind: "tokenExpiring", endsAtMillis: 5 } }
    ]) {
      assert.deepStrictEqual(Schema.decodeUnknownSync(Command)(command), command as never)
    }
  })

  it("is nothing that the chart may do for itself, and no command of which a part is missing", () => {
    for (const other of [
      { type: "" },
      { type: "rememberAbort", abort },
      { type: "sendAttempt", attempt: 1 },
      { type: "holdSession" },
      { type: "dropSession" },
      { type: "notify" },
      { type: "notify", notice: { kind: "" } },
      { type: "notify", notice: { kind: "aborted" } },
      { type: "notify", notice: { kind: "locked" } },
      { type: "notify", notice: { kind: "tokenExpiring" } }
    ]) {
      assert.isFalse(Schema.is(Command)(other), JSON.stringify(other))
    }
  })
})
