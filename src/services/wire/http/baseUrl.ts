/**
 * The base URL of Number's methods, and the URLs below it.
 */
import * as Either from "effect/Either"
import { InvalidInput } from "../../../schemas/InvalidInput.js"

/**
 * The base URL of the newer documentation pages (`number-api.md`, section "REST").
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultBaseUrl = "https://easypay5.com/APIcardProcNumber/v1.0.0"

/**
 * Checks a base URL: absolute, `https:` (or `http:` to a loopback address, for the emulator), without user, query or
 * fragment. Drops a trailing slash.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeBaseUrl = (input: string): Either.Either<string, InvalidInput> =>
  Either.map(decodeUrl(input, "base URL", defaultBaseUrl), (url) => url.replace(/\/+$/, ""))

/** Checks a URL of Number. The error names it by `field`. */
export const decodeUrl = (
  input: string,
  field: string,
  example: string
): Either.Either<string, InvalidInput> => {
  const invalid = () =>
    new InvalidInput({
      field,
      expected: `an https URL such as ${example}, without user, query or fragment (http only to a loopback address)`
    })
  const url = URL.canParse(input.trim()) ? new URL(input.trim()) : undefined
  if (url === undefined) return Either.left(invalid())
  const isLoopback =
    url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname)
  const isAllowed = url.protocol === "https:" || (url.protocol === "http:" && isLoopback)
  // Only `href` shows an empty query or fragment.
  const isPlain = url.username === "" && url.password === "" && !/[?#]/.test(url.href)
  return isAllowed && isPlain ? Either.right(url.href) : Either.left(invalid())
}

/**
 * Whether a URL is that of a method that takes the session key. It must be below the base URL, and must not name
 * `Authenticate` in any letter case or encoding.
 */
export const isCallUrl = (baseUrl: string, url: string): boolean => {
  if (!URL.canParse(url)) return false
  const base = new URL(`${baseUrl}/`)
  const { href, origin, pathname } = new URL(url)
  if (origin !== base.origin || !href.startsWith(base.href)) return false
  try {
    // A server decodes the path once. The second decoding is for a server that decodes twice.
    const path = decodeURIComponent(decodeURIComponent(pathname))
    const segments = path.slice(base.pathname.length).split(/[/\\]+/)
    const method = segments.find((segment) => segment !== "" && segment !== "." && segment !== "..")
    return method !== undefined && !segments.some((segment) => /^authenticate\b/i.test(segment))
  } catch {
    return false
  }
}
