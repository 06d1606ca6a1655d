import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as FastCheck from "effect/FastCheck"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import * as Emulator from "../../../src/testing/NumberEmulator.js"
import * as NumberEmulatorServer from "../../../src/testing/NumberEmulatorServer.js"
import { eventually } from "../../support/eventually.js"

const { Fault, NumberEmulator } = Emulator
type Service = Context.Tag.Service<typeof NumberEmulator>

const ACCOUNT = "EP9116875"
const OTHER = "EP8179234"
const TOKEN = "2148B239CF6846BDA5D141BF4A4CFBE8"
const WRONG = "00000000000000000000000000000000"
const BASE = "https://easypay5.com/APIcardProcNumber/v1.0.0"
const IP = "203.0.113.7"

const made = (options: Emulator.Options = {}) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.make({ ip: IP, ...options })
    yield* emulator.addToken(ACCOUNT, TOKEN)
    yield* emulator.addToken(OTHER, TOKEN)
    return emulator
  })

const post = (
  client: HttpClient.HttpClient,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  base = BASE
) =>
  HttpClientRequest.post(`${base}${path}`).pipe(
    HttpClientRequest.setHeaders(headers),
    HttpClientRequest.setBody(HttpBody.unsafeJson(body)),
    client.execute
  )

interface AuthenticateResult {
  readonly FunctionOk: boolean
  readonly AuthSuccess: boolean
  readonly ErrCode: number
  readonly ErrMsg: string
  readonly RespMsg: string
  readonly SessKey: string
  readonly ThisUser: {
    readonly AccountCode: string
    readonly ExpirationDate: string
    readonly IsExpired: boolean
    readonly IsLockedOut: boolean
  }
}

interface TransactionResult {
  readonly ErrCode: number
  readonly ErrMsg: string
  readonly FunctionOk: boolean
  readonly RespMsg: string
  readonly Echo?: unknown
  readonly AcctCode?: string
}

const authenticateResultOf = (json: unknown) =>
  (json as { readonly AuthenticateResult: AuthenticateResult }).AuthenticateResult

const call = (client: HttpClient.HttpClient, account = ACCOUNT, token = TOKEN) =>
  post(client, "/Authenticate", { AcctCode: account, Token: token })

const result = (client: HttpClient.HttpClient, account = ACCOUNT, token = TOKEN) =>
  call(client, account, token).pipe(
    Effect.flatMap((response) => response.json),
    Effect.map(authenticateResultOf)
  )

const fail = (client: HttpClient.HttpClient, times: number, account = ACCOUNT) =>
  Effect.replicateEffect(call(client, account, WRONG), times, { discard: true })

const echo = (client: HttpClient.HttpClient, key: string, body: unknown = { Amount: 1 }) =>
  post(client, "/Query/Transaction", body, { SessKey: key }).pipe(
    Effect.flatMap((response) =>
      Effect.map(response.json, (json) => ({
        status: response.status,
        ...(json as { readonly TransactionResult: TransactionResult }).TransactionResult
      }))
    )
  )

const codeOf = (error: HttpClientError.HttpClientError) => (error.cause as { code?: string }).code

const shapeOf = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.slice(0, 1).map(shapeOf)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
      : typeof value

const documented = JSON.parse(
  readFileSync(new URL("../../fixtures/authenticate-accepted.json", import.meta.url), "utf8")
)

describe("Authenticate", () => {
  it.scoped("answers a good token with exactly the documented shape and a fresh key of 42 hex", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const body = yield* Effect.flatMap(call(client), (response) => response.json)
      assert.deepStrictEqual(shapeOf(body), shapeOf(documented))
      const first = authenticateResultOf(body)
      const second = yield* result(client)
      assert.match(first.SessKey, /^[0-9A-F]{42}$/)
      assert.match(second.SessKey, /^[0-9A-F]{42}$/)
      assert.notStrictEqual(first.SessKey, second.SessKey)
      assert.isTrue(first.FunctionOk && first.AuthSuccess)
      assert.strictEqual(first.ThisUser.AccountCode, ACCOUNT)
      assert.isFalse(first.ThisUser.IsLockedOut || first.ThisUser.IsExpired)
    })
  )

  it.scoped("issues distinct keys, also across emulators, and even if Random repeats itself", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const keys = yield* Effect.replicateEffect(result(client), 3).pipe(
        Effect.withRandom(Random.fixed([4, 4])),
        Effect.map((results) => results.map((_) => _.SessKey))
      )
      assert.strictEqual(new Set(keys).size, 3)
      const firsts = yield* Effect.forEach([1, 2], () =>
        Effect.flatMap(made(), (_) => result(Emulator.httpClient(_)))
      )
      assert.strictEqual(new Set(firsts.map((_) => _.SessKey)).size, 2)
    })
  )

  it.scoped("states when the key expires, 25 hours ahead, in the format of the documentation", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.setClockOffset(1555482587000) // 2019-04-17T06:29:47Z
      const { RespMsg } = yield* result(Emulator.httpClient(emulator))
      assert.strictEqual(RespMsg, "SessKey Expires|4/18/2019 7:29:47 AM")
      yield* emulator.setClockOffset(1555459187000) // 2019-04-16T23:59:47Z
      assert.strictEqual(
        (yield* result(Emulator.httpClient(emulator))).RespMsg,
        "SessKey Expires|4/18/2019 12:59:47 AM"
      )
    })
  )

  it.scoped("refuses a wrong, revoked or expired token and an unknown account, each with a reason", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const [revoked, expired] = ["1".repeat(32), "2".repeat(32)]
      yield* emulator.addToken(ACCOUNT, revoked)
      yield* emulator.revokeToken(ACCOUNT, revoked)
      yield* emulator.addToken(ACCOUNT, expired, { expiresAtMillis: 1000 })
      yield* TestClock.adjust(1000)
      const answers = yield* Effect.all([
        result(client, ACCOUNT, WRONG),
        result(client, ACCOUNT, revoked),
        result(client, ACCOUNT, expired),
        result(client, "ZZ0000000", TOKEN),
        result(client, ACCOUNT, TOKEN.toLowerCase())
      ])
      for (const answer of answers) {
        assert.isTrue(answer.FunctionOk)
        assert.isFalse(answer.AuthSuccess)
        assert.strictEqual(answer.SessKey, "")
        assert.isNotEmpty(answer.RespMsg)
        assert.hasAllKeys(answer, Object.keys(documented.AuthenticateResult))
        assert.hasAllKeys(answer.ThisUser, Object.keys(documented.AuthenticateResult.ThisUser))
      }
      assert.deepStrictEqual(
        answers.map((_) => _.ThisUser.IsExpired),
        [false, false, true, false, false]
      )
      assert.deepStrictEqual(
        (yield* emulator.log).map((_) => _.outcome),
        ["wrongToken", "revokedToken", "expiredToken", "unknownAccount", "wrongToken"]
      )
      assert.strictEqual(yield* emulator.countOf(IP), 5)
    })
  )

  it.scoped("keeps several tokens of an account, and takes a renewed expiry", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const second = "3".repeat(32)
      yield* emulator.addToken(ACCOUNT, second, { expiresAtMillis: 1000 })
      assert.strictEqual(
        (yield* result(client, ACCOUNT, second)).ThisUser.ExpirationDate,
        "1970-01-01T00:00:01.000Z"
      )
      assert.isTrue((yield* result(client)).AuthSuccess)
      yield* TestClock.adjust(5000)
      assert.isFalse((yield* result(client, ACCOUNT, second)).AuthSuccess)
      yield* emulator.addToken(ACCOUNT, second, { expiresAtMillis: 9000 })
      assert.isTrue((yield* result(client, ACCOUNT, second)).AuthSuccess)
    })
  )

  it.scoped("answers a malformed request with 400 and a plain Bad Request", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const send = (body: HttpBody.HttpBody) =>
        HttpClientRequest.post(`${BASE}/Authenticate`).pipe(HttpClientRequest.setBody(body), client.execute)
      const good = { AcctCode: ACCOUNT, Token: TOKEN }
      const responses = yield* Effect.all([
        send(HttpBody.text("{", "application/json")),
        send(HttpBody.unsafeJson({ AcctCode: ACCOUNT })),
        send(HttpBody.unsafeJson({ ...good, Token: 5 })),
        send(HttpBody.unsafeJson(null)),
        send(HttpBody.text(JSON.stringify(good), "text/plain")),
        send(HttpBody.empty)
      ])
      for (const response of responses) {
        assert.strictEqual(response.status, 400)
        assert.strictEqual(yield* response.text, "Bad Request")
      }
      assert.isTrue((yield* emulator.log).every((_) => _.outcome === "malformed"))
      assert.strictEqual(yield* emulator.countOf(IP), 6)
      const get = yield* client.get(`${BASE}/Authenticate`)
      assert.strictEqual(get.status, 405)
      assert.strictEqual(yield* emulator.requestsSeen, 6)
    })
  )

  it.scoped("logs every call that reached it, with the token hidden", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* TestClock.adjust(77)
      yield* call(Emulator.httpClient(emulator, "198.51.100.1"))
      yield* emulator.inject(Fault.Status(500, ""), Fault.DropRequest, Fault.Refuse)
      const client = Emulator.httpClient(emulator)
      yield* Effect.replicateEffect(Effect.ignore(call(client, OTHER, WRONG)), 3)
      const log = yield* emulator.log
      assert.deepStrictEqual(
        log.map(({ token, ...rest }) => ({ ...rest, token: Redacted.value(token) })),
        [
          {
            sequence: 1,
            atMillis: 77,
            ip: "198.51.100.1",
            account: ACCOUNT,
            outcome: "accepted",
            token: TOKEN
          },
          { sequence: 2, atMillis: 77, ip: IP, account: OTHER, outcome: "faulted", token: WRONG }
        ]
      )
      assert.notInclude(JSON.stringify(log), TOKEN)
      assert.notInclude(JSON.stringify(yield* emulator.summary), TOKEN)
      assert.strictEqual(yield* emulator.requestsSeen, 3)
    })
  )

  it.scoped("rejects an account code or a token that is malformed", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      assert.isTrue(Exit.isFailure(yield* Effect.exit(emulator.addToken("E12345678", TOKEN))))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(emulator.addToken(ACCOUNT, "nope"))))
    })
  )
})

