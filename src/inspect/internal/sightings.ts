/**
 * The times of attempts, taken from records, since a mark does not hold its time. Recorder and page use the same rule.
 */
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"

export interface Sighting {
  readonly attempt: number
  /** The time of its reservation or, if no record has that, of the first record with its mark. Epoch milliseconds. */
  readonly atMillis: number
  readonly isReservation: boolean
}

/** The sightings of one location, by attempt, in the order in which the attempts were first seen. */
export type Sightings = Map<number, Sighting>

/** Adds the sightings of a record to those of its location. */
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
