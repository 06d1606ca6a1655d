/**
 * The conventions of @effect/platform's HttpClient: tracing, interruption, scoped bodies.
 */
import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Option,
  Redacted,
  Ref,
  Stream,
  TestClock,
  Tracer
} from "effect"
import * as Emulator from "../../../../src/testing/NumberEmulator.js"
import { Fault } from "../../../../src/testing/NumberEmulator.js"
import { goodToken, ip, makeWorld, start } from "../../../support/stack.js"

const echo = HttpClientRequest.post("/Echo").pipe(HttpClientRequest.bodyUnsafeJson({ n: 1 }))

/** The names of the spans, each with the names of the spans around it. */
const tracing = () => {
  const paths: Array<string> = []
  const layer = Layer.setTracer(
    Tracer.make({
      span: (name, parent, context, links, startTime, kind): Tracer.Span => {
        const above = Option.match(parent, {
          onNone: () => "",
          onSome: (span) => (span._tag === "Span" ? String(span.attributes.get("path")) : "outside")
        })
        const path = `${above}/${name}`
        // The emulator's own span is not part of a client.
        if (name !== "NumberEmulator.receive") paths.push(path)
        return {
          _tag: "Span",
          name,
          spanId: String(paths.length).padStart(16, "0"),
          traceId: "1".padStart(32, "0"),
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes: new Map([["path", path]]),
          links,
          sampled: true,
          kind,
          attribute: () => {},
          event: () => {},
          addLinks: () => {},
          end: () => {}
        }
      },
      context: (f) => f()
    })
  )
  return { layer, paths }
}

describe("time-outs", () => {
  it.scoped("end a call that gets no answer if one is set, and do not end it otherwise", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      for (const [client, ends] of [
        [auth.httpClientWith({ timeout: "5 seconds" }), true],
        [auth.httpClientWith({}), false]
      ] as const) {
        yield* world.emulator.injectMethod(Fault.StallAnswer)
        const call = yield* Effect.fork(Effect.either(client.execute(echo)))
        yield* TestClock.adjust("4 seconds")
        assert.isTrue(Option.isNone(yield* Fiber.poll(call)))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(Option.isSome(yield* Fiber.poll(call)), ends)
        yield* Fiber.interrupt(call)
      }
    })
  )
})

describe("tracing", () => {
  it.scoped(
    "puts calls and their attempts on spans below the caller's, and sends their traceparent headers to Number",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const parents: Array<string | undefined> = []
        const inner = HttpClient.withTracerDisabledWhen(Emulator.httpClient(world.emulator, ip), () => true)
        const client = HttpClient.make((request) => {
          parents.push(request.headers["traceparent"])
          return inner.execute(request)
        })
        const auth = yield* start(world, {}, client)
        const { layer, paths } = tracing()
        yield* auth.httpClient.execute(echo).pipe(Effect.withSpan("checkout"), Effect.provide(layer))
        const all = [
          "/checkout",
          "/checkout/NumberAuth.attempt/http.client POST",
          "/checkout/http.client POST"
        ]
        assert.deepStrictEqual(
          paths.filter((path) => /checkout$|http\.client/.test(path)),
          all
        )
        assert.lengthOf(yield* world.emulator.log, 1)
        for (const parent of parents) assert.match(parent ?? "none", /^00-0+1-\d{16}-01$/)
        assert.strictEqual(new Set(parents).size, 2)
      })
  )

  it.scoped("has one span each for replaceCredentials, resume and confirmLockLifted", () =>
    Effect.gen(function* () {
      const auth = yield* start(yield* makeWorld())
      const { layer, paths } = tracing()
      const asked = [auth.replaceCredentials(goodToken), auth.resume, auth.confirmLockLifted]
      yield* Effect.forEach(asked, Effect.exit).pipe(Effect.provide(layer))
      assert.deepStrictEqual(paths, [
        "/NumberAuth.replaceCredentials",
        "/NumberAuth.resume",
        "/NumberAuth.confirmLockLifted"
      ])
    })
  )

  it.scoped("is turned off and named by HttpClient's own means", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const auth = yield* start(world)
      yield* auth.sessionKey
      const silent = tracing()
      const quiet = HttpClient.withTracerDisabledWhen(auth.httpClient, () => true)
      yield* Effect.provide(quiet.execute(echo), silent.layer)
      assert.deepStrictEqual(silent.paths, [])
      const named = tracing()
      const client = HttpClient.withSpanNameGenerator(auth.httpClient, ({ url }) => `number ${url}`)
      yield* Effect.provide(client.execute(echo), named.layer)
      assert.lengthOf(named.paths, 1)
      assert.match(named.paths[0]!, /^\/number .*\/Echo$/)
    })
  )
})

