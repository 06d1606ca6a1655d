/** The words of the page: times, spans and marks as text for people. */
import type { Mark } from "../../schemas/StoredRecord.js"

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000]
] as const

/** The two greatest units: `3 d 4 h`, `12 s`. */
export const span = (millis: number): string => {
  const first = units.findIndex(([, size]) => Math.abs(millis) >= size)
  if (first < 0) return "0 s"
  let rest = Math.abs(millis)
  const parts: Array<string> = []
  for (const [unit, size] of units.slice(first, first + 2)) {
    const amount = Math.floor(rest / size)
    rest -= amount * size
    if (amount > 0) parts.push(`${amount} ${unit}`)
  }
  return parts.join(" ")
}

const two = (part: number): string => String(part).padStart(2, "0")

/** The time in this browser's time zone. The date is added if the day is not that of `nowMillis`. */
export const moment = (millis: number, nowMillis: number): string => {
  const [at, now] = [new Date(millis), new Date(nowMillis)]
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return at.toDateString() === now.toDateString()
    ? time
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}

export const markKind = (mark: Mark): string =>
  mark.status === "inFlight" ? "in flight" : mark.status === "lost" ? "lost, draining" : mark.reason

/** What happens to a mark next, and when. */
export const markFate = (mark: Mark, nowMillis: number): string => {
  if (mark.status === "inFlight") {
    const left = mark.leaseEndsAtMillis - nowMillis
    return left > 0
      ? `its lease ends in ${span(left)}`
      : `its lease ran out ${span(left)} ago: it counts as lost`
  }
  if (mark.status === "lost") {
    const left = mark.drainsAtMillis - nowMillis
    return left > 0
      ? `Number may still be working on it, for ${span(left)}`
      : `it has drained: the success of a new attempt clears it`
  }
  return mark.clearedForLocation
    ? "cleared for the location; counts for its account until that account succeeds"
    : "counts until a new attempt succeeds"
}
