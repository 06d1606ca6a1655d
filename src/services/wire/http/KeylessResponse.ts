/**
 * The head of an answer, as the answer to the request that was given. The one that was sent, which the original holds,
 * has the session key among its headers.
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
  // Private to the runtime too: an inspection that looks at plain properties does not find it.
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

  /** Makes text of this answer fit to be shown, whatever its session key looks like. */
  scrub(text: string): string {
    return scrub(text, this.#key)
  }

  /** What is printed of this answer, without its session key: a backend may echo it in a header or in the body. */
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
