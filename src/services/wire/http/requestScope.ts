/**
 * Reaches into @effect/platform, which has no other way: `HttpClient.withScope` remembers by the request, in a WeakMap of its
 * own, which scope closes the request's connection. A copy of the request would be forgotten, and its answer cut off at once.
 * A test fails when that library keeps it elsewhere.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { globalValue } from "effect/GlobalValue"

const scopedRequests = globalValue(
  "@effect/platform/HttpClient/scopedRequests",
  () => new WeakMap<HttpClientRequest.HttpClientRequest, AbortController>()
)

/** Puts the copy of a request into the scope that the request belongs to, and gives the copy. */
export const inScopeOf = (
  given: HttpClientRequest.HttpClientRequest,
  copy: HttpClientRequest.HttpClientRequest
): HttpClientRequest.HttpClientRequest => {
  const controller = scopedRequests.get(given)
  if (controller !== undefined) scopedRequests.set(copy, controller)
  return copy
}
