/** Runs jobs in processes of their own. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Found } from "./parts.js"
import type { Report, Task } from "./protocol.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** A job that does not end at its time is killed after so many more seconds. */
const graceSeconds = 120

/** Runs a job, and returns its findings. A process that dies is a breach, and has no figures. An abort kills it. */
type Run = (task: Task, done: (units: number) => void, signal?: AbortSignal) => Promise<Found>

/** A process that does one job after the other. */
export interface JobProcess {
  readonly run: Run
  readonly end: () => void
}

const begin = (program: string): ChildProcess =>
  fork(program, {
    cwd: root,
    // Most objects that a job makes are garbage at once: room for them saves a tenth of the time.
    execArgv: ["--max-old-space-size=6000", "--max-semi-space-size=64"],
    stdio: ["ignore", "ignore", "pipe", "ipc"]
  })

const runIn = (child: ChildProcess, ...[task, done, signal]: Parameters<Run>): Promise<Found> =>
  new Promise((resolve) => {
    let complaint = ""
    const kill = () => child.kill("SIGKILL")
    const timer = task.seconds === null ? undefined : setTimeout(kill, (task.seconds + graceSeconds) * 1000)
    const hear = (text: string): void => void (complaint = (complaint + text).slice(-4000))
    const take = (message: Report): void =>
      message.type === "done" ? done(message.units) : settle(message.found)
    const lose = (code: number | null, signal: NodeJS.Signals | null): void => {
      const breach = `${task.part}, ${task.job}, seed ${task.seed}: its process ended with ${signal ?? code}. ${complaint}`
      settle({ done: 0, breaches: [breach], figures: undefined })
    }
    const settle = (found: Found): void => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", kill)
      child.stderr!.off("data", hear)
      child.off("message", take).off("close", lose)
      resolve(found)
    }
    signal?.addEventListener("abort", kill)
    child.stderr!.setEncoding("utf8").on("data", hear)
    child.on("message", take).on("close", lose)
    child.send(task)
  })

/** Makes a process of the program that was built for jobs. It starts with its first job, and anew if it died. */
export const jobProcess = (program: string): JobProcess => {
  let child: ChildProcess | null = null
  return {
    run: (...job) => {
      if (child === null || child.exitCode !== null || child.signalCode !== null) child = begin(program)
      return runIn(child, ...job)
    },
    end: () => {
      if (child?.connected === true) child.disconnect()
      child = null
    }
  }
}

/** Runs one job in a process for it alone. */
export const runJob = async (program: string, ...job: Parameters<Run>): Promise<Found> => {
  const { end, run } = jobProcess(program)
  try {
    return await run(...job)
  } finally {
    end()
  }
}
