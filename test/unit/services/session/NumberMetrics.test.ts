import { HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Effect,
  Fiber,
  HashMap,
  Logger,
  LogLevel,
  Metric,
  MetricKeyType,
  Option,
  Redacted,
  Ref,
  TestClock
} from "effect"
import { randomUUID } from "node:crypto"
import type { Location } from "../../../../src/schemas/Credentials.js"
import * as NumberMetrics from "../../../../src/services/session/NumberMetrics.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { observed } from "../../../support/observed.js"
import { account, badToken, goodToken, makeWorld, start } from "../../../support/stack.js"

/** Metrics belong to the process, and outlive this module: each test has a location of its own. */
const newLocation = (): string => `metrics-${randomUUID()}`

const at = <Type, In, Out>(
  metric: Metric.Metric<Type, In, Out>,
  location: string,
  tags: Readonly<Record<string, string>> = {}
): Effect.Effect<Out> =>
  Metric.value(
    Object.entries(tags).reduce(
      (tagged, [name, value]) => Metric.tagged(tagged, name, value),
      Metric.tagged(metric, "location", location)
    )
  )

const attempts = (location: string) =>
  Effect.all(
    Object.fromEntries(
      ["accepted", "refused", "faulted", "lost", "unsent"].map((outcome) => [
        outcome,
        Effect.map(at(NumberMetrics.attempts, location, { outcome }), ({ count }) => count)
      ])
    )
  )

const renewals = (location: string) =>
  Effect.all(
    Object.fromEntries(
      ["5030", "5050", "expired"].map((reason) => [
        reason,
        Effect.map(at(NumberMetrics.renewals, location, { reason }), ({ count }) => count)
      ])
    )
  )

const room = (location: string) => Effect.map(at(NumberMetrics.room, location), ({ value }) => value)

const echo = HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ n: 1 }))

