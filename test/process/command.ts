/**
 * The command `number-auth` within this process: all of it but `bin.ts`, which takes the arguments, the streams and the
 * signals from the process, and gives it the exit code. A run costs a tenth of a process.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { ConfigProvider, Console, Effect } from "effect"
import { Writable } from "node:stream"
import { main } from "../../src/cli/main.js"
import * as Output from "../../src/cli/Output.js"
import type { Ran } from "./start.js"

const capture = (onText: (text: string) => void): Writable =>
  new Writable({
    write: (chunk, _, done) => {
      onText(String(chunk))
      done()
    }
  })

/** Runs the command with the variables given and no others. It ends by itself: nothing here can signal it. */
export const runHere = async (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Promise<Ran> => {
  let stdout = ""
  let stderr = ""
  const onStderr = (text: string): void => {
    stderr += text
  }
  const output = Output.make({
    json: args.includes("--json"),
    stdout: capture((text) => {
      stdout += text
    }),
    stderr: capture(onStderr)
  })
  /** Sends the log to the standard error that is captured. */
  const withOwnConsole = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Console.consoleWith((outer) => {
      const unsafe = { ...outer.unsafe, error: (text: unknown) => onStderr(`${String(text)}\n`) }
      return Effect.withConsole(effect, { ...outer, unsafe })
    })
  const code = await main({
    argv: ["node", "number-auth", ...args],
    version: "0.0.0",
    output,
    signal: () => undefined
  }).pipe(
    withOwnConsole,
    Effect.provide(NodeContext.layer),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)), { pathDelim: "_" })),
    Effect.runPromise
  )
  return { code, signal: null, stdout, stderr }
}
