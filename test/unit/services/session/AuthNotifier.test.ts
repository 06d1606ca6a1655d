/**
 * The notices for people, and how the log shows them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, HashMap, Logger } from "effect"
import type { Notice } from "../../../../src/machine/Notice.js"
import type { Location } from "../../../../src/schemas/Credentials.js"
import { abortedMessage, lockedMessage, type Standing } from "../../../../src/services/session/AuthError.js"
import * as AuthNotifier from "../../../../src/services/session/AuthNotifier.js"
import { one, print } from "../../../support/core.js"

const standing: Standing = { account: one, location: "shop" as Location, failures: 2, limit: 4 }
const aborted = {
  kind: "aborted",
  abort: { reason: "refused", attempt: 1, fingerprint: print(1), detail: "it said so", atMillis: 0 }
} as const satisfies Notice
const notices: ReadonlyArray<readonly [Notice, string, string]> = [
  [aborted, abortedMessage(standing, aborted.abort), "ERROR"],
  [{ kind: "locked", reported: true }, lockedMessage(standing, true), "ERROR"],
  [{ kind: "locked", reported: false }, lockedMessage(standing, false), "ERROR"],
  [
    { kind: "tokenExpiring", endsAtMillis: Date.UTC(2030, 0, 2, 3, 4, 5) },
    "The token of account EP0000001 ends at 2030-01-02T03:04:05.000Z. It works until then, and the location's count is unchanged. Create a new token in the Client Admin Portal before that and supply it.",
    "WARN"
  ]
]

describe("a notice", () => {
  it("is for a service whose key is this library's own", () => {
    assert.strictEqual(AuthNotifier.AuthNotifier.key, "effect-number-auth/AuthNotifier")
  })

  it("has a message, and the standing that it belongs to", () => {
    for (const [notice, message] of notices) {
      assert.deepStrictEqual(AuthNotifier.makeNotice(notice, standing), { notice, standing, message })
    }
  })

  it.effect("is logged as a warning if a token ends soon, and as an error in all other cases", () =>
    Effect.gen(function* () {
      const entries: Array<unknown> = []
      const logger = Logger.make<unknown, void>(({ annotations, logLevel, message }) => {
        entries.push([logLevel.label, message, Object.fromEntries(HashMap.toEntries(annotations))])
      })
      yield* Effect.gen(function* () {
        const notifier = yield* AuthNotifier.AuthNotifier
        for (const [notice] of notices) yield* notifier.notify(AuthNotifier.makeNotice(notice, standing))
      }).pipe(
        Effect.provide(AuthNotifier.layerLog),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      assert.deepStrictEqual(
        entries,
        notices.map(([{ kind }, message, level]) => [
          level,
          [message],
          { account: "EP0000001", location: "shop", notice: kind }
        ])
      )
    })
  )
})
