/** Walks through all states of the core, and of the world around it. */
import { makeAuthCore } from "../../../src/machine/AuthCore.js"
import { defaultPolicy } from "../../../src/machine/Policy.js"
import { explore } from "../../model/Explorer.js"
import { make, type Options } from "../../model/WorldModel.js"
import { toSequenceDiagram } from "../../model/WorldTrace.js"
import { coreWalks, walk } from "../../property/exhaustiveCore.js"
import { readings, worlds } from "../../property/exhaustiveWorlds.js"
import type { Effort } from "../effort.js"
import { cell, table } from "../markdown.js"
import type { Found, Runner } from "../parts.js"

interface Walk {
  readonly walk: string
  readonly states: number
  readonly transitions: number
  /** The greatest count: the ledger's for one account, Number's for the world. */
  readonly greatestCount: number
  readonly limit: number
  /** Whether every reachable state was seen. */
  readonly isComplete: boolean
}

const found = (figures: Walk, breaches: ReadonlyArray<string>): Found<Walk> => ({
  done: figures.isComplete ? 1 : 0,
  figures,
  breaches: [
    ...breaches,
    // A walk that never meets the limit says little.
    ...(figures.isComplete && figures.greatestCount !== figures.limit
      ? [`${figures.walk}: the count came to ${figures.greatestCount} only, of ${figures.limit}`]
      : [])
  ]
})

const walkCore = (name: string, key: keyof typeof coreWalks, { mayGoOn }: Effort): Found<Walk> => {
  const options = coreWalks[key]
  const { broken, charts, greatestCount, isComplete, states, transitions } = walk({
    makeAuthCore,
    defaultPolicy,
    mayGoOn,
    ...options
  })
  return found({ walk: name, states, transitions, greatestCount, limit: options.policy.limit, isComplete }, [
    ...(broken === null ? [] : [[`${name}: ${broken.name}`, ...broken.path].join("\n")]),
    ...(isComplete && charts.size !== 9 ? [`${name}: only ${charts.size} of the chart's 9 states`] : [])
  ])
}

const walkWorld = (name: string, options: Options, { mayGoOn }: Effort): Found<Walk> => {
  const model = make(options)
  const { greatest, isComplete, states, transitions, violation } = explore(model, { mayGoOn })
  return found(
    { walk: name, states, transitions, greatestCount: greatest, limit: options.limit, isComplete },
    violation === null ? [] : [`${name}: ${violation.name}\n${toSequenceDiagram(model, violation.path)}`]
  )
}

type Walker = (name: string, effort: Effort) => Found<Walk>

const walkers: ReadonlyMap<string, Walker> = new Map<string, Walker>([
  ...Object.keys(coreWalks).map((key): [string, Walker] => [
    `one account, ${key}`,
    (name, effort) => walkCore(name, key as keyof typeof coreWalks, effort)
  ]),
  ...Object.entries({ ...worlds, ...readings }).map(([key, options]): [string, Walker] => [
    `the world, ${key}`,
    (name, effort) => walkWorld(name, options, effort)
  ])
])

export const runner: Runner<Walk> = {
  jobs: [...walkers.keys()],
  run: async (job, effort) => walkers.get(job)!(job, effort),
  sum: (each) => ({ figures: each.map(({ figures }) => figures), breaches: [] }),
  print: (figures) =>
    table(
      (figures as ReadonlyArray<Walk>).map(
        ({ greatestCount, isComplete, limit, states, transitions, walk }) => ({
          walk,
          states,
          transitions,
          "greatest count": `${cell(greatestCount)} of ${cell(limit)}`,
          complete: isComplete
        })
      )
    )
}
