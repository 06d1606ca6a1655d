/** Compiled programs: TypeScript that is loaded module by module takes seconds to start, and there are a hundred jobs. */
import * as esbuild from "esbuild"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

const options = {
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
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
  await esbuild.build({
    ...options,
    absWorkingDir: root,
    entryPoints: ["test/verify/job.ts"],
    outdir: folder,
    splitting: true
  })
  return { program: join(folder, "job.js"), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Builds one module with all that it imports from its tree. */
export const buildModule = async (file: string): Promise<string> => {
  const outfile = file.replace(/\.ts$/, ".mjs")
  await esbuild.build({ ...options, absWorkingDir: root, entryPoints: [file], outfile })
  return outfile
}
