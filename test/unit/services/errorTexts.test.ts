/**
 * The words of errors: each says what happened, what it means for the location's count, and what to do now.
 */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Schema, TestClock, Fiber } from "effect"
import type { Location } from "../../../src/schemas/Credentials.js"
import type { Abort } from "../../../src/schemas/StoredRecord.js"
import * as AuthError from "../../../src/services/AuthError.js"
import * as CallError from "../../../src/services/CallError.js"
import { CredentialError } from "../../../src/services/CredentialProvider.js"
import { AuthStoreError, answersWithin, storeErrorOf } from "../../../src/services/internal/AuthStoreError.js"
import { fieldsOf } from "../../../src/services/internal/callText.js"
import { SendTimedOut } from "../../../src/services/internal/SendTimedOut.js"
import { SentTwice } from "../../../src/services/internal/SentTwice.js"
import { SessionRefused } from "../../../src/services/SessionRefusal.js"
import { one, print } from "../../support/core.js"

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

const place: AuthError.Place = { account: one, location: "shop" as Location, failures: 2, limit: 4 }
/** How the count stands. */
const stands = "Location shop stands at 2 of 4 unsuccessful attempts in a row (Number locks the IP at 6)"
const abortFor = (reason: Abort["reason"]): Abort => ({
  reason,
  attempt: 1,
  fingerprint: print(1),
  detail: "it said so",
  atMillis: 0
})

describe("an abort", () => {
  it("says what happened, where the count stands, and what to do for each of its reasons", () => {
    const newToken =
      "Do not restart and do not try again: create a new token in the Client Admin Portal and supply it"
    const findOut =
      "Do not restart: find out what is wrong (Number's status, the network), then resume, which allows one more attempt"
    const texts: Readonly<Record<Abort["reason"], readonly [string, string]>> = {
      refused: ["Number refused the token: it said so", newToken],
      barred: ["The token is one that Number refused before, so it was not sent again", newToken],
      expired: [
        "The token is past the end that Number gave for it, so it was not sent",
        "Create a new token in the Client Admin Portal and supply it; if Number has renewed this one, resume"
      ],
      faulted: ["The attempt to authenticate failed: it said so", findOut],
      lost: [
        "It is not known how the attempt to authenticate ended: it said so. It counts as unsuccessful until its answer comes",
        findOut
      ],
      addressFlapping: [
        "it said so: calls of this location leave from more than one IP address",
        "Give each egress address a location of its own, or route all calls through one address, then resume"
      ]
    }
    for (const [reason, [happened, advice]] of Object.entries(texts)) {
      const abort = abortFor(reason as Abort["reason"])
      assert.strictEqual(
        new AuthError.AuthAborted({ place, abort }).message,
        `Account EP0000001 was aborted. ${happened}. ${stands}. ${advice}.`
      )
    }
  })
})

describe("a lock", () => {
  it("says whether Number reported it or the library stopped itself, and what may lift it", () => {
    const messageOf = (reported: boolean) => new AuthError.AuthLocked({ place, reported }).message
    assert.strictEqual(
      messageOf(true),
      `Number reports that the IP of location shop is locked out. ${stands}. No attempt is made for any account there; session keys that are held go on serving. Ask Number's support to audit and lift the lock, no sooner than some minutes after the last attempt, and then confirm that it was lifted.`
    )
    assert.strictEqual(
      messageOf(false),
      `Location shop has reached the limit, and the library stopped itself before Number locks the IP. ${stands}. No attempt is made; session keys that are held go on serving. Find out why attempts fail and ask Number's support to reset the count of the IP, no sooner than some minutes after the last attempt; only then confirm that the lock was lifted.`
    )
  })
})

describe("an attempt that brought no session", () => {
  it("says whether it counted, and what to do", () => {
    assert.strictEqual(
      new AuthError.AuthUnreachable({ place, detail: "no route" }).message,
      `No attempt reached Number: no route. ${stands}; this did not count. Check the network and the base URL, and try again later.`
    )
    assert.strictEqual(
      new AuthError.AuthLost({ place, detail: "no answer" }).message,
      `The attempt brought no session: no answer. ${stands}. Find out why answers do not come before you try again: each such attempt counts.`
    )
  })

  it("says what it would have had to wait for", () => {
    const texts = {
      attempt: "Another caller's attempt for account EP0000001 has not ended yet",
      room: "Attempts under way at location shop leave no room for another",
      turn: "Other accounts of location shop asked before account EP0000001 and wait for room, too"
    }
    for (const [on, what] of Object.entries(texts)) {
      assert.strictEqual(
        new AuthError.AuthBusy({ place, on: on as keyof typeof texts }).message,
        `${what}. ${stands}; nothing was sent. Try again later.`
      )
    }
  })

  it("says that there was no token to send", () => {
    assert.strictEqual(
      new CredentialError({ detail: "the file is gone" }).message,
      "The token is not available: the file is gone. Nothing was sent and the location's count is unchanged. Supply the token and try again."
    )
  })
})

describe("an operator's wish that is not carried out", () => {
  it("says why, and that nothing was changed", () => {
    const texts = {
      refusedCredentials:
        "Number refused this token of account EP0000001, and it is never sent again: create a new token in the Client Admin Portal and supply it",
      abortedCredentials:
        "These are credentials with which account EP0000001 was aborted, so they replace nothing: resume to try them once more, or supply others",
      addressFlapping:
        "Account EP0000001 was aborted because calls of location shop leave from more than one IP address, which other credentials do not change: give each egress address a location of its own, or route all calls through one, then resume",
      notAborted: "Account EP0000001 is not aborted, so there is nothing to resume",
      notLocked:
        "Account EP0000001 is not locked at location shop, so there is no lock that could have been lifted, and the count stays as it is"
    }
    for (const [why, what] of Object.entries(texts)) {
      assert.strictEqual(
        new AuthError.AuthRejected({ place, why: why as keyof typeof texts }).message,
        `${what}. ${stands}. Nothing was changed.`
      )
    }
  })
})

