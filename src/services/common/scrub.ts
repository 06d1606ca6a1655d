/**
 * The scrubbing of text from outside: secrets are removed, so that the text is fit to be shown.
 */
import * as Redacted from "effect/Redacted"

const longestShown = 200

/** Separators that may stand inside an echoed secret: the hyphens of a GUID, or a line break. */
const separators = /[\s\p{C}\p{Pd}]+/gu

/** Longer secrets (a signature, say) are found only by their exact text: a pattern of each character takes too long. */
const longestLoose = 128

/** 13 digits or more, with or without blanks, dots or hyphens between them: a card number, and digits after it. */
const cardNumber = /\d(?:[\s.\p{Pd}]*\d){12,}/gu

const isAscii = (text: string): boolean => /^\p{ASCII}*$/u.test(text)

/** A text without separators, in lower case. */
const folded = (text: string): string => text.replace(separators, "").toLowerCase()

/** Whether a text may hold a secret. The quick check needs ASCII: the pattern also takes other letters, such as ſ. */
const mayHold = (text: string, value: string): boolean =>
  !isAscii(text) || !isAscii(value) || folded(text).includes(folded(value))

const escape = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const without = (text: string, value: string): string => {
  if (value.length > longestLoose) return text.replaceAll(value, "<redacted>")
  // The secret's own separators are dropped, so that no two parts of the pattern match the same character.
  const characters = Array.from(value.replace(separators, ""), escape)
  // Most texts cannot hold the secret, and to build the pattern is the slowest step here.
  if (characters.length === 0 || text.length < characters.length || !mayHold(text, value)) return text
  return text.replaceAll(new RegExp(characters.join("[\\s\\p{C}\\p{Pd}]*"), "giu"), "<redacted>")
}

/** Removes the given secrets, in any letter case and with separators inside, and leaves the rest unchanged. */
export const withoutSecrets = (text: string, ...secrets: ReadonlyArray<Redacted.Redacted<string>>): string =>
  secrets.reduce((shown, secret) => without(shown, Redacted.value(secret)), text)

/** Removes the given secrets, and every run of hexadecimal digits that is long enough for a token or a session key. */
export const withoutKeys = (text: string, ...secrets: ReadonlyArray<Redacted.Redacted<string>>): string =>
  withoutSecrets(text, ...secrets).replace(/[0-9a-f](?:-?[0-9a-f]){23,}/gi, "<redacted>")

/**
 * Removes the given secrets, every run of hexadecimal digits that is long enough for a token or a session key, and
 * possible card numbers. Replaces control characters and white space with single spaces, and shortens the rest.
 */
export const scrub = (text: string, ...secrets: ReadonlyArray<Redacted.Redacted<string>>): string =>
  scrubTo(longestShown, text, ...secrets)

/** {@link scrub} for a text that may be longer, in characters. */
export const scrubTo = (
  longest: number,
  text: string,
  ...secrets: ReadonlyArray<Redacted.Redacted<string>>
): string => {
  // Secrets go first, while they are whole.
  const clean = withoutKeys(text, ...secrets)
    .replace(cardNumber, "<redacted>")
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean
}
