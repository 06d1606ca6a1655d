/**
 * A breadth-first walk over every state that a model can reach. The first path that it finds to a state is a shortest
 * one.
 *
 * States are strings, and the model gives one string to all states that behave alike. The walk keeps of each state its
 * string, and the state that it was first reached from. It keeps the edges that the questions of liveness need as pairs
 * of numbers.
 */

/**
 * One transition of a model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transition<Event> {
  readonly event: Event
  readonly to: string
  /** The name of the property that it breaks; null if none. */
  readonly broken: string | null
  /** The kinds of this transition, as bits. They decide which questions of liveness may use it. */
  readonly kinds: number
}

/**
 * A question of liveness: from every reachable state, can a state be reached in which all is well?
 *
 * @since 0.1.0
 * @category models
 */
export interface Question {
  readonly name: string
  /** The kinds of transition that may be taken, as bits. */
  readonly kinds: number
  /** Whether all is well in a state. */
  readonly isWell: (state: string) => boolean
}

/**
 * A model to walk.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model<Event> {
  readonly initial: string
  readonly transitionsOf: (state: string) => ReadonlyArray<Transition<Event>>
  /** A number of each state. The result holds the greatest. */
  readonly measure: (state: string) => number
  readonly questions: ReadonlyArray<Question>
}

/**
 * Settings of a walk.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Stop, unfinished, at this many states. Default: none. */
  readonly mostStates?: number
  /** Stop, unfinished, once this is false. Default: go on. */
  readonly mayGoOn?: () => boolean
  /** The only property to look for. Default: all. */
  readonly watch?: string
}

/**
 * A property that does not hold, and the states on a shortest path to the state where it breaks, that state included.
 *
 * @since 0.1.0
 * @category models
 */
export interface Violation {
  readonly name: string
  readonly path: ReadonlyArray<string>
}

/**
 * The result of a walk.
 *
 * @since 0.1.0
 * @category models
 */
export interface Result {
  /** Whether every reachable state was visited. */
  readonly isComplete: boolean
  readonly states: number
  readonly transitions: number
  /** The distance of the farthest state, in steps. */
  readonly depth: number
  readonly greatest: number
  readonly violation: Violation | null
}

/** A list of edges that grows as needed: pairs of states, with the kinds of the transition. */
const makeEdges = () => {
  let capacity = 1 << 16
  let from = new Int32Array(capacity)
  let to = new Int32Array(capacity)
  let kinds = new Uint8Array(capacity)
  let length = 0
  const grown = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
    const next = new Int32Array(capacity)
    next.set(array)
    return next
  }
  return {
    add: (one: number, other: number, kind: number): void => {
      if (length === capacity) {
        capacity *= 2
        from = grown(from)
        to = grown(to)
        const next = new Uint8Array(capacity)
        next.set(kinds)
        kinds = next
      }
      from[length] = one
      to[length] = other
      kinds[length++] = kind
    },
    /** The states that can reach one of `wells` by edges of the `wanted` kinds. */
    reaching: (wells: Uint8Array, wanted: number): Uint8Array => {
      const states = wells.length
      const starts = new Int32Array(states + 1)
      for (let edge = 0; edge < length; edge++) if (kinds[edge]! & wanted) starts[to[edge]! + 1]! += 1
      for (let state = 0; state < states; state++) starts[state + 1]! += starts[state]!
      const sources = new Int32Array(starts[states]!)
      const filled = starts.slice()
      for (let edge = 0; edge < length; edge++) {
        if (kinds[edge]! & wanted) sources[filled[to[edge]!]!++] = from[edge]!
      }
      const reached = wells.slice()
      const queue: Array<number> = []
      reached.forEach((isReached, state) => {
        if (isReached) queue.push(state)
      })
      for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
        for (let at = starts[state]!; at < starts[state + 1]!; at++) {
          const source = sources[at]!
          if (reached[source]) continue
          reached[source] = 1
          queue.push(source)
        }
      }
      return reached
    }
  }
}

/**
 * Walks a model until a property breaks or all states are seen. After a complete walk it asks the questions of
 * liveness.
 *
 * @since 0.1.0
 * @category running
 */
export const explore = <Event>(model: Model<Event>, options: Options = {}): Result => {
  const { mayGoOn, mostStates = Infinity, watch } = options
  const indices = new Map<string, number>([[model.initial, 0]])
  const states = [model.initial]
  const origins = [-1]
  const asked = model.questions.reduce((kinds, question) => kinds | question.kinds, 0)
  const edges = makeEdges()
  let transitions = 0
  let greatest = model.measure(model.initial)
  let depth = 0
  let endOfLevel = 1

  const pathTo = (index: number): ReadonlyArray<string> => {
    const path: Array<string> = []
    for (let at = index; at >= 0; at = origins[at]!) path.unshift(states[at]!)
    return path
  }
  const result = (isComplete: boolean, violation: Violation | null): Result => ({
    isComplete,
    states: states.length,
    transitions,
    depth,
    greatest,
    violation
  })

  for (let from = 0; from < states.length; from++) {
    if (from === endOfLevel) {
      depth += 1
      endOfLevel = states.length
    }
    for (const { broken, kinds, to } of model.transitionsOf(states[from]!)) {
      transitions += 1
      let index = indices.get(to)
      if (index === undefined) {
        index = states.length
        indices.set(to, index)
        states.push(to)
        origins.push(from)
        greatest = Math.max(greatest, model.measure(to))
      }
      if (broken !== null && (watch === undefined || watch === broken)) {
        return result(false, { name: broken, path: [...pathTo(from), to] })
      }
      if (kinds & asked && index !== from) edges.add(from, index, kinds)
    }
    if (states.length > mostStates) return result(false, null)
    if (mayGoOn !== undefined && from % 100 === 99 && !mayGoOn()) return result(false, null)
  }

  for (const { isWell, kinds, name } of model.questions) {
    if (watch !== undefined && watch !== name) continue
    const reached = edges.reaching(
      Uint8Array.from(states, (state) => (isWell(state) ? 1 : 0)),
      kinds
    )
    const stuck = reached.indexOf(0)
    if (stuck !== -1) return result(true, { name, path: pathTo(stuck) })
  }
  return result(true, null)
}
