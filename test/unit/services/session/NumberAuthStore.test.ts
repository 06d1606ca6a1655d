/**
 * NumberAuth while its store is away, and several processes on one store.
 */
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Clock,
  Context,
  type Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Option,
  Redacted,
  Ref,
  Scope,
  TestClock
} from "effect"
import { AttemptOutcome } from "../../../../src/schemas/AttemptOutcome.js"
import type { AuthStore } from "../../../../src/services/store/AuthStore.js"
import { AuthStoreError } from "../../../../src/services/store/AuthStore.js"
import * as NumberAccounts from "../../../../src/services/session/NumberAccounts.js"
import * as NumberAuth from "../../../../src/services/session/NumberAuth.js"
import { NumberTransport } from "../../../../src/services/wire/NumberTransport.js"
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

const away = new AuthStoreError({ reason: "unavailable", detail: "the test took it away" })

/** The world as one process sees it: its way to the store can be cut or slowed, unseen by the others. */
const withStore = (world: World) =>
  Effect.gen(function* () {
    const isAway = yield* Ref.make(false)
    const slow = yield* Ref.make(0)
    const uses = yield* Ref.make(0)
    const cut = Effect.zipRight(
      Ref.update(uses, (n) => n + 1),
      Effect.flatMap(Ref.get(isAway), (is) => (is ? Effect.fail(away) : Effect.void))
    )
    const store: AuthStore["Type"] = {
      ...world.store,
      transact: (key, decide) =>
        cut.pipe(
          Effect.zipRight(world.store.transact(key, decide)),
          Effect.tap(() => Effect.flatMap(Ref.get(slow), (millis) => Effect.sleep(millis)))
        ),
      read: (key) => Effect.zipRight(cut, world.store.read(key))
    }
    return { world: { ...world, store }, isAway, slow, uses }
  })

/** A store that changes its second transaction: the first reserves an attempt, the second settles it. */
const settlingBy = (
  store: AuthStore["Type"],
  how: <A, E>(stored: Effect.Effect<A, E>) => Effect.Effect<A, E | AuthStoreError>
) => {
  let transactions = 0
  const settling: AuthStore["Type"] = {
    ...store,
    transact: (key, decide) =>
      Effect.suspend(() => {
        transactions += 1
        const stored = store.transact(key, decide)
        return transactions === 2 ? how(stored) : stored
      })
  }
  return { store: settling, transactions: () => transactions }
}

const kinds = (world: World) =>
  Effect.map(Ref.get(world.notices), (notices) => notices.map(({ notice }) => notice.kind))