describe("the count", () => {
  it.scoped("locks the IP at the sixth unsuccessful attempt in a row, and not at the fifth", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* fail(client, 5)
      assert.isFalse(yield* emulator.isLocked(IP))
      assert.strictEqual(yield* emulator.countOf(IP), 5)
      assert.isTrue((yield* result(client, ACCOUNT, WRONG)).ThisUser.IsLockedOut)
      assert.isTrue(yield* emulator.isLocked(IP))
      const refused = yield* result(client)
      assert.isTrue(refused.FunctionOk)
      assert.isFalse(refused.AuthSuccess)
      assert.isTrue(refused.ThisUser.IsLockedOut)
      assert.strictEqual(refused.SessKey, "")
      assert.isFalse((yield* result(client, OTHER)).AuthSuccess)
      assert.isTrue((yield* result(Emulator.httpClient(emulator, "198.51.100.1"))).AuthSuccess)
    })
  )

  it.scoped("does not say IsLockedOut while the IP is not locked", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const results = yield* Effect.replicateEffect(result(Emulator.httpClient(emulator), ACCOUNT, WRONG), 5)
      assert.isFalse(results.some((_) => _.ThisUser.IsLockedOut))
    })
  )

  it.scoped("is set to 0 by a success", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* fail(client, 5)
      yield* call(client)
      assert.strictEqual(yield* emulator.countOf(IP), 0)
      yield* fail(client, 5)
      assert.isFalse(yield* emulator.isLocked(IP))
      assert.strictEqual(yield* emulator.peakOf(IP), 5)
    })
  )

  it.scoped("is not lowered by time, session methods, new tokens or another IP's success", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const { SessKey } = yield* result(client)
      yield* fail(client, 3)
      yield* TestClock.adjust("9 hours")
      yield* emulator.adjustClock("9 hours")
      yield* echo(client, SessKey)
      yield* emulator.expireSessions()
      yield* emulator.addToken(ACCOUNT, "4".repeat(32))
      yield* call(Emulator.httpClient(emulator, "198.51.100.1"))
      assert.strictEqual(yield* emulator.countOf(IP), 3)
    })
  )

  it.scoped("is set to 0 and unlocked by support; the peak stays", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* fail(client, 7)
      assert.strictEqual(yield* emulator.countOf(IP), 7)
      yield* emulator.liftLock("198.51.100.1")
      assert.isTrue(yield* emulator.isLocked(IP))
      yield* emulator.liftLock(IP)
      assert.strictEqual(yield* emulator.countOf(IP), 0)
      assert.isFalse(yield* emulator.isLocked(IP))
      assert.isTrue((yield* result(client)).AuthSuccess)
      assert.strictEqual(yield* emulator.peakOf(IP), 7)
      assert.strictEqual(yield* emulator.peakOf("198.51.100.1"), 0)
      assert.strictEqual(yield* emulator.peak, 7)
      assert.deepStrictEqual(
        (yield* emulator.eventsOf(IP)).map((_) => _._tag),
        [...Array<string>(7).fill("Unsuccessful"), "Lifted", "Successful"]
      )
    })
  )

  it.scoped("per IP: failures of several accounts add up, and a success of one clears all", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* fail(client, 3, ACCOUNT)
      yield* fail(client, 2, OTHER)
      assert.strictEqual(yield* emulator.countOf(IP), 5)
      yield* call(client, OTHER)
      assert.strictEqual(yield* emulator.countOf(IP), 0)
    })
  )

  it.scoped("per IP, success clears its own: the other accounts' failures stay", () =>
    Effect.gen(function* () {
      const emulator = yield* made({ successClears: "own" })
      const client = Emulator.httpClient(emulator)
      yield* fail(client, 3, ACCOUNT)
      yield* fail(client, 2, OTHER)
      yield* call(client, OTHER)
      assert.strictEqual(yield* emulator.countOf(IP), 3)
      yield* fail(client, 3, OTHER)
      assert.isTrue(yield* emulator.isLocked(IP))
    })
  )

  it.scoped("per IP and account: each account has its count, and the lock is the whole IP's", () =>
    Effect.gen(function* () {
      const emulator = yield* made({ counting: "ipAndAccount" })
      const client = Emulator.httpClient(emulator)
      yield* fail(client, 5, ACCOUNT)
      yield* fail(client, 4, OTHER)
      assert.strictEqual(yield* emulator.countOf(IP), 5)
      assert.isFalse(yield* emulator.isLocked(IP))
      yield* fail(client, 1, ACCOUNT)
      assert.isTrue((yield* result(client, OTHER)).ThisUser.IsLockedOut)
    })
  )

  it.scoped("per IP and account: successClears decides about the other account's count", () =>
    Effect.gen(function* () {
      for (const [successClears, left] of [
        ["all", 0],
        ["own", 4]
      ] as const) {
        const emulator = yield* made({ counting: "ipAndAccount", successClears })
        const client = Emulator.httpClient(emulator)
        yield* fail(client, 4, ACCOUNT)
        yield* fail(client, 2, OTHER)
        yield* call(client, OTHER)
        assert.strictEqual(yield* emulator.countOf(IP), left)
      }
    })
  )

  it.scoped("includes fault answers unless faultsCount is false", () =>
    Effect.gen(function* () {
      for (const faultsCount of [true, false]) {
        const emulator = yield* made({ faultsCount })
        const client = Emulator.httpClient(emulator)
        yield* emulator.inject(
          Fault.Status(500, "oops"),
          Fault.Body("null"),
          Fault.FunctionNotOk(7, "no"),
          Fault.HugeBody(1000)
        )
        yield* Effect.replicateEffect(call(client), 4)
        yield* post(client, "/Authenticate", {})
        assert.strictEqual(yield* emulator.countOf(IP), faultsCount ? 5 : 0)
        yield* fail(client, 1)
        assert.strictEqual(yield* emulator.countOf(IP), faultsCount ? 6 : 1)
      }
    })
  )

  it("agrees with a second implementation, for any events and every setting", () => {
    const account = FastCheck.constantFrom("A", "B", "C")
    const event: FastCheck.Arbitrary<Emulator.CountEvent> = FastCheck.oneof(
      {
        weight: 6,
        arbitrary: FastCheck.record({ _tag: FastCheck.constant("Unsuccessful" as const), account })
      },
      {
        weight: 1,
        arbitrary: FastCheck.record({ _tag: FastCheck.constant("Successful" as const), account })
      },
      { weight: 1, arbitrary: FastCheck.constant({ _tag: "Lifted" as const }) }
    )
    const counting = FastCheck.constantFrom("ip" as const, "ipAndAccount" as const)
    const successClears = FastCheck.constantFrom("all" as const, "own" as const)
    // The second implementation: a failure counts if no later event clears it.
    const countAt = (
      events: ReadonlyArray<Emulator.CountEvent>,
      by: "ip" | "ipAndAccount",
      clears: "all" | "own"
    ) => {
      const tally = { A: 0, B: 0, C: 0 } as Record<string, number>
      events.forEach((event, at) => {
        if (event._tag !== "Unsuccessful") return
        const cleared = events
          .slice(at)
          .some(
            (_) =>
              _._tag === "Lifted" ||
              (_._tag === "Successful" && (clears === "all" || _.account === event.account))
          )
        if (!cleared) tally[event.account] = (tally[event.account] ?? 0) + 1
      })
      const tallies = Object.values(tally)
      return by === "ip" ? tallies.reduce((a, b) => a + b) : Math.max(...tallies)
    }
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(event, { maxLength: 40 }),
        counting,
        successClears,
        (events, by, clears) => {
          const standing = Emulator.standingOf(events, { counting: by, successClears: clears })
          const counts = events.map((_, at) => countAt(events.slice(0, at + 1), by, clears))
          const sinceLifted = counts.slice(events.map((_) => _._tag).lastIndexOf("Lifted") + 1)
          assert.strictEqual(standing.count, counts.at(-1) ?? 0)
          assert.strictEqual(standing.peak, Math.max(0, ...counts))
          assert.strictEqual(
            standing.isLocked,
            sinceLifted.some((count) => count >= 6)
          )
        }
      ),
      { numRuns: 200, seed: 1 }
    )
  })
})

