/** Processes that are killed at every step of an attempt. */
import { type KillFigures, killsOf } from "../../process/crash/kills.js"
import { engineNames } from "../../process/crash/world.js"
import { seedOf } from "../effort.js"
import { sentences } from "../markdown.js"
import type { Runner } from "../parts.js"

type Figures = Omit<KillFigures, "breaches">

export const runner: Runner<Figures> = {
  jobs: engineNames,
  run: async (job, effort) => {
    const engine = engineNames.find((name) => name === job)!
    const { breaches, ...figures } = await killsOf(engine, {
      ...effort,
      seed: seedOf(effort.seed, engineNames, job)
    })
    return { done: figures.kills, breaches, figures }
  },
  sum: (found, { isWhole, seed }) => {
    const engines = found.map(({ figures }, index) => [engineNames[index]!, figures] as const)
    const isVain = isWhole && engines.some(([, { peak }]) => peak !== 5)
    return {
      figures: { seed, ...Object.fromEntries(engines) },
      breaches: isVain ? ["the kills never filled the ledger: no emulator counted to 5"] : []
    }
  },
  print: sentences
}
