/**
 * Makes text from outside fit to be shown: nothing in it may be a secret.
 */
import * as Redacted from "effect/Redacted"

const longestShown = 200

/**
 * Takes out every secret given and every run of hexadecimal digits that is long enough to be a token or a session
 * key, control characters too, and shortens the rest.
 */
export const scrub = (text: string, ...secrets: ReadonlyArray<Redacted.Redacted<string>>): string => {
  let clean = text
  for (const secret of secrets) {
    const value = Redacted.value(secret)
    // A token is a GUID without hyphens, and may be echoed with them, or over two lines.
    const characters = Array.from(value, escape).join("[\\s\\p{C}\\p{Pd}]*")
    if (value.length > 0) clean = clean.replaceAll(new RegExp(characters, "giu"), "<redacted>")
  }
  clean = clean
    .replace(/[0-9a-f](?:-?[0-9a-f]){23,}/gi, "<redacted>")
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
  return clean.length > longestShown ? `${clean.slice(0, longestShown)}…` : clean
}

const escape = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
