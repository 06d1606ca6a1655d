/** A network between the store and its server that can swallow all bytes. */
import * as Net from "node:net"
import { Effect } from "effect"

/** Passes bytes on in both directions, until it swallows the bytes of the connections that are open. */
export const swallowing = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const { hostname, port } = new URL(url)
      const pairs: Array<readonly [Net.Socket, Net.Socket]> = []
      const server = Net.createServer((inner) => {
        const outer = Net.connect(Number(port), hostname)
        pairs.push([inner, outer])
        for (const [one, other] of [
          [inner, outer],
          [outer, inner]
        ] as const) {
          one.on("data", (bytes) => other.write(bytes))
          one.on("error", () => {})
          one.on("close", () => other.destroy())
        }
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const through = new URL(url)
      through.port = String((server.address() as Net.AddressInfo).port)
      return {
        url: through.href,
        /** Begins to swallow. It ends when the store has closed every connection that was open. */
        swallow: (): Promise<unknown> =>
          Promise.all(
            pairs.map(([inner, outer]) => {
              for (const socket of [inner, outer]) {
                socket.removeAllListeners("data")
                socket.removeAllListeners("close")
                socket.resume()
              }
              return new Promise((resolve) => inner.once("close", resolve))
            })
          ),
        end: () => {
          for (const socket of pairs.flat()) socket.destroy()
          server.close()
        }
      }
    }),
    ({ end }) => Effect.sync(end)
  )
