/**
 * The server of the live page, which shows the records of a {@link Recorder} in a browser. The page is read-only. The
 * server sends data only to browsers that may look, and the page loads nothing from other servers.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { decodeAccountCode, decodeLocation } from "../schemas/Credentials.js"
import { encodeRecord, toTrace, type TransitionRecord } from "../schemas/TransitionRecord.js"
import { page } from "./internal/page.js"
import { Recorder } from "./Recorder.js"
import { toSequenceDiagram } from "./Sequence.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The secret that the browser asks for as a password, with any user name. It has at least 16 characters. Without a
   * secret the page is for this machine alone. The secret is sent unencrypted: put TLS in front of the server.
   */
  readonly secret?: Redacted.Redacted | undefined
}

/**
 * The error of a server that people without permission could read. Nothing is served.
 *
 * @since 0.1.0
 * @category errors
 */
export class InspectorExposed extends Schema.TaggedError<InspectorExposed>(
  "effect-number-auth/inspect/InspectorExposed"
)("InspectorExposed", { why: Schema.Literal("notLoopback", "secretTooShort") }) {
  override get message(): string {
    return this.why === "notLoopback"
      ? "The inspector listens on an address that other machines can reach, and has no secret, so it does not start. Listen on 127.0.0.1, or give it a secret of at least 16 characters."
      : "The inspector's secret is too short to keep others out, so it does not start. Give it at least 16 characters."
  }
}

const leastSecret = 16

const loopbacks: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1", "[::1]"])

const isLoopback = (address: HttpServer.Address): boolean =>
  address._tag === "UnixAddress" || loopbacks.has(address.hostname)

/** The host of a Host header, without its port. */
const hostOf = (header: string): string => header.replace(/:\d*$/, "")

const digest = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)))

const passwordIn = (authorization: string | undefined): string | null => {
  const encoded = /^Basic +([\w+/=-]+)$/i.exec(authorization ?? "")?.[1]
  if (encoded === undefined) return null
  return Either.match(Encoding.decodeBase64String(encoded), {
    onLeft: () => null,
    onRight: (text) => text.slice(text.indexOf(":") + 1)
  })
}

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const encodeRecords = (records: ReadonlyArray<TransitionRecord>): string =>
  `[${records.map(encodeRecord).join(",")}]`

