import { assert, describe, it } from "@effect/vitest"
import { createInspector, type StatelyInspectionEvent } from "@statelyai/inspect"
import { Effect, Layer } from "effect"
import * as Stately from "../../../src/inspect/Stately.js"
import { AttemptOutcome } from "../../../src/schemas/AttemptOutcome.js"
import * as NumberAuth from "../../../src/services/session/NumberAuth.js"
import * as NumberAuthTest from "../../../src/testing/NumberAuthTest.js"
import { record } from "../../support/records.js"

/** Stately's own inspector, with an adapter that keeps the events that it is to send. */
const real = () => {
  const sent: Array<StatelyInspectionEvent> = []
  return { sent, stately: createInspector({ send: (event) => void sent.push(event) }) }
}

describe("the adapter for Stately's inspector", () => {
  it.effect("sends an account as an actor with its chart, its events, and a snapshot after each", () =>
    Effect.gen(function* () {
      const { sent, stately } = real()
      yield* Effect.flatMap(NumberAuth.NumberAuth, (auth) => Effect.flip(auth.sessionKey)).pipe(
        Effect.provide(
          NumberAuthTest.layer({
            state: "unauthenticated",
            location: "shop",
            outcomes: [AttemptOutcome.refused({ detail: "Unauthorized" })]
          }).pipe(Layer.provide(Stately.layer(stately)))
        )
      )
      assert.deepStrictEqual(
        sent.map((event) => [
          event.type,
          event.type === "@xstate.event"
            ? event.event.type
            : JSON.stringify((event.snapshot as { value?: unknown }).value)
        ]),
        [
          ["@xstate.actor", '{"unauthenticated":"idle"}'],
          ["@xstate.event", "attempt.reserved"],
          ["@xstate.snapshot", '{"unauthenticated":"attempting"}'],
          ["@xstate.event", "attempt.refused"],
          ["@xstate.snapshot", '"aborted"']
        ]
      )
      const [actor] = sent
      assert.isTrue(sent.every(({ sessionId }) => sessionId === "shop/EP0000001"))
      assert.strictEqual(actor?.type, "@xstate.actor")
      const { definition } = actor as { readonly definition?: string }
      assert.containsAllKeys(JSON.parse(definition!).states, ["unauthenticated", "authenticated", "locked"])
      const last = sent.at(-1) as { readonly snapshot?: { readonly context?: object } }
      assert.containsAllKeys(last.snapshot!.context!, ["marks", "abort", "session"])
    })
  )

  it("sends no field that is not on its list, whatever a record may hold", () => {
    const { sent, stately } = real()
    const event = { type: "attempt.lost", attempt: 7, fingerprint: "CANARY" }
    const given = { ...record({ events: [event] }), sessionKey: "CANARY", fingerprint: "CANARY" }
    Stately.make(stately)(given)
    assert.include(JSON.stringify(sent), '"attempt":7')
    assert.isAbove(sent.length, 2)
    assert.notInclude(JSON.stringify(sent), "CANARY")
  })
})
