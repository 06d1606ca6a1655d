/**
 * The verdict on a mutation report: its score without the justified survivors, the survivors without a
 * justification, and the justifications that fit no survivor.
 */

/** The part of a Stryker report that is read here. */
export interface Report {
  readonly files: Readonly<
    Record<string, { readonly source: string; readonly mutants: ReadonlyArray<Mutant> }>
  >
}

type Status =
  "Killed" | "Survived" | "NoCoverage" | "CompileError" | "RuntimeError" | "Timeout" | "Ignored" | "Pending"

interface Place {
  readonly line: number
  readonly column: number
}

interface Mutant {
  readonly mutatorName: string
  readonly replacement?: string
  readonly status: Status
  readonly location: { readonly start: Place; readonly end: Place }
}

/**
 * A mutant that no test can distinguish from the code, with the reason. It is named by its change and not by
 * its place, so that it still fits when lines move. If two are alike, each needs an entry of its own.
 */
export interface Justified {
  readonly file: string
  /** The source's line where the mutant begins, without its indentation. */
  readonly line: string
  readonly mutator: string
  /** The original code and its replacement; white space is taken as one space. */
  readonly original: string
  readonly replacement: string
  readonly reason: string
}

const oneSpace = (text: string): string => text.replace(/\s+/g, " ").trim()

const originalOf = (lines: ReadonlyArray<string>, { end, start }: Mutant["location"]): string =>
  lines
    .slice(start.line - 1, end.line)
    .map((line, index, all) => {
      const from = index === 0 ? start.column - 1 : 0
      return index === all.length - 1 ? line.slice(from, end.column - 1) : line.slice(from)
    })
    .join("\n")

const keyOf = ({ file, line, mutator, original, replacement }: Omit<Justified, "reason">): string =>
  JSON.stringify([file, line.trim(), mutator, oneSpace(original), oneSpace(replacement)])

export const verdict = (
  report: Report,
  justified: ReadonlyArray<Justified>,
  leastScore: number
): {
  readonly isGood: boolean
  readonly score: number
  readonly counts: Readonly<Record<string, number>>
  readonly lines: ReadonlyArray<string>
} => {
  const counts: Record<Status, number> = {
    Killed: 0,
    Timeout: 0,
    Survived: 0,
    NoCoverage: 0,
    CompileError: 0,
    RuntimeError: 0,
    Ignored: 0,
    Pending: 0
  }
  const open = justified.map((entry) => ({ entry, key: keyOf(entry) }))
  const unjustified: Array<string> = []
  for (const [file, { mutants, source }] of Object.entries(report.files)) {
    const lines = source.split("\n")
    for (const mutant of mutants) {
      counts[mutant.status]++
      if (mutant.status !== "Survived" && mutant.status !== "NoCoverage") continue
      const found = {
        file,
        line: lines[mutant.location.start.line - 1]?.trim() ?? "",
        mutator: mutant.mutatorName,
        original: originalOf(lines, mutant.location),
        replacement: mutant.replacement ?? ""
      }
      const key = keyOf(found)
      const index = open.findIndex((other) => other.key === key)
      if (index >= 0) open.splice(index, 1)
      else {
        unjustified.push(
          `${file}:${mutant.location.start.line} ${mutant.mutatorName}, ${mutant.status}: ` +
            `${oneSpace(found.original)} -> ${oneSpace(found.replacement)}`
        )
      }
    }
  }
  const detected = counts.Killed + counts.Timeout
  const judged = detected + unjustified.length
  const score = judged === 0 ? 0 : (100 * detected) / judged
  const unread = counts.Ignored + counts.Pending
  const unreasoned = justified.filter(({ reason }) => reason.trim() === "")
  return {
    // An ignored mutant would need no justification.
    isGood: score >= leastScore && open.length === 0 && unread === 0 && unreasoned.length === 0,
    score,
    counts: {
      killed: counts.Killed,
      timedOut: counts.Timeout,
      survivedAndJustified: justified.length - open.length,
      survivedAndNotJustified: unjustified.length,
      didNotCompile: counts.CompileError
    },
    lines: [
      ...unjustified.map((text) => `Survived, and not justified: ${text}`),
      ...open.map(({ key }) => `Justified, and no survivor: ${key}`),
      ...unreasoned.map((entry) => `Justified without a reason: ${keyOf(entry)}`),
      ...(unread === 0 ? [] : [`Ignored or left undone: ${unread}`]),
      `${judged + justified.length - open.length + counts.CompileError + counts.RuntimeError + unread} mutants: ` +
        `${counts.Killed} killed, ${counts.Timeout} timed out, ${justified.length - open.length} survived and justified, ` +
        `${unjustified.length} survived and not justified, ${counts.CompileError} did not compile, ` +
        `${counts.RuntimeError} did not run. Score ${score.toFixed(2)} %, at least ${leastScore} %.`
    ]
  }
}
