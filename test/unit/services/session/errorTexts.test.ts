/**
 * The messages of errors: each names the cause, its meaning for the location's count, and the next step.
 */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Schema, TestClock, Fiber } from "effect"
import type { Location } from "../../../../src/schemas/Credentials.js"
import type { Abort } from "../../../../src/schemas/StoredRecord.js"
import * as AuthError from "../../../../src/services/session/AuthError.js"
import * as CallError from "../../../../src/services/calls/CallError.js"
import { CredentialError } from "../../../../src/services/session/CredentialProvider.js"
import { AuthStoreError, answersWithin, storeErrorOf } from "../../../../src/services/store/AuthStoreError.js"
import { fieldsOf } from "../../../../src/services/calls/internal/undecodableFields.js"
import { SendTimedOut } from "../../../../src/services/wire/http/SendTimedOut.js"
import { SentTwice } from "../../../../src/services/wire/http/SentTwice.js"
import { SessionRefused } from "../../../../src/services/session/SessionRefusal.js"
import { one, print } from "../../../support/core.js"

const standing: AuthError.Standing = { account: one, location: "shop" as Location, failures: 2, limit: 4 }
const call = { method: "CardSale/Void", detail: "it broke off" }

const abortFor = (reason: Abort["reason"]): Abort => ({
  reason,
  attempt: 1,
  fingerprint: print(1),
  detail: "it said so",
  atMillis: 0
})
const store = (reason: AuthStoreError["reason"]) => new AuthStoreError({ reason, detail: "it is away" })
const aborted = (reason: Abort["reason"]) => new AuthError.AuthAborted({ standing, abort: abortFor(reason) })
const unstored = (outcome: AuthError.AuthUnstored["outcome"], detail: string) =>
  new AuthError.AuthUnstored({ standing, outcome, detail, why: "the disk is full" })
const busy = (on: AuthError.AuthBusy["on"]) => new AuthError.AuthBusy({ standing, on })
const rejected = (why: AuthError.AuthRejected["why"]) => new AuthError.AuthRejected({ standing, why })
const notDone = (code: number | null) =>
  new CallError.MethodFailed({ method: "CardSale/Void", code, detail: "no such sale" })

const stands = "Location shop stands at 2 of 4 unsuccessful attempts in a row (Number locks the IP at 6)"
const untouched = "the store that holds the location's count | no attempt is sent | held still work"
const unchanged = "location's count is unchanged"
const newToken = "do not restart and do not try again | create a new token in the Client Admin Portal"
const findOut = "do not restart | find out what is wrong | then resume, which allows one more attempt"
const ownAddress = "give each egress address a location of its own | then resume"

