/**
 * The programs that tests start as processes of their own: the command, the process that is killed, and the examples.
 * They are built once for a run. Needs no vitest.
 */
import * as esbuild from "esbuild"
import * as ChildProcess from "node:child_process"
import { randomBytes } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"

export { lastJson, type Ran, type Running, start } from "./start.js"

const root = Path.resolve(import.meta.dirname, "../..")

/** Paths of programs, each to be started by `node`. */
export interface Programs {
  /** The command `number-auth`. */
  readonly cli: string
  /** The process that is killed: `worker.ts`. */
  readonly worker: string
  /** The process that draws numbers from a store: `drawer.ts`. */
  readonly drawer: string
  /** `examples/methods.ts` */
  readonly methods: string
  /** `examples/testing.ts` */
  readonly testing: string
}

export interface BuiltPrograms {
  readonly programs: Programs
  readonly remove: () => Promise<void>
}

export interface Built {
  readonly bin: string
  readonly remove: () => void
}

/** Each program is one file with everything that it imports, except native drivers. */
const common: esbuild.BuildOptions = {
  absWorkingDir: root,
  tsconfig: Path.join(root, "tsconfig.json"),
  bundle: true,
  minifySyntax: true,
  minifyWhitespace: true,
  platform: "node",
  target: "node20",
  external: ["better-sqlite3", "pg-native"],
  logLevel: "error"
}

/**
 * Programs that are started many times. CommonJS, since only then can Node 20 keep the code that V8 compiled.
 */
const manyTimes = (entryPoints: Readonly<Record<string, string>>, outdir: string) =>
  esbuild.build({
    ...common,
    entryPoints,
    outdir,
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    define: { "import.meta.url": "bundledUrl" },
    banner: { js: 'const bundledUrl = require("node:url").pathToFileURL(__filename).href;' }
  })

/** Programs that are started once. An example may use `await` at its top, so that they are modules. */
const once = (entryPoints: Readonly<Record<string, string>>, outdir: string) =>
  esbuild.build({
    ...common,
    entryPoints,
    outdir,
    format: "esm",
    outExtension: { ".js": ".mjs" },
    // Bundled CommonJS calls `require` for Node's own modules.
    banner: {
      js: 'import { createRequire as bundled } from "node:module"; const require = bundled(import.meta.url);'
    }
  })

/**
 * Starts the program beside it with the code that V8 compiled in an earlier process, which halves the time of a start.
 * The program itself runs as always. With `NUMBER_TEST_KEEP_CODE` it keeps that code when it exits.
 */
const launcher = (name: string): string => `
const fs = require("node:fs")
const { Script } = require("node:vm")
const { createRequire, wrap } = require("node:module")
const file = require("node:path").join(__dirname, ${JSON.stringify(`${name}.cjs`)})
const kept = file + ".code"
const code = fs.existsSync(kept) ? fs.readFileSync(kept) : undefined
const source = fs.readFileSync(file, "latin1").replace(/^#!.*/, "")
const script = new Script(wrap(source), { filename: file, cachedData: code })
if (process.env.NUMBER_TEST_KEEP_CODE) {
  delete process.env.NUMBER_TEST_KEEP_CODE
  process.on("exit", () => {
    fs.writeFileSync(kept + ".new", script.createCachedData())
    fs.renameSync(kept + ".new", kept)
  })
}
const module_ = { exports: {} }
script.runInThisContext().call(module_.exports, module_.exports, createRequire(file), module_, file, __dirname)
`

/** Writes the launcher of a program, and gives its path. */
const launched = (program: string): string => {
  const { dir, name } = Path.parse(program)
  const path = Path.join(dir, `${name}.launch.cjs`)
  Fs.writeFileSync(path, launcher(name))
  return path
}

/** Runs a program once, so that the code that V8 compiles for it is kept. Its output does not matter. */
const warmUp = (program: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  new Promise<void>((resolve) => {
    const options = { env: { ...env, NUMBER_TEST_KEEP_CODE: "1" }, timeout: 60_000 }
    ChildProcess.execFile(process.execPath, [program, ...args], options, () => resolve())
  })

/** A folder below node_modules, so that the native driver is found from there. */
const newFolder = (name: string): string => {
  const folder = Path.join(
    root,
    "node_modules",
    ".cache",
    `number-auth-${name}-${process.pid}-${randomBytes(4).toString("hex")}`
  )
  Fs.mkdirSync(Path.join(folder, "dist", "cli"), { recursive: true })
  // The command reads its version there.
  Fs.copyFileSync(Path.join(root, "package.json"), Path.join(folder, "package.json"))
  return folder
}

const nowhere = "http://127.0.0.1:1"

/** Both programs make an attempt that reaches no server. */
const warmUps = (folder: string, { cli, worker }: Programs): ReadonlyArray<Promise<void>> => {
  const account = "EP9116875"
  const token = "0".repeat(32)
  const store = (name: string) => `file://${Path.join(folder, name)}`
  const task = { account, token, baseUrl: nowhere, location: "default", gate: null, mode: "once" }
  return [
    warmUp(cli, ["login", "--json"], {
      HOME: folder,
      NUMBER_ACCOUNT_CODE: account,
      NUMBER_TOKEN: token,
      NUMBER_BASE_URL: nowhere,
      NUMBER_STORE_URL: store("cli.sqlite")
    }),
    warmUp(worker, [], {
      WORKER: JSON.stringify({ ...task, store: store("worker.sqlite"), atGate: "wait", settings: {} })
    })
  ]
}

/**
 * Builds all programs. They can be started at once. Starts become cheaper when the two warm-up runs have
 * ended.
 */
export const buildPrograms = async (): Promise<BuiltPrograms> => {
  const folder = newFolder("programs")
  await Promise.all([
    manyTimes(
      {
        "dist/cli/bin": "src/cli/bin.ts",
        worker: "test/process/worker.ts",
        drawer: "test/process/drawer.ts"
      },
      folder
    ),
    once({ methods: "examples/methods.ts", testing: "examples/testing.ts" }, folder)
  ])
  const path = (name: string) => Path.join(folder, name)
  const programs: Programs = {
    cli: launched(path("dist/cli/bin.cjs")),
    worker: launched(path("worker.cjs")),
    drawer: path("drawer.cjs"),
    methods: path("methods.mjs"),
    testing: path("testing.mjs")
  }
  const warm = Promise.all(warmUps(folder, programs))
  return {
    programs,
    remove: async () => {
      await warm
      Fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Only the command, of this checkout or of another tree below it, which has a name. */
export const buildCli = async (tree = "", name = "cli"): Promise<Built> => {
  const folder = newFolder(name)
  await manyTimes({ "dist/cli/bin": Path.join(tree, "src/cli/bin.ts") }, folder)
  return {
    bin: Path.join(folder, "dist/cli/bin.cjs"),
    remove: () => Fs.rmSync(folder, { recursive: true, force: true })
  }
}
