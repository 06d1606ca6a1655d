/**
 * The statechart for people, read from the machine itself: as data, as Mermaid, as Graphviz' DOT, and as the source
 * that Stately Studio imports.
 *
 * @since 0.1.0
 */
import type { AnyStateNode, AnyTransitionDefinition } from "xstate"
import { authMachine, type StateMeta } from "../machine/AuthMachine.js"

/**
 * A state. The children of a compound state have its id as `parent`.
 *
 * @since 0.1.0
 * @category models
 */
export interface State {
  /** The id as in `StateName`: `authenticated`, `expired.idle`. A compound state has the first part alone. */
  readonly id: string
  readonly parent: string | null
  /** Whether it is the initial state of its parent, or of the chart. */
  readonly isInitial: boolean
  /** The meaning, as a sentence. */
  readonly means: string
  /** The action of a person, as a sentence. */
  readonly toDo: string
}

/**
 * The effect of an event in a state. If a state has several for one event, the first whose guard holds is taken.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transition {
  readonly from: string
  /** The next state. Null: the state stays, and only the actions are taken. */
  readonly to: string | null
  readonly event: string
  readonly guard: string | null
  readonly actions: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Chart {
  readonly states: ReadonlyArray<State>
  readonly transitions: ReadonlyArray<Transition>
  /** The effects of events in every state without a transition of its own for the event. */
  readonly everywhere: ReadonlyArray<Omit<Transition, "from" | "to">>
}

const idOf = (node: AnyStateNode): string => node.path.join(".")

const nameOf = (named: unknown): string =>
  typeof named === "string" ? named : (named as { type: string }).type

const childrenOf = (node: AnyStateNode): ReadonlyArray<AnyStateNode> => Object.values(node.states)

const descendantsOf = (node: AnyStateNode): ReadonlyArray<AnyStateNode> =>
  childrenOf(node).flatMap((child) => [child, ...descendantsOf(child)])

const stateOf = (node: AnyStateNode): State => ({
  id: idOf(node),
  parent: node.parent!.parent === undefined ? null : idOf(node.parent!),
  isInitial: (node.parent as AnyStateNode).initial.target[0] === node,
  means: node.description!,
  toDo: (node.meta as StateMeta).toDo
})

const effectOf = (definition: AnyTransitionDefinition): Omit<Transition, "from" | "to"> => {
  const guard: unknown = definition.guard
  return {
    event: definition.eventType as string,
    guard: guard === undefined ? null : nameOf(guard),
    actions: definition.actions.map(nameOf)
  }
}

const transitionsOf = (node: AnyStateNode): ReadonlyArray<Transition> =>
  [...node.transitions.values()].flat().flatMap((definition) =>
    (definition.target ?? [null]).map((target) => ({
      from: idOf(node),
      to: target === null ? null : idOf(target),
      ...effectOf(definition)
    }))
  )

const read = (root: AnyStateNode): Chart => ({
  states: descendantsOf(root).map(stateOf),
  transitions: descendantsOf(root).flatMap(transitionsOf),
  everywhere: [...root.transitions.values()].flat().map(effectOf)
})

/**
 * The statechart of every account. A policy changes the results of its guards, but not its form.
 *
 * @since 0.1.0
 * @category charts
 */
export const chart: Chart = read(authMachine.root)

interface Arrow {
  readonly from: string
  readonly to: string
  readonly labels: ReadonlyArray<string>
}

/** The key of a transition without its origin. Siblings with the same key share one arrow. */
const keyOf = ({ event, guard, to }: Transition): string => `${event} ${guard} ${to}`

/** Lifts a transition that all children of a compound state share: it is drawn once, from their parent. */
const liftOne = ({ states, transitions }: Chart, transition: Transition): Transition => {
  const parent = states.find(({ id }) => id === transition.from)!.parent
  const siblings = states.filter((state) => state.parent === parent)
  const isShared =
    parent !== null &&
    !transition.to!.startsWith(`${parent}.`) &&
    siblings.every(({ id }) =>
      transitions.some((other) => other.from === id && keyOf(other) === keyOf(transition))
    )
  return isShared ? { ...transition, from: parent } : transition
}

