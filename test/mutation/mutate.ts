/**
 * `npm run mutate -- machine`: mutates one room or several, and fails if a room's score is below its least
 * score.
 *
 * The options after the rooms' names are handed to Stryker (`--concurrency 2`, say). With `--check` nothing
 * is mutated: the reports of the last run are judged again.
 *
 * Stryker, and the packages that only inProcess.js imports, have a package.json of their own beside this
 * file. They are installed here before the first run, and when the lock file has changed. Vitest, Effect and
 * TypeScript stay those of the project.
 */
import { spawnSync } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
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

const isCheck = options.includes("--check")
if (!isCheck) {
  const modifiedAt = (file: string): number =>
    statSync(new URL(file, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
  // npm writes the lock file within node_modules last.
  if (modifiedAt("node_modules/.package-lock.json") < modifiedAt("package-lock.json")) {
    console.log("Installing the tools of the mutation tests")
    const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      shell: process.platform === "win32", // there npm is a script
      stdio: "inherit"
    })
    if (status !== 0) process.exit(1)
  }
}

for (const name of names) {
  if (!isCheck) {
    const { status } = spawnSync(
      process.execPath,
      [
        "test/mutation/node_modules/@stryker-mutator/core/bin/stryker.js",
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
