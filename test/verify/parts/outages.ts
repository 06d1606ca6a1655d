/** A PostgreSQL that is stopped and started under load. */
import { type OutageFigures, outagesOf } from "../../process/crash/outages.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures extends Omit<OutageFigures, "breaches" | "recoveredMillis"> {
  readonly slowestRecoveryMillis: number
}

export const runner: Runner<Figures> = {
  jobs: ["PostgreSQL"],
  run: async (_, effort) => {
    const { breaches, recoveredMillis, ...figures } = await outagesOf(effort)
    return {
      done: figures.rounds,
      breaches,
      figures: { ...figures, slowestRecoveryMillis: Math.max(0, ...recoveredMillis) }
    }
  },
  sum: ([first]) => ({ figures: first?.figures ?? {}, breaches: [] }),
  print: sentences
}