/** The event, with its guard in XState's brackets if the event can lead to another state too. */
const labelOf = ({ transitions }: Chart, transition: Transition): string => {
  const hasOther = transitions.some(
    (other) =>
      other.from === transition.from && other.event === transition.event && other.to !== transition.to
  )
  return hasOther && transition.guard !== null
    ? `${transition.event} [${transition.guard}]`
    : transition.event
}

const arrowsOf = (given: Chart): ReadonlyArray<Arrow> => {
  const arrows = new Map<string, { from: string; to: string; labels: Array<string> }>()
  for (const transition of given.transitions) {
    if (transition.to === null) continue
    const { from, to } = liftOne(given, transition)
    const key = `${from} ${to}`
    const arrow = arrows.get(key) ?? { from, to: to!, labels: [] }
    const label = labelOf(given, transition)
    if (!arrow.labels.includes(label)) arrow.labels.push(label)
    arrows.set(key, arrow)
  }
  return [...arrows.values()]
}

const topOf = ({ states }: Chart) => states.filter(({ parent }) => parent === null)

const within = ({ states }: Chart, parent: string) => states.filter((state) => state.parent === parent)

const lastName = (id: string): string => id.split(".").at(-1)!

/**
 * The chart as a Mermaid `stateDiagram-v2`. Transitions without a target state are left out; `chart` has them.
 *
 * @since 0.1.0
 * @category pictures
 */
export const toMermaid = (given: Chart): string => {
  const nodeOf = (id: string): string => id.replaceAll(".", "_")
  const arrows = arrowsOf(given)
  const line = ({ from, labels, to }: Arrow): string =>
    `${nodeOf(from)} --> ${nodeOf(to)} : ${labels.join(" · ")}`
  const isInside = ({ from, to }: Arrow, parent: string): boolean =>
    from.startsWith(`${parent}.`) && to.startsWith(`${parent}.`)
  const compounds = topOf(given).filter(({ id }) => within(given, id).length > 0)
  return [
    "stateDiagram-v2",
    ...compounds.flatMap(({ id }) => [
      `  state ${id} {`,
      ...within(given, id).flatMap((child) => [
        `    state "${lastName(child.id)}" as ${nodeOf(child.id)}`,
        ...(child.isInitial ? [`    [*] --> ${nodeOf(child.id)}`] : [])
      ]),
      ...arrows.filter((arrow) => isInside(arrow, id)).map((arrow) => `    ${line(arrow)}`),
      "  }"
    ]),
    ...topOf(given)
      .filter(({ isInitial }) => isInitial)
      .map(({ id }) => `  [*] --> ${nodeOf(id)}`),
    ...arrows
      .filter((arrow) => !compounds.some(({ id }) => isInside(arrow, id)))
      .map((arrow) => `  ${line(arrow)}`),
    ""
  ].join("\n")
}

const quoted = (text: string): string => JSON.stringify(text)

/**
 * @since 0.1.0
 * @category models
 */
export interface DotOptions {
  /** Whether the events stand beside the arrows, which takes room. They are tooltips either way. Default true. */
  readonly labels?: boolean | undefined
  /** The main direction of the arrows. Default `right`. */
  readonly direction?: "right" | "down" | undefined
}

/**
 * The chart in Graphviz' language. The shape of a state has the id `state:<id>`, and an arrow has the id
 * `arrow:<from>:<to>`, so that a page can light them.
 *
 * @since 0.1.0
 * @category pictures
 */
