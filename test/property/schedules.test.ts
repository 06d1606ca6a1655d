import { describeInShort } from "../verify/inShort.js"

describeInShort("random schedules", ["services", "naive", "programs"])
