import { HttpClient, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  ConfigError,
  ConfigProvider,
  Context,
  Effect,
  Fiber,
  Layer,
  Logger,
  Option,
  Ref,
  Stream,
  TestClock
} from "effect"
import { AuthNotifier } from "../../../../src/services/session/AuthNotifier.js"
import { CredentialProvider } from "../../../../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import {
  account,
  badToken,
  baseUrl,
  environment,
  goodToken,
  ip,
  makeWorld,
  start,
  type World
} from "../../../support/stack.js"

const kinds = (world: World) =>
  Effect.map(Ref.get(world.notices), (notices) => notices.map(({ notice }) => notice.kind))

/** Lets the fibers that notify people run. */
const notified = Effect.yieldNow({ priority: 100 }).pipe(Effect.repeatN(20))

describe("NumberAuth.replaceCredentials with a token that is rejected", () => {
  it.scoped("keeps the current token, and says that the account was aborted with the rejected one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      for (const token of [badToken(1), badToken(2)]) {
        yield* world.emulator.inject(Fault.Status(500, ""))
        yield* Ref.set(world.token, token)
        yield* Effect.flip(auth.sessionKey)
      }
      const error = yield* Effect.flip(auth.replaceCredentials(badToken(1)))
      assert(error._tag === "AuthRejected")
      assert.strictEqual(error.why, "abortedCredentials")
      assert.strictEqual(yield* Ref.get(world.token), badToken(2))
    })
  )
})

describe("NumberAuth.resume", () => {
  it.scoped("allows one more attempt after an abort that was no refusal, and keeps the count", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.Status(500, ""))
      const auth = yield* start(world)
      yield* Effect.flip(auth.sessionKey)
      yield* Effect.flip(auth.sessionKey)
      assert.lengthOf(yield* world.emulator.log, 1)
      yield* auth.resume
      assert.strictEqual((yield* auth.status).failures, 1)
      yield* auth.sessionKey
      assert.lengthOf(yield* world.emulator.log, 2)
      // The status may be a gateway's, while Number still works on the first attempt.
      assert.strictEqual((yield* auth.status).failures, 1)
      yield* TestClock.adjust("5 minutes")
      yield* world.emulator.expireSessions()
      yield* auth.withSession((key) =>
        Effect.map(world.emulator.log, (log) =>
          log.length === 2
            ? { EchoResult: { FunctionOk: false, ErrCode: 5030 } }
            : { EchoResult: { FunctionOk: true }, key }
        )
      )
      assert.lengthOf(yield* world.emulator.log, 3)
      assert.strictEqual((yield* auth.status).failures, 0)
    })
  )

  it.scoped("lets the next success clear a fault that Number itself answered with", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.FunctionNotOk(77, "no"))
      const auth = yield* start(world)
      yield* Effect.flip(auth.sessionKey)
      yield* auth.resume
      yield* auth.sessionKey
      assert.strictEqual((yield* auth.status).failures, 0)
    })
  )

  it.scoped("is rejected if nothing is aborted, and if the credentials were refused", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const idle = yield* Effect.flip(auth.resume)
      assert(idle._tag === "AuthRejected")
      assert.strictEqual(idle.why, "notAborted")
      yield* Ref.set(world.token, badToken(1))
      yield* Effect.flip(auth.sessionKey)
      const refused = yield* Effect.flip(auth.resume)
      assert(refused._tag === "AuthRejected")
      assert.strictEqual(refused.why, "refusedCredentials")
      assert.include(refused.message, "Nothing was changed")
      yield* Effect.flip(auth.sessionKey)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped("does not get an operator past the limit", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(...Array.from({ length: 10 }, () => Fault.Status(500, "")))
      const auth = yield* start(world)
      for (let n = 0; n < 10; n++) {
        yield* Effect.flip(auth.sessionKey)
        yield* Effect.ignore(auth.resume)
      }
      assert.strictEqual(yield* world.emulator.peakOf(ip), 5)
      assert.strictEqual((yield* Effect.flip(auth.resume))._tag, "AuthRejected")
    })
  )
})

