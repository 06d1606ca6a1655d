/**
 * `number-auth simulate`, run in this process.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { Writable } from "node:stream"
import { main } from "../../../src/cli/main.js"
import * as Output from "../../../src/cli/Output.js"

const simulate = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const texts = { stdout: "", stderr: "" }
    const into = (name: keyof typeof texts): Writable =>
      new Writable({
        write: (chunk, _, done) => {
          texts[name] += String(chunk)
          done()
        }
      })
    const output = Output.make({
      json: args.includes("--json"),
      stdout: into("stdout"),
      stderr: into("stderr")
    })
    const code = yield* main({
      argv: ["node", "number-auth", "simulate", ...args],
      version: "0.0.0",
      signal: () => undefined,
      output
    })
    return { code, ...texts, json: args.includes("--json") ? JSON.parse(texts.stdout) : null }
  }).pipe(Effect.provide(NodeContext.layer))

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "number-auth-simulate-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
)

describe("number-auth simulate", { timeout: 300_000 }, () => {
  it.scopedLive("prints the results of a seed as text and as JSON, the same each time", () =>
    Effect.gen(function* () {
      const text = yield* simulate("--seed", "14", "--years", "1")
      const { code, json, stderr } = yield* simulate("--seed", "14", "--years", "1", "--json")
      assert.deepStrictEqual([text.code, code], [0, 0])
      assert.strictEqual(stderr, "")
      assert.deepInclude(json, { seed: 14, lockouts: 0 })
      assert.isAtLeast(json.years, 1)
      assert.isAbove(json.attempts, 10)
      const [first, second, third, ...faults] = text.stdout.trimEnd().split("\n")
      assert.match(first!, /^Simulated 1\.0 years of one location each, from seed 14: 0 lockouts\.$/)
      assert.strictEqual(
        second,
        `${json.attempts} attempts, ${json.renewals} sessions, ${json.calls} calls, ${json.crashes} crashes.`
      )
      assert.include(third, `Greatest count of the backend: ${json.greatestCount};`)
      assert.deepStrictEqual(
        Object.fromEntries(faults.map((line) => [line.slice(10), Number(line.slice(0, 8))])),
        json.faults
      )
    })
  )

  it.scopedLive(
    "fails with 70 if a promise is broken, and writes a trace that replays identically to the last byte",
    () =>
      Effect.gen(function* () {
        const at = yield* folder
        const [one, other] = [Path.join(at, "one.jsonl"), Path.join(at, "other.jsonl")]
        const broken = yield* simulate("--naive", "--seed", "1", "--trace", one, "--json")
        assert.strictEqual(broken.code, 70)
        assert.deepInclude(broken.json, {
          error: "PromiseBroken",
          promise: "the backend never counts six",
          seed: 1,
          life: 0,
          trace: one,
          exitCode: 70
        })
        assert.match(broken.stderr, /as a Mermaid diagram:\nsequenceDiagram\n[^]*count 6 of/)
        assert.include(broken.stderr, `Replay it with number-auth simulate --replay ${one}.`)

        const again = yield* simulate("--naive", "--seed", "1", "--trace", other)
        assert.strictEqual(again.code, 70)
        assert.strictEqual(again.stdout, "")
        assert.match(again.stderr, /The naive client has locked its location, as expected/)
        assert.strictEqual(Fs.readFileSync(other, "utf8"), Fs.readFileSync(one, "utf8"))

        const replayed = yield* simulate("--replay", one, "--json")
        assert.strictEqual(replayed.code, 0)
        assert.isNull(replayed.json.differsAt)
        assert.strictEqual(replayed.json.violation.atMillis, broken.json.atMillis)
        const text = yield* simulate("--replay", one)
        assert.match(text.stdout, /^The replay is identical to the trace\b.*\.\nsequenceDiagram\n/)
      })
  )

  it.scopedLive("reports the first line at which a replay differs from its trace", () =>
    Effect.gen(function* () {
      const trace = Path.join(yield* folder, "trace.jsonl")
      yield* simulate("--naive", "--seed", "1", "--trace", trace)
      const lines = Fs.readFileSync(trace, "utf8").split("\n")
      lines[4] = lines[4]!.replace(/"atMillis":\d+/, '"atMillis":1')
      Fs.writeFileSync(trace, lines.join("\n"))
      assert.strictEqual((yield* simulate("--replay", trace, "--json")).json.differsAt, 5)
      const text = yield* simulate("--replay", trace)
      assert.match(text.stdout, /^The replay differs from line 5 on: another version of this program/)
    })
  )

  it.scopedLive("draws a seed if none is given, and prints it, so that the run can be repeated", () =>
    Effect.gen(function* () {
      const trace = Path.join(yield* folder, "trace.jsonl")
      const { json } = yield* simulate("--naive", "--trace", trace, "--json")
      assert.isTrue(Number.isInteger(json.seed))
      const given = yield* simulate("--naive", "--seed", String(json.seed), "--trace", trace, "--json")
      assert.deepStrictEqual(given.json, json)
      const other = yield* simulate("--naive", "--trace", trace, "--json")
      assert.notStrictEqual(other.json.seed, json.seed)
    })
  )

  it.scopedLive("reports a trace that cannot be written, and fails with 70 all the same", () =>
    Effect.gen(function* () {
      const trace = Path.join(yield* folder, "no such folder", "trace.jsonl")
      const { code, json } = yield* simulate("--naive", "--seed", "1", "--trace", trace, "--json")
      assert.strictEqual(code, 70)
      assert.isNull(json.trace)
      assert.match(json.message, /The trace could not be written\.$/)
    })
  )

  const refused: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["zero years", ["--years", "0"], /--years.*1 or more/],
    ["years that are not a number", ["--years", "many"], /--years|'many'/],
    ["a fraction of a year", ["--years", "1.5"], /--years|'1\.5'/],
    ["a seed that is not a number", ["--seed", "luck"], /--seed|'luck'/],
    ["a seed that is not an integer", ["--seed", "0.5"], /--seed|'0\.5'/],
    [
      "a trace file that does not exist",
      ["--replay", "/no such folder/trace.jsonl"],
      /--replay.*a file that can be read/
    ],
    [
      "a file that is not a trace",
      ["--replay", "package.json"],
      /--replay.*a trace that number-auth simulate has written/
    ],
    ["an unknown flag", ["--century"], /--century/]
  ]
  for (const [input, args, expected] of refused) {
    it.live(`refuses ${input} with 78, names it, and simulates nothing`, () =>
      Effect.gen(function* () {
        const text = yield* simulate(...args)
        assert.strictEqual(text.code, 78)
        assert.strictEqual(text.stdout, "")
        assert.match(text.stderr, expected)
        const { code, json } = yield* simulate(...args, "--json")
        assert.strictEqual(code, 78)
        assert.strictEqual(json.exitCode, 78)
        assert.match(json.message, expected)
      })
    )
  }
})
