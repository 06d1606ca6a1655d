/**
 * The scope of a copied request. This file reaches into @effect/platform, which offers no other way:
 * `HttpClient.withScope` keeps, in a WeakMap by request, which scope closes the request's connection. A copy of the
 * request is not in that map, so its answer would be cut off at once. A test fails if the library moves the map.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { globalValue } from "effect/GlobalValue"

const scopedRequests = globalValue(
  "@effect/platform/HttpClient/scopedRequests",
  () => new WeakMap<HttpClientRequest.HttpClientRequest, AbortController>()
)

/** Puts the copy of a request into the request's scope, and returns the copy. */
export const inScopeOf = (
  given: HttpClientRequest.HttpClientRequest,
  copy: HttpClientRequest.HttpClientRequest
): HttpClientRequest.HttpClientRequest => {
  const controller = scopedRequests.get(given)
  if (controller !== undefined) scopedRequests.set(copy, controller)
  return copy
}
