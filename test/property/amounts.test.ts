import { describe } from "vitest"
import { itHoldsInShort } from "../verify/inShort.js"

describe("many answers and accounts", () => {
  itHoldsInShort("answers")
  itHoldsInShort("accounts")
})