describe("NumberAuth while the store is away", () => {
  it.scoped("serves the held key without a use of the store", () =>
    Effect.gen(function* () {
      const { isAway, uses, world } = yield* withStore(yield* makeWorld())
      const auth = yield* start(world)
      const key = yield* auth.sessionKey
      const before = yield* Ref.get(uses)
      yield* Ref.set(isAway, true)
      assert.strictEqual(yield* auth.sessionKey, key)
      assert.strictEqual(yield* auth.withSession(Effect.succeed), key)
      assert.strictEqual((yield* auth.httpClient.execute(HttpClientRequest.post("/Echo"))).status, 200)
      assert.strictEqual(yield* Ref.get(uses), before)
    })
  )

  it.scoped("loses neither the accepted key nor, in the end, the outcome if settling throws", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      let transactions = 0
      const store: AuthStore["Type"] = {
        ...world.store,
        transact: (key, decide) =>
          world.store.transact(key, (stored) => {
            transactions += 1
            if ([2, 3].includes(transactions)) throw new Error("a mistake")
            return decide(stored)
          })
      }
      const auth = yield* start({ ...world, store })
      yield* auth.sessionKey
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* auth.status, { state: "authenticated", failures: 0, inFlight: 0 })
      yield* (yield* start(world)).sessionKey
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped("sends no attempt, and fails with AuthStoreError", () =>
    Effect.gen(function* () {
      const { isAway, world } = yield* withStore(yield* makeWorld())
      const auth = yield* start(world)
      yield* Ref.set(isAway, true)
      assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthStoreError")
      assert.strictEqual((yield* Effect.flip(auth.status))._tag, "AuthStoreError")
      assert.strictEqual((yield* Effect.flip(auth.resume))._tag, "AuthStoreError")
      assert.strictEqual((yield* Effect.flip(auth.replaceCredentials(badToken(1))))._tag, "AuthStoreError")
      assert.strictEqual(yield* Ref.get(world.token), goodToken)
      assert.strictEqual(yield* world.emulator.requestsSeen, 0)
      yield* Ref.set(isAway, false)
      yield* auth.sessionKey
    })
  )

  it.scoped("does not renew a refused key, and renews it when the store is back", () =>
    Effect.gen(function* () {
      const { isAway, world } = yield* withStore(yield* makeWorld())
      const auth = yield* start(world)
      yield* auth.sessionKey
      yield* world.emulator.expireSessions()
      yield* Ref.set(isAway, true)
      const call = auth.httpClient.execute(HttpClientRequest.post("/Echo"))
      assert.strictEqual((yield* Effect.flip(call))._tag, "AuthStoreError")
      yield* Ref.set(isAway, false)
      assert.strictEqual((yield* call).status, 200)
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("serves a key that was accepted while it went away, and settles the attempt afterwards", () =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { isAway, world } = yield* withStore(plain)
      yield* plain.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const auth = yield* start(world)
      const asking = yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      yield* TestClock.adjust("10 seconds")
      const key = yield* Fiber.join(asking)
      assert.strictEqual(yield* auth.sessionKey, key)
      const other = yield* start(plain)
      assert.strictEqual((yield* other.status).state, "unauthenticated.attempting")
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* other.status).state, "authenticated")
      assert.strictEqual(Redacted.value(yield* other.sessionKey), Redacted.value(key))
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.strictEqual((yield* other.status).failures, 0)
    })
  )

  it.scoped("says that Number refused the token, keeps the mark, and settles it when the store is back", () =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { isAway, world } = yield* withStore(plain)
      yield* Ref.set(world.token, badToken(1))
      yield* plain.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const auth = yield* start(world)
      const asking = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(asking)
      assert(error._tag === "AuthAborted")
      assert.deepInclude(error, { abort: { ...error.abort, reason: "refused" } })
      assert.strictEqual(error.standing.failures, 1)
      const other = yield* start(plain)
      assert.strictEqual((yield* other.status).inFlight, 1)
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      const status = yield* other.status
      assert.deepStrictEqual([status.state, status.failures], ["aborted", 1])
      assert.deepStrictEqual(yield* kinds(world), ["aborted"])
      yield* Effect.flip(other.sessionKey)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  /** A program that ends right after its call, with the store away from the middle of the attempt on. */
  const shortLived = (token: string, backAfter: Duration.DurationInput) =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { isAway, world } = yield* withStore(plain)
      yield* Ref.set(world.token, token)
      yield* plain.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const program = yield* Effect.fork(
        Effect.scoped(Effect.flatMap(start(world), (auth) => Effect.either(auth.sessionKey)))
      )
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      yield* TestClock.adjust("10 seconds")
      yield* TestClock.adjust(backAfter)
      const hasEnded = program.unsafePoll() !== null
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      const result = yield* Fiber.join(program)
      yield* TestClock.adjust("1 minute")
      return { plain, result, hasEnded, next: yield* start(plain) }
    })

  it.scoped("does not end with a program: closing waits until the store has the session or the refusal", () =>
    Effect.gen(function* () {
      for (const [token, state] of [
        [goodToken, "authenticated"],
        [badToken(1), "aborted"]
      ] as const) {
        const { hasEnded, next, plain, result } = yield* shortLived(token, "20 seconds")
        assert.isFalse(hasEnded)
        assert.strictEqual(result._tag, token === goodToken ? "Right" : "Left")
        assert.strictEqual((yield* next.status).state, state)
        yield* Effect.either(next.sessionKey)
        assert.lengthOf(yield* plain.emulator.log, 1)
      }
    })
  )

  it.scoped("lets a program end after the lease, and a notice says which outcome is lost", () =>
    Effect.gen(function* () {
      for (const [token, outcome] of [
        [goodToken, "accepted"],
        [badToken(1), "refused"]
      ] as const) {
        const { hasEnded, next, plain } = yield* shortLived(token, "2 minutes")
        assert.isTrue(hasEnded)
        const [notice] = yield* Ref.get(plain.notices)
        assert.deepInclude(notice!.notice, { kind: "unstored", outcome })
        assert.include(
          notice!.message,
          outcome === "refused" ? "create a new token" : "Number accepted the token"
        )
        const error = yield* Effect.flip(next.sessionKey)
        assert(error._tag === "AuthAborted")
        assert.strictEqual(error.abort.reason, "lost")
        assert.lengthOf(yield* plain.emulator.log, 1)
      }
    })
  )

  it.scoped("does not end with many accounts either: closing waits for the outcome of each", () =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { isAway, world } = yield* withStore(plain)
      yield* plain.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const scope = yield* Scope.make()
      const accounts = yield* NumberAccounts.make({ baseUrl }).pipe(
        Scope.extend(scope),
        Effect.provide(environment(world))
      )
      yield* Effect.fork(accounts.sessionKey(account))
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("20 seconds")
      assert.isNull(closing.unsafePoll())
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      const next = yield* start(plain)
      assert.strictEqual((yield* next.status).state, "authenticated")
    })
  )

  it.scoped("is settled at once when the store has the outcome, and not while it has not", () =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { isAway, world } = yield* withStore(plain)
      const auth = yield* start(world)
      yield* auth.settled
      yield* plain.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const asking = yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(asking)
      const settled = yield* Effect.fork(auth.settled)
      yield* TestClock.adjust("10 seconds")
      assert.isNull(settled.unsafePoll())
      yield* TestClock.adjust("1 minute")
      const error = yield* Effect.flip(Fiber.join(settled))
      assert.deepInclude(error, { _tag: "AuthUnstored", outcome: "accepted", detail: "" })
      assert.include(error.message, "serves until this process ends")
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      yield* auth.settled
      assert.strictEqual((yield* auth.status).state, "authenticated")
    })
  )

  it.scoped("notifies people once of an outcome that was stored although the store said otherwise", () =>
    Effect.gen(function* () {
      for (const [token, expected] of [
        [badToken(1), ["aborted"]],
        [goodToken, []]
      ] as const) {
        const world = yield* makeWorld()
        const { store, transactions } = settlingBy(world.store, (stored) => Effect.zipRight(stored, away))
        yield* Ref.set(world.token, token)
        const auth = yield* start({ ...world, store })
        const exit = yield* Effect.exit(auth.sessionKey)
        assert.strictEqual(Exit.isSuccess(exit), token === goodToken)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(transactions(), 3)
        const notices = yield* Ref.get(world.notices)
        assert.deepStrictEqual(yield* kinds(world), [...expected])
        for (const { message } of notices) assert.include(message, account)
        assert.strictEqual((yield* auth.status).failures, expected.length)
        assert.lengthOf(yield* world.emulator.log, 1)
      }
    })
  )

  it.scoped("sends the notices if a settling that was stored without confirmation locked the location", () =>
    Effect.gen(function* () {
      for (const [fault, limit, expected] of [
        [Fault.ReportLock, 5, ["locked"]],
        [Fault.Status(500, ""), 1, ["aborted", "locked"]]
      ] as const) {
        const world = yield* makeWorld()
        yield* world.emulator.inject(fault)
        const { store } = settlingBy(world.store, (stored) => Effect.zipRight(stored, away))
        const auth = yield* start({ ...world, store }, { limit })
        yield* Effect.exit(auth.sessionKey)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* auth.status).state, "locked")
        assert.deepStrictEqual(yield* kinds(world), [...expected])
      }
    })
  )

  it.scoped("sends no notice of an abort if a late settling shows that the attempt was accepted", () =>
    Effect.gen(function* () {
      const { isAway, world } = yield* withStore(yield* makeWorld())
      yield* world.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const auth = yield* start(world)
      const asking = yield* Effect.fork(auth.sessionKey)
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      yield* TestClock.adjust("60 seconds")
      yield* Fiber.join(asking)
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* auth.status).state, "authenticated")
      assert.deepStrictEqual(yield* kinds(world), [])
    })
  )
})