describe("a method", () => {
  it.scoped("echoes the body for a good key, and counts the execution", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const { SessKey } = yield* result(client)
      const answer = yield* echo(client, SessKey, { Amount: 5, Ref: "x" })
      assert.deepStrictEqual(answer, {
        status: 200,
        ErrCode: 0,
        ErrMsg: "",
        FunctionOk: true,
        RespMsg: "",
        Echo: { Amount: 5, Ref: "x" },
        AcctCode: ACCOUNT
      })
      assert.strictEqual(yield* emulator.executionsOf({ Ref: "x", Amount: 5 }), 1)
      assert.strictEqual(yield* emulator.executionsOf({ Amount: 5 }), 0)
      yield* echo(client, SessKey, { Amount: 5, Ref: "x" })
      assert.strictEqual(yield* emulator.executionsOf({ Amount: 5, Ref: "x" }), 2)
      assert.strictEqual((yield* emulator.executions)[0]?.method, "Transaction")
    })
  )

  it.scoped("accepts a signed key as the session key that it begins with", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const { SessKey } = yield* result(client)
      assert.isTrue((yield* echo(client, `${SessKey}_1702565789_123_1B`)).FunctionOk)
    })
  )

  it.scoped("refuses an unknown key, an empty key and one of 25 hours with 5030, and executes nothing", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const { SessKey } = yield* result(client)
      yield* TestClock.adjust("24 hours")
      yield* emulator.adjustClock("59 minutes")
      assert.isTrue((yield* echo(client, SessKey, "in time")).FunctionOk)
      yield* emulator.adjustClock("1 minute")
      for (const key of [SessKey, "F".repeat(42), ""]) {
        const answer = yield* echo(client, key, "late")
        assert.deepStrictEqual(answer, {
          status: 200,
          ErrCode: 5030,
          ErrMsg: "ERROR:5030:HIGH:Expired Session Key",
          FunctionOk: false,
          RespMsg: ""
        })
      }
      assert.strictEqual(yield* emulator.executionsOf("in time"), 1)
      assert.strictEqual(yield* emulator.executionsOf("late"), 0)
    })
  )

  it.scoped("refuses a key from another IP with 5050, executes nothing, and accepts it from its own", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const { SessKey } = yield* result(client)
      yield* emulator.setIp("198.51.100.1")
      const answer = yield* echo(client, SessKey)
      assert.strictEqual(answer.ErrCode, 5050)
      assert.isFalse(answer.FunctionOk)
      assert.match(answer.ErrMsg, /^ERROR:5050:HIGH:./)
      assert.lengthOf(yield* emulator.executions, 0)
      yield* emulator.setIp(IP)
      assert.isTrue((yield* echo(client, SessKey)).FunctionOk)
    })
  )

  it.scoped("refuses with the status that was set", () =>
    Effect.gen(function* () {
      const emulator = yield* made({ refusalStatus: 403 })
      const client = Emulator.httpClient(emulator)
      assert.strictEqual((yield* echo(client, "F")).status, 403)
      yield* emulator.setRefusalStatus(401)
      assert.strictEqual((yield* echo(client, "F")).status, 401)
    })
  )

  it.scoped("answers a locked IP's Authenticate with the status that was set", () =>
    Effect.gen(function* () {
      const emulator = yield* made({ lockedStatus: 403 })
      const client = Emulator.httpClient(emulator)
      yield* fail(client, 6)
      assert.strictEqual((yield* call(client)).status, 403)
    })
  )

  it.scoped("refuses keys after expireSessions, of one account or of all", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const mine = (yield* result(client)).SessKey
      const theirs = (yield* result(client, OTHER)).SessKey
      assert.strictEqual(yield* emulator.expireSessions(OTHER), 1)
      assert.isTrue((yield* echo(client, mine)).FunctionOk)
      assert.strictEqual((yield* echo(client, theirs)).ErrCode, 5030)
      assert.strictEqual(yield* emulator.expireSessions(), 1)
      assert.strictEqual((yield* echo(client, mine)).ErrCode, 5030)
    })
  )

  it.scoped("works with a held key while the IP is locked", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const { SessKey } = yield* result(client)
      yield* fail(client, 6)
      assert.isTrue((yield* echo(client, SessKey)).FunctionOk)
    })
  )

  it.scoped("has faults of its own, which Authenticate does not consume", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* emulator.injectMethod(
        Fault.FunctionNotOk(5030, "again"),
        Fault.DropAnswer,
        Fault.DropRequest,
        Fault.Status(503, "busy")
      )
      const { SessKey } = yield* result(client)
      assert.strictEqual(yield* emulator.pendingFaults, 4)
      assert.strictEqual((yield* echo(client, SessKey, "a")).ErrCode, 5030)
      assert.strictEqual(codeOf(yield* Effect.flip(echo(client, SessKey, "b"))), "ECONNRESET")
      assert.strictEqual(codeOf(yield* Effect.flip(echo(client, SessKey, "c"))), "ECONNRESET")
      assert.strictEqual((yield* Effect.flip(echo(client, SessKey, "d")))._tag, "ResponseError")
      assert.deepStrictEqual(
        (yield* emulator.executions).map((_) => _.body),
        ["b"]
      )
      assert.strictEqual(yield* emulator.countOf(IP), 0)
    })
  )
})

