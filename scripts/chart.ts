/**
 * `npm run chart`: writes the pictures of the statechart that are kept in files. A test compares them with the machine.
 */
import { writeFileSync } from "node:fs"
import { pictures } from "./pictures.js"

for (const { path, text } of await pictures()) {
  writeFileSync(path, text)
  console.log(`wrote ${path}`)
}
