/**
 * Makes what a call's answer says fit to be shown.
 */

import * as ParseResult from "effect/ParseResult"

/** Names the fields that are not as they should be. The messages of the issues show values, so they are left out. */
export const fieldsOf = (error: ParseResult.ParseError, show: (text: string) => string): string => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
  const paths = new Set(issues.map(({ path }) => path.map(String).join(".")))
  return show(Array.from(paths, (path) => (path === "" ? "the whole of it" : path)).join(", "))
}

/** Digits that may be a card number: 13 to 19, with blanks or hyphens or without. */
const cardNumber = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g

/** Takes out what may be a card number: a careless answer may echo what a call has sent. */
export const withoutCardNumbers = (text: string): string => text.replace(cardNumber, "<redacted>")
