/**
 * One life: a location for one year.
 */
import * as Effect from "effect/Effect"
import type { Life, Options } from "./model.js"
import { suffer } from "./hardships.js"
import { makePeople } from "./people.js"
import { makeProcesses, type Processes } from "./processes.js"
import { hour, makeWorld, minute, type World } from "./world.js"

const yearMillis = 8766 * hour

/** Hardships come together. */
const sufferSeveral = (world: World, processes: Processes): void => {
  const { chance, clock, location, log } = world
  for (let more = chance.between(1, 6); more > 0 && log.violation() === null; more--) {
    suffer(world, processes)
    clock.advance(chance.oneOf(1, 200, 5000, 31_000, minute, 400_000))
    processes.call(processes.draw(), chance.below(location.accounts.length))
  }
}

/**
 * Ends the life. The fibers that its processes still have in memory unwind, without any visible effect: otherwise the
 * simulation has a mistake, and throws.
 */
const end = ({ clock, disk, location, log, options }: World, processes: Processes, life: number): void => {
  const { accounts, closeBackend, emulator, tokens } = location
  closeBackend()
  const seen = (): string =>
    JSON.stringify([
      log.trace.length,
      [...accounts.keys()].map(tokens.supplied),
      disk.writes(),
      Effect.runSync(emulator.requestsSeen)
    ])
  const before = seen()
  processes.end()
  const left = clock.end()
  const name = `life ${life} of seed ${options.seed}`
  if (left > 0) throw new Error(`${left} fibers still run after the end of ${name}`)
  if (seen() !== before) throw new Error(`A dead process of ${name} has acted`)
}

/**
 * Lives one life. The same options and number give the same life, to the last entry of its trace.
 *
 * @since 0.1.0
 * @category running
 */
export const live = (options: Options, life: number): Life => {
  const world = makeWorld(options, life)
  const { chance, clock, conditions, location, log } = world
  const people = makePeople(world)
  const processes = makeProcesses(world, people.notify)

  while (clock.steadyMillis() < yearMillis && log.violation() === null) {
    for (const account of location.accounts.keys()) processes.call(processes.draw(), account)
    if (chance.below(12) === 0) sufferSeveral(world, processes)
    people.act(processes)
    clock.advance(chance.between(2, 28) * hour)
  }
  // Everything under way comes to its end.
  if (log.violation() === null) clock.advance(1_200_000)
  clock.run(world.look)

  const attempts = clock.run(location.emulator.log)
  const peak = clock.run(location.emulator.peak)
  const isLocked = location.isLocked()
  if (isLocked) log.broken("the backend never counts six")
  const years = clock.steadyMillis() / yearMillis
  end(world, processes, life)
  return {
    figures: {
      years,
      lockouts: isLocked || peak >= 6 ? 1 : 0,
      attempts: attempts.length,
      renewals: attempts.filter(({ outcome }) => outcome === "accepted").length,
      calls: processes.calls(),
      crashes: processes.crashes(),
      greatestCount: peak,
      yearsAtTheLimit: peak === conditions.limit ? 1 : 0,
      faults: log.faults
    },
    violation: log.violation(),
    trace: log.trace
  }
}