describe("NumberAuth.replaceCredentials", () => {
  it.scoped("takes a new token after a refusal, and keeps the count until a success", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      const auth = yield* start(world)
      yield* Effect.flip(auth.sessionKey)
      yield* auth.replaceCredentials(goodToken)
      const status = yield* auth.status
      assert.deepStrictEqual([status.state, status.failures], ["unauthenticated.idle", 1])
      yield* auth.sessionKey
      assert.strictEqual((yield* auth.status).failures, 0)
    })
  )

  it.scoped(
    "rejects a token that was refused before, also in another process, and keeps the current token",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* Ref.set(world.token, badToken(1))
        yield* Effect.flip((yield* start(world)).sessionKey)
        yield* Ref.set(world.token, goodToken)
        const auth = yield* start(world)
        const error = yield* Effect.flip(auth.replaceCredentials(badToken(1)))
        assert(error._tag === "AuthRejected")
        assert.strictEqual(error.why, "refusedCredentials")
        assert.strictEqual(yield* Ref.get(world.token), goodToken)
      })
  )

  it.scoped("rejects text that is no token, without showing it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      const error = yield* Effect.flip(auth.replaceCredentials(`${goodToken}0`))
      assert.strictEqual(error._tag, "InvalidInput")
      assert.notInclude(String(error), goodToken)
    })
  )

  it.scoped("leaves a held session as it is", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.addToken(account, badToken(2))
      const auth = yield* start(world)
      const key = yield* auth.sessionKey
      yield* auth.replaceCredentials(badToken(2))
      assert.strictEqual(yield* auth.sessionKey, key)
      yield* world.emulator.expireSessions()
      yield* auth.httpClient.execute(HttpClientRequest.post("/Echo"))
      assert.lengthOf(yield* world.emulator.log, 2)
      assert.strictEqual(yield* world.emulator.countOf(ip), 0)
    })
  )

  it.scoped("is not needed if the provider yields another token by itself", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.Status(500, ""))
      const auth = yield* start(world)
      yield* Effect.flip(auth.sessionKey)
      yield* world.emulator.addToken(account, badToken(3))
      yield* Ref.set(world.token, badToken(3))
      yield* auth.sessionKey
    })
  )
})

describe("NumberAuth.confirmLockLifted", () => {
  it.scoped("is rejected if there is no lock, and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.Status(500, ""))
      const auth = yield* start(world)
      yield* Effect.flip(auth.sessionKey)
      const error = yield* Effect.flip(auth.confirmLockLifted)
      assert(error._tag === "AuthRejected")
      assert.strictEqual(error.why, "notLocked")
      assert.strictEqual((yield* auth.status).failures, 1)
    })
  )

  it.scoped(
    "ends a reported lock, and the account goes on by itself: a report is no verdict on its token",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.emulator.inject(Fault.ReportLock)
        const auth = yield* start(world)
        const error = yield* Effect.flip(auth.sessionKey)
        assert(error._tag === "AuthLocked")
        assert.isTrue(error.reported)
        assert.strictEqual(Option.getOrNull((yield* auth.status).lock), "reported")
        yield* notified
        assert.deepStrictEqual(yield* kinds(world), ["locked"])
        const lifted = yield* auth.confirmLockLifted
        assert.deepStrictEqual([lifted.state, lifted.failures], ["unauthenticated.idle", 0])
        yield* auth.sessionKey
        assert.lengthOf(yield* world.emulator.log, 2)
      })
  )

  it.scoped("ends a reported lock, and a token that was refused before stays refused", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      const auth = yield* start(world)
      yield* Effect.flip(auth.sessionKey)
      yield* Ref.set(world.token, goodToken)
      yield* world.emulator.inject(Fault.ReportLock)
      assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthLocked")
      yield* auth.confirmLockLifted
      yield* Ref.set(world.token, badToken(1))
      assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthAborted")
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("is not needed for the session that another account holds, which serves until it ends", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = "EP0000002"
      yield* world.emulator.addToken(other, goodToken)
      const auth = yield* start(world)
      const key = yield* auth.sessionKey
      const second = yield* start(world, { account: other })
      yield* world.emulator.inject(Fault.ReportLock)
      assert.strictEqual((yield* Effect.flip(second.sessionKey))._tag, "AuthLocked")
      assert.strictEqual(yield* auth.sessionKey, key)
      assert.strictEqual((yield* auth.httpClient.execute(HttpClientRequest.post("/Echo"))).status, 200)
      assert.strictEqual((yield* auth.status).state, "authenticated")
      yield* world.emulator.expireSessions()
      const error = yield* Effect.flip(auth.httpClient.execute(HttpClientRequest.post("/Echo")))
      assert.strictEqual(error._tag, "AuthLocked")
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )
})