describe("faults", () => {
  it.scoped("Refuse: ECONNREFUSED before anything was delivered", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.inject(Fault.Pass, Fault.Refuse)
      const client = Emulator.httpClient(emulator)
      yield* call(client)
      const error = yield* Effect.flip(call(client))
      assert.strictEqual(error._tag, "RequestError")
      assert.strictEqual(error.reason, "Transport")
      assert.strictEqual(codeOf(error), "ECONNREFUSED")
      assert.strictEqual(yield* emulator.requestsSeen, 1)
      assert.lengthOf(yield* emulator.log, 1)
    })
  )

  it.scoped("DropRequest: reset and never processed; DropAnswer: processed, then reset", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* emulator.inject(Fault.DropRequest, Fault.DropAnswer)
      assert.strictEqual(codeOf(yield* Effect.flip(call(client, ACCOUNT, WRONG))), "ECONNRESET")
      assert.strictEqual(yield* emulator.countOf(IP), 0)
      const error = yield* Effect.flip(call(client, ACCOUNT, WRONG))
      assert.strictEqual(error.reason, "Transport")
      assert.strictEqual(codeOf(error), "ECONNRESET")
      assert.strictEqual(yield* emulator.countOf(IP), 1)
    })
  )

  it.scoped("StallRequest: never processed, never answered; StallAnswer: processed, never answered", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* emulator.inject(Fault.StallRequest, Fault.StallAnswer)
      for (const count of [0, 1]) {
        const fiber = yield* Effect.fork(Effect.timeoutOption(call(client, ACCOUNT, WRONG), "10 days"))
        yield* TestClock.adjust("9 days")
        assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
        assert.strictEqual(yield* emulator.countOf(IP), count)
        yield* TestClock.adjust("1 days")
        assert.isTrue(Option.isNone(yield* Fiber.join(fiber)))
        yield* TestClock.adjust("1 days")
        assert.strictEqual(yield* emulator.countOf(IP), count)
      }
    })
  )

  it.scoped("DelayRequest: processed after the delay", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.inject(Fault.DelayRequest("10 seconds"))
      const fiber = yield* Effect.fork(result(Emulator.httpClient(emulator)))
      yield* TestClock.adjust("9 seconds")
      assert.lengthOf(yield* emulator.log, 0)
      assert.strictEqual(yield* emulator.requestsSeen, 1)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* emulator.log)[0]?.atMillis, 10_000)
      assert.isTrue((yield* Fiber.join(fiber)).AuthSuccess)
    })
  )

  it.scoped("DelayRequest: is processed and counts after the caller timed out", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.inject(Fault.DelayRequest("10 seconds"))
      const fiber = yield* Effect.fork(
        Effect.timeoutOption(call(Emulator.httpClient(emulator), ACCOUNT, WRONG), "2 seconds")
      )
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.join(fiber)))
      assert.strictEqual(yield* emulator.countOf(IP), 0)
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* emulator.countOf(IP), 1)
      assert.strictEqual((yield* emulator.log)[0]?.atMillis, 10_000)
    })
  )

  it.scoped(
    "DelayRequest: is processed from the IP that it was sent from, after the caller was interrupted",
    () =>
      Effect.gen(function* () {
        const emulator = yield* made()
        yield* emulator.inject(Fault.DelayRequest("10 seconds"))
        const fiber = yield* Effect.fork(call(Emulator.httpClient(emulator), ACCOUNT, WRONG))
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.interrupt(fiber)
        yield* emulator.setIp("198.51.100.1")
        yield* TestClock.adjust("9 seconds")
        assert.strictEqual(yield* emulator.countOf(IP), 1)
        assert.strictEqual(yield* emulator.countOf("198.51.100.1"), 0)
      })
  )

  it.scoped("DelayRequest: a delayed request can come after a later one", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* emulator.inject(Fault.DelayRequest("10 seconds"))
      yield* Effect.fork(call(client, ACCOUNT, WRONG))
      yield* TestClock.adjust("1 seconds")
      yield* call(client)
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(
        (yield* emulator.log).map((_) => _.outcome),
        ["accepted", "wrongToken"]
      )
      assert.strictEqual(yield* emulator.countOf(IP), 1)
    })
  )

  it.scoped("DelayRequest: is not processed if the emulator is closed before; the caller is reset", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const emulator = yield* Scope.extend(made(), scope)
      yield* emulator.inject(Fault.DelayRequest("10 seconds"))
      const fiber = yield* Effect.fork(call(Emulator.httpClient(emulator)))
      yield* TestClock.adjust("1 seconds")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(codeOf(yield* Effect.flip(Fiber.join(fiber))), "ECONNRESET")
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* emulator.log, 0)
    })
  )

  it.scoped("DelayAnswer: processed at once, answered after the delay", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.inject(Fault.DelayAnswer("10 seconds"))
      const fiber = yield* Effect.fork(
        Effect.zip(result(Emulator.httpClient(emulator)), Clock.currentTimeMillis)
      )
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual((yield* emulator.log)[0]?.atMillis, 0)
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 seconds")
      const [answer, at] = yield* Fiber.join(fiber)
      assert.isTrue(answer.AuthSuccess)
      assert.strictEqual(at, 10_000)
    })
  )

  it.scoped("delays of every call: before and after processing, on top of a fault's", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.setDelays({ request: "1 seconds", answer: "2 seconds" })
      yield* emulator.inject(Fault.DelayRequest("4 seconds"))
      const fiber = yield* Effect.fork(
        Effect.zipRight(call(Emulator.httpClient(emulator)), Clock.currentTimeMillis)
      )
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 7000)
      assert.strictEqual((yield* emulator.log)[0]?.atMillis, 5000)
    })
  )

  it.scoped("Status and Body: the raw answer, not processed", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      yield* emulator.inject(
        Fault.Status(503, "<html>busy</html>"),
        Fault.Status(204, ""),
        Fault.Body("null"),
        Fault.Body("Bad Request"),
        Fault.Body('{"AuthenticateResult":{')
      )
      const seen = yield* Effect.replicateEffect(
        Effect.flatMap(call(client), (response) =>
          Effect.map(response.text, (text) => [response.status, response.headers["content-type"], text])
        ),
        5
      )
      assert.deepStrictEqual(seen, [
        [503, "text/html", "<html>busy</html>"],
        [204, "text/plain", ""],
        [200, "application/json; charset=utf-8", "null"],
        [200, "text/plain", "Bad Request"],
        [200, "application/json; charset=utf-8", '{"AuthenticateResult":{']
      ])
      assert.isTrue((yield* emulator.log).every((_) => _.outcome === "faulted"))
      assert.isTrue((yield* result(client)).AuthSuccess)
    })
  )

  it.scoped("FunctionNotOk: the documented shape with FunctionOk false", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.inject(Fault.FunctionNotOk(4321, "ERROR:4321:HIGH:no"))
      const answer = yield* result(Emulator.httpClient(emulator))
      assert.isFalse(answer.FunctionOk || answer.AuthSuccess)
      assert.strictEqual(answer.ErrCode, 4321)
      assert.strictEqual(answer.ErrMsg, "ERROR:4321:HIGH:no")
      assert.strictEqual(answer.SessKey, "")
      assert.hasAllKeys(answer, Object.keys(documented.AuthenticateResult))
    })
  )

  it.scoped("HugeBody: JSON of that size, not processed", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.inject(Fault.HugeBody(3_000_000))
      const response = yield* call(Emulator.httpClient(emulator))
      const text = yield* response.text
      assert.lengthOf(text, 3_000_000)
      assert.isFalse(JSON.parse(text).AuthenticateResult.FunctionOk)
      assert.strictEqual((yield* emulator.log)[0]?.outcome, "faulted")
    })
  )

  it.scoped("CutBody: processed, headers arrive, the body breaks off", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      yield* emulator.inject(Fault.CutBody)
      const response = yield* call(Emulator.httpClient(emulator))
      assert.strictEqual(response.status, 200)
      const error = yield* Effect.flip(response.text)
      assert.strictEqual(error._tag, "ResponseError")
      assert.strictEqual(codeOf(error), "ECONNRESET")
      assert.strictEqual((yield* emulator.log)[0]?.outcome, "accepted")
    })
  )

  it.scoped("ReportLock: says IsLockedOut and counts, but locks nothing", () =>
    Effect.gen(function* () {
      const emulator = yield* made({ faultsCount: false })
      const client = Emulator.httpClient(emulator)
      yield* emulator.inject(Fault.ReportLock)
      const answer = yield* result(client)
      assert.isTrue(answer.FunctionOk)
      assert.isFalse(answer.AuthSuccess)
      assert.isTrue(answer.ThisUser.IsLockedOut)
      assert.strictEqual(yield* emulator.countOf(IP), 1)
      assert.isFalse(yield* emulator.isLocked(IP))
      assert.isTrue((yield* result(client)).AuthSuccess)
    })
  )
})