describe("interruption", () => {
  it.scoped(
    "of the caller that began an attempt does not end it: the other callers get the session of that attempt",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.emulator.inject(Fault.DelayAnswer("10 seconds"))
        const auth = yield* start(world)
        const first = yield* Effect.fork(auth.sessionKey)
        const others = yield* Effect.fork(
          Effect.forEach([1, 2, 3], () => auth.sessionKey, { concurrency: "unbounded" })
        )
        yield* TestClock.adjust("1 second")
        // The one that began the attempt.
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(first)))
        yield* TestClock.adjust("10 seconds")
        const keys = yield* Fiber.join(others)
        assert.strictEqual(new Set(keys.map(Redacted.value)).size, 1)
        assert.lengthOf(yield* world.emulator.log, 1)
      })
  )

  it.scoped("of a call ends its request, and not the renewal that it waits for", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const ended = yield* Ref.make(0)
      const began = yield* Deferred.make<void>()
      const inner = Emulator.httpClient(world.emulator, ip)
      const client = HttpClient.make((request) =>
        request.url.endsWith("/Slow")
          ? Effect.onInterrupt(Effect.zipRight(Deferred.succeed(began, undefined), Effect.never), () =>
              Ref.update(ended, (n) => n + 1)
            )
          : inner.execute(request)
      )
      const auth = yield* start(world, {}, client)
      const slow = yield* Effect.fork(auth.httpClient.get("/Slow"))
      yield* Deferred.await(began)
      yield* Fiber.interrupt(slow)
      assert.strictEqual(yield* Ref.get(ended), 1)
      yield* world.emulator.expireSessions()
      yield* world.emulator.inject(Fault.DelayAnswer("10 seconds"))
      const call = yield* Effect.fork(auth.httpClient.execute(echo))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* auth.status).state, "expired.attempting")
      yield* Fiber.interrupt(call)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* auth.status).state, "authenticated")
      assert.strictEqual((yield* auth.status).failures, 0)
      // The replay is not sent, since its caller has gone.
      assert.lengthOf(yield* world.emulator.executions, 0)
    })
  )
})

describe("a request", () => {
  it.scoped("belongs to the scope that HttpClient.withScope gives it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const signals: Array<AbortSignal> = []
      const inner = Emulator.httpClient(world.emulator, ip)
      const client = HttpClient.make((request, _url, signal) => {
        if (!request.url.endsWith("/Authenticate")) signals.push(signal)
        return inner.execute(request)
      })
      const auth = yield* start(world, {}, client)
      for (const path of ["/Echo", "https://number.test/v1/Echo"]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* HttpClient.withScope(auth.httpClient).post(path)
            assert.isFalse(signals.at(-1)!.aborted)
          })
        )
        assert.isTrue(signals.at(-1)!.aborted, path)
      }
      yield* auth.httpClient.post("/Echo")
      assert.isFalse(signals.at(-1)!.aborted)
    })
  )

  it.scoped("has its streamed body closed when its reader ends", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const closed = yield* Ref.make(0)
      const inner = Emulator.httpClient(world.emulator, ip)
      const client = HttpClient.make((request) =>
        request.url.endsWith("/Report")
          ? Effect.succeed(
              HttpClientResponse.fromWeb(
                request,
                new Response(
                  new ReadableStream({
                    pull: (controller) => controller.enqueue(new Uint8Array(1024)),
                    cancel: () => Effect.runSync(Ref.update(closed, (n) => n + 1))
                  }),
                  { headers: { "content-type": "application/pdf" } }
                )
              )
            )
          : inner.execute(request)
      )
      const auth = yield* start(world, {}, client)
      const report = HttpClientResponse.stream(auth.httpClient.get("/Report"))
      const bytes = yield* report.pipe(
        Stream.take(3),
        Stream.runFold(0, (sum, chunk) => sum + chunk.length)
      )
      assert.strictEqual(bytes, 3 * 1024)
      assert.strictEqual(yield* Ref.get(closed), 1)
    })
  )
})
