#!/usr/bin/env node
/**
 * The executable `number-auth`.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { createRequire } from "node:module"
import { ExitCode, exitCodeOfSignal } from "./ExitCode.js"
import { main } from "./main.js"
import * as Output from "./Output.js"

const { version } = createRequire(import.meta.url)("../../package.json") as { readonly version: string }

// A reader that has gone (`number-auth status | head -1`) must not stop the process before an attempt is settled.
process.stdout.on("error", () => {})
process.stderr.on("error", () => {})

let signal: "SIGINT" | "SIGTERM" | undefined
for (const each of ["SIGINT", "SIGTERM"] as const) process.once(each, () => (signal = signal ?? each))

const output = Output.make({
  json: process.argv.includes("--json"),
  stdout: process.stdout,
  stderr: process.stderr
})

main({ argv: process.argv, version, output, signal: () => signal }).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit) => {
      const code = Exit.isSuccess(exit)
        ? exit.value
        : signal === undefined
          ? ExitCode.defect
          : exitCodeOfSignal(signal)
      process.exit(code as number)
    }
  })
)