describe("SOAP", () => {
  const ENDPOINT = "https://easypay5.com/APIcardProcR119/CardProcAPI.svc"
  const NAMESPACE = "http://tempuri.org/"

  const envelope = (method: string, fields: string, namespace = NAMESPACE) =>
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><${method} xmlns="${namespace}">${fields}</${method}></s:Body></s:Envelope>`

  const sent = (
    client: HttpClient.HttpClient,
    body: string,
    { action = "", endpoint = ENDPOINT, type = "text/xml; charset=utf-8", headers = {} } = {}
  ) =>
    HttpClientRequest.post(endpoint).pipe(
      HttpClientRequest.setHeaders({ soapaction: action, ...headers }),
      HttpClientRequest.setBody(HttpBody.text(body, type)),
      client.execute,
      Effect.flatMap((response) =>
        Effect.map(response.text, (text) => ({
          status: response.status,
          type: response.headers["content-type"],
          text
        }))
      )
    )

  const actionOf = (method: string) => `"${NAMESPACE}ICardProcess/${method}"`
  const credentials = (account: string, token: string) =>
    `<AcctCode>${account}</AcctCode><Token>${token}</Token>`
  const login = (client: HttpClient.HttpClient, token = TOKEN, account = ACCOUNT, endpoint = ENDPOINT) =>
    sent(client, envelope("Authenticate", credentials(account, token)), {
      action: actionOf("Authenticate"),
      endpoint
    })
  const call = (client: HttpClient.HttpClient, key: string, fields = "", method = "Echo") =>
    sent(client, envelope(method, `<SessKey>${key}</SessKey>${fields}`), { action: actionOf(method) })
  const field = (name: string, text: string) => new RegExp(`<a:${name}>([^<]*)</a:${name}>`).exec(text)?.[1]

  it.scoped("answers a good token with the documented fields, wrapped as WCF does it, with an XML type", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const answer = yield* login(Emulator.httpClient(emulator))
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.type, "text/xml; charset=utf-8")
      assert.match(
        answer.text,
        /^<s:Envelope [^>]+><s:Body><AuthenticateResponse xmlns="http:\/\/tempuri.org\/"><AuthenticateResult [^>]+>/
      )
      const names = (text: string) =>
        new Set(Array.from(text.matchAll(/<\w+:(\w+)[ >/]/g), (match) => match[1]))
      const documented = names(
        readFileSync(new URL("../../fixtures/authenticate-accepted.soap.xml", import.meta.url), "utf8")
      )
      documented.delete("api_AuthResponse")
      documented.delete("Header")
      assert.deepStrictEqual([...names(answer.text)].sort(), [...documented].sort())
      assert.strictEqual(field("FunctionOk", answer.text), "true")
      assert.strictEqual(field("AuthSuccess", answer.text), "true")
      assert.strictEqual(field("AccountCode", answer.text), ACCOUNT)
      assert.match(field("SessKey", answer.text) ?? "", /^[0-9A-F]{42}$/)
      assert.deepInclude((yield* emulator.log)[0], { account: ACCOUNT, outcome: "accepted", ip: IP })
    })
  )

  it.scoped("shares its count and its lock with REST", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      for (let n = 1; n <= 6; n++) {
        assert.isFalse(yield* emulator.isLocked(IP))
        if (n % 2 === 0) {
          const answer = yield* login(client, WRONG)
          assert.strictEqual(field("AuthSuccess", answer.text), "false")
          assert.strictEqual(field("RespMsg", answer.text), "Invalid Token")
          assert.strictEqual(field("IsLockedOut", answer.text), String(n === 6))
        } else yield* post(client, "/Authenticate", { AcctCode: ACCOUNT, Token: WRONG })
        assert.strictEqual(yield* emulator.countOf(IP), n)
      }
      assert.isTrue(yield* emulator.isLocked(IP))
      const locked = yield* login(client)
      assert.strictEqual(field("AuthSuccess", locked.text), "false")
      assert.match(field("RespMsg", locked.text) ?? "", /locked out/)
      yield* emulator.liftLock(IP)
      yield* login(client)
      assert.strictEqual(yield* emulator.countOf(IP), 0)
    })
  )

  it.scoped(
    "answers a malformed request with a fault and status 500, counted if action or body is Authenticate",
    () =>
      Effect.gen(function* () {
        const good = envelope("Authenticate", credentials(ACCOUNT, TOKEN))
        const action = actionOf("Authenticate")
        const bad: ReadonlyArray<readonly [string, { action?: string; type?: string }]> = [
          ["", { action }],
          ["Bad", { action }],
          [good.slice(0, -3), { action }],
          [`<!DOCTYPE x>${good}`, { action }],
          [good.replaceAll("s:Envelope", "s:Letter"), { action }],
          [good.replace("http://schemas.xmlsoap.org/soap/envelope/", "urn:x"), { action }],
          [envelope("Authenticate", credentials(ACCOUNT, TOKEN), "urn:x"), { action }],
          [envelope("Authenticate", `<AcctCode>${ACCOUNT}</AcctCode>`), { action }],
          [envelope("Authenticate", credentials(ACCOUNT, TOKEN).repeat(2)), { action }],
          [envelope("Echo", credentials(ACCOUNT, TOKEN)), { action }],
          [good, { action: actionOf("Echo") }],
          [good, { action: "" }],
          [good, { action, type: "application/json" }]
        ]
        for (const [body, options] of bad) {
          const emulator = yield* made()
          const answer = yield* sent(Emulator.httpClient(emulator), body, options)
          assert.strictEqual(answer.status, 500, body)
          assert.match(answer.text, /<s:Fault><faultcode>s:Client<\/faultcode><faultstring/)
          assert.strictEqual(yield* emulator.countOf(IP), 1, body)
          assert.strictEqual((yield* emulator.log)[0]?.outcome, "malformed")
        }
        const emulator = yield* made()
        const client = Emulator.httpClient(emulator)
        for (const [body, options] of [
          ["", { action: actionOf("Echo") }],
          [envelope("Echo", "", "urn:x"), { action: actionOf("Echo") }],
          [envelope("Echo", ""), { action: actionOf("Other") }]
        ] as const) {
          assert.strictEqual((yield* sent(client, body, options)).status, 500)
        }
        assert.lengthOf(yield* emulator.log, 0)
        assert.lengthOf(yield* emulator.executions, 0)
      })
  )

  it.scoped("takes a method's session key from the body only, and echoes the parameters as text", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const key = field("SessKey", (yield* login(client)).text)!
      const fields = "<Amount>1.50</Amount><Card><Name>A &amp; B</Name></Card><Tag>x</Tag><Tag>y</Tag>"
      const answer = yield* call(client, key, fields, "Transaction_Void")
      assert.match(answer.text, /<Transaction_VoidResponse [^>]+><Transaction_VoidResult /)
      assert.strictEqual(field("FunctionOk", answer.text), "true")
      assert.strictEqual(field("Name", answer.text), "A &amp; B")
      const body = { Amount: "1.50", Card: { Name: "A & B" }, Tag: ["x", "y"] }
      assert.strictEqual(yield* emulator.executionsOf(body), 1)
      assert.deepInclude((yield* emulator.executions)[0], {
        method: "Transaction_Void",
        account: ACCOUNT,
        body
      })
      const without = yield* sent(client, envelope("Echo", ""), {
        action: actionOf("Echo"),
        headers: { sesskey: key }
      })
      assert.strictEqual(field("ErrCode", without.text), "5030")
    })
  )

  it.scoped("refuses keys with 5030 and 5050, with the status that was set", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const key = field("SessKey", (yield* login(client)).text)!
      yield* emulator.setRefusalStatus(403)
      const moved = yield* call(Emulator.httpClient(emulator, "203.0.113.9"), key)
      assert.deepStrictEqual([moved.status, field("ErrCode", moved.text)], [403, "5050"])
      yield* emulator.expireSessions()
      const expired = yield* call(client, key)
      assert.deepStrictEqual([expired.status, field("ErrCode", expired.text)], [403, "5030"])
      assert.strictEqual(field("FunctionOk", expired.text), "false")
      assert.lengthOf(yield* emulator.executions, 0)
    })
  )

  it.scoped("has the same faults, from the same queue", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const xml = `<?xml version="1.0"?><x:Envelope xmlns:x="urn:x"/>`
      yield* emulator.inject(
        Fault.Status(503, "<html>"),
        Fault.Body(xml),
        Fault.FunctionNotOk(77, "no & no"),
        Fault.HugeBody(5000),
        Fault.ReportLock,
        Fault.Refuse,
        Fault.DropAnswer,
        Fault.CutBody
      )
      const html = yield* login(client)
      assert.deepStrictEqual([html.status, html.text], [503, "<html>"])
      assert.deepStrictEqual(yield* login(client), {
        status: 200,
        type: "text/xml; charset=utf-8",
        text: xml
      })
      const notOk = (yield* login(client)).text
      assert.deepStrictEqual([field("ErrCode", notOk), field("ErrMsg", notOk)], ["77", "no &amp; no"])
      const huge = (yield* login(client)).text
      assert.strictEqual(huge.length, 5000)
      assert.strictEqual(field("ErrCode", huge), "9999")
      assert.strictEqual(field("IsLockedOut", (yield* login(client)).text), "true")
      for (const code of ["ECONNREFUSED", "ECONNRESET"]) {
        const error = yield* Effect.flip(login(client))
        assert.strictEqual((error.cause as { code: string }).code, code)
      }
      assert.strictEqual((yield* Effect.flip(login(client)))._tag, "ResponseError")
      assert.strictEqual(yield* emulator.countOf(IP), 0)
      assert.strictEqual(yield* emulator.peak, 5)
      const key = field("SessKey", (yield* login(client)).text)!
      yield* emulator.injectMethod(Fault.FunctionNotOk(6724, "ERROR"), Fault.Status(500, "x"))
      const refused = yield* call(client, key)
      assert.match(refused.text, /<EchoResponse [^>]+><EchoResult /)
      assert.strictEqual(field("ErrCode", refused.text), "6724")
      assert.strictEqual((yield* call(client, key)).status, 500)
    })
  )

  it.scopedLive("is served on a real socket at its endpoint", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const { soapEndpoint, url } = yield* NumberEmulatorServer.serve(emulator)
      assert.isTrue(soapEndpoint.startsWith(url))
      const client = yield* HttpClient.HttpClient
      const answer = yield* login(client, TOKEN, ACCOUNT, soapEndpoint)
      assert.strictEqual(field("AuthSuccess", answer.text), "true")
      assert.strictEqual(answer.type, "text/xml; charset=utf-8")
    }).pipe(Effect.provide(NodeHttpClient.layer))
  )
})

describe("the HttpClient", () => {
  it.scoped("reads text, bytes and streams as bodies, and rejects a form and a failing stream", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      const text = JSON.stringify({ AcctCode: ACCOUNT, Token: TOKEN })
      const bytes = new TextEncoder().encode(text)
      const bodies = [
        HttpBody.text(text, "application/json"),
        HttpBody.raw(text, { contentType: "application/json" }),
        HttpBody.raw(bytes, { contentType: "application/json; charset=utf-8" }),
        HttpBody.stream(Stream.make(bytes.slice(0, 9), bytes.slice(9)), "application/json")
      ]
      for (const body of bodies) {
        const response = yield* HttpClientRequest.post(`${BASE}/Authenticate`).pipe(
          HttpClientRequest.setBody(body),
          client.execute
        )
        assert.isTrue(authenticateResultOf(yield* response.json).AuthSuccess)
      }
      const form = yield* HttpClientRequest.post(`${BASE}/Authenticate`).pipe(
        HttpClientRequest.setBody(HttpBody.formDataRecord({ a: "b" })),
        client.execute
      )
      assert.strictEqual(form.status, 400)
      const broken = yield* HttpClientRequest.post(`${BASE}/Authenticate`).pipe(
        HttpClientRequest.setBody(HttpBody.stream(Stream.fail("no"))),
        client.execute,
        Effect.flip
      )
      assert.strictEqual(broken.reason, "Encode")
    })
  )

  it.scoped("fails when its request's scope closes", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = HttpClient.withScope(Emulator.httpClient(emulator))
      const request = HttpClientRequest.post(`${BASE}/Authenticate`).pipe(
        HttpClientRequest.bodyUnsafeJson({ AcctCode: ACCOUNT, Token: TOKEN })
      )
      yield* emulator.inject(Fault.StallAnswer)
      const scope = yield* Scope.make()
      const fiber = yield* Effect.fork(Scope.extend(Effect.flip(client.execute(request)), scope))
      yield* TestClock.adjust(1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "RequestError")
      assert.lengthOf(yield* emulator.log, 1)
    })
  )

  it.scoped("calls from its own IP, or else from that of setIp, and a header overrides both", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const own = Emulator.httpClient(emulator, "198.51.100.1")
      const body = { AcctCode: ACCOUNT, Token: TOKEN }
      yield* call(own)
      yield* call(Emulator.httpClient(emulator))
      yield* post(own, "/Authenticate", body, { "X-Emulator-IP": "198.51.100.2" })
      yield* emulator.setIp(undefined)
      yield* call(Emulator.httpClient(emulator))
      assert.deepStrictEqual(
        (yield* emulator.log).map((_) => _.ip),
        ["198.51.100.1", IP, "198.51.100.2", "127.0.0.1"]
      )
    })
  )

  it.scoped("takes any prefix of the path", () =>
    Effect.gen(function* () {
      const client = Emulator.httpClient(yield* made())
      const body = { AcctCode: ACCOUNT, Token: TOKEN }
      for (const base of ["http://localhost", "https://easypay5.com/APIcardProcREST/v1.0.0"]) {
        const response = yield* post(client, "/Authenticate", body, {}, base)
        assert.isTrue(authenticateResultOf(yield* response.json).AuthSuccess)
      }
    })
  )

  it.effect("is available as layers", () =>
    Effect.gen(function* () {
      const emulator = yield* NumberEmulator
      yield* emulator.addToken(ACCOUNT, TOKEN)
      yield* call(yield* HttpClient.HttpClient)
      const client = yield* Effect.provide(
        HttpClient.HttpClient,
        Emulator.layerHttpClientFrom("198.51.100.1")
      )
      yield* call(client)
      assert.deepStrictEqual(
        (yield* emulator.log).map((_) => [_.ip, _.outcome]),
        [
          [IP, "accepted"],
          ["198.51.100.1", "accepted"]
        ]
      )
    }).pipe(Effect.provide(Layer.provideMerge(Emulator.layerHttpClient, Emulator.layer({ ip: IP }))))
  )
})

describe("control over HTTP", () => {
  const command = (client: HttpClient.HttpClient, name: string, body: unknown = {}) =>
    post(client, `/_emulator/${name}`, body).pipe(
      Effect.tap((response) => assert.strictEqual(response.status, 200)),
      Effect.flatMap((response) => response.json),
      Effect.map((json) => json as Emulator.Summary)
    )

  it.scoped("offers the commands of the service, and shows the state", () =>
    Effect.gen(function* () {
      const emulator: Service = yield* Emulator.make()
      const client = Emulator.httpClient(emulator)
      yield* command(client, "addToken", { account: ACCOUNT, token: TOKEN })
      yield* command(client, "setIp", { ip: IP })
      const { SessKey } = yield* result(client)
      yield* fail(client, 6)
      const state = yield* command(client, "state")
      assert.deepStrictEqual(
        { counts: state.counts, peaks: state.peaks, locks: state.locks, calls: state.authenticateCalls },
        { counts: { [IP]: 6 }, peaks: { [IP]: 6 }, locks: [IP], calls: 7 }
      )
      const lifted = yield* command(client, "liftLock", { ip: IP })
      assert.deepStrictEqual([lifted.counts, lifted.peaks, lifted.locks], [{ [IP]: 0 }, { [IP]: 6 }, []])

      assert.isTrue((yield* echo(client, SessKey)).FunctionOk)
      yield* command(client, "expireSessions", { account: OTHER })
      assert.isTrue((yield* echo(client, SessKey)).FunctionOk)
      yield* command(client, "expireSessions")
      assert.isFalse((yield* echo(client, SessKey)).FunctionOk)
      const second = (yield* result(client)).SessKey
      yield* command(client, "adjustClock", { duration: "25 hours" })
      assert.isFalse((yield* echo(client, second)).FunctionOk)
      assert.strictEqual((yield* command(client, "setClockOffset", { offsetMillis: -5 })).nowMillis, -5)

      yield* command(client, "inject", {
        faults: [{ _tag: "Refuse" }, { _tag: "Status", status: 500, body: "" }]
      })
      assert.strictEqual(codeOf(yield* Effect.flip(call(client))), "ECONNREFUSED")
      assert.strictEqual((yield* call(client)).status, 500)
      yield* command(client, "inject", { target: "method", faults: [{ _tag: "DelayRequest", duration: 50 }] })
      assert.strictEqual((yield* command(client, "state")).pendingFaults, 1)
      const fiber = yield* Effect.fork(echo(client, "F"))
      yield* TestClock.adjust(50)
      assert.strictEqual((yield* Fiber.join(fiber)).ErrCode, 5030)

      yield* command(client, "setRefusalStatus", { status: 401 })
      assert.strictEqual((yield* echo(client, "F")).status, 401)
      yield* command(client, "setDelays", { answer: "1 seconds" })
      yield* command(client, "setDelays", {})
      yield* command(client, "revokeToken", { account: ACCOUNT, token: TOKEN })
      assert.isFalse((yield* result(client)).AuthSuccess)
      yield* command(client, "addToken", { account: ACCOUNT, token: TOKEN, expiresAtMillis: 9e15 / 2 })
      assert.isTrue((yield* result(client)).AuthSuccess)
    })
  )

  it.scoped("answers an unknown command and a bad body with 400, and does nothing", () =>
    Effect.gen(function* () {
      const emulator = yield* made()
      const client = Emulator.httpClient(emulator)
      for (const [name, body] of [
        ["nope", {}],
        ["addToken", { account: "x", token: TOKEN }],
        ["inject", { faults: [{ _tag: "Nope" }] }],
        ["inject", { faults: [{ _tag: "Status", status: 99, body: "" }] }],
        ["inject", { target: "method", faults: [{ _tag: "ReportLock" }] }],
        ["adjustClock", { duration: "soon" }],
        ["adjustClock", { duration: -1 }]
      ] as const) {
        const response = yield* post(client, `/_emulator/${name}`, body)
        assert.strictEqual(response.status, 400, `${name} ${JSON.stringify(body)}`)
      }
      assert.strictEqual(yield* emulator.pendingFaults, 0)
      assert.strictEqual(yield* emulator.requestsSeen, 0)
    })
  )
})

describe("the server", () => {
  const served = Effect.gen(function* () {
    const emulator = yield* made()
    yield* emulator.setIp(undefined)
    const { port, url } = yield* NumberEmulatorServer.serve(emulator)
    assert.strictEqual(url, `http://127.0.0.1:${port}`)
    const client = HttpClient.mapRequest(yield* HttpClient.HttpClient, (request) =>
      HttpClientRequest.setUrl(request, request.url.replace(BASE, `${url}/any/v1`))
    )
    return { emulator, client, port, url }
  })
  const clients = Effect.provide(
    NodeHttpClient.layerWithoutAgent.pipe(Layer.provide(NodeHttpClient.makeAgentLayer()))
  )

  it.scopedLive("serves Authenticate, methods and control on a real socket", () =>
    Effect.gen(function* () {
      const { client, emulator, url } = yield* served
      const body = yield* Effect.flatMap(call(client), (response) => response.json)
      assert.deepStrictEqual(shapeOf(body), shapeOf(documented))
      const key = authenticateResultOf(body).SessKey
      assert.isTrue((yield* echo(client, key, { ä: "ü" })).FunctionOk)
      assert.strictEqual(yield* emulator.executionsOf({ ä: "ü" }), 1)
      yield* post(client, "/Authenticate", { AcctCode: ACCOUNT, Token: WRONG }, { "X-Emulator-IP": IP })
      yield* emulator.setIp("198.51.100.1")
      assert.strictEqual((yield* echo(client, key)).ErrCode, 5050)
      yield* call(client)
      assert.deepStrictEqual(
        (yield* emulator.log).map((_) => _.ip),
        ["127.0.0.1", IP, "198.51.100.1"]
      )
      const state = yield* post(client, "/_emulator/state", {}, {}, url)
      assert.strictEqual(((yield* state.json) as Emulator.Summary).authenticateCalls, 3)
    }).pipe(clients)
  )

  it.scopedLive("drops, cuts and refuses by ending the connection", () =>
    Effect.gen(function* () {
      const { client, emulator } = yield* served
      yield* emulator.inject(Fault.Refuse, Fault.DropRequest, Fault.DropAnswer, Fault.CutBody)
      for (const reached of [0, 0, 1]) {
        const error = yield* Effect.flip(call(client))
        assert.strictEqual(error._tag, "RequestError")
        assert.strictEqual(codeOf(error), "ECONNRESET")
        assert.lengthOf(yield* emulator.log, reached)
      }
      const response = yield* call(client)
      assert.strictEqual(response.status, 200)
      const cut = yield* Effect.flip(response.text)
      assert.strictEqual(codeOf(cut), "ECONNRESET")
      assert.lengthOf(yield* emulator.log, 2)
      yield* emulator.inject(Fault.Status(502, "<html></html>"), Fault.HugeBody(500_000))
      assert.strictEqual((yield* call(client)).status, 502)
      assert.lengthOf(yield* Effect.flatMap(call(client), (_) => _.text), 500_000)
    }).pipe(clients)
  )

  it.scopedLive("processes a delayed request even if the client has hung up", () =>
    Effect.gen(function* () {
      const { client, emulator } = yield* served
      yield* emulator.inject(Fault.DelayRequest("300 millis"))
      const given = yield* Effect.timeoutOption(call(client, ACCOUNT, WRONG), "100 millis")
      assert.isTrue(Option.isNone(given))
      assert.lengthOf(yield* emulator.log, 0)
      yield* eventually(Effect.map(emulator.countOf("127.0.0.1"), (count) => count === 1))
      yield* emulator.inject(Fault.DelayAnswer("300 millis"))
      yield* Effect.timeoutOption(call(client, ACCOUNT, WRONG), "100 millis")
      assert.strictEqual(yield* emulator.countOf("127.0.0.1"), 2)
      yield* Effect.sleep("300 millis")
    }).pipe(clients)
  )

  it.scopedLive("closes promptly, even with stalled calls and idle connections", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { client, emulator, port } = yield* Scope.extend(served, scope)
      const idle = yield* Effect.acquireRelease(
        Effect.async<Net.Socket>((resume) => {
          const socket = Net.connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )
      const closed = yield* Deferred.make<void>()
      idle.once("close", () => Effect.runFork(Deferred.succeed(closed, undefined)))
      idle.resume()
      yield* emulator.inject(Fault.StallAnswer, Fault.DelayRequest("1 hour"))
      const stalled = yield* Effect.fork(Effect.flip(call(client)))
      const delayed = yield* Effect.fork(Effect.flip(call(client)))
      yield* eventually(Effect.map(emulator.requestsSeen, (seen) => seen === 2))
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      assert.isBelow(Duration.toSeconds(took), 10)
      assert.strictEqual(codeOf(yield* Fiber.join(stalled)), "ECONNRESET")
      assert.strictEqual(codeOf(yield* Fiber.join(delayed)), "ECONNRESET")
      yield* Deferred.await(closed)
      assert.strictEqual(codeOf(yield* Effect.flip(call(client))), "ECONNREFUSED")
    }).pipe(clients)
  )

  it.scopedLive("fails to listen on a port that is taken", () =>
    Effect.gen(function* () {
      const { emulator, port } = yield* served
      const error = yield* Effect.flip(NumberEmulatorServer.serve(emulator, { port }))
      assert.strictEqual(error._tag, "ServeError")
    }).pipe(clients)
  )
})
