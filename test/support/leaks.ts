/**
 * Looks for secrets in every form in which a value can be shown.
 */
import { format, inspect } from "node:util"
import { assert } from "@effect/vitest"
import { Cause, Exit, Inspectable, Runtime } from "effect"

const safely = (show: () => unknown): string => {
  try {
    return String(show())
  } catch (error) {
    return `threw ${String(error)}`
  }
}

/** Every form in which a value is likely to end in a log. */
export const showings = (value: unknown): ReadonlyArray<string> => [
  safely(() => (value as Error).message),
  safely(() => (value as Error).stack),
  safely(() => value),
  safely(() => JSON.stringify(value)),
  safely(() => JSON.stringify((value as Inspectable.Inspectable).toJSON())),
  safely(() => JSON.stringify(value, Object.getOwnPropertyNames(Object(value)))),
  safely(() => inspect(value, { depth: Infinity, maxArrayLength: Infinity })),
  safely(() => inspect(value, { depth: 10, showHidden: true, maxStringLength: Infinity })),
  safely(() => inspect(value, { depth: 6, customInspect: false })),
  safely(() => format("%s %o %O %j", value, value, value, value)),
  safely(() => Cause.pretty(Cause.fail(value), { renderErrorCause: true })),
  safely(() => JSON.stringify(Cause.fail(value))),
  safely(() => inspect(Exit.fail(value), { depth: Infinity })),
  ...fiberFailure(Cause.fail(value)),
  ...fiberFailure(Cause.die(value)),
  safely(() => Inspectable.toStringUnknown(value))
]

/** The error with which a promise of Effect is rejected. */
const fiberFailure = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => {
  const failure = Runtime.makeFiberFailure(cause)
  return [
    safely(() => failure),
    safely(() => failure.stack),
    safely(() => JSON.stringify(failure)),
    safely(() => inspect(failure, { depth: Infinity, showHidden: true }))
  ]
}

/** Fails if the value shows a secret, in upper or lower case. */
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
