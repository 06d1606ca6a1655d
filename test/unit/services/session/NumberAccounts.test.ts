/**
 * Many accounts at one location: the fair queue, and accounts that come and go.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  ConfigError,
  ConfigProvider,
  Context,
  Effect,
  Exit,
  Fiber,
  Layer,
  Redacted,
  TestClock
} from "effect"
import type { Location, Token } from "../../../../src/schemas/Credentials.js"
import { CredentialProvider } from "../../../../src/services/session/CredentialProvider.js"
import * as NumberAccounts from "../../../../src/services/session/NumberAccounts.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import {
  accountOf,
  type Crowd,
  crowdEnvironment,
  makeCrowd,
  numbers,
  startCrowd,
  tagsOf
} from "../../../support/accounts.js"
import { baseUrl, ip } from "../../../support/stack.js"

describe("accounts of one location", () => {
  it.scoped("take their turns in the order in which they asked", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(40)
      yield* crowd.emulator.setDelays({ answer: "1 second" })
      const accounts = yield* startCrowd(crowd, { limit: 1 })
      const asking = yield* Effect.fork(
        Effect.forEach(numbers(40), (n) => accounts.sessionKey(accountOf(n)), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(asking)
      assert.deepStrictEqual(yield* crowd.order, numbers(40).map(accountOf))
      assert.strictEqual(crowd.seen.most, 1)
    })
  )

  it.scoped("do not starve one that waits, even if they ask again and again", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(9)
      yield* crowd.emulator.setDelays({ answer: "1 second" })
      const accounts = yield* startCrowd(crowd, { limit: 1 })
      // The sessions of eight accounts end at once, and the accounts renew them at once, for ever.
      const refused = { EchoResult: { ErrCode: 5030, FunctionOk: false } }
      const greedy = yield* Effect.fork(
        Effect.forEach(
          numbers(8).map(accountOf),
          (account) =>
            Effect.forever(
              accounts.withSession(account, () => Effect.as(crowd.emulator.expireSessions(account), refused))
            ),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("20 seconds")
      const before = (yield* crowd.order).length
      assert.isAbove(before, 15)
      const patient = yield* Effect.fork(accounts.sessionKey(accountOf(8)))
      yield* TestClock.adjust("15 seconds")
      yield* Fiber.join(patient)
      // The eight that waited already go first, none of them twice; one more attempt was under way.
      const position = (yield* crowd.order).indexOf(accountOf(8)) - before
      assert.isAtLeast(position, 7)
      assert.isAtMost(position, 9)
      const since = (yield* crowd.order).slice(before + 1, before + position)
      assert.strictEqual(new Set(since).size, since.length)
      yield* Fiber.interrupt(greedy)
      yield* TestClock.adjust("5 seconds")
    })
  )

  it.scoped("do not queue for a session that is held or that the store has", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(6)
      const first = yield* startCrowd(crowd)
      const key = yield* first.sessionKey(accountOf(0))
      yield* first.sessionKey(accountOf(5))
      yield* crowd.emulator.setDelays({ answer: "20 seconds" })
      const accounts = yield* startCrowd(crowd, { limit: 1 })
      yield* accounts.sessionKey(accountOf(0))
      const others = yield* Effect.fork(
        Effect.forEach([1, 2, 3], (n) => accounts.sessionKey(accountOf(n)), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1 second")
      // No time passes: this process holds one session, and the other process stored the other.
      assert.strictEqual(Redacted.value(yield* accounts.sessionKey(accountOf(0))), Redacted.value(key))
      yield* accounts.sessionKey(accountOf(5))
      assert.lengthOf(yield* crowd.order, 3)
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(others)
    })
  )

  it.scoped(
    "fail as busy when the queue takes longer than queueTimeout, and have sent nothing for that caller",
    () =>
      Effect.gen(function* () {
        const crowd = yield* makeCrowd(3)
        yield* crowd.emulator.setDelays({ answer: "10 seconds" })
        const accounts = yield* startCrowd(crowd, { limit: 1, queueTimeout: "5 seconds" })
        const asking = yield* Effect.fork(
          Effect.forEach(numbers(3), (n) => Effect.exit(accounts.sessionKey(accountOf(n))), {
            concurrency: "unbounded"
          })
        )
        // The second has its turn at once and waits for room, the third waits for its turn.
        yield* TestClock.adjust("30 seconds")
        const exits = yield* Fiber.join(asking)
        assert.deepStrictEqual(tagsOf(exits), { ok: 2, AuthBusy: 1 })
        const busy =
          Exit.isFailure(exits[2]!) && Cause.isFailType(exits[2].cause) ? exits[2].cause.error : null
        assert.strictEqual(busy?._tag === "AuthBusy" ? busy.on : null, "turn")
        assert.match(busy!.message, /asked before account EP0000002.*nothing was sent/)
        assert.lengthOf(yield* crowd.order, 2)
      })
  )

  it.scoped("do not hold the place of callers that have gone, in the queue and at its head", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(5)
      yield* crowd.emulator.setDelays({ answer: "10 seconds" })
      const accounts = yield* startCrowd(crowd, { limit: 1 })
      const [first, head, second, third] = yield* Effect.forEach([0, 1, 2, 3], (n) =>
        Effect.zipLeft(Effect.fork(accounts.sessionKey(accountOf(n))), TestClock.adjust("1 second"))
      )
      const other = yield* Effect.fork(accounts.sessionKey(accountOf(3)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(head!)
      yield* Fiber.interrupt(second!)
      // Of two callers of one account, one has gone: the other keeps the place.
      yield* Fiber.interrupt(third!)
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(first!)
      yield* Fiber.join(other)
      assert.deepStrictEqual(yield* crowd.order, [accountOf(0), accountOf(3)])
      // A caller that comes back is served as usual.
      const again = yield* Effect.fork(accounts.sessionKey(accountOf(1)))
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(again)
    })
  )

  it.scoped(
    "lock the location by its own limit if five of them have bad tokens, and the others do not hang",
    () =>
      Effect.gen(function* () {
        const crowd = yield* makeCrowd(50)
        for (const n of numbers(5)) crowd.spoil(n)
        yield* crowd.emulator.setDelays({ answer: "1 second" })
        const accounts = yield* startCrowd(crowd)
        const asking = yield* Effect.fork(
          Effect.forEach(numbers(50), (n) => Effect.exit(accounts.sessionKey(accountOf(n))), {
            concurrency: "unbounded"
          })
        )
        yield* TestClock.adjust("5 seconds")
        const tags = tagsOf(yield* Fiber.join(asking))
        assert.strictEqual((tags["AuthLocked"] ?? 0) + (tags["AuthAborted"] ?? 0), 50)
        assert.isAtLeast(tags["AuthLocked"] ?? 0, 45)
        assert.strictEqual(yield* crowd.emulator.peak, 5)
        assert.isFalse(yield* crowd.emulator.isLocked(ip))
      })
  )

  it.scoped("wait if another process's attempts fill the room, and fail as busy after waitTimeout", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(3)
      yield* crowd.emulator.inject(Fault.DelayAnswer("25 seconds"))
      const there = yield* startCrowd(crowd, { limit: 1 })
      const here = yield* startCrowd(crowd, { limit: 1, waitTimeout: "10 seconds" })
      yield* Effect.fork(there.sessionKey(accountOf(0)))
      yield* TestClock.adjust("1 second")
      const asking = yield* Effect.fork(Effect.flip(here.sessionKey(accountOf(1))))
      yield* TestClock.adjust("11 seconds")
      const error = yield* Fiber.join(asking)
      assert.strictEqual(error._tag === "AuthBusy" ? error.on : error._tag, "room")
      yield* TestClock.adjust("8 seconds")
      const later = yield* Effect.fork(here.sessionKey(accountOf(2)))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(later)
      assert.strictEqual(crowd.seen.most, 1)
    })
  )
})

describe("an account that is not in use", () => {
  it.scoped("is released after idleTimeToLive, and comes back with the session of the store", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(20)
      const accounts = yield* startCrowd(crowd, { idleTimeToLive: "1 minute" })
      const keys = yield* Effect.forEach(numbers(20), (n) => accounts.sessionKey(accountOf(n)))
      assert.lengthOf(yield* accounts.accounts, 20)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* accounts.sessionKey(accountOf(7)), keys[7])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* accounts.accounts, [accountOf(7)])
      const auth = yield* accounts.get(accountOf(3).toLowerCase())
      assert.strictEqual(Redacted.value(yield* auth.sessionKey), Redacted.value(keys[3]!))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* accounts.accounts, [accountOf(3)])
      assert.lengthOf(yield* crowd.order, 20)
    })
  )

  it.scoped("is not released before the attempt that its caller left behind is settled", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(2)
      yield* crowd.emulator.setDelays({ answer: "20 seconds" })
      const accounts = yield* startCrowd(crowd, { idleTimeToLive: 0 })
      const asking = yield* Effect.fork(accounts.sessionKey(accountOf(0)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(asking)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* accounts.accounts, [accountOf(0)])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* accounts.accounts, [])
      const auth = yield* accounts.get(accountOf(0))
      const { failures, inFlight, state } = yield* auth.status
      assert.deepStrictEqual([state, failures, inFlight], ["authenticated", 0, 0])
    })
  )

  it.scoped("fails as InvalidInput if its code is malformed, and takes no place in memory", () =>
    Effect.gen(function* () {
      const accounts = yield* startCrowd(yield* makeCrowd(1))
      const error = yield* Effect.flip(accounts.sessionKey("EP1"))
      assert.strictEqual(error._tag, "InvalidInput")
      assert.deepStrictEqual(yield* accounts.accounts, [])
    })
  )
})

describe("an account whose callers have gone", () => {
  it.scoped("asks for no room and makes no attempt if they left while its token was fetched", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(2)
      const slow = Layer.succeed(CredentialProvider, {
        get: (account) =>
          Effect.as(Effect.sleep("5 seconds"), Redacted.make(crowd.tokens.get(account)!) as Token),
        put: () => Effect.void
      })
      const context = yield* Layer.build(
        NumberAccounts.layer({ baseUrl, limit: 1 }).pipe(
          Layer.provide(Layer.merge(crowdEnvironment(crowd), slow)),
          Layer.orDie
        )
      )
      const accounts = Context.get(context, NumberAccounts.NumberAccounts)
      const gone = yield* Effect.fork(accounts.sessionKey(accountOf(0)))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(gone)
      const asking = yield* Effect.fork(accounts.sessionKey(accountOf(1)))
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(asking)
      assert.deepStrictEqual(yield* crowd.order, [accountOf(1)])
    })
  )
})

describe("NumberAccounts.layerConfig", () => {
  const build = (crowd: Crowd, settings: Readonly<Record<string, string>>) =>
    Layer.build(NumberAccounts.layerConfig().pipe(Layer.provide(crowdEnvironment(crowd)))).pipe(
      Effect.map(Context.get(NumberAccounts.NumberAccounts)),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings))))
    )

  it.scoped("takes location, base URL, attempt time-out and limit from the environment", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(1)
      yield* crowd.emulator.inject(Fault.DelayAnswer("9 seconds"))
      const accounts = yield* build(crowd, {
        NUMBER_LOCATION: "shop-7",
        NUMBER_BASE_URL: baseUrl,
        NUMBER_ATTEMPT_TIMEOUT: "3 seconds",
        NUMBER_LIMIT: "2"
      })
      const asking = yield* Effect.fork(Effect.flip(accounts.sessionKey(accountOf(0))))
      yield* TestClock.adjust("4 seconds")
      const error = yield* Fiber.join(asking)
      assert(error._tag === "AuthAborted")
      const { failures, limit, location } = error.standing
      assert.deepStrictEqual([location, failures, limit], ["shop-7", 1, 2])
    })
  )

  it.scoped("fails for a wrong setting before any account is asked for", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(1)
      const error = yield* Effect.flip(build(crowd, { NUMBER_LIMIT: "6" }))
      assert(!ConfigError.isConfigError(error))
      assert.strictEqual(error._tag, "InvalidInput")
    })
  )
})

describe("a lock of the location", () => {
  it.scoped("is announced by another account if the first one fails, even after all have met it", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(30)
      const sent: Array<string> = []
      let failures = 2
      const accounts = yield* startCrowd(crowd, {}, ({ notice, standing }) =>
        notice.kind !== "locked"
          ? Effect.void
          : Effect.zipRight(
              Effect.sleep("3 seconds"),
              failures-- > 0 ? Effect.fail("down") : Effect.sync(() => void sent.push(standing.account))
            )
      )
      for (const n of numbers(5)) crowd.spoil(n)
      yield* Effect.forEach(numbers(5), (n) => Effect.exit(accounts.sessionKey(accountOf(n))))
      const asking = yield* Effect.fork(
        Effect.forEach(numbers(30).slice(5), (n) => Effect.exit(accounts.sessionKey(accountOf(n))), {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(tagsOf(yield* Fiber.join(asking)), { AuthLocked: 25 })
      assert.lengthOf(sent, 1)
    })
  )

  it.scoped("is announced by at most five accounts if all fail, and then by the next that meets it", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(20)
      const tried: Array<string> = []
      const accounts = yield* startCrowd(crowd, {}, ({ notice, standing }) =>
        Effect.suspend(() => {
          if (notice.kind !== "locked") return Effect.void
          tried.push(standing.account)
          return Effect.zipRight(Effect.sleep("1 second"), Effect.fail("down"))
        })
      )
      for (const n of numbers(5)) crowd.spoil(n)
      yield* Effect.forEach(numbers(5), (n) => Effect.exit(accounts.sessionKey(accountOf(n))))
      const ask = (from: number, to: number) =>
        Effect.forEach(numbers(to).slice(from), (n) => Effect.exit(accounts.sessionKey(accountOf(n))), {
          concurrency: "unbounded"
        })
      const asking = yield* Effect.fork(ask(5, 19))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(asking)
      assert.strictEqual(new Set(tried).size, 5)
      assert.lengthOf(tried, 5)
      const again = yield* Effect.fork(ask(19, 20))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(again)
      assert.deepStrictEqual(tried.slice(5), [accountOf(19)])
    })
  )

  it.scoped("is announced once for all accounts, and again if it comes back or if announcing it failed", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(30)
      const sent: Array<string> = []
      let isDown = true
      const accounts = yield* startCrowd(crowd, {}, (notice) =>
        isDown
          ? Effect.fail("down")
          : Effect.sync(() => void sent.push(`${notice.notice.kind} ${notice.standing.account}`))
      )
      const ask = (from: number, to: number) =>
        Effect.forEach(numbers(to).slice(from), (n) => Effect.exit(accounts.sessionKey(accountOf(n))))
      for (const n of numbers(5)) crowd.spoil(n)
      yield* ask(0, 6)
      yield* TestClock.adjust("1 second")
      isDown = false
      assert.deepStrictEqual(tagsOf(yield* ask(6, 20)), { AuthLocked: 14 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(sent, [`locked ${accountOf(6)}`])
      // After the drain time, support has reset the count; then five others fail.
      yield* crowd.emulator.liftLock(ip)
      yield* TestClock.adjust("10 minutes")
      const first = yield* accounts.get(accountOf(6))
      yield* first.confirmLockLifted
      for (const n of numbers(5)) crowd.spoil(20 + n)
      yield* ask(20, 30)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(sent.filter((each) => each.startsWith("aborted")).length, 5)
      assert.lengthOf(
        sent.filter((each) => each.startsWith("locked")),
        2
      )
    })
  )
})

describe("NumberAccounts, when the process ends", () => {
  it.effect("settles the attempts that are under way, and gives no account another turn", () =>
    Effect.gen(function* () {
      const crowd = yield* Effect.scoped(
        Effect.gen(function* () {
          const made = yield* makeCrowd(20)
          yield* made.emulator.setDelays({ answer: "2 seconds" })
          const accounts = yield* startCrowd(made)
          yield* Effect.forkDaemon(
            Effect.forEach(numbers(20), (n) => Effect.exit(accounts.sessionKey(accountOf(n))), {
              concurrency: "unbounded"
            })
          )
          yield* TestClock.adjust("1 second")
          yield* Effect.forkDaemon(TestClock.adjust("10 seconds"))
          return made
        })
      )
      const order = yield* crowd.order
      assert.deepStrictEqual(order, numbers(5).map(accountOf))
      const stored = yield* crowd.store.read({ location: "default" as Location, account: accountOf(0) })
      assert.deepStrictEqual(stored.ledger.marks, [])
    })
  )
})
