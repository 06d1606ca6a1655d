import { describeInShort } from "../verify/inShort.js"

describeInShort("the mutants", ["walked-mutants", "invariants", "sampled-mutants", "simulated-mutants"])