describe("a call that brought no result", () => {
  it("that Number did not carry out says so, with its code, and whether the session was the matter", () => {
    const messageOf = (code: number | null) =>
      new CallError.MethodFailed({ method: "CardSale/Void", code, detail: "no such sale" }).message
    const unchanged = "This is no attempt to authenticate, and the location's count is unchanged."
    for (const [code, shown] of [
      [1234, "1234"],
      [0, "0"],
      [null, "none"]
    ] as const) {
      assert.strictEqual(
        messageOf(code),
        `Number did not carry out CardSale/Void: no such sale (ErrCode ${shown}). ${unchanged} The session is good: correct the call by what the answer says.`
      )
    }
    for (const code of [5030, 5050]) {
      assert.strictEqual(
        messageOf(code),
        `Number did not carry out CardSale/Void: no such sale (ErrCode ${code}). ${unchanged} Number refused the session key once more right after it was renewed: find out whether calls leave from more than one IP address before you send the call again.`
      )
    }
  })

  it("says whether it may have been carried out, and what to do before it is sent again", () => {
    const call = { method: "CardSale/Void", detail: "it broke off" }
    assert.strictEqual(
      new CallError.CallUncertain(call).message,
      "It is not known whether Number carried out CardSale/Void: it broke off. It may have happened: query before you try again (Number says to assume that a payment went through). The location's count is unchanged."
    )
    assert.strictEqual(
      new CallError.CallUnsent(call).message,
      "CardSale/Void did not reach Number: it broke off. Nothing was sent, so it was not carried out, and the location's count is unchanged. Check the network and the base URL, and try again later."
    )
    assert.strictEqual(
      new CallError.AnswerUndecodable(call).message,
      "Number carried out CardSale/Void (FunctionOk is true), but its answer does not have the form that was expected: it broke off. Do not send the call again: query what it did, and correct the schema of its result. The location's count is unchanged."
    )
  })
})

describe("every error", () => {
  const call = { method: "CardSale/Void", detail: "it broke off" }
  const abort = abortFor("refused")
  /** Each with what it takes, and with what none of its kind holds. */
  const errors = [
    [AuthError.AuthAborted, { place, abort }, { place }],
    [AuthError.AuthLocked, { place, reported: true }, { place, reported: "yes" }],
    [AuthError.AuthUnreachable, { place, detail: "no route" }, { place }],
    [AuthError.AuthLost, { place, detail: "no answer" }, { place }],
    [AuthError.AuthBusy, { place, on: "turn" }, { place, on: "time" }],
    [AuthError.AuthRejected, { place, why: "notLocked" }, { place, why: "notNow" }],
    [
      AuthStoreError,
      { reason: "unavailable", detail: "away", advice: "wait" },
      { reason: "gone", detail: "" }
    ],
    [CallError.MethodFailed, { ...call, code: 1234 }, { ...call, code: "1234" }],
    [CallError.CallUncertain, call, { method: "CardSale/Void" }],
    [CallError.CallUnsent, call, { method: "CardSale/Void" }],
    [CallError.AnswerUndecodable, call, { method: "CardSale/Void" }],
    [CredentialError, { detail: "gone" }, {}],
    [SessionRefused, { code: 5030 }, { code: 5040 }]
  ] as unknown as ReadonlyArray<
    readonly [
      Schema.Schema<Error, object> & { readonly identifier: string; readonly _tag: string } & (new (
          fields: object
        ) => Error),
      object,
      object
    ]
  >

  it("has its own name, also among schemas, and is told from the others by it", () => {
    for (const [kind, fields] of errors) {
      const error = new kind(fields)
      assert.strictEqual(kind.identifier, `effect-number-auth/${error.name}`)
      assert.deepInclude(error, { _tag: error.name } as object as Error)
      assert.strictEqual(kind.name, error.name)
      assert.strictEqual(error.toString().split(":")[0], error.name)
    }
    assert.strictEqual(new Set(errors.map(([kind]) => kind.identifier)).size, errors.length)
  })

  it("is written down and read again, as what it was", () => {
    for (const [kind, fields] of errors) {
      const error = new kind(fields)
      const written: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(kind)(error)))
      assert.deepStrictEqual(written, { _tag: error.name, ...fields })
      const read = Schema.decodeUnknownSync(kind)(written)
      assert.instanceOf(read, kind)
      assert.strictEqual(read.message, error.message)
    }
  })

  it("is made of what it needs only", () => {
    for (const [kind, , wrong] of errors) {
      assert.throws(() => new kind(wrong), /Expected|is missing/, kind.identifier)
      assert.isTrue(
        Either.isLeft(Schema.decodeUnknownEither(kind)({ _tag: kind.identifier.split("/")[1], ...wrong }))
      )
    }
  })

  it("takes an account, a location and whole numbers for its place, and nothing else", () => {
    const decode = Schema.decodeUnknownEither(AuthError.Place)
    assert.deepStrictEqual(decode(place), Either.right(place))
    for (const wrong of [
      { account: "" },
      { location: "" },
      { failures: 1.5 },
      { failures: undefined },
      { limit: 1.5 },
      { limit: undefined }
    ]) {
      assert.isTrue(Either.isLeft(decode({ ...place, ...wrong })), JSON.stringify(wrong))
    }
  })
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