describe("several processes on one store", () => {
  it.scoped("make one attempt for all of them, and all get its session", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.setDelays({ answer: "5 seconds" })
      const processes = yield* Effect.all(Array.from({ length: 8 }, () => start(world)))
      const asking = yield* Effect.fork(
        Effect.forEach(processes, (auth) => auth.sessionKey, { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("6 seconds")
      const keys = yield* Fiber.join(asking)
      assert.strictEqual(new Set(keys.map(Redacted.value)).size, 1)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped("all get the failure of the one attempt", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      yield* world.emulator.setDelays({ answer: "5 seconds" })
      const processes = yield* Effect.all(Array.from({ length: 8 }, () => start(world)))
      const asking = yield* Effect.fork(
        Effect.forEach(processes, (auth) => Effect.flip(auth.sessionKey), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("6 seconds")
      for (const error of yield* Fiber.join(asking)) assert.strictEqual(error._tag, "AuthAborted")
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.deepStrictEqual(yield* kinds(world), ["aborted"])
    })
  )

  it.scoped("let a waiter give up as busy when its time is over, and it has sent nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.DelayAnswer("25 seconds"))
      const first = yield* start(world)
      const second = yield* start(world, { waitTimeout: "10 seconds" })
      const asking = yield* Effect.fork(first.sessionKey)
      yield* TestClock.adjust("1 second")
      const waiting = yield* Effect.fork(Effect.flip(second.sessionKey))
      yield* TestClock.adjust("11 seconds")
      const error = yield* Fiber.join(waiting)
      assert(error._tag === "AuthBusy")
      assert.strictEqual(error.on, "attempt")
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(asking)
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped(
    "leave no room for a sixth account's attempt while five are under way: it waits until one has settled",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.emulator.setDelays({ answer: "10 seconds" })
        const accounts = Array.from({ length: 6 }, (_, n) => `EP000000${n}`)
        for (const other of accounts) yield* world.emulator.addToken(other, goodToken)
        const processes = yield* Effect.forEach(accounts, (other) => start(world, { account: other }))
        const asking = yield* Effect.fork(
          Effect.forEach(processes, (auth) => auth.sessionKey, { concurrency: "unbounded" })
        )
        yield* TestClock.adjust("5 seconds")
        assert.lengthOf(yield* world.emulator.log, 5)
        yield* TestClock.adjust("20 seconds")
        yield* Fiber.join(asking)
        assert.lengthOf(yield* world.emulator.log, 6)
      })
  )

  it.scoped("see an attempt as lost once its lease has run out", () =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { isAway, world } = yield* withStore(plain)
      yield* plain.emulator.inject(Fault.StallAnswer)
      const crashed = yield* start(world)
      yield* Effect.fork(Effect.exit(crashed.sessionKey))
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      const other = yield* start(plain, { waitTimeout: "2 minutes" })
      const waiting = yield* Effect.fork(Effect.flip(other.sessionKey))
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual((yield* other.status).state, "unauthenticated.attempting")
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(waiting)
      assert(error._tag === "AuthAborted")
      assert.strictEqual(error.abort.reason, "lost")
      assert.deepStrictEqual(yield* kinds(plain), ["aborted"])
      assert.strictEqual((yield* other.status).failures, 1)
      assert.lengthOf(yield* plain.emulator.log, 1)
    })
  )

  /** A process whose attempt is accepted, and which cannot store that before its lease is over. */
  const acceptedLate = (options: Parameters<typeof start>[1] = {}) =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { isAway, world } = yield* withStore(plain)
      yield* plain.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const late = yield* start(world, options)
      const asking = yield* Effect.fork(late.sessionKey)
      yield* TestClock.adjust("1 second")
      yield* Ref.set(isAway, true)
      yield* TestClock.adjust("50 seconds")
      const key = Redacted.value(yield* Fiber.join(asking))
      return { plain, late, key, isAway }
    })

  it.scoped("take a late acceptance if there is nothing newer", () =>
    Effect.gen(function* () {
      const { isAway, key, plain } = yield* acceptedLate()
      const other = yield* start(plain)
      assert.strictEqual((yield* Effect.flip(other.sessionKey))._tag, "AuthAborted")
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(Redacted.value(yield* other.sessionKey), key)
      assert.lengthOf(yield* plain.emulator.log, 1)
      assert.strictEqual((yield* other.status).failures, 0)
    })
  )

  it.scoped("do not let a late acceptance replace a newer session", () =>
    Effect.gen(function* () {
      const { isAway, key, late, plain } = yield* acceptedLate({ lostAttempts: "continue" })
      const other = yield* start(plain, { lostAttempts: "continue" })
      const newer = Redacted.value(yield* other.sessionKey)
      assert.notStrictEqual(newer, key)
      yield* Ref.set(isAway, false)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(Redacted.value(yield* other.sessionKey), newer)
      assert.strictEqual(Redacted.value(yield* (yield* start(plain)).sessionKey), newer)
      // Its own key serves on until Number refuses it, and then the newer one does, without an attempt.
      assert.strictEqual(Redacted.value(yield* late.sessionKey), key)
      yield* plain.emulator.injectMethod(Fault.Body('{"EchoResult":{"FunctionOk":false,"ErrCode":5030}}'))
      assert.strictEqual((yield* late.httpClient.execute(HttpClientRequest.post("/Echo"))).status, 200)
      assert.strictEqual(Redacted.value(yield* late.sessionKey), newer)
      assert.lengthOf(yield* plain.emulator.log, 2)
      assert.strictEqual((yield* other.status).failures, 0)
    })
  )

  it.scoped("do not send an attempt after being suspended past its lease", () =>
    Effect.gen(function* () {
      const { slow, world } = yield* withStore(yield* makeWorld())
      yield* Ref.set(slow, 46_000)
      const auth = yield* start(world)
      const asking = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("45 seconds")
      yield* Ref.set(slow, 0)
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(asking)
      assert.strictEqual(error._tag, "AuthUnreachable")
      assert.strictEqual(yield* world.emulator.requestsSeen, 0)
      assert.strictEqual((yield* auth.status).failures, 0)
      yield* auth.sessionKey
    })
  )

  it.scoped("do not send an attempt if the monotonic or the wall clock alone says that the lease ended", () =>
    Effect.gen(function* () {
      for (const [millis, nanos] of [
        [0, 45_000_000_000n],
        [45_000, 0n]
      ] as const) {
        const world = yield* makeWorld()
        const test = yield* Effect.clock
        let jumped = false
        const clock: Clock.Clock = {
          ...test,
          [Clock.ClockTypeId]: Clock.ClockTypeId,
          unsafeCurrentTimeMillis: () => test.unsafeCurrentTimeMillis() + (jumped ? millis : 0),
          unsafeCurrentTimeNanos: () => test.unsafeCurrentTimeNanos() + (jumped ? nanos : 0n),
          currentTimeMillis: Effect.map(test.currentTimeMillis, (at) => at + (jumped ? millis : 0)),
          currentTimeNanos: Effect.map(test.currentTimeNanos, (at) => at + (jumped ? nanos : 0n)),
          sleep: (duration) => test.sleep(duration)
        }
        const client = HttpClient.mapRequestEffect(Emulator.httpClient(world.emulator, ip), (request) =>
          Effect.sync(() => {
            jumped = true
            return request
          })
        )
        const error = yield* start(world, {}, client).pipe(
          Effect.flatMap((auth) => Effect.flip(auth.sessionKey)),
          Effect.withClock(clock)
        )
        assert.strictEqual(error._tag, "AuthUnreachable")
        assert.strictEqual(yield* world.emulator.requestsSeen, 0)
      }
    })
  )

  it.scoped("do not write an attempt after it was given up", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const client = HttpClient.mapRequestEffect(Emulator.httpClient(world.emulator, ip), (request) =>
        Effect.as(Effect.uninterruptible(Effect.sleep("40 seconds")), request)
      )
      const auth = yield* start(world, {}, client)
      const asking = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("31 seconds")
      // The client did not ask whether it may write, so it may have written: the attempt counts.
      assert.strictEqual((yield* Fiber.join(asking))._tag, "AuthAborted")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* world.emulator.requestsSeen, 0)
      assert.strictEqual((yield* auth.status).failures, 1)
    })
  )

  it.scoped("count the answers of a transport that does not ask for its permit", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      let sent = 0
      const transport = Layer.succeed(NumberTransport, {
        authenticate: () =>
          Effect.sync(() => {
            sent += 1
            return AttemptOutcome.faulted({ detail: "no", errorCode: null })
          })
      })
      const context = yield* Layer.build(
        NumberAuth.layer({ account, baseUrl }).pipe(
          Layer.provide(transport),
          Layer.provide(environment(world)),
          Layer.orDie
        )
      )
      const auth = Context.get(context, NumberAuth.NumberAuth)
      for (let n = 0; n < 10; n++) {
        yield* Effect.flip(auth.sessionKey)
        yield* Effect.ignore(auth.resume)
      }
      assert.strictEqual(sent, 5)
    })
  )

  /** A NumberAuth whose attempts go by this transport. */
  const startWith = (world: World, authenticate: NumberTransport["Type"]["authenticate"]) =>
    Layer.build(
      NumberAuth.layer({ account, baseUrl }).pipe(
        Layer.provide(Layer.succeed(NumberTransport, { authenticate })),
        Layer.provide(environment(world)),
        Layer.orDie
      )
    ).pipe(Effect.map(Context.get(NumberAuth.NumberAuth)))

  it.scoped("take an unsent attempt for lost if its transport may have written twice", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const permits: Array<string> = []
      const auth = yield* startWith(world, ({ permit }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 2; n++) {
            permits.push(
              yield* Effect.match(permit, { onSuccess: () => "permitted", onFailure: ({ why }) => why })
            )
          }
          return AttemptOutcome.unsent({ detail: "nothing left" })
        })
      )
      const error = yield* Effect.flip(auth.sessionKey)
      assert(error._tag === "AuthAborted")
      assert.strictEqual(error.abort.reason, "lost")
      assert.strictEqual(error.abort.detail, "the HTTP client tried to send the attempt twice")
      assert.deepStrictEqual(permits, ["permitted", "alreadyWritten"])
      assert.strictEqual((yield* auth.status).failures, 1)
    })
  )

  it.scoped("take a lost attempt for unsent if its permit was denied", () =>
    Effect.gen(function* () {
      const { slow, world } = yield* withStore(yield* makeWorld())
      const auth = yield* startWith(world, ({ permit }) =>
        Effect.zipRight(
          Effect.sleep("26 seconds"),
          Effect.match(permit, {
            onSuccess: () => AttemptOutcome.lost({ detail: "it was written" }),
            onFailure: ({ why }) => AttemptOutcome.lost({ detail: why })
          })
        )
      )
      yield* Ref.set(slow, 20_000)
      const asking = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("20 seconds")
      yield* Ref.set(slow, 0)
      yield* TestClock.adjust("26 seconds")
      const error = yield* Fiber.join(asking)
      assert(error._tag === "AuthUnreachable")
      assert.strictEqual(error.detail, "the request could not be written in time")
      assert.strictEqual((yield* auth.status).failures, 0)
    })
  )

  it.scoped("give no permit to a transport that asks after its attempt was given up", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const permits: Array<string> = []
      const auth = yield* startWith(world, ({ permit }) =>
        Effect.uninterruptible(
          Effect.zipRight(
            Effect.sleep("40 seconds"),
            Effect.match(permit, {
              onSuccess: () => AttemptOutcome.lost({ detail: "it was written" }),
              onFailure: ({ why }) => {
                permits.push(why)
                return AttemptOutcome.unsent({ detail: why })
              }
            })
          )
        )
      )
      const asking = yield* Effect.fork(Effect.flip(auth.sessionKey))
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual((yield* Fiber.join(asking))._tag, "AuthAborted")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(permits, ["leaseEnded"])
    })
  )

  it.scoped("do not send an attempt twice if the HTTP client retries", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.DropAnswer, Fault.DropAnswer, Fault.DropAnswer)
      const client = HttpClient.retry(Emulator.httpClient(world.emulator, ip), { times: 5 })
      const auth = yield* start(world, {}, client)
      const error = yield* Effect.flip(auth.sessionKey)
      assert(error._tag === "AuthAborted")
      assert.strictEqual(error.abort.reason, "lost")
      assert.lengthOf(yield* world.emulator.log, 1)
      assert.strictEqual((yield* auth.status).failures, 1)
    })
  )

  it.scoped("make another attempt after a lost one with lostAttempts continue, while there is room", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(...Array.from({ length: 20 }, () => Fault.DropAnswer))
      yield* Ref.set(world.token, badToken(1))
      const auth = yield* start(world, { lostAttempts: "continue" })
      const tags: Array<string> = []
      for (let n = 0; n < 8; n++) tags.push((yield* Effect.flip(auth.sessionKey))._tag)
      assert.deepStrictEqual(tags, [
        ...Array.from({ length: 4 }, () => "AuthLost"),
        ...Array.from({ length: 4 }, () => "AuthLocked")
      ])
      assert.strictEqual(yield* world.emulator.peakOf(ip), 5)
    })
  )

  it.scoped("clear by a success only the lost attempts that have drained, with lostAttempts continue", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(Fault.DropAnswer, Fault.DropAnswer)
      const auth = yield* start(world, { lostAttempts: "continue" })
      yield* Effect.flip(auth.sessionKey)
      yield* TestClock.adjust("4 minutes")
      yield* Effect.flip(auth.sessionKey)
      yield* TestClock.adjust("2 minutes")
      yield* auth.sessionKey
      assert.strictEqual((yield* auth.status).failures, 1)
    })
  )

  it.scoped("count nothing for attempts that never leave, however many there are", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.emulator.inject(...Array.from({ length: 20 }, () => Fault.Refuse))
      const auth = yield* start(world)
      for (let n = 0; n < 20; n++) {
        assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthUnreachable")
      }
      assert.strictEqual((yield* auth.status).failures, 0)
      yield* auth.sessionKey
    })
  )

  it.scoped("make only one attempt in a crash loop", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Ref.set(world.token, badToken(1))
      for (let n = 0; n < 20; n++) {
        const scope = yield* Scope.make()
        yield* start(world).pipe(
          Effect.flatMap((auth) => Effect.flip(auth.sessionKey)),
          Scope.extend(scope)
        )
        yield* Scope.close(scope, Exit.void)
      }
      assert.lengthOf(yield* world.emulator.log, 1)
    })
  )

  it.scoped("share no session whose key the store does not keep: it serves the process that has it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const keyless: AuthStore["Type"] = {
        ...world.store,
        transact: (key, decide) =>
          world.store.transact(key, (stored) =>
            decide({ ...stored, account: { ...stored.account, sessionKey: null } })
          )
      }
      const one = yield* start({ ...world, store: keyless })
      const first = Redacted.value(yield* one.sessionKey)
      const two = yield* start({ ...world, store: keyless })
      const second = Redacted.value(yield* two.sessionKey)
      assert.notStrictEqual(second, first)
      assert.strictEqual(Redacted.value(yield* one.sessionKey), first)
      assert.lengthOf(yield* world.emulator.log, 2)
      // Only a request needs a session: resume and status make no attempt.
      assert.strictEqual((yield* Effect.flip(two.resume))._tag, "AuthRejected")
      assert.strictEqual((yield* two.status).state, "authenticated")
      assert.lengthOf(yield* world.emulator.log, 2)
    })
  )

  it.scoped("do not use a session that was accepted after another attempt had begun", () =>
    Effect.gen(function* () {
      const plain = yield* makeWorld()
      const { store } = settlingBy(plain.store, Effect.delay("50 seconds"))
      const late = yield* start({ ...plain, store }, { lostAttempts: "continue" })
      const asking = yield* Effect.fork(Effect.flip(late.sessionKey))
      yield* TestClock.adjust("46 seconds")
      yield* plain.emulator.inject(Fault.DelayAnswer("20 seconds"))
      const other = yield* start(plain, { lostAttempts: "continue" })
      const newer = yield* Effect.fork(other.sessionKey)
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(asking)
      assert(error._tag === "AuthLost")
      assert.strictEqual(error.detail, "its answer came after another attempt had begun")
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(newer)
      assert.lengthOf(yield* plain.emulator.log, 2)
      assert.strictEqual((yield* other.status).failures, 0)
    })
  )

  it.scoped("hold a session of a lower generation if the store went back to an older state", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      let current = world.store
      let uses = 0
      const using = <A, E>(use: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
        Effect.suspend(() => {
          uses += 1
          return use()
        })
      const auth = yield* start({
        ...world,
        store: {
          ...world.store,
          transact: (key, decide) => using(() => current.transact(key, decide)),
          read: (key) => using(() => current.read(key)),
          changes: (location) => current.changes(location)
        }
      })
      for (let n = 0; n < 3; n++) {
        yield* auth.sessionKey
        yield* TestClock.adjust("25 hours")
      }
      yield* auth.sessionKey
      assert.isAbove(Option.getOrThrow((yield* auth.status).generation), 1)
      yield* TestClock.adjust("25 hours")
      current = (yield* makeWorld()).store
      const key = Redacted.value(yield* auth.sessionKey)
      assert.strictEqual(Option.getOrNull((yield* auth.status).generation), 1)
      const before = uses
      assert.strictEqual(Redacted.value(yield* auth.sessionKey), key)
      assert.strictEqual(uses, before)
    })
  )

  it.scoped("do not make a caller spin if the store went back to an older state", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      let current = world.store
      const auth = yield* start({
        ...world,
        store: {
          ...world.store,
          transact: (key, decide) => current.transact(key, decide),
          read: (key) => current.read(key),
          changes: (location) => current.changes(location)
        }
      })
      for (let n = 0; n < 3; n++) {
        yield* auth.sessionKey
        yield* world.emulator.expireSessions()
        yield* auth.httpClient.execute(HttpClientRequest.post("/Echo"))
      }
      yield* world.emulator.expireSessions()
      current = (yield* makeWorld()).store
      const response = yield* auth.httpClient
        .execute(HttpClientRequest.post("/Echo"))
        .pipe(Effect.race(Effect.as(Effect.repeatN(Effect.yieldNow(), 100_000), null)))
      assert.strictEqual(response?.status, 200)
    })
  )
})
