import { describeInShort } from "../verify/inShort.js"

describeInShort("many answers and accounts", ["answers", "accounts"])
