/** Many commands that log in at once, on a store that is empty. */
import { coldStart, type ColdStartFigures } from "../../process/crash/coldStart.js"
import { engineNames } from "../../process/crash/world.js"
import { table } from "../markdown.js"
import type { Runner } from "../parts.js"

interface Figures extends Omit<ColdStartFigures, "breaches"> {
  readonly engine: string
}

export const runner: Runner<Figures> = {
  jobs: engineNames,
  run: async (job, { most }) => {
    const engine = engineNames.find((name) => name === job)!
    const { breaches, ...figures } = await coldStart(engine, most)
    return {
      done: most,
      breaches: breaches.map((breach) => `${job}: ${breach}`),
      figures: { engine, ...figures }
    }
  },
  sum: (found) => ({ figures: found.map(({ figures }) => figures), breaches: [] }),
  print: (figures) => table(figures as ReadonlyArray<Readonly<Record<string, unknown>>>)
}
