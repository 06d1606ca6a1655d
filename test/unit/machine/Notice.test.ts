import { assert, describe, it } from "vitest"
import * as Schema from "effect/Schema"
import { Notice } from "../../../src/machine/Notice.js"
import { print } from "../../support/core.js"

describe("Notice", () => {
  const abort = { reason: "faulted", attempt: 1, fingerprint: print(1), detail: "why", atMillis: 0 }

  it("keeps every field of each kind", () => {
    for (const notice of [
      { kind: "aborted", abort },
      { kind: "locked", reported: true },
      { kind: "tokenExpiring", endsAtMillis: 5 }
    ]) {
      assert.deepStrictEqual(Schema.decodeUnknownSync(Notice)(notice), notice as never)
    }
  })

  it("refuses an unknown kind, and a missing or malformed field", () => {
    for (const other of [
      { kind: "" },
      { kind: "aborted" },
      { kind: "locked" },
      { kind: "tokenExpiring" },
      { kind: "tokenExpiring", endsAtMillis: 0.5 }
    ]) {
      assert.isFalse(Schema.is(Notice)(other), JSON.stringify(other))
    }
  })
})
