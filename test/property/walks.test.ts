import { describeInShort } from "../verify/inShort.js"

describeInShort("the walks", ["walks", "wanderings", "forms", "assumptions"])
