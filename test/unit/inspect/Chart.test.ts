import { instance } from "@viz-js/viz"
import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { createMachine, type AnyStateNode } from "xstate"
import { pictures } from "../../../scripts/pictures.js"
import * as Chart from "../../../src/inspect/Chart.js"
import { authMachine } from "../../../src/machine/AuthMachine.js"
import { StateName } from "../../../src/schemas/StoredRecord.js"

const { chart } = Chart

const nodesOf = (node: AnyStateNode): ReadonlyArray<AnyStateNode> => [
  node,
  ...Object.values(node.states).flatMap(nodesOf)
]

const idOf = (node: AnyStateNode): string => node.id.replace(/^auth\.?/, "")

describe("the chart", () => {
  it("has every state that an account can be in, and the compound states around them", () => {
    const leaves = chart.states.filter(({ id }) => !chart.states.some(({ parent }) => parent === id))
    assert.sameMembers(
      leaves.map(({ id }) => id),
      [...StateName.literals]
    )
    assert.sameMembers(
      chart.states.filter((state) => !leaves.includes(state)).map(({ id }) => id),
      ["unauthenticated", "expired", "unauthorized"]
    )
  })

  it("begins in unauthenticated, and in idle of each compound state", () => {
    const initials = chart.states.filter(({ isInitial }) => isInitial).map(({ id }) => id)
    assert.sameMembers(initials, [
      "unauthenticated",
      "unauthenticated.idle",
      "expired.idle",
      "unauthorized.idle"
    ])
  })

  it("has every transition of the machine, and no other", () => {
    const expected = nodesOf(authMachine.root).flatMap((node) =>
      [...node.transitions.values()]
        .flat()
        .map(
          ({ eventType, source, target }) =>
            `${idOf(source)} ${eventType} ${target === undefined ? null : idOf(target[0]!)}`
        )
    )
    const drawn = [
      ...chart.transitions.map(({ event, from, to }) => `${from} ${event} ${to}`),
      ...chart.everywhere.map(({ event }) => ` ${event} null`)
    ]
    assert.isAbove(expected.length, 60)
    assert.deepStrictEqual([...drawn].sort(), [...expected].sort())
  })

  it("describes for every state its meaning and a person's next step, each in a sentence", () => {
    for (const { id, means, toDo } of chart.states) {
      assert.match(means, /^[A-Z].{10,}\.$/, id)
      assert.match(toDo, /^[A-Z].{6,}\.$/, id)
    }
  })
})

describe("the pictures", () => {
  it("match the machine: run `npm run chart` if this fails", async () => {
    for (const { path, text } of await pictures()) {
      assert.strictEqual(readFileSync(path, "utf8"), text, `${path} is stale: npm run chart`)
    }
  })

  it("draw every change of state as a Mermaid arrow, from the state or from the compound state around it", () => {
    const mermaid = Chart.toMermaid(chart).replaceAll(/(unauthenticated|expired|unauthorized)_/g, "$1.")
    const arrows = [...mermaid.matchAll(/^ +(\S+) --> (\S+) : (.*)$/gm)].map(([, from, to, label]) => ({
      from,
      to,
      events: label!.split(" · ").map((event) => event.split(" ")[0])
    }))
    for (const { event, from, to } of chart.transitions.filter((transition) => transition.to !== null)) {
      const parent = chart.states.find(({ id }) => id === from)!.parent
      assert.isTrue(
        arrows.some(
          (arrow) => [from, parent].includes(arrow.from!) && arrow.to === to && arrow.events.includes(event)
        ),
        `${from} --> ${to} : ${event}`
      )
    }
    for (const arrow of arrows) {
      for (const event of arrow.events) {
        const sources = chart.states.filter(({ parent }) => parent === arrow.from).map(({ id }) => id)
        for (const from of sources.length === 0 ? [arrow.from] : sources) {
          assert.isTrue(
            chart.transitions.some(
              (transition) =>
                transition.from === from && transition.to === arrow.to && transition.event === event
            ),
            `${from} --> ${arrow.to} : ${event}`
          )
        }
      }
    }
  })

  it("distinguish two targets of one event by the guard", () => {
    const mermaid = Chart.toMermaid(chart)
    assert.include(mermaid, "authenticated --> unauthorized : session.unauthorized [isHeld]")
    assert.include(mermaid, "authenticated --> expired : session.expired\n")
  })

  it("give every state and arrow of the SVG an id, so that a page can highlight it", async () => {
    const svg = (await instance()).renderString(Chart.toDot(chart), { format: "svg" })
    const ids = [...svg.matchAll(/<g id="([^"]*)"/g)].map(([, id]) => id)
    assert.deepStrictEqual(ids.length, new Set(ids).size)
    for (const { id } of chart.states) assert.include(ids, `state:${id}`)
    assert.isAbove(ids.filter((id) => id!.startsWith("arrow:")).length, 25)
  })

  it("give Stately Studio a source from which XState builds the same chart", () => {
    const source = Chart.toStately()
    const config = /createMachine\(([^]*)\)\n$/.exec(source)![1]!
    const nodes = (root: AnyStateNode) =>
      nodesOf(root).flatMap((node) =>
        [...node.transitions.values()].flat().map((definition) => ({
          from: node.id,
          event: definition.eventType,
          to: (definition.target ?? []).map(({ id }) => id),
          description: node.description
        }))
      )
    const built = createMachine(JSON.parse(config) as never)
    assert.deepStrictEqual(nodes(built.root), nodes(authMachine.root))
  })
})
