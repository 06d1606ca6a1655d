import { describe } from "vitest"
import { itHoldsInShort } from "../verify/inShort.js"

describe("the mutants", () => {
  itHoldsInShort("walked-mutants")
  itHoldsInShort("invariants")
  itHoldsInShort("sampled-mutants")
  itHoldsInShort("simulated-mutants")
})
