/** Mutants of the code itself, room by room. It takes hours, and so it is run by name only. */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { rooms } from "../../mutation/rooms.js"
import { justifiedIn } from "../../mutation/survivors.js"
import { type Report, verdict } from "../../mutation/verdict.js"
import { table } from "../markdown.js"
import type { Runner } from "../parts.js"

type Room = Readonly<Record<string, string | number>>

const mutate = (room: string): Promise<void> =>
  new Promise((resolve) => {
    spawn("npm", ["run", "-s", "mutate", "--", room], { stdio: "ignore" }).on("close", () => resolve())
  })

const score = (detected: number, survived: number): number =>
  Math.round((10_000 * detected) / (detected + survived)) / 100

const sumOf = (rows: ReadonlyArray<Room>): Room => {
  const sum = (name: string): number => rows.reduce((total, row) => total + Number(row[name]), 0)
  const [killed, timedOut, survived] = ["killed", "timedOut", "survivedAndNotJustified"].map(sum)
  return {
    room: "all of it",
    killed: killed!,
    timedOut: timedOut!,
    survivedAndJustified: sum("survivedAndJustified"),
    survivedAndNotJustified: survived!,
    didNotCompile: sum("didNotCompile"),
    score: score(killed! + timedOut!, survived!)
  }
}

export const runner: Runner<Room> = {
  jobs: Object.keys(rooms),
  run: async (job) => {
    await mutate(job)
    const report = JSON.parse(readFileSync(`reports/mutation-${job}.json`, "utf8")) as Report
    const found = verdict(report, justifiedIn(report), rooms[job]!.leastScore)
    return {
      done: 1,
      breaches: found.isGood ? [] : [`${job}:\n${found.lines.join("\n")}`],
      figures: { room: job, ...found.counts, score: Math.round(found.score * 100) / 100 }
    }
  },
  sum: (found) => ({ figures: found.map(({ figures }) => figures), breaches: [] }),
  print: (figures) => table([...(figures as ReadonlyArray<Room>), sumOf(figures as ReadonlyArray<Room>)])
}
