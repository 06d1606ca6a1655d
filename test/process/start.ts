/**
 * Starts a program as a process of its own. Needs no vitest.
 */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"

const root = Path.resolve(import.meta.dirname, "../..")

/** The result of a process. */
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
