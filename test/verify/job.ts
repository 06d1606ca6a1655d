/** The process of jobs: it takes one task after the other, reports its progress, and then its findings. */
import { inspect } from "node:util"
import { makeEffort } from "./effort.js"
import { type Found, partNamed } from "./parts.js"
import type { Report, Task } from "./protocol.js"

/** The least time between two reports, for a job with many units. */
const reportEveryMillis = 200

const report = (message: Report): Promise<void> =>
  new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()))

const perform = async (task: Task): Promise<Found> => {
  const runner = await partNamed(task.part).load()
  let lastAt = 0
  const effort = makeEffort({
    most: task.most,
    seed: task.seed,
    seconds: task.seconds ?? undefined,
    done: (units) => {
      if (performance.now() - lastAt < reportEveryMillis) return
      lastAt = performance.now()
      void report({ type: "done", units })
    }
  })
  return runner.run(task.job, effort)
}

// All jobs are done, or the command has ended, and does not wait for this one.
process.once("disconnect", () => process.exit(0))

process.on("message", (task: Task) => {
  void perform(task)
    .catch((error: unknown): Found => {
      const breach = `${task.part}, ${task.job}, seed ${task.seed}: ${inspect(error)}`
      return { done: 0, breaches: [breach], figures: undefined }
    })
    .then((found) => report({ type: "found", found }))
})
