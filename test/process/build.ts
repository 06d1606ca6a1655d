/**
 * The command as a program: built once for all tests of a run, and started as a process of its own.
 */
import * as esbuild from "esbuild"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"

const root = Path.resolve(import.meta.dirname, "../..")

/** A program in one file with all it imports, native drivers aside: it starts in a third of the time. */
const bundle = (entryPoint: string, outfile: string) =>
  esbuild.build({
    entryPoints: [Path.resolve(root, entryPoint)],
    outfile,
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    platform: "node",
    format: "esm",
    external: ["better-sqlite3", "pg-native"],
    // What is bundled of CommonJS asks for Node's own modules.
    banner: {
      js: 'import { createRequire as bundled } from "node:module"; const require = bundled(import.meta.url);'
    },
    logLevel: "error"
  })

export interface Built {
  readonly bin: string
  readonly remove: () => void
}

/** Below node_modules, so that the driver resolves from there. */
const newFolder = (name: string) =>
  Path.join(root, "node_modules", ".cache", `number-auth-${name}-${process.pid}`)

const built = (folder: string, bin: string): Built => ({
  bin,
  remove: () => Fs.rmSync(folder, { recursive: true, force: true })
})

/** The command, of this checkout or of another tree below it, which has a name. */
export const buildCli = async (tree = "", name = "cli"): Promise<Built> => {
  const folder = newFolder(name)
  const bin = Path.join(folder, "dist", "cli", "bin.js")
  await bundle(Path.join(tree, "src/cli/bin.ts"), bin)
  Fs.copyFileSync(Path.join(root, "package.json"), Path.join(folder, "package.json"))
  return built(folder, bin)
}

/** The process that is killed. */
export const buildWorker = async (): Promise<Built> => {
  const folder = newFolder("worker")
  const bin = Path.join(folder, "worker.mjs")
  await bundle("test/process/worker.ts", bin)
  return built(folder, bin)
}

/** What a process left behind. */
export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that is running. */
export interface Running {
  readonly child: ChildProcess.ChildProcess
  readonly ended: Promise<Ran>
  /** Resolves with the first line of standard output. */
  readonly firstLine: Promise<string>
}

/** Starts a program with the variables given and no others, in the root of the checkout unless said otherwise. */
export const start = (
  command: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  input = "",
  cwd = root
): Running => {
  const [file, ...args] = command
  const child = ChildProcess.spawn(file!, args, { cwd, env: { PATH: process.env["PATH"], ...env } })
  let stdout = ""
  let stderr = ""
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const firstLine = new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      if (stdout.includes("\n")) resolve(stdout.slice(0, stdout.indexOf("\n")))
    })
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ran>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, ended, firstLine }
}

/** The last line of standard output, as JSON. */
export const lastJson = (ran: Ran) => {
  const last = ran.stdout.trimEnd().split("\n").at(-1) ?? ""
  try {
    return JSON.parse(last)
  } catch {
    throw new Error(`The last line is no JSON: ${last}\nstderr: ${ran.stderr}`)
  }
}
