/**
 * Processes that hold a session, and are killed or suspended. Needs no vitest.
 */
import { assert } from "chai"
import { setTimeout as sleep } from "node:timers/promises"
import { type Ran, start } from "../start.js"
import type { Gate, Line, Task } from "../worker.js"
import { account, goodToken, shortLived, type World } from "./world.js"

/** How long a process may take for its work on a busy machine. */
const patienceMillis = 60_000

export const isAtGate = (line: Line): boolean => line.type === "gate"
export const isResult = (line: Line): boolean => line.type === "served" || line.type === "failed"
export const isWritten = (line: Line): boolean => line.type === "written"

/** Reads the lines of a worker as they come, and wakes the callers that wait for one. */
const linesOf = (running: ReturnType<typeof start>) => {
  const lines: Array<Line> = []
  let rest = ""
  let isOver = false
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const each of waiting) each()
    waiting.clear()
  }
  running.child.stdout!.on("data", (text: string) => {
    const parts = (rest + text).split("\n")
    rest = parts.pop()!
    lines.push(...parts.map((part) => JSON.parse(part) as Line))
    wake()
  })
  void running.ended.then(() => {
    isOver = true
    wake()
  })
  /** Waits until a line matches or the worker is over; false if no line matched. */
  const until = async (isSo: (line: Line) => boolean): Promise<boolean> => {
    const deadline = Date.now() + patienceMillis
    while (true) {
      if (lines.some(isSo)) return true
      const leftMillis = deadline - Date.now()
      if (isOver || leftMillis <= 0) return false
      const timer = new AbortController()
      await Promise.race([
        new Promise<void>((resolve) => waiting.add(resolve)),
        sleep(leftMillis, undefined, { signal: timer.signal }).catch(() => {})
      ])
      timer.abort()
    }
  }
  return { lines, until }
}

/** Starts a worker. */
export const startWorker = (world: World, task: Partial<Task> = {}) => {
  const full: Task = {
    store: world.store,
    account,
    token: goodToken,
    baseUrl: world.url,
    location: world.location,
    gate: null,
    atGate: "wait",
    mode: "once",
    ...task,
    settings: { ...world.settings, ...task.settings }
  }
  const running = start([process.execPath, world.programs.worker], { WORKER: JSON.stringify(full) })
  const { lines, until } = linesOf(running)
  const kill = (): Promise<Ran> => {
    running.child.kill("SIGKILL")
    return running.ended
  }
  return {
    task: full,
    /** Its lines so far. */
    lines,
    until,
    kill,
    ended: running.ended,
    child: running.child,
    /** The result of its call. The worker has to end by itself. */
    result: async () => {
      const timer = new AbortController()
      const ran = await Promise.race([
        running.ended,
        sleep(patienceMillis, null, { signal: timer.signal }).catch(() => null)
      ])
      timer.abort()
      if (ran === null) {
        await kill()
        return assert.fail(`A worker did not end: ${JSON.stringify(lines)}`)
      }
      const last = lines.at(-1)
      if (last?.type !== "served" && last?.type !== "failed") {
        return assert.fail(`A worker ended with ${ran.code ?? ran.signal} and no result: ${ran.stderr}`)
      }
      return last
    }
  }
}
export type Worker = ReturnType<typeof startWorker>

/** Starts a worker that is killed or suspended. */
export const startDoomed = (world: World, task: Partial<Task> = {}): Worker =>
  startWorker(world, { ...task, settings: { ...shortLived, ...task.settings } })

/** Kills a worker at a gate, which it must reach. */
export const killAt = async (
  world: World,
  gate: Exclude<Gate, null>,
  task: Partial<Task> = {}
): Promise<void> => {
  const one = startDoomed(world, { ...task, gate })
  const reached = await one.until(isAtGate)
  const { stderr } = await one.kill()
  assert.isTrue(reached, `${gate} was not reached: ${JSON.stringify(one.lines)} ${stderr}`)
}
