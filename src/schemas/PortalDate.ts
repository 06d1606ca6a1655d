/**
 * The schema of the three forms in which Number writes a moment: ISO 8601 (REST and SOAP samples), WCF's
 * `/Date(ms±hhmm)/`, and the portal's `11/22/2026 1:59:54 PM`, which has no time zone and is read as UTC.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

const wcf = /^\/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\/$/
const portal = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2}):(\d{2}) (AM|PM)$/i
const iso = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}/

/** Whether the calendar has that day. Without this check, the 31st of a shorter month, or a month 0, rolls over. */
const isDay = (year: number, month: number, day: number): boolean =>
  Option.exists(
    DateTime.make({ year, month, day }),
    (made) => DateTime.getPartUtc(made, "month") === month && DateTime.getPartUtc(made, "day") === day
  )

const parse = (text: string): Option.Option<DateTime.Utc> => {
  const asWcf = wcf.exec(text)
  if (asWcf !== null) return DateTime.make(Number(asWcf[1])).pipe(Option.map(DateTime.toUtc))
  const asPortal = portal.exec(text)
  if (asPortal !== null) {
    const [month, day, year, hour, minutes, seconds] = asPortal.slice(1, 7).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number
    ]
    if (!isDay(year, month, day) || hour < 1 || hour > 12 || minutes > 59 || seconds > 59) {
      return Option.none()
    }
    const hours = (hour % 12) + (asPortal[7]!.toUpperCase() === "PM" ? 12 : 0)
    return DateTime.make({ year, month, day, hours, minutes, seconds }).pipe(Option.map(DateTime.toUtc))
  }
  const asIso = iso.exec(text)
  return asIso !== null && isDay(Number(asIso[1]), Number(asIso[2]), Number(asIso[3]))
    ? DateTime.make(text).pipe(Option.map(DateTime.toUtc))
    : Option.none()
}

/**
 * A moment as Number writes it, decoded to epoch milliseconds. Encodes to ISO 8601.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PortalDate: Schema.Schema<number, string> = Schema.transformOrFail(
  Schema.String,
  Schema.Number,
  {
    strict: true,
    decode: (text, _, ast) =>
      Option.match(parse(text.trim()), {
        onNone: () =>
          ParseResult.fail(new ParseResult.Type(ast, text, "not a date in one of Number's forms")),
        onSome: (utc) => ParseResult.succeed(DateTime.toEpochMillis(utc))
      }),
    encode: (millis, _, ast) =>
      Option.match(DateTime.make(millis), {
        onNone: () =>
          ParseResult.fail(new ParseResult.Type(ast, millis, "not a moment in epoch milliseconds")),
        onSome: (moment) => ParseResult.succeed(DateTime.formatIso(moment))
      })
  }
)
