/**
 * What the command says: results on standard output, all else on standard error, and no secret on either.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Writable } from "node:stream"
import { withoutSecrets } from "../services/common/scrub.js"

/**
 * @since 0.1.0
 * @category services
 */
export class Output extends Context.Tag("effect-number-auth/cli/Output")<
  Output,
  {
    /** Whether `--json` was given. */
    readonly json: boolean
    /** A result: the text for people, or with `--json` the object, on one line. */
    readonly result: (text: string, json: Readonly<Record<string, unknown>>) => Effect.Effect<void>
    /** A line of standard output as it is, such as help. */
    readonly line: (text: string) => Effect.Effect<void>
    /** A line for people on standard error. What was said already is not said again. */
    readonly say: (text: string) => Effect.Effect<void>
    /** From here on this secret is not written, whatever holds it and however it is echoed. */
    readonly hide: (secret: Redacted.Redacted) => Effect.Effect<void>
  }
>() {}

const ansi = /\u001b\[[0-9;]*m/g

/** Done when the system has taken it, so that the process may exit. A reader that is gone is no error of ours. */
const write = (stream: Writable, text: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    stream.write(`${text}\n`, () => resume(Effect.void))
  })

/**
 * Writes to a pair of streams.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly json: boolean
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable
}): Output["Type"] => {
  const secrets = new Map<string, Redacted.Redacted>()
  const said = new Set<string>()
  const scrub = (text: string): string => withoutSecrets(text, ...secrets.values())
  const line = (text: string): Effect.Effect<void> =>
    Effect.suspend(() =>
      write(options.stdout, scrub(options.stdout.isTTY === true ? text : text.replace(ansi, "")))
    )
  return {
    json: options.json,
    line,
    result: (text, json) => line(options.json ? JSON.stringify(json) : text),
    say: (text) =>
      Effect.suspend(() => {
        if (said.has(text)) return Effect.void
        said.add(text)
        return write(options.stderr, scrub(`number-auth: ${text}`))
      }),
    hide: (secret) =>
      Effect.sync(() => {
        secrets.set(Redacted.value(secret), secret)
      })
  }
}
