/**
 * A test runner for Stryker that runs the tests within Stryker's own child process.
 *
 * Stryker's runner for Vitest starts a run of Vitest for each mutant, which loads src and the tests module by module:
 * that takes seconds, and the tests themselves a fraction of one. Here the tests of the room and src are bundled once,
 * and what they import from packages is loaded once. For each mutant the bundle, compiled already, is evaluated anew:
 * so no mutant sees what another left in a module, and memory comes free again, which it does not for imported modules.
 */
import { pathToFileURL } from "node:url"
import { readFileSync, writeFileSync } from "node:fs"
import * as Path from "node:path"
import * as Vm from "node:vm"
import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin"
import { INSTRUMENTER_CONSTANTS } from "@stryker-mutator/api/core"
import {
  determineHitLimitReached,
  DryRunStatus,
  TestStatus,
  toMutantRunResult
} from "@stryker-mutator/api/test-runner"
import * as Runner from "@vitest/runner"
import { spyOn } from "@vitest/spy"
import { getTestName, getTests } from "@vitest/runner/utils"
import { assert } from "chai"
import { globalValue } from "effect/GlobalValue"
import { build } from "esbuild"
import { expectTypeOf } from "expect-type"
import { globSync } from "tinyglobby"

/** What each test took in the dry run. In a file: a worker that takes the place of one that hung has seen no dry run. */
const timesFile = ".times.json"

/** How long the event loop has had nothing to do, in milliseconds: it does not grow where the machine is busy. */
const idleTime = () => performance.eventLoopUtilization().idle

/**
 * Many a mutant makes a test wait for what never comes. That is seen by the time in which nothing happens, rather than
 * by the time that passes: by the latter, a busy machine would detect mutants.
 */
const rejectOnceIdle = (most) => {
  const start = idleTime()
  let watch
  const rejected = new Promise((_, reject) => {
    watch = setInterval(() => {
      if (idleTime() - start > most) reject(new Error("It waits for what never comes"))
    }, 100)
  })
  return { rejected, stop: () => clearInterval(watch) }
}

const room = JSON.parse(readFileSync(new URL("rooms.json", import.meta.url)))[
  process.env.NUMBER_MUTATION_ROOM
]

/** What the tests import from `vitest`. What they do not use is missing, so that its first use fails. */
const vitest = { ...Runner, assert, expectTypeOf, vi: { spyOn } }

/** Left outside of the bundle are packages, but for the one that has to see `vitest` as the tests do. */
const bundling = {
  name: "packages",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === "entry-point" || path === "@effect/vitest" ? undefined : { path, external: true }
    )
    // Tests read fixtures that lie beside them.
    onLoad({ filter: /[\\/](src|test)[\\/].*\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8")
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
        .replaceAll("import.meta.dirname", JSON.stringify(Path.dirname(path)))
    }))
  }
}

