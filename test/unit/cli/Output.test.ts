import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Writable } from "node:stream"
import { make } from "../../../src/cli/Output.js"

const token = "2148B239CF6846BDA5D141BF4A4CFBE8"

const written = () => {
  const texts = { stdout: "", stderr: "" }
  const stream = (name: keyof typeof texts) =>
    new Writable({
      write: (chunk, _encoding, done) => {
        texts[name] += String(chunk)
        done()
      }
    })
  return { texts, streams: { stdout: stream("stdout"), stderr: stream("stderr") } }
}

describe("the output of a command", () => {
  for (const json of [false, true]) {
    it.effect(
      `holds no secret that was given to hide, however the secret is echoed, ${json ? "as JSON" : "as text"}`,
      () =>
        Effect.gen(function* () {
          const { streams, texts } = written()
          const output = make({ json, ...streams })
          yield* output.hide(Redacted.make(token))
          for (const echoed of [token, token.toLowerCase(), token.replace(/.{8}(?=.)/g, "$&-")]) {
            yield* output.line(`a ${echoed} b`)
            yield* output.say(`a ${echoed} c`)
            yield* output.result(`a ${echoed} d`, { note: `a ${echoed} d` })
          }
          const shown = texts.stdout + texts.stderr
          assert.strictEqual(shown.match(/a <redacted> [bcd]/g)?.length, 9)
          for (const part of [token.slice(0, 8), token.slice(-8)]) {
            assert.notInclude(shown.toUpperCase(), part)
          }
        })
    )
  }
})