describe("the notices for people", () => {
  it.scoped("warn of a token that ends within thirty days, once per authentication", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const day = 86_400_000
      yield* world.emulator.addToken(account, goodToken, { expiresAtMillis: 20 * day })
      const auth = yield* start(world)
      yield* auth.sessionKey
      yield* notified
      assert.deepStrictEqual(yield* kinds(world), ["tokenExpiring"])
      const [notice] = yield* Ref.get(world.notices)
      assert.include(notice!.message, "1970-01-21T00:00:00.000Z")
      assert.strictEqual(Option.getOrThrow((yield* auth.status).tokenEndsAt).epochMillis, 20 * day)
      yield* auth.sessionKey
      assert.lengthOf(yield* Ref.get(world.notices), 1)
    })
  )

  it.scoped("do not warn of a token that ends later, or that a wrong clock says has ended", () =>
    Effect.gen(function* () {
      for (const days of [40, -1]) {
        const world = yield* makeWorld()
        const sample = JSON.stringify({
          AuthenticateResult: {
            FunctionOk: true,
            AuthSuccess: true,
            SessKey: "ABCDEF",
            ThisUser: { ExpirationDate: new Date(days * 86_400_000).toISOString() }
          }
        })
        yield* world.emulator.inject(Fault.Body(sample))
        const auth = yield* start(world)
        yield* auth.sessionKey
        yield* notified
        assert.deepStrictEqual(yield* kinds(world), [])
        assert.strictEqual(Option.isSome((yield* auth.status).tokenEndsAt), days > 0)
      }
    })
  )

  it.scoped("report an abort without an attempt if the token is past its known end", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.addToken(account, goodToken, { expiresAtMillis: 3_600_000 })
      const auth = yield* start(world)
      yield* auth.sessionKey
      yield* TestClock.adjust("26 hours")
      const error = yield* Effect.flip(auth.sessionKey)
      assert(error._tag === "AuthAborted")
      assert.strictEqual(error.abort.reason, "expired")
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.strictEqual((yield* auth.status).failures, 0)
      yield* notified
      assert.deepStrictEqual(yield* kinds(world), ["tokenExpiring", "aborted"])
      // Number may have renewed it: an operator's resume allows one attempt.
      yield* world.emulator.addToken(account, goodToken)
      yield* auth.resume
      yield* auth.sessionKey
    })
  )

  it.scoped("report an abort for flapping addresses when 5050 refuses the third fresh session", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      let n = 0
      // Authenticate leaves from one address, and each call from another.
      const client = HttpClient.mapRequest(Emulator.httpClient(world.emulator), (request) =>
        HttpClientRequest.setHeader(
          request,
          "x-emulator-ip",
          request.url.endsWith("/Authenticate") ? ip : `203.0.113.${100 + n++}`
        )
      )
      const auth = yield* start(world, {}, client)
      const call = Effect.either(auth.httpClient.execute(HttpClientRequest.post("/Echo")))
      const results = [yield* call, yield* call, yield* call]
      const last = results.find((result) => result._tag === "Left")
      assert(last !== undefined && last.left._tag === "AuthAborted")
      assert.strictEqual(last.left.abort.reason, "addressFlapping")
      assert.include(last.left.message, "more than one IP address")
      assert.lengthOf(yield* world.emulator.log, 3)
      assert.strictEqual(yield* world.emulator.countOf(ip), 0)
      yield* notified
      assert.deepStrictEqual(yield* kinds(world), ["aborted"])
      yield* auth.resume
      assert.strictEqual((yield* auth.status).state, "unauthenticated.idle")
    })
  )

  it.scoped("report no flapping if the address changes once in a while", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      for (let n = 0; n < 8; n++) {
        yield* auth.sessionKey
        yield* TestClock.adjust("11 minutes")
        yield* world.emulator.injectMethod(Fault.Body('{"EchoResult":{"FunctionOk":false,"ErrCode":5050}}'))
        yield* auth.httpClient.execute(HttpClientRequest.post("/Echo"))
      }
      assert.deepStrictEqual(yield* kinds(world), [])
    })
  )

  const withNotifier = (world: World, notify: AuthNotifier["Type"]["notify"]) =>
    Layer.build(
      NumberAuth.layer({ account, baseUrl }).pipe(
        Layer.provide(Layer.succeed(AuthNotifier, { notify })),
        Layer.provide(environment(world)),
        Layer.orDie
      )
    ).pipe(
      Effect.map(
        (context) => context.unsafeMap.get(NumberAuth.NumberAuth.key) as NumberAuth.NumberAuth["Type"]
      )
    )

  it.scoped("change nothing for the callers if the notifier dies, fails, throws or hangs", () =>
    Effect.gen(function* () {
      const notifiers: ReadonlyArray<AuthNotifier["Type"]["notify"]> = [
        () => Effect.die(new Error(goodToken)),
        () => Effect.fail(goodToken),
        () => {
          throw new Error(goodToken)
        },
        () => Effect.never,
        () => Effect.uninterruptible(Effect.never),
        () => Effect.interrupt
      ]
      const logs: Array<string> = []
      const keeping = Logger.make<unknown, void>(({ logLevel, message }) => {
        if (logLevel._tag === "Error") logs.push(String(message))
      })
      for (const notify of [...notifiers, () => Effect.void]) {
        const world = yield* makeWorld()
        yield* Ref.set(world.token, badToken(1))
        logs.length = 0
        yield* Effect.gen(function* () {
          const auth = yield* withNotifier(world, notify)
          const error = yield* Effect.flip(auth.sessionKey)
          assert.strictEqual(error._tag, "AuthAborted")
          yield* auth.replaceCredentials(goodToken)
          yield* auth.sessionKey
          assert.strictEqual((yield* auth.status).state, "authenticated")
          yield* TestClock.adjust("11 seconds")
        }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, keeping)))
        const failed = `The notifier failed to tell people that account ${account} needs them (aborted).`
        assert.deepStrictEqual(logs, notifiers.includes(notify) ? [failed] : [])
      }
    })
  )

  it.scoped("go out once each, even if a thousand callers meet the abort", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      const auth = yield* start(world)
      yield* Effect.all(
        Array.from({ length: 1000 }, () => Effect.flip(auth.sessionKey)),
        { concurrency: "unbounded" }
      )
      yield* Effect.flip(auth.sessionKey)
      yield* notified
      assert.deepStrictEqual(yield* kinds(world), ["aborted"])
    })
  )
})

