import * as Http from "node:http"
import type * as Net from "node:net"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, Layer, Redacted, Scope } from "effect"
import * as InspectServer from "../../../src/inspect/InspectServer.js"
import * as Recorder from "../../../src/inspect/Recorder.js"
import { fromTrace } from "../../../src/schemas/TransitionRecord.js"
import { record } from "../../support/records.js"

interface Answered {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** Uses Node's own client, which sends any headers, `host` among them. */
const get = (url: string, headers: Record<string, string> = {}, method = "GET"): Effect.Effect<Answered> =>
  Effect.async((resume) => {
    const request = Http.request(url, { headers, method, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resume(
          Effect.succeed({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8")
          })
        )
      )
    })
    request.on("error", (error) => resume(Effect.die(error)))
    request.end()
  })

const served = (options: InspectServer.Options = {}, host = "127.0.0.1") =>
  Effect.gen(function* () {
    const server = Http.createServer()
    const recorder = yield* Recorder.make({ title: "a test" })
    yield* Layer.build(
      InspectServer.layer(options).pipe(
        Layer.provide(NodeHttpServer.layerServer(() => server, { port: 0, host })),
        Layer.provide(Layer.succeed(Recorder.Recorder, recorder))
      )
    )
    const url = `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}`
    return { recorder, url, port: url.split(":")[2]! }
  })

const of = (account = "EP0000001") => `location=default&account=${account}`
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })

