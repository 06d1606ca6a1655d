import { describe } from "vitest"
import { itHoldsInShort } from "../verify/inShort.js"

describe("the walks", () => {
  itHoldsInShort("walks")
  itHoldsInShort("wanderings")
  itHoldsInShort("forms")
  itHoldsInShort("assumptions")
})
