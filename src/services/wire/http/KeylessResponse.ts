/**
 * A response without the session key: its `request` is the caller's own. The original response holds the request that
 * was sent, with the session key among its headers.
 */
import type * as Cookies from "@effect/platform/Cookies"
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Inspectable from "effect/Inspectable"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { scrub, withoutSecrets } from "../../common/scrub.js"

export abstract class KeylessResponse extends Inspectable.Class {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  // These are private at run time too, so an inspection of plain properties does not find them.
  readonly #original: HttpClientResponse.HttpClientResponse
  readonly #key: Redacted.Redacted

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    original: HttpClientResponse.HttpClientResponse,
    key: Redacted.Redacted
  ) {
    super()
    this.request = request
    this.#original = original
    this.#key = key
  }

  /** Makes text of this answer fit to be shown. It also removes the session key, whatever form the key has. */
  scrub(text: string): string {
    return scrub(text, this.#key)
  }

  /** The printed form of this answer without the session key, which a backend may echo in a header or in the body. */
  protected printed(json: object): unknown {
    return JSON.parse(JSON.stringify(json), (_, value: unknown) =>
      typeof value === "string" ? withoutSecrets(value, this.#key) : value
    )
  }

  get status(): number {
    return this.#original.status
  }

  get headers(): Headers.Headers {
    return this.#original.headers
  }

  get cookies(): Cookies.Cookies {
    return this.#original.cookies
  }

  get remoteAddress(): Option.Option<string> {
    return this.#original.remoteAddress
  }
}
