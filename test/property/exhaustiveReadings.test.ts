import { describe } from "vitest"
import { itHolds } from "./exhaustiveWalk.js"
import { readings } from "./exhaustiveWorlds.js"

describe("every reading of what the documentation leaves open", { timeout: 3_600_000 }, () => {
  itHolds(readings)
})
