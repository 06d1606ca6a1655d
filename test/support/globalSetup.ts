/**
 * What is started once for a run of all tests, one function for each. A test takes it by `inject`.
 */
import type { TestProject } from "vitest/node"
import { buildPrograms, type Programs } from "../process/build.js"

declare module "vitest" {
  export interface ProvidedContext {
    /** The programs that tests start as processes. */
    readonly programs: Programs
  }
}

/** Ends what was started. */
type End = () => Promise<void>

const programs = async (project: TestProject): Promise<End> => {
  const built = await buildPrograms()
  project.provide("programs", built.programs)
  return built.remove
}

export default async (project: TestProject): Promise<End> => {
  const ends = await Promise.all([programs(project)])
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}
