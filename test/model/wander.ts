/**
 * One random way through a model. It goes deeper than a walk that is cut off, and through worlds too large to
 * be walked completely.
 */
import type { Model, Violation } from "./Explorer.js"

export interface Options {
  /** Draws a number from 0 to below `count`. */
  readonly draw: (count: number) => number
  /** The most steps. */
  readonly most: number
  /** The only property to look for. Default: all. */
  readonly watch?: string | undefined
}

interface Way {
  readonly steps: number
  /** The transitions that were checked: all that lead on from each state of the way. */
  readonly transitions: number
  readonly greatest: number
  readonly violation: Violation | null
}

/** Looks at every transition from each state on the way, and takes one of them. */
export const wander = <Event>(model: Model<Event>, { draw, most, watch }: Options): Way => {
  const path = [model.initial]
  let transitions = 0
  let greatest = 0
  let violation: Violation | null = null
  while (path.length <= most && violation === null) {
    const next = model.transitionsOf(path.at(-1)!)
    if (next.length === 0) break
    transitions += next.length
    const wrong = next.find(({ broken }) => broken !== null && (watch === undefined || watch === broken))
    path.push((wrong ?? next[draw(next.length)]!).to)
    greatest = Math.max(greatest, model.measure(path.at(-1)!))
    if (wrong !== undefined) violation = { name: wrong.broken!, path }
  }
  return { steps: path.length - 1, transitions, greatest, violation }
}
