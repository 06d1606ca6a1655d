/** Runs one job in a process of its own. */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Found } from "./parts.js"
import type { Report, Task } from "./protocol.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** A job that does not end at its time is killed after so many more seconds. */
const graceSeconds = 120

/**
 * Runs a job in the program that was built for jobs, and returns its findings. A process that dies is a
 * breach, and has no figures. An abort kills it.
 */
export const runJob = (
  program: string,
  task: Task,
  done: (units: number) => void,
  signal?: AbortSignal
): Promise<Found> =>
  new Promise((resolve) => {
    const child = fork(program, {
      cwd: root,
      // Most objects that a job makes are garbage at once: room for them saves a tenth of the time.
      execArgv: ["--max-old-space-size=6000", "--max-semi-space-size=64"],
      stdio: ["ignore", "ignore", "pipe", "ipc"]
    })
    signal?.addEventListener("abort", () => child.kill("SIGKILL"))
    let found: Found | null = null
    let complaint = ""
    child
      .stderr!.setEncoding("utf8")
      .on("data", (text: string) => (complaint = (complaint + text).slice(-4000)))
    child.on("message", (message: Report) => {
      if (message.type === "done") return done(message.units)
      found = message.found
    })
    const timer =
      task.seconds === null
        ? undefined
        : setTimeout(() => child.kill("SIGKILL"), (task.seconds + graceSeconds) * 1000)
    child.on("close", (code, signal) => {
      clearTimeout(timer)
      const breach = `${task.part}, ${task.job}, seed ${task.seed}: its process ended with ${signal ?? code}. ${complaint}`
      resolve(found ?? { done: 0, breaches: [breach], figures: undefined })
    })
    child.send(task)
  })
