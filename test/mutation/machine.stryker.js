import { room } from "./stryker.js"

// Every survivor has to be justified, line by line, in survivors.ts: mutate.ts breaks the run for any other.
export default room({ name: "machine", mutate: ["src/machine/**/*.ts"], breakAt: null })