/** Errors, with parts of their messages: of the cause, of the count, and of the next step. */
const texts: ReadonlyArray<readonly [Error, string, string, string]> = [
  [store("unavailable"), "is unavailable: it is away", untouched, "make the store reachable"],
  [
    store("unreadable"),
    "is unreadable: it is away",
    untouched,
    "the version of this library that wrote it | ask Number's support to reset"
  ],
  [store("misconfigured"), "is misconfigured: it is away", untouched, "correct the store's settings"],
  [aborted("refused"), "EP0000001 was aborted | refused the token: it said so", stands, newToken],
  [
    aborted("barred"),
    "EP0000001 was aborted | refused this token before, so it was not sent again",
    stands,
    newToken
  ],
  [
    aborted("expired"),
    "EP0000001 was aborted | ended at the time that Number gave for it, so it was not sent",
    stands,
    "create a new token | if Number has renewed this one, resume"
  ],
  [aborted("faulted"), "EP0000001 was aborted | to authenticate failed: it said so", stands, findOut],
  [
    aborted("lost"),
    "EP0000001 was aborted | not known how the attempt to authenticate ended: it said so",
    `counts as unsuccessful until its answer comes | ${stands}`,
    findOut
  ],
  [
    aborted("addressFlapping"),
    "EP0000001 was aborted | it said so: calls of this location leave from more than one IP address",
    stands,
    ownAddress
  ],
  [
    new AuthError.AuthLocked({ standing, reported: true }),
    "Number reports that the IP of location shop is locked out",
    `${stands} | no attempt is made for any account of this location | held still work`,
    "ask Number's support to audit and lift the lock | when support has lifted the lock, confirm it"
  ],
  [
    new AuthError.AuthLocked({ standing, reported: false }),
    "location shop has reached the limit | the library stopped itself",
    `${stands} | no attempt is made | held still work`,
    "ask Number's support to reset the count of the IP | confirm that the lock was lifted"
  ],
  [
    new AuthError.AuthUnreachable({ standing, detail: "no route" }),
    "no attempt reached Number: no route",
    `${stands}; this did not count`,
    "check the network and the base URL"
  ],
  [
    new AuthError.AuthLost({ standing, detail: "no answer" }),
    "the attempt brought no session: no answer",
    `${stands} | each such attempt counts`,
    "find out why answers do not come before you try again"
  ],
  [
    unstored("accepted", ""),
    "of an attempt for account EP0000001 could not be stored: the disk is full | Number accepted the token | serves until this process ends",
    `${stands}; the store counts this attempt as lost`,
    "make the store available, then resume"
  ],
  [
    unstored("refused", "Invalid Token"),
    "could not be stored | Number refused the token: Invalid Token",
    `${stands}; the store counts this attempt as lost`,
    "do not start again with this token: create a new token"
  ],
  [
    unstored("lockedOut", "please wait"),
    "could not be stored: the disk is full. please wait",
    `${stands}; the store counts this attempt as lost`,
    "ask Number's support to audit and lift the lock"
  ],
  [
    unstored("faulted", "out of order"),
    "the attempt to authenticate failed: out of order",
    `${stands}; the store counts this attempt as lost`,
    "make the store available, then resume"
  ],
  [
    unstored("lost", "silence"),
    "not known how the attempt to authenticate ended: silence",
    `${stands}; the store counts this attempt as lost`,
    "make the store available, then resume"
  ],
  [
    unstored("unsent", "no route"),
    "the attempt was not sent: no route. Number counts nothing",
    `${stands}; if the store has its mark, it counts this attempt as lost`,
    "make the store available, then resume"
  ],
  [
    busy("attempt"),
    "another caller's attempt for account EP0000001",
    `${stands}; nothing was sent`,
    "try again later"
  ],
  [
    busy("room"),
    "under way at location shop leave no room",
    `${stands}; nothing was sent`,
    "try again later"
  ],
  [
    busy("turn"),
    "other accounts of location shop asked before account EP0000001",
    `${stands}; nothing was sent`,
    "try again later"
  ],
  [
    rejected("refusedCredentials"),
    "refused this token of account EP0000001 | nothing was changed",
    stands,
    "create a new token in the Client Admin Portal"
  ],
  [
    rejected("abortedCredentials"),
    "account EP0000001 was aborted with these credentials | nothing was changed",
    stands,
    "resume to try them once more, or supply other credentials"
  ],
  [
    rejected("addressFlapping"),
    "EP0000001 was aborted because calls of location shop leave from more than one IP | nothing was changed",
    stands,
    ownAddress
  ],
  [rejected("notAborted"), "EP0000001 is not aborted | nothing was changed", stands, "nothing to resume"],
  [
    rejected("notLocked"),
    "EP0000001 is not locked at location shop | nothing was changed",
    `${stands} | the count stays as it is`,
    "no lifted lock to confirm"
  ],
  [
    new CredentialError({ detail: "the file is gone" }),
    "token is not available: the file is gone | nothing was sent",
    unchanged,
    "supply the token and try again"
  ],
  ...([1234, 0, null] as const).map(
    (code) =>
      [
        notDone(code),
        `Number did not carry out CardSale/Void: no such sale (ErrCode ${code ?? "none"})`,
        `no attempt to authenticate | ${unchanged}`,
        "correct the call as the answer says"
      ] as const
  ),
  ...[5030, 5050].map(
    (code) =>
      [
        notDone(code),
        `Number did not carry out CardSale/Void: no such sale (ErrCode ${code}) | once more right after it was renewed`,
        `no attempt to authenticate | ${unchanged}`,
        "find out whether calls leave from more than one IP address before you send the call again"
      ] as const
  ),
  [
    new CallError.CallUncertain(call),
    "not known whether Number carried out CardSale/Void: it broke off",
    unchanged,
    "query before you try again"
  ],
  [
    new CallError.CallUnsent(call),
    "CardSale/Void did not reach Number: it broke off | it was not carried out",
    unchanged,
    "check the network and the base URL, and try again later"
  ],
  [
    new CallError.AnswerUndecodable(call),
    "carried out CardSale/Void | not have the expected form: it broke off",
    unchanged,
    "do not send the call again: query what it did"
  ],
  ...([5030, 5050] as const).map(
    (code) =>
      [
        new SessionRefused({ code }),
        `refused the session key with ${code} | ${code === 5030 ? "expired" : "IP address is not the one"}`,
        "refused keys do not count towards a lockout",
        "renew the session and send the call again"
      ] as const
  )
]

