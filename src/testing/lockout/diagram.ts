/**
 * The events of one run, as a Mermaid sequence diagram. It shows neither tokens nor session keys.
 */
import { nameOfProcess } from "./schedule.js"

export interface Diagram {
  readonly draw: (line: string) => void
  /** The diagram without its last `without` lines. */
  readonly text: (processes: number, without: number) => string
}

export const makeDiagram = (): Diagram => {
  const drawn: Array<string> = []
  const isDrawn = (name: string): boolean => drawn.some((line) => new RegExp(`\\b${name}\\b`).test(line))
  return {
    draw: (line) => void drawn.push(`  ${line}`),
    text: (processes, without) => {
      const participants = Array.from({ length: processes }, (_, number) => nameOfProcess(number))
        .filter(isDrawn)
        .map((name) => `  participant ${name}`)
      return [
        "sequenceDiagram",
        ...participants,
        "  participant Store",
        "  participant Number",
        "  actor Person",
        ...drawn.slice(0, drawn.length - without)
      ].join("\n")
    }
  }
}
