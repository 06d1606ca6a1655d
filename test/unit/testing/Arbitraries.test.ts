import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Inspectable, Redacted, Schema } from "effect"
import * as fc from "effect/FastCheck"
import { transition } from "xstate"
import { makeAuthMachine } from "../../../src/machine/AuthMachine.js"
import { Notice } from "../../../src/machine/Notice.js"
import { defaultPolicy } from "../../../src/machine/Policy.js"
import * as Credentials from "../../../src/schemas/Credentials.js"
import { AuthContext, emptyAccountRecord } from "../../../src/schemas/StoredRecord.js"
import { classifyRestAnswer } from "../../../src/services/wire/NumberTransport.js"
import { classifySoapAnswer } from "../../../src/services/wire/SoapTransport.js"
import * as Arbitraries from "../../../src/testing/Arbitraries.js"
import * as NumberEmulator from "../../../src/testing/NumberEmulator.js"

const runs = { numRuns: 100, seed: 1 }
const isValid = <A, I>(schema: Schema.Schema<A, I>) => Schema.is(schema)

describe("arbitraries of credentials", () => {
  it("generate account codes, tokens, session keys and locations that their schemas accept", () => {
    fc.assert(
      fc.property(
        Arbitraries.credentials,
        Arbitraries.tokenText,
        Arbitraries.sessionKey,
        Arbitraries.location,
        (credentials, text, key, location) => {
          assert.isTrue(isValid(Credentials.AccountCode)(credentials.account))
          assert.isTrue(isValid(Credentials.Token)(credentials.token))
          assert.isTrue(Either.isRight(Credentials.decodeToken(text)))
          assert.isTrue(isValid(Credentials.SessionKey)(key))
          assert.isTrue(isValid(Credentials.Location)(location))
        }
      ),
      runs
    )
  })

  it("generate redacted secrets with a prefix that marks them as made up", () => {
    fc.assert(
      fc.property(Arbitraries.token, Arbitraries.sessionKey, (token, key) => {
        assert.match(Redacted.value(token), /^7E577E57[0-9A-F]{24}$/)
        assert.match(Redacted.value(key), /^5E5510[0-9A-F]{36}$/)
        assert.notInclude(`${Inspectable.toStringUnknown(token)}${JSON.stringify([token, key])}`, "7E57")
      }),
      runs
    )
  })
})

describe.each([
  { wire: "REST", answers: Arbitraries.restAnswers, classify: classifyRestAnswer },
  { wire: "SOAP", answers: Arbitraries.soapAnswers, classify: classifySoapAnswer }
])("arbitraries of answers over $wire", ({ answers, classify }) => {
  for (const [kind, tag] of [
    ["accepted", "accepted"],
    ["refused", "refused"],
    ["locked", "lockedOut"],
    ["faulted", "faulted"]
  ] as const) {
    it(`generate ${kind} answers that are classified as such`, () => {
      fc.assert(
        fc.property(answers[kind], Arbitraries.token, (answer, token) => {
          const outcome = classify(answer, token)
          assert.strictEqual(outcome._tag, tag)
          if (outcome._tag === "accepted") {
            assert.isFalse(outcome.lockReported)
            assert.isTrue(isValid(Credentials.SessionKey)(outcome.sessionKey))
            assert.match(Redacted.value(outcome.sessionKey), /^5E5510/)
          }
        }),
        runs
      )
    })
  }

  it("generate every kind through `any`", () => {
    const token = fc.sample(Arbitraries.token, 1)[0]!
    const kinds = fc.sample(answers.any, 200).map((answer) => classify(answer, token)._tag)
    assert.includeMembers(kinds, ["accepted", "refused", "lockedOut", "faulted"])
  })
})

describe("arbitraries of events of the chart", () => {
  const machine = makeAuthMachine(defaultPolicy)

  it("generate every event of the chart, and every context and notice that follows is valid by its schema", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.array(Arbitraries.machineEvent, { maxLength: 30 }), (events) => {
        let snapshot = machine.resolveState({
          value: { unauthenticated: "idle" },
          context: emptyAccountRecord.context
        })
        for (const event of events) {
          seen.add(event.type)
          const [next, actions] = transition(machine, snapshot, event)
          assert.isTrue(isValid(AuthContext)(next.context))
          for (const { params, type } of actions)
            assert.isTrue(type === "sendAttempt" || isValid(Notice)((params as { notice: unknown }).notice))
          snapshot = next
        }
      }),
      runs
    )
    assert.sameMembers([...seen], [...new Set(machine.events as ReadonlyArray<string>)])
  })
})

describe("arbitraries of faults", () => {
  it.effect("generate faults that the control of the emulator accepts, which checks them by a schema", () =>
    Effect.gen(function* () {
      const emulator = yield* NumberEmulator.make()
      for (const faults of fc.sample(Arbitraries.faultSchedule, 200)) {
        const before = yield* emulator.pendingFaults
        const delivery = yield* emulator.receive({
          method: "POST",
          path: "/_emulator/inject",
          headers: {},
          body: JSON.stringify({
            faults: faults.map((fault) =>
              "duration" in fault ? { ...fault, duration: Duration.toMillis(fault.duration) } : fault
            )
          })
        })
        assert.propertyVal(delivery, "_tag", "Answered")
        assert.strictEqual(yield* emulator.pendingFaults, before + faults.length)
      }
    }).pipe(Effect.scoped)
  )

  it("delay a request by less than the drain time", () => {
    fc.assert(
      fc.property(Arbitraries.fault, (fault) => {
        if (fault._tag === "DelayRequest")
          assert.isBelow(Duration.toMillis(fault.duration), defaultPolicy.drainMillis)
      }),
      runs
    )
  })
})