/** Each error with valid fields, and with invalid ones. */
const errors = [
  [AuthError.AuthAborted, { standing, abort: abortFor("refused") }, { standing }],
  [AuthError.AuthLocked, { standing, reported: true }, { standing, reported: "yes" }],
  [AuthError.AuthUnreachable, { standing, detail: "no route" }, { standing }],
  [AuthError.AuthLost, { standing, detail: "no answer" }, { standing }],
  [
    AuthError.AuthUnstored,
    { standing, outcome: "lost", detail: "silence", why: "away" },
    { standing, outcome: "gone", detail: "", why: "" }
  ],
  [AuthError.AuthBusy, { standing, on: "turn" }, { standing, on: "time" }],
  [AuthError.AuthRejected, { standing, why: "notLocked" }, { standing, why: "notNow" }],
  [AuthStoreError, { reason: "unavailable", detail: "away", advice: "wait" }, { reason: "gone", detail: "" }],
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

describe("the message of an error", () => {
  for (const [error, ...parts] of texts) {
    it(`names the cause, the standing of the count and the next step: ${error.message.slice(0, 80)}`, () => {
      for (const words of parts.flatMap((part) => part.split(" | "))) {
        assert.include(error.message.toLowerCase(), words.toLowerCase())
      }
      assert.notInclude(error.message, print(1))
      // It consists of sentences, and every part of it was filled in.
      assert.match(error.message, /^[A-Z].*\.$/)
      assert.notMatch(error.message, /undefined|null|\[object|\.\./)
    })
  }

  it("is in the table, for every kind of error", () => {
    assert.sameMembers(
      [...new Set(texts.map(([error]) => error.name))],
      errors.map(([kind]) => kind.identifier.split("/")[1]!)
    )
  })
})

describe("an AuthStoreError", () => {
  it("ends with its own advice if it has one, in place of the general one", () => {
    const { message } = new AuthStoreError({ reason: "unreadable", detail: "x", advice: "Free the disk" })
    assert.match(message, /still work\. Free the disk\.$/)
  })

  it("is made from a driver's failure, and is kept if it is one already", () => {
    const own = new AuthStoreError({ reason: "unreadable", detail: "x" })
    assert.strictEqual(storeErrorOf(own), own)
    assert.instanceOf(storeErrorOf(new Error("driver")), AuthStoreError)
  })

  it.effect("is the error of a database that hangs, after the given time", () =>
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

describe("every error", () => {
  it("has its own name, also as a schema, and no other error has that name", () => {
    for (const [kind, fields] of errors) {
      const error = new kind(fields)
      assert.strictEqual(kind.identifier, `effect-number-auth/${error.name}`)
      assert.deepInclude(error, { _tag: error.name } as object as Error)
      assert.strictEqual(kind.name, error.name)
      assert.strictEqual(error.toString().split(":")[0], error.name)
    }
    assert.strictEqual(new Set(errors.map(([kind]) => kind.identifier)).size, errors.length)
  })

  it("is encoded and decoded again without a change", () => {
    for (const [kind, fields] of errors) {
      const error = new kind(fields)
      const written: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(kind)(error)))
      assert.deepStrictEqual(written, { _tag: error.name, ...fields })
      const read = Schema.decodeUnknownSync(kind)(written)
      assert.instanceOf(read, kind)
      assert.strictEqual(read.message, error.message)
    }
  })

  it("refuses fields that it does not take", () => {
    for (const [kind, , wrong] of errors) {
      assert.throws(() => new kind(wrong), /Expected|is missing/, kind.identifier)
      assert.isTrue(
        Either.isLeft(Schema.decodeUnknownEither(kind)({ _tag: kind.identifier.split("/")[1], ...wrong }))
      )
    }
  })

  it("takes an account, a location and whole numbers as its standing, and nothing else", () => {
    const decode = Schema.decodeUnknownEither(AuthError.Standing)
    assert.deepStrictEqual(decode(standing), Either.right(standing))
    for (const wrong of [
      { account: "" },
      { location: "" },
      { failures: 1.5 },
      { failures: undefined },
      { limit: 1.5 },
      { limit: undefined }
    ]) {
      assert.isTrue(Either.isLeft(decode({ ...standing, ...wrong })), JSON.stringify(wrong))
    }
  })
})

describe("the cause of a missing answer", () => {
  it("is printed with its name and its message", () => {
    const timedOut = new SendTimedOut(Duration.seconds(30))
    assert.strictEqual(String(timedOut), "SendTimedOut: no answer came within 30s")
    assert.strictEqual(timedOut.code, "TIMEOUT")
    assert.strictEqual(
      String(new SentTwice()),
      "SentTwice: the HTTP client tried to send it a second time, and the result of the first time is not known (to repeat requests, retry the session's client, not the HTTP client below it)"
    )
  })
})

describe("the detail of an answer that does not decode", () => {
  const schema = Schema.Struct({ a: Schema.Number, b: Schema.Struct({ c: Schema.String }) })
  const fields = (value: unknown): string =>
    fieldsOf(
      Either.getOrThrow(Either.flip(Schema.decodeUnknownEither(schema, { errors: "all" })(value))),
      (text) => `<${text}>`
    )

  it("names the fields that do not decode, each once, and no values", () => {
    assert.strictEqual(fields({ a: "secret", b: { c: 1 } }), "<a, b.c>")
    assert.strictEqual(fields({ a: 1, b: { c: 1 } }), "<b.c>")
    assert.strictEqual(fields("secret"), "<the whole value>")
  })
})
