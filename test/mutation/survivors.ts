import type { Justified } from "./verdict.js"

/** The mutants that survive because they change nothing that anyone can see, each with its reason. */
export const justified: ReadonlyArray<Justified> = []
