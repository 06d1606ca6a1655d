/**
 * When attempts were made, as far as records tell: a mark does not say it. Recorder and page go by the same rule.
 */
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"

export interface Sighting {
  readonly attempt: number
  /** When it was reserved, or where nobody saw that, when its mark was first seen. Epoch milliseconds. */
  readonly atMillis: number
  readonly isReservation: boolean
}

/** By attempt, those of one location; the oldest attempts first. */
export type Sightings = Map<number, Sighting>

/** Takes what a record tells of its location's attempts. */
export const sight = (
  sightings: Sightings,
  { atMillis, marks, sequence }: Pick<TransitionRecord, "atMillis" | "marks" | "sequence">
): void => {
  for (const { attempt } of marks) {
    const known = sightings.get(attempt)
    // An attempt has the number of the transaction that reserved it.
    const isReservation = attempt === sequence
    if (
      known === undefined ||
      (isReservation && !known.isReservation) ||
      (!known.isReservation && atMillis < known.atMillis)
    ) {
      sightings.set(attempt, { attempt, atMillis, isReservation })
    }
  }
}
