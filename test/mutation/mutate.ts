/**
 * `npm run mutate -- machine`: mutates a room or several, and breaks where a score is below what the issue asks for.
 *
 * What follows the rooms' names is handed to Stryker (`--concurrency 2`, say). With `--check` nothing is mutated: the
 * reports of the last run are looked at again.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { rooms } from "./rooms.js"
import { justifiedIn } from "./survivors.js"
import { type Report, verdict } from "./verdict.js"

const words = process.argv.slice(2)
const firstOption = words.findIndex((word) => word.startsWith("-"))
const names = firstOption < 0 ? words : words.slice(0, firstOption)
const options = words.slice(names.length)
if (names.length === 0 || names.some((name) => !(name in rooms))) {
  console.error(`Which rooms? ${Object.keys(rooms).join(", ")}`)
  process.exit(2)
}

for (const name of names) {
  if (!options.includes("--check")) {
    const { status } = spawnSync(
      process.execPath,
      [
        "node_modules/@stryker-mutator/core/bin/stryker.js",
        "run",
        "test/mutation/stryker.config.js",
        ...options
      ],
      { stdio: "inherit", env: { ...process.env, NUMBER_MUTATION_ROOM: name } }
    )
    if (status !== 0) process.exitCode = 1
  }
  const report = JSON.parse(readFileSync(`reports/mutation-${name}.json`, "utf8")) as Report
  const found = verdict(report, justifiedIn(report), rooms[name]!.leastScore)
  console.log(`${name}:\n${found.lines.join("\n")}`)
  if (!found.isGood) process.exitCode = 1
}
