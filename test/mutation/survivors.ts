import type { Justified, Report } from "./verdict.js"

/** The chart's last word on a reservation. */
const lastWord = {
  file: "src/machine/AuthCore.ts",
  line: 'if (reserved.commands.some((command) => command.type === "sendAttempt")) {',
  mutator: "ConditionalExpression",
  reason:
    "The chart refuses a reservation only for refused credentials, which barOf has turned away a few lines before. " +
    "The second guard stays: no mistake in one of them may send an attempt."
}

/** The mutants that survive because they change nothing that anyone can see, each with its reason. */
export const justified: ReadonlyArray<Justified> = [
  {
    ...lastWord,
    original: 'reserved.commands.some((command) => command.type === "sendAttempt")',
    replacement: "true"
  },
  { ...lastWord, original: 'command.type === "sendAttempt"', replacement: "true" }
]

/** Those of the files that a report is of. */
export const justifiedIn = ({ files }: Report): ReadonlyArray<Justified> =>
  justified.filter(({ file }) => file in files)
