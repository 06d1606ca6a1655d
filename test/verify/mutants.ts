/** A part that hunts mutants, one job each. */
import { caughtOf } from "./markdown.js"
import type { Found, Runner } from "./parts.js"

/** How a mutant was caught. */
export type Caught = Readonly<Record<string, string | number>>

export const makeMutantRunner = <M extends { readonly name: string }>(
  mutants: ReadonlyArray<M>,
  /** How it was caught, or why it was not. */
  hunt: (mutant: M, mayGoOn: () => boolean) => Promise<Caught | string>
): Runner<Caught | null> => ({
  jobs: mutants.map(({ name }) => name),
  run: async (job, { mayGoOn }): Promise<Found<Caught | null>> => {
    const caught = await hunt(
      mutants.find(({ name }) => name === job)!,
      mayGoOn
    )
    if (typeof caught !== "string") return { done: 1, breaches: [], figures: { mutant: job, ...caught } }
    // A hunt that was cut off has found nothing yet: that is no breach.
    return {
      done: 0,
      breaches: mayGoOn() ? [`The mutant "${job}" was not caught: ${caught}`] : [],
      figures: null
    }
  },
  sum: (found) => ({
    figures: {
      mutants: mutants.length,
      caught: found.flatMap(({ figures }) => (figures === null ? [] : [figures]))
    },
    breaches: []
  }),
  print: caughtOf
})