export const toDot = (
  given: Chart,
  { direction = "right", labels: withLabels = true }: DotOptions = {}
): string => {
  /** Graphviz joins nodes only: an arrow of a compound state is tied to its initial child, and cut at its border. */
  const endOf = (id: string): { readonly node: string; readonly cluster: string | null } => {
    const children = within(given, id)
    return children.length === 0
      ? { node: id, cluster: null }
      : { node: children.find(({ isInitial }) => isInitial)!.id, cluster: `cluster_${id}` }
  }
  const node = ({ id, means }: State): string =>
    `${quoted(id)} [label=${quoted(lastName(id))}, id=${quoted(`state:${id}`)}, tooltip=${quoted(means)}]`
  const arrow = ({ from, labels, to }: Arrow): string => {
    const [tail, head] = [endOf(from), endOf(to)]
    const attributes = [
      ...(withLabels ? [`label=${quoted(labels.join("\n"))}`] : []),
      `tooltip=${quoted(`${from} to ${to}: ${labels.join(", ")}`)}`,
      `id=${quoted(`arrow:${from}:${to}`)}`,
      ...(tail.cluster === null ? [] : [`ltail=${quoted(tail.cluster)}`]),
      ...(head.cluster === null ? [] : [`lhead=${quoted(head.cluster)}`])
    ]
    return `  ${quoted(tail.node)} -> ${quoted(head.node)} [${attributes.join(", ")}]`
  }
  return [
    "digraph auth {",
    // Graphviz knows the widths of Arial. In a font of unknown widths the texts would not fit their boxes.
    `  graph [compound=true, rankdir=${direction === "right" ? "LR" : "TB"}, bgcolor=transparent, fontname=Arial, nodesep=0.4, ranksep=0.6]`,
    "  node [shape=box, style=rounded, fontname=Arial, fontsize=12]",
    "  edge [fontname=Arial, fontsize=10, arrowsize=0.7]",
    '  start [shape=point, width=0.12, label="", id="start"]',
    ...topOf(given).flatMap((state) => {
      const children = within(given, state.id)
      return children.length === 0
        ? [`  ${node(state)}`]
        : [
            `  subgraph ${quoted(`cluster_${state.id}`)} {`,
            `    graph [label=${quoted(state.id)}, id=${quoted(`state:${state.id}`)}, style=rounded, tooltip=${quoted(state.means)}]`,
            ...children.map((child) => `    ${node(child)}`),
            "  }"
          ]
    }),
    ...topOf(given)
      .filter(({ isInitial }) => isInitial)
      .map(({ id }) => {
        const { cluster, node: head } = endOf(id)
        return `  start -> ${quoted(head)} [id="arrow:start"${cluster === null ? "" : `, lhead=${quoted(cluster)}`}]`
      }),
    ...arrowsOf(given).map(arrow),
    "}",
    ""
  ].join("\n")
}

/** A part of the machine's configuration without its functions: names, targets and texts. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  const record = value as Readonly<Record<string, unknown>>
  // A guard or an action with parameters. Studio shows the name; the parameters are code.
  if (typeof record["type"] === "string" && "params" in record) return record["type"]
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, part]) => typeof part !== "function")
      .map(([name, part]) => [name, plain(part)])
  )
}

/**
 * The machine's configuration, to be shown and not to be run: guards and actions are names.
 *
 * @since 0.1.0
 * @category charts
 */
export const config: unknown = plain(authMachine.config)

/**
 * The `createMachine` source that Stately Studio imports.
 *
 * @since 0.1.0
 * @category pictures
 */
export const toStately = (): string =>
  `import { createMachine } from "xstate"\n\nexport const machine = createMachine(${JSON.stringify(config, null, 2)})\n`

const cell = (text: string): string => text.replaceAll("|", "\\|")

/**
 * The meaning of each state and the action of a person, as a Markdown table.
 *
 * @since 0.1.0
 * @category pictures
 */
export const toTable = ({ states }: Chart): string =>
  [
    "| state | what it means | what a person does |",
    "|---|---|---|",
    ...states
      .filter(
        ({ id, parent }, index) =>
          parent === null || states.findIndex((other) => lastName(other.id) === lastName(id)) === index
      )
      .map(
        ({ id, means, parent, toDo }) =>
          `| ${parent === null ? `\`${id}\`` : `· \`${lastName(id)}\``} | ${cell(means)} | ${cell(toDo)} |`
      ),
    ""
  ].join("\n")
