/**
 * A request body whose text is not printed, since it holds a secret. A printed request prints its body, and the failure
 * of a span holds a request.
 */
import type * as HttpBody from "@effect/platform/HttpBody"

export const hiddenBody = (body: HttpBody.HttpBody): HttpBody.HttpBody =>
  Object.defineProperty(body, "toJSON", { value: () => "<redacted>" })