/** A function that evaluates the bundle and returns, by test file, a function that loads it. */
const bundled = async (files) => {
  const { metafile, outputFiles } = await build({
    stdin: {
      contents: `module.exports = {${files.map((file) => `${JSON.stringify(file)}: () => require("./${file}")`).join()}}`,
      resolveDir: process.cwd()
    },
    bundle: true,
    // Not a module: a module that was imported stays in memory.
    format: "cjs",
    platform: "node",
    target: "node20",
    // Errors and services are named by their classes, of which a bundle may have two of a name.
    keepNames: true,
    logLevel: "error",
    metafile: true,
    outdir: "reports",
    plugins: [bundling],
    write: false
  })
  const packages = new Map([["vitest", vitest]])
  for (const { external, path } of Object.values(metafile.outputs).flatMap(({ imports }) => imports)) {
    if (external && !packages.has(path)) packages.set(path, await import(path))
  }
  // Packages are handed in as namespaces of modules, which are not to be read as those of CommonJS.
  const code = outputFiles[0].text.replaceAll(/__toESM\((require\("[^"]+"\))(?:, 1)?\)/g, "$1")
  const evaluate = new Vm.Script(`(function (require, module) {${code}\n})`, {
    filename: Path.resolve("reports/bundle.js"),
    importModuleDynamically: Vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
  })
  // Effect keeps the defaults of services by their names: those of a bundle before are of another mutant.
  const defaults = globalValue("effect/Context/defaultValueCache", () => new Map())
  return () => {
    defaults.clear()
    const module = { exports: {} }
    evaluate.runInThisContext()((name) => packages.get(name), module)
    return module.exports
  }
}

const idOf = (test) => `${test.file.name}#${getTestName(test, " ")}`

/** Leaves out what is not asked for, and whole suites, so that their hooks do not run. */
const leaveOut = (task, isAsked) => {
  if (task.type === "test") {
    if (!isAsked(task)) task.mode = "skip"
    return task.mode !== "skip"
  }
  const isAnyAsked = task.tasks.filter((child) => leaveOut(child, isAsked)).length > 0
  if (!isAnyAsked && task.result?.state !== "fail") task.mode = "skip"
  return isAnyAsked
}

/** The quick ones first: most mutants fail the first test. That tests need no order is needed anyhow, to run some only. */
const sort = (tasks, times) => {
  const durationOf = (task) =>
    task.type === "test"
      ? (times[idOf(task)]?.duration ?? 0)
      : task.tasks.reduce((sum, child) => (child.mode === "skip" ? sum : sum + durationOf(child)), 0)
  const byTask = new Map(tasks.map((task) => [task, durationOf(task)]))
  tasks.sort((one, other) => byTask.get(one) - byTask.get(other))
  for (const { tasks: children } of tasks) if (children !== undefined) sort(children, times)
}

const resultOf = (test) => {
  const state = test.result?.state
  return {
    id: idOf(test),
    name: getTestName(test, " "),
    fileName: test.file.filepath,
    timeSpentMs: test.result?.duration ?? 0,
    ...(state === "fail"
      ? { status: TestStatus.Failed, failureMessage: messageOf(test.result) }
      : { status: state === "pass" ? TestStatus.Success : TestStatus.Skipped })
  }
}

const messageOf = (result) => result.errors?.[0]?.message ?? "It failed without an error"

const failed = (id, failureMessage) => ({
  id,
  name: id,
  timeSpentMs: 0,
  status: TestStatus.Failed,
  failureMessage
})

class InProcessTestRunner {
  #namespace = (globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {})
  #times = {}
  #unhandled = []

  capabilities() {
    return { reloadEnvironment: true }
  }

  async init() {
    process.env.NODE_ENV = "test"
    this.files = globSync(room.tests).sort()
    this.evaluate = await bundled(this.files)
    for (const event of ["uncaughtException", "unhandledRejection"]) {
      process.on(event, (error) => this.#unhandled.push(error))
    }
  }

  async dryRun({ disableBail }) {
    Object.assign(this.#namespace, {
      activeMutant: undefined,
      hitCount: undefined,
      hitLimit: undefined,
      mutantCoverage: undefined
    })
    const tests = await this.#run({ disableBail, isCoverageTaken: true })
    writeFileSync(timesFile, JSON.stringify(this.#times))
    return { status: DryRunStatus.Complete, tests, mutantCoverage: this.#namespace.mutantCoverage }
  }

  async mutantRun({ activeMutant, disableBail, hitLimit, mutantActivation, testFilter }) {
    this.#times = JSON.parse(readFileSync(timesFile, "utf8"))
    const activate = () => {
      this.#namespace.activeMutant = activeMutant.id
    }
    Object.assign(this.#namespace, { hitCount: 0, hitLimit })
    if (mutantActivation === "static") activate()
    const tests = await this.#run({ disableBail, testFilter, onLoaded: activate })
    // Fibers that a test has left behind go on with the code as it was written.
    this.#namespace.activeMutant = undefined
    const timeout = determineHitLimitReached(this.#namespace.hitCount, hitLimit)
    return toMutantRunResult(timeout ?? { status: DryRunStatus.Complete, tests })
  }

  async #run({ disableBail, isCoverageTaken = false, onLoaded = () => {}, testFilter }) {
    const asked = testFilter && new Set(testFilter)
    const files = this.files.filter((file) => !asked || testFilter.some((id) => id.startsWith(`${file}#`)))
    let hasFailed = false
    this.#unhandled.length = 0
    const idle = new Map()
    let load
    const tasks = await Runner.startTests(
      files.map((file) => Path.resolve(file)),
      {
        config: {
          root: process.cwd(),
          sequence: { hooks: "stack", setupFiles: "list" },
          setupFiles: [],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          retry: 0,
          maxConcurrency: 1,
          passWithNoTests: false,
          allowOnly: false
        },
        importFile: (path) => {
          load ??= this.evaluate()
          return load[Path.relative(process.cwd(), path).replaceAll("\\", "/")]()
        },
        onCollected: (collected) => {
          for (const file of collected) leaveOut(file, (test) => !asked || asked.has(idOf(test)))
          sort(collected, this.#times)
          hasFailed = !disableBail && collected.some((file) => file.result?.state === "fail")
          onLoaded()
        },
        onBeforeRunTask: (test) => {
          if (hasFailed) test.mode = "skip"
          if (isCoverageTaken) this.#namespace.currentTestId = idOf(test)
        },
        runTask: async (test) => {
          const before = idleTime()
          const known = this.#times[idOf(test)]?.idle
          const watch = rejectOnceIdle(known === undefined ? Infinity : 2000 + 5 * known)
          try {
            await Promise.race([Runner.getFn(test)(), watch.rejected])
          } finally {
            watch.stop()
          }
          idle.set(test, idleTime() - before)
        },
        onAfterRunTask: (test) => {
          this.#namespace.currentTestId = undefined
          if (isCoverageTaken)
            this.#times[idOf(test)] = { duration: test.result.duration, idle: idle.get(test) ?? 0 }
          if (test.result.state === "fail" && !disableBail) hasFailed = true
        }
      }
    )
    await new Promise(setImmediate)
    const results = tasks
      .flatMap(getTests)
      .filter((test) => test.result)
      .map(resultOf)
    // A file that cannot be loaded and a suite whose hook fails have no test that failed.
    for (const file of tasks) {
      const broken =
        file.result?.state === "fail" &&
        !results.some(({ fileName, status }) => fileName === file.filepath && status === TestStatus.Failed)
      if (broken) results.push(failed(`${file.name}#can be loaded`, messageOf(file.result)))
    }
    if (this.#unhandled.length > 0) {
      results.push(
        failed("leaves no error unhandled", String(this.#unhandled[0]?.stack ?? this.#unhandled[0]))
      )
    }
    return results
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "in-process", InProcessTestRunner)]
