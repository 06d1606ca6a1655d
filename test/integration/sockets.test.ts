/**
 * Attempts over real sockets, with every HTTP client that @effect/platform has for Node.js.
 */
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import * as Tls from "node:tls"
import type { HttpClient } from "@effect/platform"
import { FetchHttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Redacted, Ref, Schedule, Schema, type Scope } from "effect"
import { AttemptOutcome } from "../../src/schemas/AttemptOutcome.js"
import { type AccountCode, SessionKey, type Token } from "../../src/schemas/Credentials.js"
import { AuthNotifier, type AuthNotice } from "../../src/services/session/AuthNotifier.js"
import * as AuthStore from "../../src/services/store/AuthStore.js"
import { CredentialProvider } from "../../src/services/session/CredentialProvider.js"
import * as NumberAuth from "../../src/services/session/NumberAuth.js"
import * as NumberClient from "../../src/services/calls/NumberClient.js"
import { NumberTransport } from "../../src/services/wire/NumberTransport.js"
import * as SoapClient from "../../src/services/calls/SoapClient.js"
import * as Emulator from "../../src/testing/NumberEmulator.js"
import { serve } from "../../src/testing/NumberEmulatorServer.js"
import { assertShowsNone } from "../support/leaks.js"
import { account, goodToken } from "../support/stack.js"
import { type Wire, wires } from "../support/wires.js"

const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url))
const token = Redacted.make(goodToken) as Token

/** The observations of a server that handles raw bytes. */
interface Seen {
  readonly port: number
  readonly bytes: () => string
  readonly connections: () => number
  /** How many connections have been closed by now. */
  readonly closed: () => number
}

/** A server that hands each connection to the test's handler. */
const listen = (
  onConnection: (socket: Net.Socket, received: () => string) => void,
  tls = false
): Effect.Effect<Seen, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<{ server: Net.Server; sockets: Set<Net.Socket>; seen: Seen }>((resume) => {
      const sockets = new Set<Net.Socket>()
      let bytes = ""
      let connections = 0
      let closed = 0
      const onSocket = (socket: Net.Socket): void => {
        connections += 1
        let own = ""
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => {
          closed += 1
          sockets.delete(socket)
        })
        socket.on("data", (chunk: Buffer) => {
          bytes += chunk.toString("latin1")
          own += chunk.toString("latin1")
        })
        onConnection(socket, () => own)
      }
      const server = tls
        ? Tls.createServer({ key: pem("key"), cert: pem("cert") }, onSocket)
        : Net.createServer(onSocket)
      server.on("tlsClientError", () => {})
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as Net.AddressInfo
        const seen = { port, bytes: () => bytes, connections: () => connections, closed: () => closed }
        resume(Effect.succeed({ server, sockets, seen }))
      })
    }),
    ({ server, sockets }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  ).pipe(Effect.map(({ seen }) => seen))

/** Runs `answer` once the whole request of an attempt or a call has arrived. */
const onRequest = (answer: (socket: Net.Socket) => void) => (socket: Net.Socket, received: () => string) => {
  let isAnswered = false
  socket.on("data", () => {
    if (isAnswered || !/[}]|<\/s:Envelope>/.test(received())) return
    isAnswered = true
    answer(socket)
  })
}

const freePort = Effect.map(Effect.scoped(listen(() => {})), ({ port }) => port)

const eventually = (is: () => boolean, within: Duration.DurationInput = "3 seconds") =>
  Effect.suspend(() => (is() ? Effect.void : Effect.fail("not yet"))).pipe(
    Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.upTo(within)))
  )

/** How many requests arrived. After undici gives a request up, it connects anew and sends nothing. */
const requestsIn = (server: Seen): number => server.bytes().split("POST ").length - 1

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["node:http", NodeHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", FetchHttpClient.layer]
]

const combinations = clients.flatMap(([name, client]) =>
  wires.map((wire): readonly [string, Layer.Layer<HttpClient.HttpClient>, Wire] => [
    `${wire.name} by ${name}`,
    client,
    wire
  ])
)

