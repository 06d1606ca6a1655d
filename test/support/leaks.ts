/**
 * Looks for secrets in everything that a value can be shown as.
 */
import { inspect } from "node:util"
import { assert } from "@effect/vitest"
import { Cause, Exit, Inspectable } from "effect"

const safely = (show: () => unknown): string => {
  try {
    return String(show())
  } catch (error) {
    return `threw ${String(error)}`
  }
}

/** Every way in which a value is likely to end in a log. */
export const showings = (value: unknown): ReadonlyArray<string> => [
  safely(() => (value as Error).message),
  safely(() => (value as Error).stack),
  safely(() => value),
  safely(() => JSON.stringify(value)),
  safely(() => JSON.stringify(value, Object.getOwnPropertyNames(Object(value)))),
  safely(() => inspect(value, { depth: 10 })),
  safely(() => inspect(value, { depth: 10, showHidden: true, maxStringLength: Infinity })),
  safely(() => Cause.pretty(Cause.fail(value), { renderErrorCause: true })),
  safely(() => JSON.stringify(Cause.fail(value))),
  safely(() => inspect(Exit.fail(value), { depth: 10 })),
  safely(() => Inspectable.toStringUnknown(value))
]

/** Fails where the value shows a secret, in whatever case. */
export const assertShowsNone = (value: unknown, ...secrets: ReadonlyArray<string>): void => {
  for (const text of showings(value)) {
    for (const secret of secrets) {
      assert.isFalse(
        text.toLowerCase().includes(secret.toLowerCase()),
        `shows a secret: ${text.slice(0, 2000)}`
      )
    }
  }
}
