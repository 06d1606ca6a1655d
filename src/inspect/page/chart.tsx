/** The statechart, with the current state and the path taken lit. */
import { useLayoutEffect, useRef } from "preact/hooks"
import type { Chart } from "../Chart.js"
import { walk } from "../internal/walk.js"
import type { TransitionRecord } from "../../schemas/TransitionRecord.js"

/** The chart of the machine. The build of the page puts it here. */
declare const CHART: Chart

export const chart = CHART

export const stateOf = (id: string) => chart.states.find((state) => state.id === id)!

const withParent = (id: string): ReadonlyArray<string> => {
  const { parent } = stateOf(id)
  return parent === null ? [id] : [id, parent]
}

const arrowOf = (svg: Element, from: string, to: string): Element | null => {
  for (const tail of withParent(from)) {
    for (const head of withParent(to)) {
      const arrow = svg.querySelector(`[id="arrow:${tail}:${head}"]`)
      if (arrow !== null) return arrow
    }
  }
  return null
}

/** The drawn chart. `path` holds the known records that lead to the current state, the newest last. */
export const ChartView = ({
  path,
  state
}: {
  readonly state: string
  readonly path: ReadonlyArray<TransitionRecord>
}) => {
  const frame = useRef<HTMLDivElement>(null)

  useLayoutEffect(() => {
    const template = document.getElementById("chart") as HTMLTemplateElement
    const svg = document.importNode(template.content, true).querySelector("svg")!
    // The size comes from the page's stylesheet and its width.
    svg.removeAttribute("width")
    svg.removeAttribute("height")
    frame.current!.replaceChildren(svg)
  }, [])

  useLayoutEffect(() => {
    const svg = frame.current!.firstElementChild!
    for (const lit of svg.querySelectorAll("[data-lit]")) lit.removeAttribute("data-lit")
    const light = (arrow: Element | null, how: string): void => arrow?.setAttribute("data-lit", how)
    path.forEach((record, index) => {
      const steps = walk(
        chart,
        record.from,
        record.to,
        record.events.map(({ type }) => type)
      )
      for (const { from, to } of steps)
        light(arrowOf(svg, from, to), index === path.length - 1 ? "last" : "taken")
    })
    for (const id of withParent(state)) {
      light(svg.querySelector(`[id="state:${id}"]`), id === state ? "current" : "around")
    }
    const current = svg.querySelector(`[id="state:${state}"]`)
    const scroller = frame.current!
    if (current !== null && scroller.scrollWidth > scroller.clientWidth) {
      const [box, around] = [current.getBoundingClientRect(), scroller.getBoundingClientRect()]
      scroller.scrollLeft += box.left + box.width / 2 - (around.left + around.width / 2)
    }
  }, [state, path])

  return (
    <div
      class="chart"
      ref={frame}
      role="img"
      tabIndex={0}
      aria-label={`The statechart. The current state is ${state}. The path is listed under Transitions.`}
    />
  )
}

/** The transitions of the chart that leave the current state. */
export const NextView = ({ state }: { readonly state: string }) => (
  <table>
    <caption>What can happen next</caption>
    <thead>
      <tr>
        <th scope="col">event</th>
        <th scope="col">if</th>
        <th scope="col">leads to</th>
      </tr>
    </thead>
    <tbody>
      {chart.transitions
        .filter(({ from }) => from === state)
        .map(({ event, guard, to }, index) => (
          <tr key={index}>
            <td>
              <code>{event}</code>
            </td>
            <td>{guard === null ? "" : <code>{guard}</code>}</td>
            <td>{to === null || to === state ? "stays" : <code>{to}</code>}</td>
          </tr>
        ))}
    </tbody>
  </table>
)
