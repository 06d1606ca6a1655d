/**
 * Makes text from outside fit to be shown: nothing in it may be a secret.
 */
import * as Redacted from "effect/Redacted"

const longestShown = 200

/** What may stand between the characters of a secret that is echoed: a GUID with hyphens, or over two lines. */
const separators = /[\s\p{C}\p{Pd}]+/gu

/** Of longer secrets (a signature, say) only the exact text is looked for: a pattern for each character takes too long. */
const longestLoose = 128

/** 13 digits or more, with blanks, dots or hyphens between them or without: a card number, and what may follow it. */
const cardNumber = /\d(?:[\s.\p{Pd}]*\d){12,}/gu

const isAscii = (text: string): boolean => /^\p{ASCII}*$/u.test(text)

/** What is left of a text when neither separators nor capitals matter. */
const folded = (text: string): string => text.replace(separators, "").toLowerCase()

/** Whether a text may hold a secret. Certain where both are ASCII, and quick: else other letters are as good as theirs. */
const mayHold = (text: string, value: string): boolean =>
  !isAscii(text) || !isAscii(value) || folded(text).includes(folded(value))

const escape = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

const without = (text: string, value: string): string => {
  if (value.length > longestLoose) return text.replaceAll(value, "<redacted>")
  // Without separators of its own, so that no two parts of the pattern match the same character.
  const characters = Array.from(value.replace(separators, ""), escape)
  // Most texts cannot hold it: to build the pattern takes longer than all else here.
  if (characters.length === 0 || text.length < characters.length || !mayHold(text, value)) return text
  return text.replaceAll(new RegExp(characters.join("[\\s\\p{C}\\p{Pd}]*"), "giu"), "<redacted>")
}

/** Takes out the secrets given, however they are echoed, and leaves the rest as it is. */
export const withoutSecrets = (text: string, ...secrets: ReadonlyArray<Redacted.Redacted<string>>): string =>
  secrets.reduce((shown, secret) => without(shown, Redacted.value(secret)), text)

/** Takes out every run of hexadecimal digits, too, that is long enough to be a token or a session key. */
export const withoutKeys = (text: string, ...secrets: ReadonlyArray<Redacted.Redacted<string>>): string =>
  withoutSecrets(text, ...secrets).replace(/[0-9a-f](?:-?[0-9a-f]){23,}/gi, "<redacted>")

/**
 * Takes out every secret given, every run of hexadecimal digits that is long enough to be a token or a session key, and
 * what may be a card number; control characters too, and shortens the rest.
 */
export const scrub = (text: string, ...secrets: ReadonlyArray<Redacted.Redacted<string>>): string => {
  // Secrets first, while they are whole.
  const clean = withoutKeys(text, ...secrets)
    .replace(cardNumber, "<redacted>")
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
  return clean.length > longestShown ? `${clean.slice(0, longestShown)}…` : clean
}
