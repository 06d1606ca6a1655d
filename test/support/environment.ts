/**
 * Each test file leaves the environment as it found it: the files of a worker share one process, and a variable that stays
 * behind is a setting of the tests that follow.
 */
import { afterAll } from "vitest"

const found = { ...process.env }

afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in found)) delete process.env[name]
  Object.assign(process.env, found)
})
