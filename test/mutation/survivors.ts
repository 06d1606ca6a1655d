import type { Justified, Report } from "./verdict.js"

/** The chart's own check of a reservation. */
const lastWord = {
  file: "src/machine/internal/handlers.ts",
  line: "if (!reserved.sends) return decideByState(given, step)",
  mutator: "ConditionalExpression",
  reason:
    "The chart refuses a reservation only for refused credentials, which barOf has turned away before. " +
    "The second guard stays: no mistake in one of them may send an attempt."
}

/** The mutants that survive because they change nothing observable, each with its reason. */
export const justified: ReadonlyArray<Justified> = [
  { ...lastWord, original: "!reserved.sends", replacement: "false" }
]

/** The justified mutants in the files of a report. */
export const justifiedIn = ({ files }: Report): ReadonlyArray<Justified> =>
  justified.filter(({ file }) => file in files)
