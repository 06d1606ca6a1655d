/** How much of a part is run, and where the part reports how far it has come. */
export interface Effort {
  /** The most units of work to do: schedules, years, kills. */
  readonly most: number
  /** Every random choice comes from it. */
  readonly seed: number
  /** Whether there is time left for one more unit. */
  readonly mayGoOn: () => boolean
  /** Reports how many units are done. */
  readonly done: (units: number) => void
}
