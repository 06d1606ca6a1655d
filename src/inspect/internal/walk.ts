/**
 * The path of a record along the arrows of the chart. The record holds the states before and after, and the events
 * between them: one transaction can take several.
 */
import type { Transition } from "../Chart.js"

export interface Step {
  readonly from: string
  readonly to: string
  readonly event: string
}

/** The part of a chart that a walk needs. To enter a compound state is to enter its initial child. */
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
 * The steps from one state to the other by these events, in order. An event may leave the state as it is. Guards are
 * not evaluated: of several paths the first that reaches the end is taken. If no path reaches it there are no steps, as
 * for a record of a state that was only seen.
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
