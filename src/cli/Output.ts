/**
 * The output of the command: results on standard output, all else on standard error, and no secret on either.
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
    /** Prints a result: the text for people, or with `--json` the object, on one line. */
    readonly result: (text: string, json: Readonly<Record<string, unknown>>) => Effect.Effect<void>
    /** Prints a text on standard output, with or without `--json`, such as help. */
    readonly line: (text: string) => Effect.Effect<void>
    /** Prints a line for people on standard error. A text that was printed before is left out. */
    readonly say: (text: string) => Effect.Effect<void>
    /** From now on this secret is removed from every text, however it is echoed. */
    readonly hide: (secret: Redacted.Redacted) => Effect.Effect<void>
  }
>() {}

const ansi = /\u001b\[[0-9;]*m/g

/** Ends when the stream has taken the text, so that the process may exit. A reader that has gone is not an error. */
const write = (stream: Writable, text: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    stream.write(`${text}\n`, () => resume(Effect.void))
  })

/**
 * Builds an output that writes to two streams.
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