describe("the status of NumberAuth", () => {
  it.scoped("is read without a change, and sees the time that has passed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      assert.isTrue(Option.isNone((yield* auth.status).expiresAt))
      yield* auth.sessionKey
      const status = yield* auth.status
      assert.strictEqual(Option.getOrThrow(status.expiresAt).epochMillis, 25 * 3_600_000)
      assert.strictEqual(Option.getOrNull(status.generation), 1)
      yield* TestClock.adjust("25 hours")
      assert.strictEqual((yield* auth.status).state, "expired.idle")
      assert.isTrue(Option.isNone((yield* auth.status).generation))
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.deepStrictEqual(yield* kinds(world), [])
    })
  )

  it.scoped("says whether there is a lock, and whether the limit or a report of Number's caused it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world, { limit: 2 })
      assert.isNull(Option.getOrNull((yield* auth.status).lock))
      for (const n of [1, 2]) {
        yield* Ref.set(world.token, badToken(n))
        yield* Effect.flip(auth.sessionKey)
      }
      assert.strictEqual(Option.getOrNull((yield* auth.status).lock), "limit")
      const reported = yield* makeWorld()
      yield* reported.emulator.inject(Fault.ReportLock)
      const other = yield* start(reported)
      yield* Effect.flip(other.sessionKey)
      assert.strictEqual(Option.getOrNull((yield* other.status).lock), "reported")
    })
  )

  it.scoped(
    "is emitted by changes at once, and again after what any process does, without repeating itself",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const auth = yield* start(world)
        const other = yield* start(world)
        yield* Ref.set(world.token, badToken(1))
        const watching = yield* auth.changes.pipe(
          Stream.map(({ failures, state }) => `${state} ${failures}`),
          Stream.changes,
          Stream.takeUntil((seen) => seen === "authenticated 0"),
          Stream.runCollect,
          Effect.fork
        )
        yield* notified
        yield* Effect.flip(other.sessionKey)
        yield* notified
        yield* Ref.set(world.token, goodToken)
        yield* other.sessionKey
        const seen = Chunk.toReadonlyArray(yield* Fiber.join(watching))
        assert.strictEqual(seen[0], "unauthenticated.idle 0")
        assert.include(seen, "aborted 1")
        assert.strictEqual(seen.at(-1), "authenticated 0")
      })
  )
})