const json = (text: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(text, { contentType: "application/json" })

const textResponse = (status: number, text: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(`${text}\n`, { status })

/**
 * The event stream of the page. It has an event for each record, and one for each change of the recorder's `trouble`.
 * Records that came together are sent in one piece. A sign of life is sent at the start and every 15 seconds.
 */
const eventsOf = (recorder: Recorder["Type"], closing: Deferred.Deferred<void>): Stream.Stream<Uint8Array> =>
  Stream.unwrapScoped(
    // The subscription begins before the first byte. A page that asks for the accounts after it misses no record.
    Effect.map(recorder.changes, (changes) =>
      changes.pipe(
        Stream.chunks,
        // People do not notice the pause. A busy program then writes the records of the pause in one piece.
        Stream.flatMap((records) =>
          Stream.concat(
            Stream.succeed(
              Array.from(records, (record) => `event: record\ndata: ${encodeRecord(record)}\n\n`).join("")
            ),
            Stream.drain(Stream.fromEffect(Effect.sleep("50 millis")))
          )
        ),
        Stream.merge(
          Stream.map(
            Stream.changes(recorder.trouble.changes),
            (trouble) => `event: trouble\ndata: ${JSON.stringify(trouble)}\n\n`
          ),
          { haltStrategy: "left" }
        ),
        Stream.merge(Stream.as(Stream.fromSchedule(Schedule.spaced("15 seconds")), ": here\n\n"), {
          haltStrategy: "left"
        }),
        Stream.prepend(Chunk.of(": here\n\n")),
        Stream.map(utf8ToBytes),
        // A closing server waits for its responses to end. This response would never end by itself.
        Stream.interruptWhenDeferred(closing)
      )
    )
  )

const answer = (
  recorder: Recorder["Type"],
  closing: Deferred.Deferred<void>,
  url: URL
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.gen(function* () {
    const asked = Either.all({
      location: decodeLocation(url.searchParams.get("location")),
      account: decodeAccountCode(url.searchParams.get("account"))
    })
    switch (url.pathname) {
      case "/":
        return HttpServerResponse.text(page.html, { contentType: "text/html; charset=utf-8" })
      case "/page.js":
        return HttpServerResponse.text(page.js, { contentType: "text/javascript; charset=utf-8" })
      case "/page.css":
        return HttpServerResponse.text(page.css, { contentType: "text/css; charset=utf-8" })
      case "/accounts": {
        const nowMillis = yield* recorder.nowMillis
        const accounts = yield* recorder.accounts
        const about = JSON.stringify({
          nowMillis,
          source: recorder.source,
          title: recorder.title,
          notices: yield* recorder.notices,
          attempts: recorder.attemptsOf(accounts)
        })
        return json(`${about.slice(0, -1)},"accounts":${encodeRecords(accounts)}}`)
      }
      case "/records": {
        if (Either.isLeft(asked)) return textResponse(400, asked.left.message)
        const records = yield* recorder.records(asked.right)
        const attempts = JSON.stringify(recorder.attemptsOf(records))
        return json(`{"attempts":${attempts},"records":${encodeRecords(records)}}`)
      }
      case "/sequence": {
        if (Either.isLeft(asked)) return textResponse(400, asked.left.message)
        const until = Number(url.searchParams.get("until") ?? Infinity)
        const records = yield* recorder.records(asked.right)
        return HttpServerResponse.text(toSequenceDiagram(records.filter(({ sequence }) => sequence <= until)))
      }
      case "/trace":
        return HttpServerResponse.text(toTrace(yield* recorder.all), {
          contentType: "application/jsonl",
          headers: { "content-disposition": 'attachment; filename="number-auth-trace.jsonl"' }
        })
      case "/events":
        return HttpServerResponse.stream(eventsOf(recorder, closing), {
          contentType: "text/event-stream",
          headers: { connection: "close" }
        })
      default:
        return textResponse(404, "There is no such page.")
    }
  })

/**
 * The page as an application, for a server of your own. Without a secret it answers only requests for a host of this
 * machine. This stops a page of another site that makes its own name resolve to this machine. The server must then
 * decide which clients may connect. When the scope closes, the event streams of open pages end. Fails if the secret is
 * too short.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeApp = (
  options: Options = {}
): Effect.Effect<
  HttpApp.Default<never, HttpServerRequest.HttpServerRequest>,
  InspectorExposed,
  Recorder | Scope.Scope
> =>
  Effect.gen(function* () {
    const recorder = yield* Recorder
    const closing = yield* Deferred.make<void>()
    yield* Effect.addFinalizer(() => Deferred.succeed(closing, undefined))
    const secret = options.secret === undefined ? null : Redacted.value(options.secret)
    if (secret !== null && secret.length < leastSecret) {
      return yield* new InspectorExposed({ why: "secretTooShort" })
    }
    const expected = secret === null ? null : digest(secret)
    const app = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      if (request.method !== "GET" && request.method !== "HEAD") {
        return Effect.succeed(
          HttpServerResponse.setHeader(textResponse(405, "The inspector is read-only."), "allow", "GET, HEAD")
        )
      }
      if (expected === null) {
        if (!loopbacks.has(hostOf(request.headers["host"] ?? ""))) {
          return Effect.succeed(
            textResponse(421, "This inspector has no secret, so it serves only this machine.")
          )
        }
      } else {
        // The digests are compared, so that the time of the comparison reveals nothing about the secret.
        const password = passwordIn(request.headers["authorization"])
        if (password === null || digest(password) !== expected) {
          return Effect.succeed(
            HttpServerResponse.setHeader(
              textResponse(401, "Enter the inspector's secret as the password."),
              "www-authenticate",
              'Basic realm="number-auth inspector", charset="UTF-8"'
            )
          )
        }
      }
      return answer(recorder, closing, new URL(request.url, "http://localhost"))
    })
    return Effect.map(app, HttpServerResponse.setHeaders(headers))
  })

/**
 * Serves the page with the given `HttpServer` while the layer lives. Fails if other machines can reach the server and
 * there is no secret, or if the secret is too short.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<never, InspectorExposed, Recorder | HttpServer.HttpServer> =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      if (options.secret === undefined && !isLoopback(address)) {
        return yield* new InspectorExposed({ why: "notLoopback" })
      }
      return HttpServer.serve(yield* makeApp(options))
    })
  )
