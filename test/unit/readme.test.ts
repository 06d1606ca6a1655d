import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import type { AnyStateNode } from "xstate"
import { authMachine } from "../../src/machine/AuthMachine.js"

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8")
const readme = read("README.md")
const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)![1]!

describe("the README", () => {
  it("shows the example that the type check compiles", () => {
    assert.strictEqual(block("ts"), read("examples/quickstart.ts"))
    assert.isAtMost(
      block("ts")
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("import")).length,
      20
    )
  })

  it("shows no other TypeScript than parts of examples that are compiled", () => {
    const blocks = [...readme.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!)
    const examples = ["examples/quickstart.ts", "examples/methods.ts", "examples/soap.ts"].map(read)
    assert.lengthOf(blocks, 3)
    for (const code of blocks)
      assert.isTrue(
        examples.some((example) => example.includes(code)),
        code
      )
  })

  it("names each metric, and no other", () => {
    const names = (text: string, pattern: RegExp) =>
      [...text.matchAll(pattern)].map(([, name]) => name!).sort()
    const ours = names(read("src/services/NumberMetrics.ts"), /"(number_auth_\w+)"/g)
    assert.lengthOf(ours, 5)
    assert.deepStrictEqual(names(readme, /^\| `(number_auth_\w+)`/gm), ours)
  })

  it("draws the arrows of the statechart, each and no other", () => {
    const top = (id: string): string => id.replace(/^auth\./, "").split(".")[0]!
    const inChart = new Set<string>()
    const nodes = (node: AnyStateNode): ReadonlyArray<AnyStateNode> => [
      node,
      ...Object.values(node.states).flatMap(nodes)
    ]
    for (const node of nodes(authMachine.root)) {
      for (const [event, transitions] of node.transitions) {
        for (const transition of transitions) {
          for (const target of transition.target ?? []) {
            if (top(node.id) !== top(target.id))
              inChart.add(`${top(node.id)} --> ${top(target.id)} : ${event}`)
          }
        }
      }
    }
    // An event is named once in a label, with what follows it by its last word: `attempt.refused, faulted, lost`.
    const drawn = new Set<string>()
    for (const [, from, to, label] of block("mermaid").matchAll(/^ {2}(\w+) --> (\w+) : (.*)$/gm)) {
      const known = [...inChart].filter((arrow) => arrow.startsWith(`${from} --> ${to} : `))
      assert.isNotEmpty(known, `the chart has no arrow ${from} --> ${to}`)
      for (const arrow of known) {
        const event = arrow.split(" : ")[1]!
        if (label!.includes(event) || label!.includes(event.split(".")[1]!)) drawn.add(arrow)
      }
    }
    assert.deepStrictEqual([...drawn].sort(), [...inChart].sort())
  })
})