describe("NumberAuth.make", () => {
  it.scoped("refuses settings that would not be safe, and names them", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const refused: ReadonlyArray<readonly [Partial<NumberAuth.Options>, string]> = [
        [{ limit: 6 }, "policy"],
        [{ limit: 0 }, "policy"],
        [{ limit: 2.5 }, "policy"],
        [{ limit: NaN }, "policy"],
        [{ account: "911687" }, "account code"],
        [{ location: "a b" }, "location"],
        [{ baseUrl: "http://number.test" }, "base URL"],
        [{ attemptTimeout: "45 seconds", leaseDuration: "45 seconds" }, "lease duration"],
        [{ attemptTimeout: 0 }, "attempt time-out"],
        [{ attemptTimeout: Infinity }, "attempt time-out"],
        [{ drainTime: 0 }, "policy"],
        [{ drainTime: Infinity }, "policy"],
        [{ drainTime: "59 seconds" }, "drain time"],
        [{ sessionLifetime: 0 }, "policy"],
        [{ lostAttempts: "retry" as never }, "policy"]
      ]
      const expected: Readonly<Record<string, string>> = {
        policy: "a limit from 1 to 5 (Number locks the IP at 6), and positive, finite durations",
        "drain time":
          "1m or more (a minute at least, and no shorter than the lease): Number may work on a lost attempt for as long, and count it after its mark was cleared",
        "lease duration": "a duration longer than the attempt time-out",
        "attempt time-out": "a finite duration such as 30 seconds"
      }
      for (const [options, field] of refused) {
        const error = yield* Effect.flip(
          Layer.build(
            NumberAuth.layer({ account, baseUrl, ...options }).pipe(Layer.provide(environment(world)))
          )
        )
        assert(error._tag === "InvalidInput")
        assert.strictEqual(error.field, field)
        if (field in expected) assert.strictEqual(error.expected, expected[field])
      }
      // The shortest duration.
      const auth = yield* start(world, { attemptTimeout: 1 })
      assert.strictEqual((yield* auth.status).limit, 5)
    })
  )

  it.scoped("takes its settings from the environment with layerConfig, the account among them", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const build = (settings: ReadonlyArray<readonly [string, string]>) =>
        Layer.build(
          NumberAuth.layerConfig().pipe(
            Layer.provide(environment(world)),
            Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(settings))))
          )
        ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))
      const named = [
        ["NUMBER_ACCOUNT_CODE", account],
        ["NUMBER_LOCATION", "shop-7"],
        ["NUMBER_LIMIT", "3"]
      ] as const
      const status = yield* Effect.flatMap(build(named), (auth) => auth.status)
      assert.deepStrictEqual([status.account, status.location, status.limit], [account, "shop-7", 3])
      const plain = yield* Effect.flatMap(build(named.slice(0, 1)), (auth) => auth.status)
      assert.deepStrictEqual([plain.account, plain.location, plain.limit], [account, "default", 5])
      const missing = yield* Effect.flip(build(named.slice(1)))
      assert(ConfigError.isConfigError(missing) && ConfigError.isMissingData(missing))
      assert.deepStrictEqual(missing.path, ["NUMBER_ACCOUNT_CODE"])
    })
  )
})

describe("a source of tokens that does not answer", () => {
  it.scoped("is given up after thirty seconds, and nothing is sent", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const context = yield* Layer.build(
        NumberAuth.layer({ account, baseUrl }).pipe(
          Layer.provide(
            Layer.succeed(CredentialProvider, { get: () => Effect.never, put: () => Effect.void })
          ),
          Layer.provide(environment(world)),
          Layer.orDie
        )
      )
      const auth = Context.get(context, NumberAuth.NumberAuth)
      const asking = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("29 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(asking)))
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(asking)
      assert(error._tag === "CredentialError")
      assert.strictEqual(error.detail, "its source did not answer within 30 seconds")
      assert.strictEqual(yield* world.emulator.requestsSeen, 0)
      assert.strictEqual((yield* auth.status).failures, 0)
    })
  )
})

describe("the standing that people see", () => {
  it.scoped("has the greater of the counts: of the location, and of the account", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = "EP0000002"
      yield* world.emulator.addToken(other, goodToken)
      const bad = yield* start(world)
      const good = yield* start(world, { account: other })
      yield* Ref.set(world.token, badToken(1))
      yield* Effect.flip(bad.sessionKey)
      assert.strictEqual((yield* good.status).failures, 1)
      yield* Ref.set(world.token, goodToken)
      yield* good.sessionKey
      // Another account's success clears the location's count, and not the account's own.
      assert.strictEqual((yield* good.status).failures, 0)
      assert.strictEqual((yield* bad.status).failures, 1)
      yield* Ref.set(world.token, badToken(2))
      const error = yield* Effect.flip(bad.sessionKey)
      assert(error._tag === "AuthAborted")
      assert.strictEqual(error.standing.failures, 2)
      assert.strictEqual((yield* good.status).failures, 1)
      assert.strictEqual((yield* bad.status).failures, 2)
    })
  )
})