describe("NumberMetrics", () => {
  it.scoped("counts each attempt under its outcome, once", () =>
    Effect.gen(function* () {
      const location = newLocation()
      const world = yield* makeWorld()
      const auth = yield* start(world, { location })
      yield* world.emulator.inject(Fault.Refuse)
      yield* Effect.ignore(auth.sessionKey)
      yield* world.emulator.inject(Fault.Status(500, ""))
      yield* Effect.ignore(auth.sessionKey)
      yield* auth.resume
      yield* world.emulator.inject(Fault.DropAnswer)
      yield* Effect.ignore(auth.sessionKey)
      yield* auth.resume
      yield* Ref.set(world.token, badToken(1))
      yield* Effect.ignore(auth.sessionKey)
      yield* Effect.ignore(auth.sessionKey)
      yield* auth.replaceCredentials(goodToken)
      yield* Effect.all(
        Array.from({ length: 20 }, () => auth.sessionKey),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* attempts(location), {
        accepted: 1,
        refused: 1,
        faulted: 1,
        lost: 1,
        unsent: 1
      })
      assert.deepStrictEqual(yield* renewals(location), { "5030": 0, "5050": 0, expired: 0 })
    })
  )

  it.scoped(
    "counts a renewal once for all calls that were refused together, by its reason, with the session's age",
    () =>
      Effect.gen(function* () {
        const location = newLocation()
        const world = yield* makeWorld()
        const auth = yield* start(world, { location })
        yield* auth.sessionKey
        yield* TestClock.adjust("2 hours")
        yield* world.emulator.expireSessions()
        yield* Effect.all(
          Array.from({ length: 50 }, () => auth.httpClient.execute(echo)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(yield* renewals(location), { "5030": 1, "5050": 0, expired: 0 })
        yield* TestClock.adjust("1 hour")
        yield* world.emulator.injectMethod(Fault.FunctionNotOk(5050, ""))
        yield* auth.httpClient.execute(echo)
        assert.deepStrictEqual(yield* renewals(location), { "5030": 1, "5050": 1, expired: 0 })
        yield* TestClock.adjust("25 hours")
        yield* auth.sessionKey
        yield* auth.sessionKey
        assert.deepStrictEqual(yield* renewals(location), { "5030": 1, "5050": 1, expired: 1 })
        const { count, max, min, sum } = yield* at(NumberMetrics.sessionAge, location)
        assert.deepStrictEqual([count, min, max, sum], [3, 3600, 25 * 3600, 28 * 3600])
      })
  )

  it.scoped("shows the room of the location's count, during an attempt and after it", () =>
    Effect.gen(function* () {
      const location = newLocation()
      const world = yield* makeWorld()
      const auth = yield* start(world, { location, limit: 3 })
      yield* world.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const asking = yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* room(location), 2)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(asking)
      assert.strictEqual(yield* room(location), 3)
      for (const left of [2, 1, 0]) {
        yield* world.emulator.expireSessions()
        yield* world.emulator.inject(Fault.Status(500, ""))
        yield* Effect.ignore(auth.httpClient.execute(echo))
        assert.strictEqual(yield* room(location), left)
        yield* Effect.ignore(auth.resume)
      }
    })
  )

  it.scoped("shows no room at a location that Number reports as locked", () =>
    Effect.gen(function* () {
      const location = newLocation()
      const world = yield* makeWorld()
      const auth = yield* start(world, { location })
      yield* world.emulator.inject(Fault.ReportLock)
      yield* Effect.ignore(auth.sessionKey)
      assert.strictEqual(yield* room(location), 0)
    })
  )

  it.scoped("measures how long callers wait for a session, and nothing if one is held", () =>
    Effect.gen(function* () {
      const location = newLocation()
      const world = yield* makeWorld()
      const auth = yield* start(world, { location })
      yield* world.emulator.inject(Fault.DelayAnswer("4 seconds"))
      const first = yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("3 seconds")
      const second = yield* Effect.fork(auth.withSession(Effect.succeed))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      const waits = at(NumberMetrics.wait, location)
      const { count, max, min } = yield* waits
      assert.deepStrictEqual([count, min, max], [2, 1, 4])
      yield* auth.sessionKey
      yield* auth.withSession(Effect.succeed)
      yield* auth.httpClient.execute(echo)
      assert.strictEqual((yield* waits).count, 2)
      // A caller that gives up has waited, too.
      yield* world.emulator.expireSessions()
      yield* world.emulator.inject(Fault.DelayAnswer("20 seconds"))
      const gone = yield* Effect.fork(auth.httpClient.execute(echo))
      yield* TestClock.adjust("7 seconds")
      yield* Fiber.interrupt(gone)
      assert.deepStrictEqual([(yield* waits).count, (yield* waits).max], [3, 7])
      yield* TestClock.adjust("20 seconds")
    })
  )

  it.scoped("has no tag but the location, the outcome and the reason", () =>
    Effect.gen(function* () {
      const location = newLocation()
      const world = yield* makeWorld()
      const auth = yield* start(world, { location })
      yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      yield* auth.httpClient.execute(echo)
      const ours = (yield* Metric.snapshot).filter(({ metricKey }) =>
        metricKey.name.startsWith("number_auth_")
      )
      const mine = ours.filter(({ metricKey }) => metricKey.tags.some(({ value }) => value === location))
      assert.deepStrictEqual(
        mine
          .map(
            ({ metricKey }) =>
              `${metricKey.name} ${metricKey.tags
                .map(({ key }) => key)
                .sort()
                .join(" ")}`
          )
          .sort(),
        [
          "number_auth_attempts_total location outcome",
          "number_auth_renewals_total location reason",
          "number_auth_room location",
          "number_auth_session_age_seconds location",
          "number_auth_wait_seconds location"
        ]
      )
    })
  )

  it.effect("describes each metric, and uses the units of the names", () =>
    Effect.gen(function* () {
      const location = newLocation() as Location
      yield* NumberMetrics.attemptEnded(location, "lost")
      yield* NumberMetrics.sessionRenewed(location, { reason: "5050", ageMillis: 61_500 })
      yield* NumberMetrics.roomLeft(location, 3)
      yield* NumberMetrics.waited(location, 250)
      const mine = (yield* Metric.snapshot).filter(({ metricKey }) =>
        metricKey.tags.some(({ value }) => value === location)
      )
      const rows = mine.map(({ metricKey: { description, keyType, name } }) => [
        name,
        Option.getOrNull(description),
        MetricKeyType.isCounterKey(keyType)
          ? keyType.incremental
          : MetricKeyType.isHistogramKey(keyType)
            ? keyType.boundaries.values
            : MetricKeyType.isGaugeKey(keyType)
      ])
      assert.deepStrictEqual(
        rows.sort(([one], [two]) => String(one).localeCompare(String(two))),
        [
          ["number_auth_attempts_total", "Attempts to authenticate, by location and outcome", true],
          [
            "number_auth_renewals_total",
            "Sessions that replaced another, by location and by the reason why the other one ended",
            true
          ],
          ["number_auth_room", "Attempts that the location's count still allows, by location", true],
          [
            "number_auth_session_age_seconds",
            "Age of sessions when another replaced them, in seconds, by location",
            [60, 600, 3600, 21_600, 43_200, 86_400, 90_000, 93_600, Infinity]
          ],
          [
            "number_auth_wait_seconds",
            "Time that callers waited for a session that was not held, in seconds, by location",
            [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, Infinity]
          ]
        ]
      )
      assert.strictEqual((yield* at(NumberMetrics.sessionAge, location)).max, 61.5)
      assert.strictEqual((yield* at(NumberMetrics.wait, location)).max, 0.25)
    })
  )
})

describe("the log of attempts", () => {
  it.scoped(
    "has the known fields of the answer, at debug level if the attempt was accepted, and as a warning if not",
    () =>
      Effect.gen(function* () {
        const location = newLocation()
        const world = yield* makeWorld()
        const entries: Array<readonly [string, string, Readonly<Record<string, unknown>>]> = []
        const logger = Logger.make<unknown, void>(({ annotations, logLevel, message }) => {
          const fields = Object.fromEntries(HashMap.toEntries(annotations))
          if (fields["call"] === "Authenticate") entries.push([logLevel.label, String(message), fields])
        })
        yield* Effect.gen(function* () {
          const auth = yield* start(world, { location })
          yield* world.emulator.inject(Fault.Refuse)
          yield* Effect.ignore(auth.sessionKey)
          yield* world.emulator.inject(Fault.FunctionNotOk(77, "ERROR:77"))
          yield* Effect.ignore(auth.sessionKey)
          yield* auth.resume
          yield* Ref.set(world.token, badToken(1))
          yield* Effect.ignore(auth.sessionKey)
          yield* auth.replaceCredentials(goodToken)
          yield* auth.sessionKey
        }).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
        const message = `The attempt to authenticate account ${account} at location ${location} was`
        const common = { call: "Authenticate", account, location }
        assert.deepStrictEqual(entries, [
          [
            "WARN",
            `${message} unsent: Number could not be reached (ECONNREFUSED).`,
            { ...common, outcome: "unsent" }
          ],
          [
            "WARN",
            `${message} faulted: Number could not carry out the call: ERROR:77 (ErrCode 77).`,
            {
              ...common,
              outcome: "faulted",
              FunctionOk: false,
              ErrCode: 77,
              ErrMsg: "Number could not carry out the call: ERROR:77 (ErrCode 77)"
            }
          ],
          [
            "WARN",
            `${message} refused: Invalid Token.`,
            { ...common, outcome: "refused", FunctionOk: true, success: false, RespMsg: "Invalid Token" }
          ],
          [
            "DEBUG",
            `${message} accepted.`,
            { ...common, outcome: "accepted", FunctionOk: true, success: true }
          ]
        ])
      })
  )

  it.scoped("is on the attempt's span, too, which begins before that of the HTTP request", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      const [, output] = yield* observed(
        Effect.flatMap(start(world, { location: newLocation() }), (auth) => Effect.ignore(auth.sessionKey))
      )
      assert.include(output.names, "NumberAuth.attempt")
      assert.include(output.spans, "NumberAuth.attempt number.RespMsg Invalid Token")
      assert.isBelow(output.names.indexOf("NumberAuth.attempt"), output.names.indexOf("http.client POST"))
    })
  )

  it.scoped("does not change how an attempt ends, even if the logger throws", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const broken = Logger.replace(
        Logger.defaultLogger,
        Logger.make(() => {
          throw new Error("disk full")
        })
      )
      const key = yield* Effect.flatMap(
        start(world, { location: newLocation() }),
        (auth) => auth.sessionKey
      ).pipe(Effect.provide(broken), Logger.withMinimumLogLevel(LogLevel.All))
      assert.match(Redacted.value(key), /^[0-9A-F]{42}$/)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )
})
