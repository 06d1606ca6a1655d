import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>
}

const versionsIn = (file: string): ReadonlyMap<string, string | undefined> => {
  const { packages } = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as Lock
  return new Map(Object.entries(packages).map(([path, { version }]) => [path, version]))
}

describe("the tools of the mutation tests", () => {
  const tools = versionsIn("package-lock.json")
  const project = versionsIn("../../package-lock.json")

  it("are not installed with the project", () => {
    assert.isTrue(tools.has("node_modules/@stryker-mutator/core"))
    assert.deepStrictEqual(
      [...project.keys()].filter((path) => path.includes("@stryker-mutator")),
      []
    )
  })

  it("bring no second copy of the packages that run mutants and tests", () => {
    for (const name of [
      "@effect/vitest",
      "effect",
      "esbuild",
      "fast-check",
      "typescript",
      "vitest",
      "xstate"
    ]) {
      assert.isFalse(tools.has(`node_modules/${name}`), name)
      assert.isTrue(project.has(`node_modules/${name}`), name)
    }
  })

  it("run tests as the project's Vitest does: its packages have the same versions", () => {
    for (const name of ["@vitest/runner", "@vitest/spy", "chai", "expect-type"]) {
      assert.strictEqual(tools.get(`node_modules/${name}`), project.get(`node_modules/${name}`), name)
    }
  })
})
