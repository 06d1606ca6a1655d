import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8")
const readme = read("README.md")
const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)![1]!

describe("the README", () => {
  it("shows the example that the type check compiles, in 20 lines at most", () => {
    assert.strictEqual(block("ts"), read("examples/quickstart.ts"))
    assert.isAtMost(
      block("ts")
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("import")).length,
      20
    )
  })

  it("shows only TypeScript that is part of a compiled example", () => {
    const blocks = [...readme.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!)
    const examples = [
      "examples/quickstart.ts",
      "examples/inspect.ts",
      "examples/methods.ts",
      "examples/soap.ts",
      "examples/testing.ts"
    ].map(read)
    assert.lengthOf(blocks, 5)
    for (const code of blocks)
      assert.isTrue(
        examples.some((example) => example.includes(code)),
        code
      )
  })

  it("names each metric, and no other", () => {
    const names = (text: string, pattern: RegExp) =>
      [...text.matchAll(pattern)].map(([, name]) => name!).sort()
    const ours = names(read("src/services/session/NumberMetrics.ts"), /"(number_auth_\w+)"/g)
    assert.lengthOf(ours, 5)
    assert.deepStrictEqual(names(readme, /^\| `(number_auth_\w+)`/gm), ours)
  })
})
