/**
 * `npm run mutate -- machine`: mutates a room, and breaks where its score is below what the issue asks for.
 *
 * What follows the room's name is handed to Stryker (`--concurrency 2`, say). With `--check` nothing is mutated: the
 * report of the last run is looked at again.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { type Report, verdict } from "./verdict.js"
import { justified } from "./survivors.js"

/** The least score of each room, in percent of the mutants that compile, its justified survivors left out. */
const leastScores: Readonly<Record<string, number>> = { machine: 100, services: 90 }

const [room = "", ...options] = process.argv.slice(2)
const leastScore = leastScores[room]
if (leastScore === undefined) {
  console.error(`Which room? ${Object.keys(leastScores).join(" or ")}`)
  process.exit(2)
}

if (!options.includes("--check")) {
  const { status } = spawnSync(
    process.execPath,
    [
      "node_modules/@stryker-mutator/core/bin/stryker.js",
      "run",
      `test/mutation/${room}.stryker.js`,
      ...options
    ],
    { stdio: "inherit" }
  )
  if (status !== 0) process.exit(status ?? 1)
}

const report = JSON.parse(readFileSync(`reports/mutation-${room}.json`, "utf8")) as Report
const found = verdict(
  report,
  justified.filter(({ file }) => file.startsWith(`src/${room}/`)),
  leastScore
)
console.log(found.lines.join("\n"))
process.exitCode = found.isGood ? 0 : 1
