/**
 * Resources that are started once for a run of all tests, one function for each. A test takes them by
 * `inject`.
 */
import type { TestProject } from "vitest/node"
import { buildJob } from "../verify/build.js"
import { startServer, urlVariable } from "./postgres.js"
import { buildPrograms, type Programs } from "../process/build.js"

declare module "vitest" {
  export interface ProvidedContext {
    /** The programs that tests start as processes. */
    readonly programs: Programs
    /** The program that runs a job of the verification. */
    readonly jobProgram: string
  }
}

/** Ends a resource. */
type End = () => Promise<void>

const programs = async (project: TestProject): Promise<End> => {
  const built = await buildPrograms()
  project.provide("programs", built.programs)
  return built.remove
}

const job = async (project: TestProject): Promise<End> => {
  const { program, remove } = await buildJob()
  project.provide("jobProgram", program)
  return async () => remove()
}

/**
 * One server for all tests that need a database of their own. They find its URL in the variable by which a
 * person may name another server. Tests that stop or freeze a server start their own.
 */
const postgres = async (): Promise<End> => {
  if (process.env[urlVariable]) return async () => {}
  const server = await startServer()
  process.env[urlVariable] = server.url
  return async () => {
    delete process.env[urlVariable]
    await server.end()
  }
}

export default async (project: TestProject): Promise<End> => {
  const ends = await Promise.all([programs(project), job(project), postgres()])
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}
