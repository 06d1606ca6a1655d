import { describe } from "vitest"
import { itHoldsInShort } from "../verify/inShort.js"

describe("random schedules", () => {
  itHoldsInShort("services")
  itHoldsInShort("naive")
  itHoldsInShort("programs")
})
