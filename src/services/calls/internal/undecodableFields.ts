/**
 * The names of the fields that do not decode, without their values.
 */

import * as ParseResult from "effect/ParseResult"

/** Names the fields that do not decode. The messages of the issues show values, so they are left out. */
export const fieldsOf = (error: ParseResult.ParseError, show: (text: string) => string): string => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
  const paths = new Set(issues.map(({ path }) => path.map(String).join(".")))
  return show(Array.from(paths, (path) => (path === "" ? "the whole value" : path)).join(", "))
}