describe("InspectServer", () => {
  it.scopedLive("shows accounts, records, the diagram and the trace of the recorded changes", () =>
    Effect.gen(function* () {
      const { recorder, url } = yield* served()
      recorder.record(record())
      recorder.record(record({ sequence: 2, to: "aborted" }))
      const accounts = JSON.parse((yield* get(`${url}/accounts`)).body)
      assert.deepInclude(accounts, { source: "live", title: "a test" })
      assert.isAbove(accounts.nowMillis, 1_700_000_000_000)
      assert.deepStrictEqual(accounts.accounts, [record({ sequence: 2, to: "aborted" })])
      const records = JSON.parse((yield* get(`${url}/records?${of()}`)).body)
      assert.deepStrictEqual(records, {
        attempts: [],
        records: [record(), record({ sequence: 2, to: "aborted" })]
      })
      assert.deepStrictEqual(JSON.parse((yield* get(`${url}/records?${of("EP0000009")}`)).body), {
        attempts: [],
        records: []
      })
      const sequence = yield* get(`${url}/sequence?${of()}`)
      assert.include(sequence.body, "aborted")
      assert.match(sequence.headers["content-type"]!, /^text\/plain/)
      assert.notInclude((yield* get(`${url}/sequence?${of()}&until=1`)).body, "aborted")
      const trace = fromTrace((yield* get(`${url}/trace`)).body)
      assert.deepStrictEqual(trace, Either.right([record(), record({ sequence: 2, to: "aborted" })]))
    })
  )

  it.scopedLive("serves the page with a policy under which it loads nothing from elsewhere", () =>
    Effect.gen(function* () {
      const { url } = yield* served()
      for (const [path, type] of [
        ["/", "text/html"],
        ["/page.js", "text/javascript"],
        ["/page.css", "text/css"]
      ] as const) {
        const { body, headers, status } = yield* get(`${url}${path}`)
        assert.strictEqual(status, 200)
        assert.isTrue(headers["content-type"]!.startsWith(type))
        assert.match(
          String(headers["content-security-policy"]),
          /^default-src 'none'; script-src 'self'; style-src 'self'/
        )
        assert.strictEqual(headers["x-content-type-options"], "nosniff")
        assert.strictEqual(headers["cache-control"], "no-store")
        assert.isAbove(body.length, 100)
        assert.notMatch(body, /https?:\/\/(?!www\.w3\.org\/)/)
      }
      const missing = yield* get(`${url}/nothing`)
      assert.strictEqual(missing.status, 404)
      assert.isDefined(missing.headers["content-security-policy"])
    })
  )

  it.scopedLive("streams records as they come, and misses no record after the first byte", () =>
    Effect.gen(function* () {
      const { recorder, url } = yield* served()
      const seen = yield* Effect.async<string>((resume) => {
        let text = ""
        let sent = 0
        const request = Http.get(`${url}/events`, { agent: false }, (response) => {
          assert.match(response.headers["content-type"]!, /^text\/event-stream/)
          response.on("data", (chunk: Buffer) => {
            text += chunk.toString("utf8")
            while (sent < 3) recorder.record(record({ sequence: ++sent }))
            if (text.split("event: record").length <= 3) return
            request.destroy()
            resume(Effect.succeed(text))
          })
        })
        request.on("error", () => {})
      })
      const sequences = [...seen.matchAll(/^event: record\ndata: (.*)\n\n/gm)].map(
        ([, data]) => JSON.parse(data!).sequence
      )
      assert.deepStrictEqual(sequences, [1, 2, 3])
    })
  )

  it.live("closes even if a page is open", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url } = yield* Scope.extend(served(), scope)
      const ended = yield* Effect.async<Promise<void>>((resume) => {
        Http.get(`${url}/events`, { agent: false }, (response) => {
          resume(Effect.succeed(new Promise<void>((resolve) => response.on("close", resolve))))
          response.resume()
        })
      })
      yield* Scope.close(scope, Exit.void)
      yield* Effect.promise(() => ended)
    })
  )

  it.scopedLive("answers other methods than GET with 405, and a malformed query with 400", () =>
    Effect.gen(function* () {
      const { url } = yield* served()
      for (const method of ["POST", "PUT", "DELETE"]) {
        assert.strictEqual((yield* get(`${url}/accounts`, {}, method)).status, 405)
      }
      for (const path of [
        "/records",
        "/records?location=default&account=no",
        "/sequence?location=%20/&account=EP0000001"
      ]) {
        const { body, status } = yield* get(`${url}${path}`)
        assert.strictEqual(status, 400)
        assert.isAbove(body.length, 10)
      }
    })
  )

  it.scopedLive("without a secret accepts loopback hosts only, and answers others with 421", () =>
    Effect.gen(function* () {
      const { port, url } = yield* served()
      for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, "localhost"]) {
        assert.strictEqual((yield* get(`${url}/accounts`, { host })).status, 200, host)
      }
      for (const host of [
        `evil.test:${port}`,
        `127.0.0.1.evil.test:${port}`,
        "localhost.evil.test",
        "::1.x"
      ]) {
        const { body, status } = yield* get(`${url}/accounts`, { host })
        assert.strictEqual(status, 421, host)
        assert.notInclude(body, "accounts")
      }
    })
  )

  it.scopedLive("does not start on a public address without a secret, nor with a short secret", () =>
    Effect.gen(function* () {
      const error = (yield* Effect.flip(served({}, "0.0.0.0"))) as InspectServer.InspectorExposed
      assert.deepInclude(error, { _tag: "InspectorExposed", why: "notLoopback" })
      assert.match(error.message, /127\.0\.0\.1/)
      const short = (yield* Effect.flip(
        served({ secret: Redacted.make("123456789012345") })
      )) as InspectServer.InspectorExposed
      assert.strictEqual(short.why, "secretTooShort")
      assert.notInclude(short.message, "123456789")
    })
  )

  it.scopedLive("asks for its secret on every path, and accepts any host with it", () =>
    Effect.gen(function* () {
      const secret = "a secret: 17 chars"
      const { recorder, url } = yield* served({ secret: Redacted.make(secret) }, "0.0.0.0")
      recorder.record(record())
      for (const path of ["/", "/accounts", "/events", `/records?${of()}`, "/trace", "/nothing"]) {
        for (const headers of [
          {},
          basic("anyone:wrong"),
          basic(secret),
          basic(`anyone:${secret} `),
          basic("anyone:"),
          { authorization: `Bearer ${secret}` },
          { authorization: "Basic %%%" }
        ] as ReadonlyArray<Record<string, string>>) {
          const { body, headers: answered, status } = yield* get(`${url}${path}`, headers)
          assert.strictEqual(status, 401, path)
          assert.match(answered["www-authenticate"]!, /^Basic realm=/)
          assert.notInclude(body, "EP0000001")
        }
      }
      const shown = yield* get(`${url}/accounts`, { ...basic(`anyone:${secret}`), host: "inspector.example" })
      assert.strictEqual(shown.status, 200)
      assert.include(shown.body, "EP0000001")
    })
  )
})
