import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Schema, TestClock, Fiber } from "effect"
import { AuthStoreError, answersWithin, storeErrorOf } from "../../../src/services/internal/AuthStoreError.js"
import { fieldsOf } from "../../../src/services/internal/callText.js"
import { SendTimedOut } from "../../../src/services/internal/SendTimedOut.js"
import { SentTwice } from "../../../src/services/internal/SentTwice.js"

describe("an AuthStoreError", () => {
  const messageOf = (reason: AuthStoreError["reason"], advice?: string) =>
    new AuthStoreError({ reason, detail: "it is away", advice }).message

  it("says what happened, what it means for the count, and what to do now", () => {
    const general = {
      unavailable: "Make the store reachable and try again.",
      unreadable:
        "Use the version that wrote it. Without it, or with a backup, the count is not known: have Number's support reset that of the IP before anything authenticates again.",
      misconfigured: "Correct the store's settings and try again."
    }
    for (const [reason, advice] of Object.entries(general)) {
      assert.strictEqual(
        messageOf(reason as AuthStoreError["reason"]),
        `The store that holds the location's count is ${reason}: it is away. While that is so no attempt is sent, and session keys that are held go on serving. ${advice}`
      )
    }
  })

  it("ends with its own advice where it has one", () => {
    assert.match(messageOf("unreadable", "Free the disk"), /serving\. Free the disk\.$/)
  })

  it("is made of what a driver failed with, and stays where it is one already", () => {
    const own = new AuthStoreError({ reason: "unreadable", detail: "x" })
    assert.strictEqual(storeErrorOf(own), own)
    assert.instanceOf(storeErrorOf(new Error("driver")), AuthStoreError)
  })

  it.effect("is what a database that hangs comes to, after the time that it was given", () =>
    Effect.gen(function* () {
      const use = yield* Effect.fork(Effect.flip(answersWithin("5 seconds")(Effect.never)))
      yield* TestClock.adjust("4999 millis")
      assert.isNull(yield* Effect.map(Fiber.poll(use), (exit) => (exit._tag === "None" ? null : exit)))
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(use)
      assert.deepInclude(error, {
        reason: "unavailable",
        detail: "the database did not answer within 5 seconds"
      })
    })
  )
})

describe("why a request has no answer", () => {
  it("is in the words of the error that is its cause", () => {
    const timedOut = new SendTimedOut(Duration.seconds(30))
    assert.strictEqual(String(timedOut), "SendTimedOut: no answer came within 30s")
    assert.strictEqual(timedOut.code, "TIMEOUT")
    assert.strictEqual(
      String(new SentTwice()),
      "SentTwice: the HTTP client tried to send it a second time, and what the first came to is not known (repeat requests above the session's client, not below it)"
    )
  })
})

describe("what does not decode", () => {
  const schema = Schema.Struct({ a: Schema.Number, b: Schema.Struct({ c: Schema.String }) })
  const fields = (value: unknown): string =>
    fieldsOf(
      Either.getOrThrow(Either.flip(Schema.decodeUnknownEither(schema, { errors: "all" })(value))),
      (text) => `<${text}>`
    )

  it("is named by its fields, each once, and by no value", () => {
    assert.strictEqual(fields({ a: "secret", b: { c: 1 } }), "<a, b.c>")
    assert.strictEqual(fields({ a: 1, b: { c: 1 } }), "<b.c>")
    assert.strictEqual(fields("secret"), "<the whole of it>")
  })
})
