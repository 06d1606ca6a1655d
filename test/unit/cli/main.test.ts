import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Writable } from "node:stream"
import { main } from "../../../src/cli/main.js"
import * as Output from "../../../src/cli/Output.js"

const capture = (onText: (text: string) => void): Writable =>
  new Writable({
    write: (chunk, _, done) => {
      onText(String(chunk))
      done()
    }
  })

const host = (args: ReadonlyArray<string>, failing: boolean, signal?: "SIGINT") => {
  const texts = { stdout: "", stderr: "" }
  const output = Output.make({
    json: args.includes("--json"),
    stdout: capture((text) => {
      texts.stdout += text
    }),
    stderr: capture((text) => {
      texts.stderr += text
    })
  })
  return {
    texts,
    host: {
      argv: ["node", "number-auth", ...args],
      version: "0.0.0",
      signal: () => signal,
      output: failing ? { ...output, hide: () => Effect.die(new TypeError("of a secret kind")) } : output
    }
  }
}

// `login` hides the token first. The failing output dies at that step.
const withToken = Effect.acquireRelease(
  Effect.sync(() => {
    process.env["NUMBER_TOKEN"] = "2148B239CF6846BDA5D141BF4A4CFBE8"
  }),
  () => Effect.sync(() => delete process.env["NUMBER_TOKEN"])
)

describe("main", () => {
  it.scopedLive("exits with 70 on a defect, without showing the message of the defect", () =>
    Effect.gen(function* () {
      yield* withToken
      const given = host(["login", "--account", "EP9116875", "--json"], true)
      const code = yield* main(given.host)
      assert.strictEqual(code, 70)
      assert.notInclude(given.texts.stdout + given.texts.stderr, "of a secret kind")
      const { error, exitCode, message } = JSON.parse(given.texts.stdout)
      assert.deepStrictEqual([error, exitCode], ["Defect", 70])
      assert.match(message, /^number-auth has a bug \(TypeError\)/)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("prints nothing more when the emulator is interrupted", () =>
    Effect.gen(function* () {
      const given = host(["emulator", "--json"], false, "SIGINT")
      const running = yield* Effect.fork(main(given.host))
      while (given.texts.stdout === "") yield* Effect.sleep("10 millis")
      yield* Fiber.interruptFork(running)
      yield* Fiber.await(running)
      assert.strictEqual(given.texts.stdout.trim().split("\n").length, 1)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
