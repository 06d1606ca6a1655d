/**
 * A request that is printed (the failure of a span holds one) prints its text: not the ones with a secret in them.
 */
import type * as HttpBody from "@effect/platform/HttpBody"

export const hiddenBody = (body: HttpBody.HttpBody): HttpBody.HttpBody =>
  Object.defineProperty(body, "toJSON", { value: () => "<redacted>" })
