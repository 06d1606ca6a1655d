/**
 * The Number emulator behind a real socket, for child processes and for clients that are not Effect's.
 *
 * @since 0.1.0
 */
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Delivery, Incoming, NumberEmulator } from "./NumberEmulator.js"

/**
 * Settings of the server.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Port to listen on; 0 picks a free one. Default: 0. */
  readonly port?: number
  /** Address to listen on: only this machine's own. Default: `"127.0.0.1"`. */
  readonly host?: "127.0.0.1"
}

/**
 * The address of a running server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  /** Without a slash at the end, for example `http://127.0.0.1:40213`. */
  readonly url: string
  /** The endpoint of SOAP, for example `http://127.0.0.1:40213/APIcardProcR119/CardProcAPI.svc`. */
  readonly soapEndpoint: string
  readonly port: number
}

const headersOf = (request: Http.IncomingMessage): Incoming["headers"] =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value
    ])
  )

const incomingOf = (request: Http.IncomingMessage, body: string): Incoming => ({
  method: request.method ?? "GET",
  path: (request.url ?? "/").split("?")[0] ?? "/",
  headers: headersOf(request),
  body,
  ...(request.socket.remoteAddress === undefined ? {} : { remoteAddress: request.socket.remoteAddress })
})

const write = (response: Http.ServerResponse, delivery: Delivery): void => {
  switch (delivery._tag) {
    case "Answered":
    case "Cut": {
      const bytes = Buffer.from(delivery.answer.body, "utf8")
      response.writeHead(delivery.answer.status, {
        "content-type": delivery.answer.contentType,
        "content-length": bytes.length
      })
      if (delivery._tag === "Answered") {
        response.end(bytes)
      } else {
        // Destroy the connection only once the first half was handed to the system. A reset would discard that half.
        response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy())
      }
      return
    }
    case "Refused":
    case "Reset":
      response.socket?.resetAndDestroy()
      return
    case "Stalled":
      return
  }
}

const onRequest =
  (
    emulator: Context.Tag.Service<typeof NumberEmulator>,
    run: (effect: Effect.Effect<void>) => void
  ): Http.RequestListener =>
  (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () =>
      run(
        Effect.map(
          emulator.receive(incomingOf(request, Buffer.concat(chunks).toString("utf8"))),
          (delivery) => write(response, delivery)
        )
      )
    )
  }

const listen = (server: Http.Server, options: Options): Effect.Effect<Address, HttpServerError.ServeError> =>
  Effect.async((resume) => {
    const onError = (cause: Error): void => resume(Effect.fail(new HttpServerError.ServeError({ cause })))
    server.once("error", onError)
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1", () => {
      server.off("error", onError)
      const { address, port } = server.address() as Net.AddressInfo
      const url = `http://${address}:${port}`
      resume(Effect.succeed({ url, soapEndpoint: `${url}/APIcardProcR119/CardProcAPI.svc`, port }))
    })
  })

/** A server that destroys its connections when it is released, and does not wait for them. */
const acquireServer: Effect.Effect<Http.Server, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const server = Http.createServer()
      const sockets = new Set<Net.Socket>()
      server.on("connection", (socket) => {
        sockets.add(socket)
        socket.once("close", () => sockets.delete(socket))
      })
      return { server, sockets }
    }),
    ({ server, sockets }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  ),
  ({ server }) => server
)

/**
 * Serves an emulator over HTTP until the scope closes. Open connections are then destroyed.
 *
 * The header `X-Emulator-IP` gives the IP of a caller. Without it, the IP is that of the emulator's `setIp`, and
 * without that it is the socket's address. Faults act on real sockets: a drop resets the connection, a cut body ends it
 * half-way, a stall leaves it open. A listening socket cannot refuse, so `Refuse` resets the connection and the request
 * is not processed. Paths that end in `.svc` speak SOAP, all others speak REST.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = (
  emulator: Context.Tag.Service<typeof NumberEmulator>,
  options: Options = {}
): Effect.Effect<Address, HttpServerError.ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* acquireServer
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    server.on("request", onRequest(emulator, run))
    return yield* listen(server, options)
  })