for (const [name, client, wire] of combinations) {
  /** Makes one attempt, and checks that it asks for its permit exactly once. */
  const attempt = (baseUrl: string) =>
    Effect.gen(function* () {
      const permits = yield* Ref.make(0)
      const context = yield* Layer.build(wire.layer(baseUrl).pipe(Layer.provide(client), Layer.orDie))
      const transport = Context.get(context, NumberTransport)
      const outcome = yield* transport.authenticate({
        account: account as AccountCode,
        token,
        permit: Ref.update(permits, (n) => n + 1)
      })
      assert.strictEqual(yield* Ref.get(permits), 1)
      assertShowsNone(outcome, goodToken)
      return outcome
    })

  /** A NumberAuth over real sockets, with a store in memory. */
  const start = (
    baseUrl: string,
    options: Partial<NumberAuth.Options> = {},
    transport = Layer.orDie(wire.layer(baseUrl)).pipe(Layer.provide(client))
  ) =>
    Effect.gen(function* () {
      const notices = yield* Ref.make<ReadonlyArray<AuthNotice>>([])
      const services = Layer.mergeAll(
        client,
        Layer.effect(AuthStore.AuthStore, AuthStore.makeMemory),
        Layer.succeed(AuthNotifier, {
          notify: (notice) => Ref.update(notices, (known) => [...known, notice])
        }),
        Layer.succeed(CredentialProvider, { get: () => Effect.succeed(token), put: () => Effect.void }),
        transport
      )
      const context = yield* Layer.build(
        NumberAuth.layer({ account, baseUrl, ...options }).pipe(Layer.provide(services), Layer.orDie)
      )
      return { auth: Context.get(context, NumberAuth.NumberAuth), notices }
    })

  describe(`an attempt over ${name}`, () => {
    it.scopedLive("is accepted by the emulator behind a real socket", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.make()
        yield* emulator.addToken(account, goodToken)
        const { url } = yield* serve(emulator)
        assert.strictEqual((yield* attempt(url))._tag, "accepted")
        assert.lengthOf(yield* emulator.log, 1)
      })
    )

    it.scopedLive("writes the documented request, once", () =>
      Effect.gen(function* () {
        const server = yield* listen(
          onRequest((socket) =>
            socket.end("HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
          )
        )
        assert.strictEqual((yield* attempt(`http://127.0.0.1:${server.port}/v1`))._tag, "faulted")
        const [head, body] = server.bytes().split("\r\n\r\n") as [string, string]
        const [line, ...headers] = head.toLowerCase().split("\r\n")
        assert.strictEqual(
          line,
          `post ${new URL(wire.url("http://any.test/v1")).pathname} http/1.1`.toLowerCase()
        )
        for (const [header, value] of Object.entries(wire.headers)) {
          assert.include(headers, `${header}: ${value.toLowerCase()}`)
        }
        assert.include(headers, `content-type: ${wire.contentType}`)
        assert.include(headers, `content-length: ${body.length}`)
        assert.isFalse(headers.some((header) => header.startsWith("sesskey")))
        assert.strictEqual(body, wire.body(account, goodToken))
        assert.strictEqual(server.connections(), 1)
      })
    )

    it.scopedLive("is unsent when the connection is refused", () =>
      Effect.gen(function* () {
        const outcome = yield* attempt(`http://127.0.0.1:${yield* freePort}`)
        assert.deepInclude(outcome, { _tag: "unsent" })
        assert.match((outcome as { detail: string }).detail, /ECONNREFUSED/)
      })
    )

    it.scopedLive("is unsent when every address of the host refuses the connection", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* attempt(`http://localhost:${yield* freePort}`))._tag, "unsent")
      })
    )

    it.scopedLive("is unsent when the host's name does not resolve", () =>
      Effect.gen(function* () {
        const outcome = yield* attempt("https://number-auth.invalid/v1")
        assert.deepInclude(outcome, { _tag: "unsent" })
        assert.match((outcome as { detail: string }).detail, /ENOTFOUND|EAI_/)
      })
    )

    it.scopedLive(
      "is unsent when the server's certificate is not trusted: no byte of the request reaches the server",
      () =>
        Effect.gen(function* () {
          const server = yield* listen(() => {}, true)
          for (const host of ["127.0.0.1", "localhost"]) {
            const outcome = yield* attempt(`https://${host}:${server.port}/v1`)
            assert.deepInclude(outcome, { _tag: "unsent" })
            assert.match((outcome as { detail: string }).detail, /DEPTH_ZERO_SELF_SIGNED_CERT/)
          }
          yield* Effect.sleep("200 millis")
          assert.strictEqual(server.bytes(), "")
        })
    )

    it.scopedLive("is lost when the TLS handshake breaks: the error does not prove it unsent", () =>
      Effect.gen(function* () {
        const plain = yield* listen((socket) =>
          socket.on("data", () => socket.end("HTTP/1.1 400 No\r\n\r\n"))
        )
        assert.strictEqual((yield* attempt(`https://127.0.0.1:${plain.port}`))._tag, "lost")
        assert.notInclude(plain.bytes(), goodToken)
      })
    )

    it.scopedLive("is lost when the connection breaks before, during or after the request", () =>
      Effect.gen(function* () {
        const resets: ReadonlyArray<(socket: Net.Socket, received: () => string) => void> = [
          (socket) => socket.resetAndDestroy(),
          (socket) => socket.once("data", () => socket.resetAndDestroy()),
          onRequest((socket) => socket.resetAndDestroy()),
          onRequest((socket) => socket.end())
        ]
        for (const reset of resets) {
          const server = yield* listen(reset)
          assert.strictEqual((yield* attempt(`http://127.0.0.1:${server.port}`))._tag, "lost")
          assert.strictEqual(server.connections(), 1)
        }
      })
    )

    it.scopedLive("is lost when the answer is cut off in its headers or its body", () =>
      Effect.gen(function* () {
        const cuts = [
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-"
        ]
        for (const cut of cuts) {
          const server = yield* listen(onRequest((socket) => socket.write(cut, () => socket.destroy())))
          assert.strictEqual((yield* attempt(`http://127.0.0.1:${server.port}`))._tag, "lost", cut)
          assert.strictEqual(server.connections(), 1)
        }
      })
    )

    it.scopedLive("is faulted when the status is an error, even if the body is cut off", () =>
      Effect.gen(function* () {
        const cut = "HTTP/1.1 502 No\r\nContent-Length: 1000\r\n\r\n<html>"
        const server = yield* listen(onRequest((socket) => socket.write(cut, () => socket.destroy())))
        assert.strictEqual((yield* attempt(`http://127.0.0.1:${server.port}`))._tag, "faulted")
      })
    )

    it.scopedLive("is faulted when a 2xx answer has no body", () =>
      Effect.gen(function* () {
        for (const head of ["204 No Content", "200 OK\r\nContent-Length: 0"]) {
          const server = yield* listen(onRequest((socket) => socket.end(`HTTP/1.1 ${head}\r\n\r\n`)))
          assert.strictEqual((yield* attempt(`http://127.0.0.1:${server.port}`))._tag, "faulted", head)
        }
      })
    )

    it.scopedLive("is faulted on a redirect, and opens no connection to the redirect's target", () =>
      Effect.gen(function* () {
        const target = yield* listen(() => {})
        for (const status of [301, 302, 303, 307, 308]) {
          const location = wire.url(`http://127.0.0.1:${target.port}/v2`)
          const server = yield* listen(
            onRequest((socket) =>
              socket.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
            )
          )
          const outcome = yield* attempt(`http://127.0.0.1:${server.port}`)
          assert.deepInclude(outcome, { _tag: "faulted" })
          assert.match((outcome as { detail: string }).detail, new RegExp(String(status)))
          assert.strictEqual(server.connections(), 1)
        }
        assert.strictEqual(target.connections(), 0)
      })
    )

    it.scopedLive(
      "is faulted when the answer does not end: it is cut off at 1 MiB, and the connection is closed",
      () =>
        Effect.gen(function* () {
          const chunk = `10000\r\n${" ".repeat(65_536)}\r\n`
          let written = 0
          const server = yield* listen(
            onRequest((socket) => {
              socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
              const more = (): void => {
                if (socket.destroyed) return
                written += chunk.length
                socket.write(chunk, (error) => (error ? undefined : setImmediate(more)))
              }
              more()
            })
          )
          const outcome = yield* attempt(`http://127.0.0.1:${server.port}`)
          assert.deepInclude(outcome, { _tag: "faulted" })
          assert.match((outcome as { detail: string }).detail, /1 MiB/)
          yield* eventually(() => server.closed() === server.connections())
          assert.strictEqual(requestsIn(server), 1)
          assert.isBelow(written, 16 * 1_048_576)
        })
    )

    it.scopedLive("is faulted when the body has 2 MiB", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.make()
        yield* emulator.inject(Emulator.Fault.HugeBody(2 * 1_048_576))
        const { url } = yield* serve(emulator)
        assert.strictEqual((yield* attempt(url))._tag, "faulted")
      })
    )
  })

  describe(`a call over ${name}`, () => {
    /** Makes a call with a session that was obtained without a network, and returns the call's error. */
    const call = (baseUrl: string, timeout: Duration.DurationInput = "10 seconds") =>
      Effect.gen(function* () {
        const key = yield* Schema.decode(SessionKey)("B9F24903C3BA4770AE303032303541303032353437")
        const { auth } = yield* start(
          baseUrl,
          {},
          Layer.succeed(NumberTransport, {
            authenticate: ({ permit }) =>
              Effect.orDie(
                Effect.as(
                  permit,
                  AttemptOutcome.accepted({ sessionKey: key, tokenEndsAtMillis: null, lockReported: false })
                )
              )
          })
        )
        const context = yield* Layer.build(client)
        const method =
          wire.name === "REST"
            ? NumberClient.method(
                "Echo",
                Schema.Struct({ n: Schema.Int }),
                Schema.Unknown
              )({ n: 1 }, { timeout })
            : Effect.flatMap(
                SoapClient.make({ endpoint: `${baseUrl}/CardProcAPI.svc`, timeout }),
                ({ method: ofSoap }) => ofSoap("Echo", { n: 1 }, Schema.Unknown)
              )
        const error = yield* method.pipe(
          Effect.provideService(NumberAuth.NumberAuth, auth),
          Effect.provide(context),
          Effect.flip
        )
        assertShowsNone(error, Redacted.value(key))
        return error
      })

    it.scopedLive("is unsent when the connection is refused or the host's name does not resolve", () =>
      Effect.gen(function* () {
        for (const url of [`http://127.0.0.1:${yield* freePort}`, "https://number-auth.invalid/v1"]) {
          const error = yield* call(url)
          assert.strictEqual(error._tag, "CallUnsent", error.message)
        }
      })
    )

    it.scopedLive("is uncertain, and sent once, when the connection or the answer is cut off", () =>
      Effect.gen(function* () {
        const breaks: ReadonlyArray<Parameters<typeof listen>[0]> = [
          (socket) => socket.once("data", () => socket.resetAndDestroy()),
          onRequest((socket) => socket.resetAndDestroy()),
          onRequest((socket) => socket.end()),
          ...[
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
            "HTTP/1.1 200 OK\r\nContent-"
          ].map((cut) => onRequest((socket) => socket.write(cut, () => socket.destroy())))
        ]
        for (const broken of breaks) {
          const server = yield* listen(broken)
          const error = yield* call(`http://127.0.0.1:${server.port}`)
          assert(error._tag === "CallUncertain", error.message)
          assert.match(error.detail, /before a whole answer came/)
          assert.strictEqual(server.connections(), 1)
        }
      })
    )

    it.scopedLive("is uncertain when no whole answer comes in time, and its connection is closed", () =>
      Effect.gen(function* () {
        const trickle = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<"
        for (const stalls of [() => {}, onRequest((socket) => socket.write(trickle))]) {
          const server = yield* listen(stalls)
          const [took, error] = yield* Effect.timed(call(`http://127.0.0.1:${server.port}`, "300 millis"))
          assert(error._tag === "CallUncertain", error.message)
          assert.match(error.detail, /no answer came within 300ms/)
          assert.isBelow(Duration.toMillis(took), 3000)
          yield* eventually(() => server.closed() === server.connections())
          assert.strictEqual(requestsIn(server), 1)
        }
      })
    )
  })

  describe(`NumberAuth over ${name}`, () => {
    it.scopedLive("takes a stalled attempt for lost after its time-out, and closes the connection", () =>
      Effect.gen(function* () {
        const server = yield* listen(() => {})
        const { auth, notices } = yield* start(`http://127.0.0.1:${server.port}`, {
          attemptTimeout: "300 millis",
          leaseDuration: "2 seconds"
        })
        const [took, error] = yield* Effect.timed(Effect.flip(auth.sessionKey))
        assert.strictEqual(error._tag, "AuthAborted")
        assert(error._tag === "AuthAborted")
        assert.strictEqual(error.abort.reason, "lost")
        assert.isBelow(Duration.toMillis(took), 2000)
        assert.isAtLeast(Duration.toMillis(took), 290)
        assert.strictEqual((yield* auth.status).failures, 1)
        assert.include(server.bytes(), goodToken)
        assertShowsNone(error, goodToken)
        assertShowsNone(yield* Ref.get(notices), goodToken)
        yield* eventually(() => server.closed() === server.connections())
        assert.strictEqual(requestsIn(server), 1)
      })
    )

    it.scopedLive("takes an attempt for lost after its time-out if its answer only trickles in", () =>
      Effect.gen(function* () {
        const server = yield* listen(
          onRequest((socket) => {
            socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            const timer = setInterval(() => socket.write("1\r\n \r\n"), 50)
            socket.on("close", () => clearInterval(timer))
          })
        )
        const { auth } = yield* start(`http://127.0.0.1:${server.port}`, {
          attemptTimeout: "300 millis",
          leaseDuration: "2 seconds"
        })
        const error = yield* Effect.flip(auth.sessionKey)
        assert(error._tag === "AuthAborted")
        assert.strictEqual(error.abort.reason, "lost")
        yield* eventually(() => server.closed() === server.connections())
        assert.strictEqual(requestsIn(server), 1)
      })
    )

    it.scopedLive("does not count an unsent attempt, and makes it when the network is back", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.make()
        yield* emulator.addToken(account, goodToken)
        const port = yield* freePort
        const { auth } = yield* start(`http://127.0.0.1:${port}`)
        for (let n = 0; n < 7; n++) {
          assert.strictEqual((yield* Effect.flip(auth.sessionKey))._tag, "AuthUnreachable")
        }
        assert.strictEqual((yield* auth.status).failures, 0)
        yield* serve(emulator, { port })
        yield* auth.sessionKey
      })
    )

    it.scopedLive("renews and replays over a real socket, and passes other answers through", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.make()
        yield* emulator.addToken(account, goodToken)
        const { url } = yield* serve(emulator)
        const { auth } = yield* start(url)
        yield* auth.sessionKey
        yield* emulator.expireSessions()
        const post = (path: string) =>
          auth.httpClient.execute(
            HttpClientRequest.post(path).pipe(HttpClientRequest.bodyUnsafeJson({ amount: 1 }))
          )
        const answer = yield* Effect.flatMap(post("/Echo"), (response) => response.json)
        assert.deepInclude((answer as { EchoResult: object }).EchoResult, {
          FunctionOk: true,
          Echo: { amount: 1 }
        })
        assert.strictEqual(yield* emulator.executionsOf({ amount: 1 }), 1)
        assert.lengthOf(yield* emulator.log, 2)
        yield* emulator.injectMethod(Emulator.Fault.Status(503, "<html>5030</html>"))
        const html = yield* post("/Echo")
        assert.strictEqual(html.status, 503)
        assert.strictEqual(yield* html.text, "<html>5030</html>")
      })
    )

    it.scopedLive("passes on a non-JSON answer unchanged; neither it nor its errors show the key", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.make()
        yield* emulator.addToken(account, goodToken)
        const backend = yield* serve(emulator)
        const pdf = Buffer.from('%PDF {"EchoResult":{"FunctionOk":false,"ErrCode":5030}}')
        let cut = false
        const server = yield* listen((socket) => {
          socket.on("data", (chunk: Buffer) => {
            if (chunk.includes("Authenticate")) {
              const forward = Net.connect(backend.port, "127.0.0.1")
              forward.pipe(socket)
              forward.write(chunk)
              socket.on("data", (more) => forward.write(more))
              return
            }
            if (!chunk.includes("/v1/Report")) return
            const length = cut ? pdf.length + 10 : pdf.length
            socket.write(
              `HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: ${length}\r\n\r\n`
            )
            socket.write(pdf, () => (cut ? socket.destroy() : undefined))
          })
        })
        const { auth } = yield* start(`http://127.0.0.1:${server.port}/v1`)
        const key = Redacted.value(yield* auth.sessionKey)
        const response = yield* auth.httpClient.get("/Report")
        assert.deepStrictEqual(Buffer.from(yield* response.arrayBuffer), pdf)
        assert.include(server.bytes().toLowerCase(), `sesskey: ${key.toLowerCase()}`)
        assertShowsNone(response, key)
        assert.lengthOf(yield* emulator.log, 1)
        cut = true
        const broken = yield* auth.httpClient.get("/Report")
        const error = yield* Effect.flip(broken.arrayBuffer)
        assert.strictEqual(error._tag, "ResponseError")
        assertShowsNone(error, key)
      })
    )

    it.scopedLive("does not follow a redirect, so the session key reaches no other server", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.make()
        yield* emulator.addToken(account, goodToken)
        const backend = yield* serve(emulator)
        const target = yield* listen(() => {})
        const server = yield* listen((socket) => {
          socket.on("data", (chunk: Buffer) => {
            if (chunk.includes("Authenticate")) {
              const forward = Net.connect(backend.port, "127.0.0.1")
              forward.pipe(socket)
              forward.write(chunk)
              socket.on("data", (more) => forward.write(more))
              return
            }
            socket.end(
              `HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:${target.port}/\r\nContent-Length: 0\r\n\r\n`
            )
          })
        })
        const { auth } = yield* start(`http://127.0.0.1:${server.port}`)
        const response = yield* auth.httpClient.get("/Report")
        assert.strictEqual(response.status, 307)
        assert.strictEqual(target.connections(), 0)
      })
    )
  })
}
