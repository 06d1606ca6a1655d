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

let built: Promise<string> | undefined

/**
 * The program of a job, built once for this process. Its folder lies as deep as those of the modules that it is built from,
 * which find files by paths from their own place.
 */
export const jobProgram = (): Promise<string> => {
  built ??= (async () => {
    const folder = join(root, "test", `.verify-${process.pid}`)
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
    await esbuild.build({
      ...options,
      absWorkingDir: root,
      entryPoints: ["test/verify/job.ts"],
      outdir: folder,
      splitting: true
    })
    return join(folder, "job.js")
  })()
  return built
}

/** Builds one module with all that it imports from its tree. */
export const buildModule = async (file: string): Promise<string> => {
  const outfile = file.replace(/\.ts$/, ".mjs")
  await esbuild.build({ ...options, absWorkingDir: root, entryPoints: [file], outfile })
  return outfile
}
