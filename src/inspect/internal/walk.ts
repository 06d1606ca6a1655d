/**
 * Which arrows of the chart a record went along. It tells where an account was and is, and the events between: a
 * transaction may have taken several.
 */
import type { Transition } from "../Chart.js"

export interface Step {
  readonly from: string
  readonly to: string
  readonly event: string
}

/** Where a compound state is entered, its first child is. */
export interface Walkable {
  readonly states: ReadonlyArray<{
    readonly id: string
    readonly parent: string | null
    readonly isInitial: boolean
  }>
  readonly transitions: ReadonlyArray<Pick<Transition, "from" | "to" | "event">>
}

const leafOf = ({ states }: Walkable, id: string): string =>
  states.find(({ isInitial, parent }) => parent === id && isInitial)?.id ?? id

/**
 * The steps from one state to the other by these events, in order. An event may change no state. Guards are not known here:
 * of several ways the first that arrives is taken, and none where no way arrives (a record of a state that was only seen).
 */
export const walk = (
  chart: Walkable,
  from: string,
  to: string,
  events: ReadonlyArray<string>
): ReadonlyArray<Step> => {
  const go = (at: string, index: number): ReadonlyArray<Step> | null => {
    if (index === events.length) return at === to ? [] : null
    const event = events[index]!
    for (const transition of chart.transitions) {
      if (transition.from !== at || transition.event !== event || transition.to === null) continue
      const rest = go(leafOf(chart, transition.to), index + 1)
      if (rest !== null) return [{ from: at, to: leafOf(chart, transition.to), event }, ...rest]
    }
    return go(at, index + 1)
  }
  return go(from, 0) ?? []
}
